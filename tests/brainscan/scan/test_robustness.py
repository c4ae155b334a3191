"""What goes wrong around a scan fails what it must and nothing else; nothing half done is ever left."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.errors import BrainscanError, OutputError
from brainscan.io.csv_bi import read_csv_bi
from brainscan.io.folder_lock import folder_lock
from brainscan.scan.config import ScanConfig
from brainscan.scan.ledger import Ledger
from brainscan.scan.run import Listener, scan
from tests.brainscan.scan.workers import loud
from tests.edf_files import FakeEdf, eeg

_NOBODY = 65534
_as_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="needs root, to mount a small disk and to be somebody else"
)


def _write(path: Path, seconds: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FakeEdf(eeg(n_records=seconds, seed=seconds), seconds).data())
    return path


def _scan(folder: Path, out: Path, listener: Listener | None = None) -> Ledger:
    config = ScanConfig(folder, out, ("json",), pages=False)
    return scan(config, AnalysisOptions(), LazyDetector.ready(loud()), listener)


def _errors(ledger: Ledger) -> dict[str, BrainscanError]:
    return {outcome.file: outcome.error for outcome in ledger if outcome.error is not None}


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder that others may enter; pytest's own is closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def _somebody_else() -> Iterator[None]:
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def _small_disk(at: Path, n_bytes: int) -> Iterator[None]:
    at.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(at)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(at)], check=True)


@_as_root
def test_a_full_disk_fails_what_does_not_fit_and_the_next_scan_does_it(place: Path) -> None:
    for number in range(6):
        _write(place / "archive" / f"{number}.edf", 12 + number)
    out = place / "out"
    with _small_disk(out, 256 << 10):
        ballast = out / "ballast"
        ballast.write_bytes(b"\0" * (232 << 10))
        heard: list[Outcome] = []
        with suppress(OutputError):  # the tables may not fit either
            _scan(place / "archive", out, Listener(outcome=lambda outcome, *_: heard.append(outcome)))
        refused = [outcome.error for outcome in heard if outcome.error is not None]
        assert refused
        assert {error.kind for error in refused} == {"output"}
        assert all("no space left" in error.message for error in refused)
        fitted = list(out.glob("*.csv_bi"))
        assert len(fitted) < 6
        assert all(read_csv_bi(path).duration_s for path in fitted)
        assert not list(out.glob(".*"))
        ballast.unlink()
        assert _scan(place / "archive", out).counts["failed"] == 0
        assert len(list(out.glob("*.csv_bi"))) == len(list(out.glob("*.json"))) - 1 == 6  # and run.json


@_as_root
def test_a_folder_that_cannot_be_written_is_refused_at_once(place: Path) -> None:
    _write(place / "archive" / "one.edf")
    _scan(place / "archive", place / "warm")  # what is imported late lies where only root may read
    (place / "out").mkdir(mode=0o555)
    heard: list[str] = []
    listener = Listener(outcome=lambda outcome, *_: heard.append(outcome.file))
    with _somebody_else(), pytest.raises(OutputError, match="permission denied") as caught:
        _scan(place / "archive", place / "out", listener)
    assert caught.value.exit_code == 5
    assert heard == []


@_as_root
def test_a_recording_that_may_not_be_read_fails_alone(place: Path) -> None:
    for name in ("open.edf", "closed.edf"):
        _write(place / "archive" / name)
    _scan(place / "archive", place / "warm")
    (place / "archive" / "closed.edf").chmod(0)
    (place / "out").mkdir()
    os.chown(place / "out", _NOBODY, _NOBODY)
    with _somebody_else():
        ledger = _scan(place / "archive", place / "out")
    errors = _errors(ledger)
    assert list(errors) == ["closed.edf"]
    assert errors["closed.edf"].kind == "io"
    assert "permission denied" in errors["closed.edf"].message
    assert ledger.counts["done"] == 1


@pytest.mark.parametrize("what", ["deleted", "cut"])
def test_a_recording_that_goes_while_it_is_read_fails_alone(tmp_path: Path, what: str) -> None:
    going = _write(tmp_path / "archive" / "going.edf", 400)
    _write(tmp_path / "archive" / "staying.edf")

    def disturb(file: str, at_s: float, duration_s: float) -> None:
        if file == "going.edf" and going.exists():
            if what == "deleted":
                going.unlink()
            else:
                os.truncate(going, going.stat().st_size // 3)

    ledger = _scan(tmp_path / "archive", tmp_path / "out", Listener(progress=disturb))
    errors = _errors(ledger)
    assert list(errors) == ["going.edf"]
    assert errors["going.edf"].exit_code == 3
    assert ledger.counts["done"] == 1
    assert not (tmp_path / "out" / "going.csv_bi").exists()


def test_a_second_scan_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "archive" / "one.edf")
    (tmp_path / "out").mkdir()
    with folder_lock(tmp_path / "out"), pytest.raises(OutputError, match="another scan is writing"):
        _scan(tmp_path / "archive", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.csv"))
    assert _scan(tmp_path / "archive", tmp_path / "out").counts["done"] == 1


def test_no_clock_that_may_jump_is_asked() -> None:
    rooms = Path(__file__).resolve().parents[3] / "brainscan"
    texts = [path.read_text("utf-8") for room in ("scan", "analysis") for path in (rooms / room).glob("*.py")]
    assert texts
    assert not [text for text in texts if "time.time(" in text or ".now(" in text or "utcnow(" in text]
