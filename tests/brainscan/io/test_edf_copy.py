"""Copies of recordings with events added: nothing else changes, and every reader sees the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from brainscan.detection import Detection
from brainscan.errors import OutputError
from brainscan.events import Annotation, Event
from brainscan.io import read
from brainscan.io.content import Content
from brainscan.io.edf_annotations import origin_of_edf, read_edf_annotations
from brainscan.io.edf_copy import check_copy, copy_suffix, encode_copy
from brainscan.io.edf_reader import EdfReader
from brainscan.io.edf_remarks import said_by
from brainscan.io.edf_writer import EdfHeader, write_edf
from brainscan.recording import Recording
from tests.brainscan.io.readers import CASES, NOTES_STOP, REFUSED
from tests.edf_files import FakeEdf, eeg
from tests.stand_ins import noise, recording_of

COPIED = [name for name in CASES if name not in REFUSED]
SHA = "ab" * 32
MODEL = {"brainscan": "9.9", "model": "tiny", "model_sha256": "cd" * 32, "channel_map": {"EEG  1 ": "Fp1 " * 120}}
EVENTS = (Event(0.25, 0.75, 0.9312), Event(1.0, 1.5, 1.0), Event(1.7501, 1.8, 0.5))

Notes = list[tuple[float, float, str]]


def detected(recording: Recording, events: tuple[Event, ...] = EVENTS) -> Content:
    detection = Detection(
        file=recording.name,
        format=recording.format,
        start=recording.start,
        duration_s=recording.duration_s,
        analysed_s=recording.duration_s,
        segments=recording.segments,
        events=tuple(event for event in events if event.offset_s <= recording.duration_s),
        unscored=(),
        electrodes=(),
        warnings=("a µ and a line\nend",),
        model=MODEL,
        sha256=SHA,
    )
    return Content.of(detection, recording)


def copied(path: Path, folder: Path, **changes: bool) -> tuple[Recording, Recording]:
    """Return a recording and its copy."""
    recording = read(path)
    target = folder / f"copy{copy_suffix(path)}"
    target.write_bytes(b"".join(encode_copy(replace(detected(recording), **changes))))
    return recording, read(target)


def path_of(recording: Recording) -> Path:
    assert isinstance(recording.reader, EdfReader)
    return recording.reader.path


def _signals(recording: Recording) -> list[bytes]:
    """Return the bytes of every signal of the file, annotations included, all records one after the other."""
    reader = recording.reader
    assert isinstance(reader, EdfReader)
    header = reader.header
    data = np.frombuffer(reader.path.read_bytes(), dtype=np.uint8)[header.data_start :]
    rows = data[: reader.n_records * header.record_bytes].reshape(reader.n_records, header.record_bytes)
    width = header.sample_bytes
    return [rows[:, s.offset * width : (s.offset + s.samples) * width].tobytes() for s in header.signals]


# ---- our reader ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COPIED)
def test_nothing_but_the_annotations_changes(name: str, shared: Path, tmp_path: Path) -> None:
    before, after = copied(shared / "edf-cases" / name, tmp_path)
    assert _signals(after)[:-1] == _signals(before)
    assert after.segments == before.segments
    assert after.start == before.start
    assert after.labels == before.labels
    assert after.duration_s == before.duration_s
    assert after.format == (before.format if "+" in before.format else f"{before.format}+C")
    said = said_by(after.annotations)
    # Notes are in the order of their onset; what stands at one moment may change places with ours.
    assert [(n.onset_s, n.offset_s, n.text) for n in said.others] == [
        (n.onset_s, n.offset_s, n.text) for n in said_by(before.annotations).others
    ]
    held = read_edf_annotations(path_of(after))
    expected = detected(before).file.annotations
    assert [(a.label, a.confidence) for a in held.annotations] == [(a.label, a.confidence) for a in expected]
    for row, wanted in zip(held.annotations, expected, strict=True):
        assert (row.onset_s, row.offset_s) == pytest.approx((wanted.onset_s, wanted.offset_s), abs=2e-4)
    origin = origin_of_edf(path_of(after))
    assert origin is not None
    assert (origin.sha256, dict(origin.model)) == (SHA, MODEL)


# ---- other readers, where they can read the original at all ------------------------------------------------------


def _edfio(path: Path) -> tuple[list[bytes], Notes]:
    edfio = pytest.importorskip("edfio")
    held = (edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf)(path)
    notes = [(float(a.onset), float(a.duration or 0.0), a.text) for a in held.annotations]
    return [np.asarray(s.digital).tobytes() for s in held.signals], notes


def _pyedflib(path: Path) -> tuple[list[bytes], Notes]:
    pyedflib = pytest.importorskip("pyedflib")
    with pyedflib.EdfReader(str(path)) as held:
        onsets, durations, texts = held.readAnnotations()
        notes = [(float(a), max(float(b or 0), 0.0), str(c)) for a, b, c in zip(onsets, durations, texts, strict=True)]
        return [held.readSignal(i, digital=True).tobytes() for i in range(held.signals_in_file)], notes


def _mne(path: Path) -> tuple[list[bytes], Notes]:
    mne = pytest.importorskip("mne")
    reader = mne.io.read_raw_bdf if path.suffix.lower() == ".bdf" else mne.io.read_raw_edf
    raw = reader(path, preload=True, verbose="error")
    marks = raw.annotations
    notes = [
        (float(a), float(b), str(c)) for a, b, c in zip(marks.onset, marks.duration, marks.description, strict=True)
    ]
    return [raw.get_data().tobytes()], notes


READERS = {"edfio": _edfio, "pyedflib": _pyedflib, "mne": _mne}

# What that reader gets wrong of the original: more records than the header counts, or signals without samples.
WRONG = {("edfio", "nrec_too_small.edf"), ("mne", "nrec_too_small.edf"), ("edfio", "spr_zero_one.edf"),
         ("mne", "spr_zero_one.edf")}  # fmt: skip
# EDFlib allows plain EDF an empty or swapped digital range, EDF+ not; the header's range is not ours to correct.
STRICT = {("pyedflib", "range_dig_equal_one.edf"), ("pyedflib", "range_dig_swapped.edf")}


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        (reader, name)
        for reader in READERS
        for name in COPIED
        if name not in NOTES_STOP[reader] and (reader, name) not in WRONG | STRICT
    ],
)
def test_other_readers_see_the_same_samples_and_our_events(
    reader: str, name: str, shared: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"original{copy_suffix(shared / 'edf-cases' / name)}"  # a suffix that does not mislead
    path.write_bytes((shared / "edf-cases" / name).read_bytes())
    theirs: Callable[[Path], tuple[list[bytes], Notes]] = READERS[reader]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, notes = theirs(path)
        original, copy = copied(path, tmp_path)
        after, found = theirs(path_of(copy))
    assert after == before
    ours = [note for note in found if note[2].startswith("brainscan: seizure")]
    expected = [(a.onset_s, a.offset_s - a.onset_s) for a in detected(original).file.annotations]
    assert len(ours) == len(expected)
    for note, times in zip(ours, expected, strict=True):
        assert note[:2] == pytest.approx(times, abs=2e-4)
    rest = [note for note in found if not note[2].startswith(("brainscan: ", "brainscan+ "))]
    assert rest == notes


# ---- what of the header is ours to write ----------------------------------------------------------------------------

PLUS = {
    "patient": "MCH-0234567 F 02-MAY-1951 Haagse_Harry",
    "recording": "Startdate 02-MAR-2002 PSG-1234 NN Telemetry03",
}
PLAIN = {"patient": "Haagse Harry born 1951", "recording": "ward 3 Dr Who"}


def _write(path: Path, *, plus: bool, width: int = 2, **changes: object) -> Path:
    digital = ("-32768", "32767") if width == 2 else ("-8388608", "8388607")
    kind = "EDF" if width == 2 else "BDF"
    fields = {**(PLUS if plus else PLAIN), **({"reserved": f"{kind}+C"} if plus else {})}
    onsets = [f"+{k}" for k in range(4)] if plus else None
    path.write_bytes(
        FakeEdf(eeg(n_records=4, digital=digital), 4, width=width, fields=fields, onsets=onsets, **changes).data()  # type: ignore[arg-type]
    )
    return path


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("plus", [True, False])
def test_nobody_is_named_unless_asked_for(tmp_path: Path, plus: bool, width: int) -> None:
    path = _write(tmp_path / "x.edf", plus=plus, width=width)
    _, copy = copied(path, tmp_path)
    data = path_of(copy).read_bytes()
    assert not any(word in data for word in (b"Harry", b"1951", b"PSG-1234", b"NN", b"ward", b"Who"))
    assert data[8:88].split() == [b"X"] * 4
    _, copy = copied(path, tmp_path, keep_patient=True)
    head = path_of(copy).read_bytes()[:256]
    assert b"Harry" in head[8:88]
    assert len(head[8:88].split()) >= 4
    assert head[88:168].startswith(b"Startdate ")
    assert (b"Telemetry03" if plus else b"ward_3_Dr_Who") in head[88:168]


def test_a_copy_of_ours_is_not_copied_again(tmp_path: Path) -> None:
    _, copy = copied(_write(tmp_path / "x.edf", plus=False), tmp_path)
    with pytest.raises(OutputError, match="holds brainscan's events already"):
        list(encode_copy(detected(copy)))


def test_what_cannot_be_copied_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="edf is a copy of an EDF or BDF") as caught:
        check_copy(recording_of(noise(10.0)), None)
    assert "edf-annotations" in caught.value.hint
    with pytest.raises(OutputError, match=r"would be BDF\+ under the name of another kind"):
        check_copy(read(_write(tmp_path / "x.edf", plus=False, width=3)), Path("y.edf"))


def test_reviewed_by_a_person_all_notes_count(tmp_path: Path) -> None:
    recording = read(_write(tmp_path / "x.edf", plus=True, notes={0: b"+3\x150.5\x14seizure\x14\0"}))
    content = detected(recording, (Event(0.25, 0.75, 0.9312),))
    target = tmp_path / "copy.edf"
    target.write_bytes(b"".join(encode_copy(content)))
    ours = read_edf_annotations(target)
    assert ours.annotations == (Annotation(0.25, 0.75, "seiz", 0.9312),)
    assert ours.warnings == ("annotations beside brainscan's events are passed over: 1",)
    file = replace(content.file, comments=(*content.file.comments, "reviewed by a person"))
    target.write_bytes(b"".join(encode_copy(replace(content, file=file))))
    assert [row.onset_s for row in read_edf_annotations(target).annotations] == [0.25, 3.0]


@pytest.mark.parametrize("seconds", [1, 600])
def test_room_is_made_for_many_events_and_little_else(tmp_path: Path, seconds: int) -> None:
    header = EdfHeader(("EEG Fp1", "EEG O2"), 100, datetime(2031, 12, 24, 22, 5, 6))
    write_edf(tmp_path / "x.edf", header, [np.zeros((2, 100 * seconds), dtype=np.float32)])
    events = tuple(Event(k / 1000, k / 1000 + 0.0005, 0.5) for k in range(900))
    recording = read(tmp_path / "x.edf")
    target = tmp_path / "copy.edf"
    target.write_bytes(b"".join(encode_copy(detected(recording, events))))
    assert len(read_edf_annotations(target).annotations) == 900
    if seconds > 1:
        assert target.stat().st_size < 2 * (tmp_path / "x.edf").stat().st_size


def test_records_larger_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "x.edf", plus=False)
    before, copy = copied(path, tmp_path)
    whole = path_of(copy).read_bytes()
    monkeypatch.setattr("brainscan.io.edf_copy._CHUNK_BYTES", 1000)
    assert b"".join(encode_copy(detected(before))) == whole
