"""A watched folder: what arrives is taken once it is whole and still, whatever happens to the folder meanwhile."""

from __future__ import annotations

import copy
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.outcome import Outcome
from brainscan.io.growing import held_by, is_whole, state_of
from brainscan.scan.config import ScanConfig
from brainscan.scan.run import Listener, scan
from brainscan.scan.watch import Watch, WatchConfig
from tests.brainscan.scan.workers import loud
from tests.edf_files import FakeEdf, eeg

_QUICK = WatchConfig(every_s=0.02, settle_s=0.2, abandoned_s=1e9)


class Ward:
    """A watched folder, and what is heard of it. The watch ends when the test does."""

    def __init__(self, tmp_path: Path, config: WatchConfig = _QUICK) -> None:
        self.folder, self.out = tmp_path / "ward", tmp_path / "out"
        self.folder.mkdir(exist_ok=True)
        self.outcomes: list[Outcome] = []
        self.said: list[str] = []
        self._over = threading.Event()
        self._config = ScanConfig(self.folder, self.out, watch=config)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        # An interrupt reaches the main thread alone: a note from within the watch stands for it.
        listener = Listener(outcome=lambda outcome, *_: self.outcomes.append(outcome), understood=self.said.append)
        with suppress(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
            patch.setattr("brainscan.scan.watch.time.sleep", self._sleep)
            scan(self._config, AnalysisOptions(), LazyDetector.ready(loud()), listener)

    def _sleep(self, _seconds: float) -> None:
        if self._over.wait(0.01):
            raise KeyboardInterrupt

    def until(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60.0
        while not what():
            assert time.monotonic() < deadline
            assert self._thread.is_alive()
            time.sleep(0.01)

    def done(self) -> list[tuple[str, str]]:
        return [(outcome.file, outcome.status) for outcome in self.outcomes]

    def end(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    """Return an empty folder that is being watched."""
    watched = Ward(tmp_path)
    yield watched
    watched.end()


def _edf(seconds: int, *, n_records: int | None = None) -> bytes:
    fields = {} if n_records is None else {"n_records": n_records}
    return FakeEdf(eeg(n_records=seconds, seed=seconds), seconds, fields=fields).data()


def test_a_file_that_grows_is_taken_when_it_is_whole_and_still(ward: Ward) -> None:
    data, path = _edf(20), ward.folder / "growing.edf"
    with path.open("wb") as stream:
        for at in range(0, len(data), len(data) // 7):
            stream.write(data[at : at + len(data) // 7])
            stream.flush()
            time.sleep(0.3)  # longer than it has to be still
            assert ward.outcomes == []
            if at == 0:
                ward.until(lambda: any("not whole yet" in text for text in ward.said))
    ward.until(lambda: len(ward.outcomes) == 1)
    assert ward.done() == [("growing.edf", "done")]
    assert ward.outcomes[0].duration_s == 20.0
    ward.until(lambda: (ward.out / "summary.csv").exists())  # although the scan goes on


def test_a_record_count_of_minus_one_and_locks_are_waited_for(ward: Ward) -> None:
    path, lock = ward.folder / "night.edf", ward.folder / "night.edf.lock"
    lock.touch()
    path.write_bytes(_edf(15, n_records=-1))
    ward.until(lambda: any("is in use (night.edf.lock" in text for text in ward.said))
    path.write_bytes(_edf(15))
    time.sleep(0.5)
    assert ward.outcomes == []
    lock.unlink()
    ward.until(lambda: len(ward.outcomes) == 1)
    assert ward.done() == [("night.edf", "done")]


def _opened(ward: Ward, n_looks: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is opened of the folder in further looks, to their end."""
    names: list[str] = []
    open_, looks = Path.open, itertools.count()

    def counted(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.parent == ward.folder:
            names.append(path.name)
        return open_(path, *arguments, **named)

    def counting(watch: Watch, now: float) -> None:
        look(watch, now)
        next(looks)

    look = Watch.look
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", counted)
        patch.setattr(Watch, "look", counting)
        ward.until(lambda: next(copy.copy(looks)) >= n_looks)
    return names


def test_what_did_not_change_is_not_opened_again(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, name in ((12, "one.edf"), (13, "two.rec"), (14, "three")):
        (ward.folder / name).write_bytes(_edf(seconds))
    (ward.folder / "notes.txt").write_text("no recording", "utf-8")
    ward.until(lambda: len(ward.outcomes) == 3)
    assert _opened(ward, 5, monkeypatch) == []
    path = ward.folder / "one.edf"
    before = path.stat()
    path.write_bytes(_edf(12)[:-2] + b"\x01\x01")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as `cp -p` of one as long and as old
    ward.until(lambda: len(ward.outcomes) == 6)
    assert ward.done()[3:] == [("one.edf", "failed")] * 3  # what is there is of another recording
    assert ward.outcomes[-1].error is not None
    assert "not written by brainscan for this recording" in ward.outcomes[-1].error.message
    assert _opened(ward, 5, monkeypatch) == []


def test_a_folder_may_disappear_and_come_back(ward: Ward) -> None:
    (ward.folder / "one.edf").write_bytes(_edf(12))
    ward.until(lambda: len(ward.outcomes) == 1)
    away = ward.folder.rename(ward.folder.parent / "away")
    ward.until(lambda: any("waiting for it to come back" in text for text in ward.said))
    (away / "two.edf").write_bytes(_edf(13))
    away.rename(ward.folder)
    ward.until(lambda: len(ward.outcomes) == 2)
    assert any(text.endswith("is back") for text in ward.said)
    assert ward.done() == [("one.edf", "done"), ("two.edf", "done")]


def test_results_of_what_went_before_the_watch_began_are_named(tmp_path: Path) -> None:
    first = Ward(tmp_path)
    try:
        for seconds, name in ((12, "one.edf"), (13, "two.edf")):
            (first.folder / name).write_bytes(_edf(seconds))
        first.until(lambda: len(first.outcomes) == 2)
    finally:
        first.end()
    (first.folder / "one.edf").unlink()
    again = Ward(tmp_path)
    try:
        (again.folder / "three.edf").write_bytes(_edf(14))
        again.until(lambda: len(again.outcomes) == 2)
    finally:
        again.end()
    assert json.loads((again.out / "run.json").read_bytes())["orphaned"] == ["one.csv_bi"]


def test_what_its_recorder_left_unfinished_is_taken_after_a_while(tmp_path: Path) -> None:
    ward = Ward(tmp_path, WatchConfig(every_s=0.02, settle_s=0.05, abandoned_s=0.5))
    try:
        (ward.folder / "left.edf").write_bytes(_edf(15, n_records=-1))
        ward.until(lambda: len(ward.outcomes) == 1)
        assert ward.done() == [("left.edf", "done")]
    finally:
        ward.end()


def test_what_could_not_be_written_is_tried_again_but_not_for_ever(ward: Ward) -> None:
    (ward.out / "one.csv_bi").mkdir(parents=True)  # nothing can be written there
    (ward.folder / "one.edf").write_bytes(_edf(12))
    ward.until(lambda: len(ward.outcomes) == 3)
    time.sleep(0.5)
    assert ward.done() == [("one.edf", "failed")] * 3


def test_whole_is_what_the_header_says(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    for data, whole in ((b"", False), (_edf(12)[:200], False), (_edf(12)[:-1], False), (_edf(12), True)):
        path.write_bytes(data)
        assert is_whole(path) is whole
    path.write_bytes(_edf(12, n_records=-1))
    assert not is_whole(path)
    assert not is_whole(tmp_path / "absent.edf")


@pytest.mark.parametrize("name", ["a.edf.lock", "a.lck", ".~lock.a.edf#", "~$a.edf", "a.edf.filepart", "a.edf.part"])
def test_files_that_say_it_is_in_use(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.edf").touch()
    assert held_by(tmp_path / "a.edf") == ""
    (tmp_path / name).touch()
    assert held_by(tmp_path / "a.edf") == name
    assert held_by(tmp_path / "b.edf") == ""


def test_side_files_are_part_of_a_state(tmp_path: Path) -> None:
    header, samples = tmp_path / "a.vhdr", tmp_path / "a.eeg"
    assert state_of(header) is None
    header.write_bytes(b"x")
    before = state_of(header)
    samples.write_bytes(b"xyz")
    after = state_of(header)
    assert before is not None
    assert after is not None
    assert [file.n_bytes for file in before.files] == [1]
    assert sorted(file.n_bytes for file in after.files) == [1, 3]


def test_another_file_of_the_same_size_and_times_is_another_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where the time that cannot be set is that of the creation, which a renamed file may share."""
    first, second = tmp_path / "a.edf", tmp_path / "b.edf"
    for path in (first, second):
        path.write_bytes(b"x")
        os.utime(path, ns=(0, 0))
    stat = Path.stat

    def created_together(path: Path, **named: Any) -> os.stat_result:
        seen = stat(path, **named)
        return os.stat_result(tuple(seen), {"st_mtime_ns": seen.st_mtime_ns, "st_ctime_ns": 0})

    monkeypatch.setattr(Path, "stat", created_together)
    before = state_of(first)
    assert state_of(first) == before
    second.replace(first)
    assert state_of(first) != before
