"""Worker processes: the same results as without, whoever dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from brainscan.analysis.capacity import Division
from brainscan.analysis.job import Listener as JobListener
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.task import Target, Task
from brainscan.errors import ModelError
from brainscan.io import event_formats
from brainscan.io.atomic import TEMPORARY_SUFFIX
from brainscan.scan.config import ScanConfig
from brainscan.scan.executor import Executor, Work
from brainscan.scan.ledger import Ledger
from brainscan.scan.processes import Processes, WorkersError
from brainscan.scan.run import Listener, scan
from tests.brainscan.scan.workers import LoudWork, attempts, loud
from tests.edf_files import FakeEdf, eeg

_REPOSITORY = Path(__file__).resolve().parents[3]
_ROOMS = [str(_REPOSITORY), str(_REPOSITORY / "models")]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a folder of five sound recordings and a broken one."""
    folder = tmp_path / "archive"
    (folder / "b").mkdir(parents=True)
    for number in range(5):
        write(folder / ("b" if number % 2 else "") / f"rec{number}.edf", 12 + number)
    (folder / "broken.edf").write_bytes(b"nothing")
    return folder


def write(path: Path, seconds: int = 12) -> Path:
    path.write_bytes(FakeEdf(eeg(n_records=seconds, seed=seconds), seconds).data())
    return path


def _processes(workers: int) -> Callable[[Work, JobListener], Executor]:
    return lambda work, hears: Processes(
        LoudWork(work.options, work.anonymous, work.force, work.keep_patient), hears, Division(workers, 1)
    )


def _scan(archive: Path, out: Path, workers: int, listener: Listener | None = None) -> Ledger:
    ready = LazyDetector.ready(loud())
    start = _processes(workers) if workers else None
    return scan(ScanConfig(archive, out, ("json",)), AnalysisOptions(), ready, listener, start)


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_number_of_workers_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    listener = Listener(outcome=lambda outcome, number, total: told.append((outcome.file, number, total)))
    for workers in (0, 1, 3):
        told.clear()
        ledger = _scan(archive, tmp_path / str(workers), workers, listener)
        assert ledger.counts == {"done": 5, "skipped": 0, "failed": 1, "unread": 0}
        assert [(number, total) for _, number, total in told] == [(n, 6) for n in range(1, 7)]
    first = _files(tmp_path / "0")
    assert len(first) == 3 * 5 + 5
    assert _files(tmp_path / "1") == first
    assert _files(tmp_path / "3") == first


@pytest.mark.skipif(os.name != "posix", reason="other systems end processes otherwise")
def test_a_recording_that_kills_is_tried_twice_and_listed(archive: Path, tmp_path: Path) -> None:
    killers = [write(archive / f"{word}.edf") for word in ("segfault", "greedy", "refused")]
    once, defect = write(archive / "once.edf"), write(archive / "defect.edf")
    ledger = _scan(archive, tmp_path / "out", 2)
    failed = {o.file: o.error for o in ledger if o.error is not None}
    assert set(failed) == {"broken.edf", "defect.edf", *(path.name for path in killers)}
    assert [len(attempts(path)) for path in (*killers, once, defect)] == [2, 2, 2, 2, 1]
    assert "ended by SIGSEGV" in failed["segfault.edf"].message
    assert "out of memory" in failed["greedy.edf"].message
    assert "out of memory" in failed["refused.edf"].message
    assert "ZeroDivisionError" in failed["defect.edf"].message
    assert failed["defect.edf"].kind == "defect"
    assert ledger.counts["done"] == 6
    assert (tmp_path / "out" / "once.csv_bi").exists()
    assert not [name for name in _files(tmp_path / "out") if name.endswith(TEMPORARY_SUFFIX)]


def test_what_concerns_every_recording_ends_the_scan(archive: Path, tmp_path: Path) -> None:
    write(archive / "model.edf")
    with pytest.raises(ModelError, match="is damaged"):
        _scan(archive, tmp_path / "out", 1)
    assert (tmp_path / "out" / "summary.csv").exists()


def test_workers_that_always_die_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brainscan.scan.processes.DEATHS_IN_VAIN", 2)
    (tmp_path / "archive").mkdir()
    for number in range(3):
        write(tmp_path / "archive" / f"segfault{number:02}.edf")
    with pytest.raises(WorkersError, match="die whatever they are given"):
        _scan(tmp_path / "archive", tmp_path / "out", 1)


def _submitted(executor: Executor, path: Path, out: Path) -> None:
    target = Target(event_formats.FORMATS["csv_bi"], out / f"{path.stem}.csv_bi")
    executor.submit(Task(path, (target,), path.name))


def test_an_interrupt_lets_finish_what_is_being_written_and_nothing_else(tmp_path: Path) -> None:
    executor = Processes(LoudWork(), JobListener(), Division(2, 1))
    paths = [write(tmp_path / "detecting.edf"), write(tmp_path / "writing.edf")]
    try:
        for path in paths:
            _submitted(executor, path, tmp_path)
        while not all(attempts(path) for path in paths):
            assert not executor.ended(0.05)
        assert [ended.task.shown for ended in executor.finish()] == ["writing.edf"]
    finally:
        executor.close()
    assert (tmp_path / "writing.csv_bi").exists()
    assert not (tmp_path / "detecting.csv_bi").exists()


class _ClosedOnWindows:
    """What is left of a connection there when the worker at its other end has died."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.fileno, self.send, self.close = connection.fileno, connection.send, connection.close

    def poll(self) -> bool:
        raise BrokenPipeError

    @property
    def closed(self) -> bool:
        return self._connection.closed


def test_an_interrupt_is_not_replaced_by_a_worker_that_died_unheard(tmp_path: Path) -> None:
    executor = Processes(LoudWork(), JobListener(), Division(1, 1))
    try:
        _submitted(executor, write(tmp_path / "detecting.edf"), tmp_path)
        (one,) = executor._workers
        one.connection = left = _ClosedOnWindows(one.connection)  # type: ignore[assignment]
        assert executor.finish() == []
        assert executor._workers == []
        assert left.closed
        assert not one.process.is_alive()
    finally:
        executor.close()


_PARENT = """
import sys
sys.path[:0] = {rooms!r}
from pathlib import Path
from tests.brainscan.scan.test_processes import _scan
if __name__ == "__main__":
    _scan(Path({archive!r}), Path({out!r}), 2)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_workers_outlive_no_parent(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    paths = [write(tmp_path / "archive" / f"detecting{number}.edf") for number in range(2)]
    script = tmp_path / "parent.py"
    script.write_text(
        _PARENT.format(rooms=_ROOMS, archive=str(tmp_path / "archive"), out=str(tmp_path / "out")), encoding="utf-8"
    )
    with subprocess.Popen([sys.executable, str(script)]) as parent:
        while not all(map(attempts, paths)):
            assert parent.poll() is None
            time.sleep(0.05)
        parent.kill()
    workers = [attempts(path)[0] for path in paths]
    deadline = time.monotonic() + 30.0
    while any(_lives(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and pid != os.getpid()
