"""Results of recordings that are gone are named, never touched; those of other archives and of the whole are not."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.io.discover import Found
from brainscan.scan.config import ScanConfig
from brainscan.scan.found import parts
from brainscan.scan.orphans import told
from brainscan.scan.run import Listener, scan
from tests.brainscan.scan.workers import loud
from tests.edf_files import FakeEdf, eeg


class Archive:
    """Recordings in a tree, and what scans of it say."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder, self.out = home, home / "archive", home / "out"
        for name in ("one.edf", "two.edf", "ward/a.edf", "ward/b.edf"):
            self.add(name)

    def add(self, name: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FakeEdf(eeg(n_records=12, seed=len(name)), 12).data())

    def scan(self, folder: str = "archive", *, anonymous: bool = False) -> tuple[list[str], list[str]]:
        """Return the results that are called orphaned, in ``run.json`` as by the ledger, and all that is said."""
        config = ScanConfig(self.home / folder, self.out, pages=False, anonymous=anonymous)
        said: list[str] = []
        ledger = scan(config, AnalysisOptions(), LazyDetector.ready(loud()), Listener(note=said.append))
        record = json.loads((self.out / "run.json").read_bytes())
        assert record["orphaned"] == list(ledger.orphaned)
        assert record["warnings"] == said
        return list(ledger.orphaned), said


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Return an archive that was scanned once."""
    made = Archive(tmp_path)
    assert made.scan() == ([], [])
    return made


def test_results_of_what_was_deleted_or_renamed_are_named_until_they_go(archive: Archive) -> None:
    (archive.folder / "one.edf").unlink()
    (archive.folder / "ward" / "a.edf").rename(archive.folder / "ward" / "c.edf")
    gone = ["one.csv_bi", "ward/a.csv_bi"]
    line = "2 results are of recordings that are not there any more (one.csv_bi, ward/a.csv_bi): left as they are"
    for _ in range(3):  # although only the first of these scans finds them in the summary
        assert archive.scan() == (gone, [line])
        assert all((archive.out / name).is_file() for name in gone)
    (archive.out / "one.csv_bi").unlink()
    assert archive.scan()[0] == ["ward/a.csv_bi"]
    archive.add("ward/a.edf")
    assert archive.scan() == ([], [])


def test_names_that_are_hashed_stay_so(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert archive.scan(anonymous=True) == ([], [])
    assert archive.scan(anonymous=True) == ([], [])
    (archive.folder / "one.edf").unlink()
    (name,), (line,) = archive.scan(anonymous=True)
    assert "one" not in line
    assert (archive.out / name).is_file()


def _another_archive(archive: Archive) -> str:
    (archive.home / "other").mkdir()
    (archive.folder / "two.edf").rename(archive.home / "other" / "three.edf")
    return "other"


def _part(archive: Archive) -> str:
    return "archive/ward"


def _part_with_a_name_of_the_whole(archive: Archive) -> str:
    """A result of its name is there, of another recording: it is refused, and proves nothing."""
    (archive.folder / "ward" / "one.edf").write_bytes(FakeEdf(eeg(n_records=13, seed=5), 13).data())
    (archive.folder / "ward" / "a.edf").unlink()
    return "archive/ward"


def _nothing_but_a_folder_that_is_away(archive: Archive) -> str:
    """A link to a share that is not mounted; its recordings may all be there."""
    (archive.folder / "ward").rename(archive.home / "elsewhere")
    (archive.folder / "ward").symlink_to(archive.home / "not-mounted")
    return "archive"


def _now_left_out(archive: Archive) -> str:
    """A recording that a scan does not take any more, here as a second name of one that it takes."""
    (archive.folder / "ward" / "a.edf").unlink()
    (archive.folder / "ward" / "a.edf").symlink_to(archive.folder / "one.edf")
    return "archive"


def _a_namesake_came(archive: Archive) -> str:
    """Its result gets another name, beside that of the earlier scan."""
    (archive.folder / "one.bdf").write_bytes((archive.folder / "two.edf").read_bytes())
    return "archive"


def _a_namesake_went(archive: Archive) -> str:
    """The other way round, with the name of the result of the one that stayed."""
    _a_namesake_came(archive)
    assert archive.scan()[0] == []
    (archive.folder / "one.bdf").unlink()
    (archive.out / "one.bdf.csv_bi").unlink()
    return "archive"


def _a_name_in_other_case(archive: Archive) -> str:
    """Where file names have no case, the result is the same file as that of the recording that is there."""
    (archive.folder / "one.edf").rename(archive.folder / "One.EDF")
    return "archive"


def _listed_by_somebody_else(archive: Archive) -> str:
    """The tables are not there any more: nobody knows whose the results are."""
    (archive.out / "summary.csv").unlink()
    (archive.folder / "one.edf").unlink()
    return "archive"


@pytest.mark.parametrize(
    "change",
    [
        _another_archive,
        _part,
        _part_with_a_name_of_the_whole,
        _nothing_but_a_folder_that_is_away,
        _now_left_out,
        _a_namesake_came,
        _a_namesake_went,
        _a_name_in_other_case,
        _listed_by_somebody_else,
    ],
)
def test_no_alarm_where_nothing_says_that_a_recording_is_gone(
    archive: Archive, change: Callable[[Archive], str]
) -> None:
    folder = change(archive)
    assert archive.scan(folder)[0] == []
    assert archive.scan(folder)[0] == []


def test_what_lies_in_a_folder_that_cannot_be_listed_is_not_called_gone(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add("2019.05/c.edf")  # what follows the dot is no suffix
    assert archive.scan()[0] == []
    scandir = os.scandir

    def refused(path: Any = ".") -> Any:
        if Path(path) == archive.folder / "2019.05":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert archive.scan()[0] == []


def test_a_scan_that_was_stopped_before_all_was_listed_calls_nothing_gone(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()

    def slowly(config: ScanConfig) -> Iterator[Found]:
        first, *rest = parts(config)
        yield first
        stopped.wait()
        yield from rest

    def stop(*_: object) -> None:
        stopped.set()
        raise KeyboardInterrupt

    monkeypatch.setattr("brainscan.scan.run.parts", slowly)
    config = ScanConfig(archive.folder, archive.out, pages=False)
    with pytest.raises(KeyboardInterrupt):
        scan(config, AnalysisOptions(), LazyDetector.ready(loud()), Listener(outcome=stop))
    assert json.loads((archive.out / "run.json").read_bytes())["orphaned"] == []


def test_few_are_named_of_many() -> None:
    assert told([f"{n}.csv_bi" for n in range(9)]) == (
        "9 results are of recordings that are not there any more (0.csv_bi, 1.csv_bi, 2.csv_bi, ...): left as they are"
    )
