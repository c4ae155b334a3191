"""Copies of recordings that brainscan put its events into are no recordings of the archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.detector import Detector
from brainscan.errors import InputError
from brainscan.io import read
from brainscan.io.content import Content
from brainscan.io.edf_annotations import holds_our_events
from brainscan.io.event_formats import FORMATS
from brainscan.io.outputs import pieces
from brainscan.scan.config import ScanConfig
from brainscan.scan.run import Listener, scan
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import LoudnessRunner, quick


def _detector() -> Detector:
    return Detector(LoudnessRunner(half_uv=0.0), quick(min_duration_s=0.0))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a recording with both kinds of EDF+ that hold its events beside it."""
    folder = tmp_path / "archive"
    folder.mkdir()
    night = folder / "night.edf"
    night.write_bytes(FakeEdf(eeg(n_records=12), 12).data())
    recording = read(night)
    content = Content.of(_detector().detect(recording), recording)
    for name, form in (("night-brainscan.edf", "edf"), ("renamed.edf", "edf"), ("list.edf", "edf-annotations")):
        (folder / name).write_bytes(b"".join(pieces(content, FORMATS[form])))
    return folder


def test_they_are_told_by_their_first_record(archive: Path) -> None:
    ours = {path.name for path in archive.iterdir() if holds_our_events(path)}
    assert ours == {"night-brainscan.edf", "renamed.edf", "list.edf"}


def test_what_cannot_be_read_is_not_ours(tmp_path: Path) -> None:
    cut = tmp_path / "cut.edf"
    cut.write_bytes(b"0       " + b" " * 184 + b"EDF+C")
    assert not holds_our_events(cut)
    assert not holds_our_events(tmp_path / "absent.edf")


def test_a_scan_leaves_them_out_and_says_so(archive: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    config = ScanConfig(archive, tmp_path / "out", pages=False)
    outcomes = scan(config, AnalysisOptions(), LazyDetector.ready(_detector()), Listener(note=notes.append))
    assert [outcome.file for outcome in outcomes] == ["night.edf"]
    (note,) = [note for note in notes if "own events" in note]
    assert note.startswith("3 files hold brainscan's own events")


def test_an_archive_of_nothing_else_holds_no_recording(archive: Path, tmp_path: Path) -> None:
    (archive / "night.edf").unlink()
    with pytest.raises(InputError, match="holds no recording"):
        scan(ScanConfig(archive, tmp_path / "out"), AnalysisOptions(), LazyDetector.ready(_detector()))
