"""Seizures among the annotations of EDF+ files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import AnnotationFile, check_intervals, joined
from brainscan.io.edf_annotations import format_edf_annotations, read_edf_annotations

Note = tuple[float, float | None, str]


def recording(tmp_path: Path, notes: list[Note]) -> Path:
    """Write a minute of EEG with notes through another library."""
    edfio = pytest.importorskip("edfio")
    target = tmp_path / "x.edf"
    signal = edfio.EdfSignal(np.sin(np.arange(60 * 100)), 100, label="EEG Fp1", physical_dimension="uV")
    edfio.Edf([signal], annotations=[edfio.EdfAnnotation(*note) for note in notes]).write(target)
    return target


def test_seizures_among_notes(tmp_path: Path) -> None:
    notes: list[Note] = [(1, None, "eyes open"), (10, 5.5, "Seizure"), (20, 3, "fnsz"), (30, 2, "no seizure")]
    file = read_edf_annotations(recording(tmp_path, notes))
    assert file.annotations == (Annotation(10, 15.5, "seiz"), Annotation(20, 23, "fnsz"))
    assert file.duration_s == 60.0
    assert file.warnings == ("annotations that name no seizure are passed over: 2",)


def test_pairs_of_marks(tmp_path: Path) -> None:
    notes: list[Note] = [
        (10, None, "Seizure onset"),
        (25, None, "seizure end"),
        (30, None, "SZ start"),
        (41, None, "SZ stop"),
    ]
    assert read_edf_annotations(recording(tmp_path, notes)).seizures == ((10, 25), (30, 41))


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ([(10, None, "seizure")], "annotation 'seizure' at 10 s has no duration"),
        ([(10, None, "seizure start")], "seizure start at 10 s has no end"),
        ([(10, None, "sz start"), (12, None, "sz start"), (15, None, "sz end")], "seizure start at 10 s has no end"),
        ([(10, None, "seizure end")], "seizure end at 10 s has no start"),
        ([(10, 5, "seiz"), (30, 5, "Crisis parcial vista")], "not understood: 'Crisis parcial vista' at 30 s"),
        ([(10, 5, "seiz"), (12, 0, "not a seizure")], "contradicts itself"),
        ([], "has no annotations"),
    ],
)
def test_errors_tell_where(tmp_path: Path, notes: list[Note], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_intervals(read_edf_annotations(recording(tmp_path, notes)))


@pytest.mark.parametrize(
    ("notes", "seizures", "n_warnings"),
    [
        ([(10, 5, "seiz"), (12, 5, "seiz")], ((10, 17),), 1),  # two readers
        ([(10, 5, "seiz"), (10, 5, "seiz")], ((10, 15),), 1),
        ([(10, 20, "seiz"), (12, 5, "Seizure 1")], ((10, 30),), 2),
        ([(10, 5, "Seizure 1"), (20, 5, "Seizure 2")], ((10, 15), (20, 25)), 1),
        ([(10, 5, "seizure@@T3"), (10, 7, "seizure@@T5")], ((10, 17),), 0),  # one seizure, two channels
        ([(10, None, "EEG onset"), (25, None, "EEG end")], ((10, 25),), 1),
        ([(10, 5, "Anfall"), (30, 5, "発作")], ((10, 15), (30, 35)), 1),
    ],
)
def test_notes_as_hospitals_write_them(
    tmp_path: Path, notes: list[Note], seizures: tuple[tuple[float, float], ...], n_warnings: int
) -> None:
    file = joined(read_edf_annotations(recording(tmp_path, notes)))
    assert (file.seizures, len(file.warnings)) == (seizures, n_warnings)


def test_notes_of_other_things_say_nothing_of_seizures(tmp_path: Path) -> None:
    assert read_edf_annotations(recording(tmp_path, [(1, None, "eyes open"), (9, None, "no seizure")])).says_nothing
    assert not read_edf_annotations(recording(tmp_path, [(0, 60, "background")])).says_nothing


def test_another_file_is_told_apart(tmp_path: Path) -> None:
    target = tmp_path / "x.edf"
    target.write_bytes(b"not an EDF file at all" * 20)
    with pytest.raises(InputError):
        read_edf_annotations(target)


@pytest.mark.parametrize("start", [None, datetime(2031, 12, 24, 22, 5, 6)])
def test_a_file_of_annotations_alone_is_read_by_others(tmp_path: Path, start: datetime | None) -> None:
    edfio = pytest.importorskip("edfio")
    rows = (Annotation(10.25, 15.25, "fnsz"), Annotation(100.0, 130.5, "seiz"))
    target = tmp_path / "x.edf"
    target.write_bytes(format_edf_annotations(AnnotationFile(rows, 600.0, start=start)))
    theirs = edfio.read_edf(target)
    assert [(a.onset, a.duration, a.text) for a in theirs.annotations] == [(10.25, 5.0, "fnsz"), (100.0, 30.5, "seiz")]
    assert theirs.duration == 600.0
    if start is not None:
        assert (theirs.startdate, theirs.starttime) == (start.date(), start.time())
    assert read_edf_annotations(target).start == start


@pytest.mark.parametrize("duration_s", [0.5, 600.0001, 86399.98765, 1234567.891, 123456789.0])
def test_no_duration_is_cut_below_the_recording_s(tmp_path: Path, duration_s: float) -> None:
    target = tmp_path / "x.edf"
    file = AnnotationFile((Annotation(0.0, round(duration_s, 4), "seiz"),), duration_s)
    if duration_s > 99999999:
        with pytest.raises(ValueError, match="eight characters"):
            format_edf_annotations(file)
        return
    target.write_bytes(format_edf_annotations(file))
    assert duration_s - 1e-4 <= read_edf_annotations(target).known_duration_s() <= duration_s * (1 + 1e-6)
