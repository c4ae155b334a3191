"""Every container that MNE reads: the recording that a vendor's file holds, whoever wrote it."""

from __future__ import annotations

import importlib.util
import json
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError, MissingExtraError
from brainscan.io import container_formats, open_plan, read
from brainscan.io.containers import rows
from brainscan.io.discover import search
from brainscan.io.mne_formats import opened
from tests import vendor_extra_files, vendor_files
from tests.brainscan.cli.conftest import Run, here, loud, run
from tests.vendor_files import NOTE_S, RATE_HZ, START, FloatArray, Writer

pytest.importorskip("mne")
__all__ = ["here", "loud", "run"]

WRITERS = {**vendor_files.WRITERS, **vendor_extra_files.WRITERS}
_EXCEL = datetime(1899, 12, 30)
_ROWS = {row.name: row for row in container_formats.CONTAINERS}
_NUMBERED = {"EGI RAW", "EGI MFF"}
_NEVER_SO_LARGE = {"Nihon Kohden"}
"""Their range ends at 3.2 mV."""
_NEVER_SO_SMALL = {"Nihon Kohden", "Neuroelectrics", "Micromed", "Micromed VWR"}
"""Their steps are larger than that, or their ranges are whole microvolts."""
_WITHOUT_NOTES = {"Nicolet .data", "Neuroelectrics", "BCI2000", "EGI MFF"}


@pytest.fixture(scope="module")
def uv() -> FloatArray:
    """Return forty seconds of the 19 electrodes, µV."""
    rng = np.random.default_rng(3)
    steps = rng.normal(0.0, 6.0, (len(ELECTRODES), 40 * RATE_HZ))
    # Smooth in time, as EEG is, and within the range of every file.
    return np.stack([np.convolve(row, np.hanning(9), mode="same") for row in steps])


@pytest.mark.parametrize("name", WRITERS)
def test_it_is_read_as_it_was_written(name: str, uv: FloatArray, tmp_path: Path) -> None:
    _needs(name)
    path, step_uv = WRITERS[name](tmp_path, uv)
    recording = read(path)
    assert recording.format == name
    assert recording.start == (None if name == "EEGLAB" else START)  # EEGLAB keeps no date
    numbered = {f"E{i + 1}": name for i, name in enumerate(ELECTRODES)} if name in _NUMBERED else {}
    assert [numbered.get(label, label).removesuffix("-Ref").upper() for label in recording.labels[:19]] == [
        e.upper() for e in ELECTRODES
    ]
    assert open_plan(recording, numbered).missing == ()
    assert all(channel.uv_per_unit for channel in recording.channels[:19])
    got = np.concatenate(
        [np.stack(recording.read(range(19), s.start_s, s.stop_s, s).uv) for s in recording.segments], axis=1
    )
    assert np.abs(got - uv).max() <= step_uv
    if name not in _WITHOUT_NOTES:
        assert any(abs(note.onset_s - NOTE_S) < 1.5 / RATE_HZ for note in recording.annotations), recording.annotations


@pytest.mark.parametrize("name", [name for name in WRITERS if _ROWS[name].extra == "mne"])
def test_its_samples_are_those_of_mne(name: str, uv: FloatArray, tmp_path: Path) -> None:
    _needs(name)
    path, step_uv = WRITERS[name](tmp_path, uv)
    recording = read(path)
    volts = opened(path, name).get_data(picks=range(19))
    # Of what MNE gives: BCI2000's numbers are no volts there.
    theirs = (volts - 10.0) * step_uv if name == "BCI2000" else volts * 1e6
    first = 0
    for segment in recording.segments:
        if name == "EGI MFF":  # there a pause is samples
            first = round(segment.start_s * RATE_HZ)
        n = segment.n_samples(RATE_HZ)
        for begin, end in ((0, n), (3, 8), (n // 2 + 1, n // 2 + 400), (n - 7, n)):
            block = recording.read(
                range(19), segment.start_s + begin / RATE_HZ, segment.start_s + end / RATE_HZ, segment
            )
            assert np.abs(np.stack(block.uv) - theirs[:, first + begin : first + end]).max() <= step_uv
        first += n


@pytest.mark.parametrize("name", WRITERS)
def test_a_scan_takes_it_once_and_side_files_lead_to_it(name: str, uv: FloatArray, tmp_path: Path) -> None:
    _needs(name)
    path, _ = WRITERS[name](tmp_path, uv)
    found = search(tmp_path, tmp_path / "out")
    assert [recording.name for recording in found.recordings] == [path.name]
    assert found.unread == ()
    for other in tmp_path.iterdir():
        if other != path and other.is_file():
            with pytest.raises(InputError, match=f"belongs to the recording {path.name}"):
                read(other)


@pytest.mark.parametrize("name", WRITERS)
def test_commands_take_it(name: str, uv: FloatArray, run: Run, loud: None, here: Path) -> None:
    _needs(name)
    path, _ = WRITERS[name](here, uv)
    numbered = ",".join(f"E{i + 1}={electrode}" for i, electrode in enumerate(ELECTRODES))
    named = ["--channel-map", numbered] if name in _NUMBERED else []
    facts = run("info", path, "--json", *named).json
    assert facts["format"] == name
    ran = run("detect", path, "-o", "events.json", *named)
    assert ran.code == 0, ran.err
    assert json.loads((here / "events.json").read_text("utf-8"))


def test_eximia_has_channels_and_a_rate_of_its_own(uv: FloatArray, tmp_path: Path) -> None:
    path, step_uv = vendor_files.eximia(tmp_path, uv)
    recording = read(path)
    assert recording.channels[0].rate_hz == 1450
    assert open_plan(recording).missing == ()
    got = np.stack(recording.read(list(ELECTRODES), 0.0, recording.duration_s).uv)
    assert np.abs(got - uv).max() <= step_uv


def test_eeglab_in_hdf5_is_known_whatever_its_name(uv: FloatArray, tmp_path: Path) -> None:
    pytest.importorskip("pymatreader")
    path, step_uv = vendor_files.eeglab_hdf5(tmp_path, uv)
    for name in ("night.set", "night.mat"):
        recording = read(path.rename(tmp_path / name))
        assert recording.labels == ELECTRODES
        assert np.abs(np.stack(recording.read(range(19), 0.0, 40.0).uv) - uv).max() <= step_uv


def test_eeglab_s_epochs_are_no_recording(uv: FloatArray, tmp_path: Path) -> None:
    from scipy.io import loadmat, savemat

    path, _ = vendor_files.eeglab(tmp_path, uv)
    facts = loadmat(path, struct_as_record=False, squeeze_me=True)["EEG"]
    facts.trials, facts.pnts = 4.0, facts.pnts / 4
    savemat(path, {"EEG": facts}, appendmat=False)
    with pytest.raises(InputError, match="holds epochs or averages"):
        read(path)


def test_every_row_is_run() -> None:
    """ANT Neuro's compression has no writer: its files are those that MNE publishes (test_published_files.py)."""
    elsewhere = {"EDF", "BDF", "BrainVision", "FIF", "eXimia", "ANT Neuro"}
    assert {row.name for row in rows(read=True)} == set(WRITERS) | elsewhere


def test_gaps_between_blocks_of_nihon_kohden_are_on_the_clock(uv: FloatArray, tmp_path: Path) -> None:
    path, step_uv = vendor_files.nihon_kohden(tmp_path, uv, gaps_s=(60.0, 0.0, 5.0))
    recording = read(path)
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 10), (70, 10), (80, 10), (95, 10)]
    assert recording.duration_s == 105.0
    for segment, part in zip(recording.segments, np.array_split(uv, 4, axis=1), strict=True):
        got = np.stack(recording.read(range(19), segment.start_s, segment.stop_s, segment).uv)
        assert np.abs(got - part).max() <= step_uv
    # Their log counts what was recorded: seven seconds lie in the first block.
    assert [note.onset_s for note in recording.annotations if note.label == "seizure"] == [7.0]


def test_a_note_behind_a_gap_is_on_the_clock(uv: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_files, "NOTE_S", 25.0)
    recording = read(vendor_files.nihon_kohden(tmp_path, uv, gaps_s=(60.0,))[0])
    assert [note.onset_s for note in recording.annotations if note.label == "seizure"] == [85.0]
    times = {0: 100.0, 20 * RATE_HZ: 180.0, 30 * RATE_HZ: 190.0}
    recording = read(vendor_files.persyst(tmp_path, uv, times)[0])
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 20), (80, 20)]
    assert [(note.onset_s, note.offset_s) for note in recording.annotations] == [(85.0, 87.0)]


def test_labels_of_nihon_kohden_are_found_in_any_case(uv: FloatArray, tmp_path: Path) -> None:
    path, _ = vendor_files.nihon_kohden(tmp_path, uv, names="night.21e")
    assert [label.upper() for label in read(path).labels[:19]] == [label.upper() for label in ELECTRODES]
    (tmp_path / "night.21e").unlink()
    assert any("no .21E lies beside it" in warning for warning in read(path).warnings)


def test_newer_blocks_of_nihon_kohden_need_the_other_extra(
    uv: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("eeg2edf")
    path, step_uv = vendor_extra_files.nihon_kohden_1200(tmp_path, uv, gaps_s=(60.0,))
    recording = read(path)
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 20), (80, 20)]
    assert recording.start == START
    assert open_plan(recording).missing == ()
    got = [np.stack(recording.read(list(ELECTRODES), s.start_s, s.stop_s, s).uv) for s in recording.segments]
    assert np.abs(np.concatenate(got, axis=1) - uv).max() <= step_uv
    assert [note.onset_s for note in recording.annotations if note.label == "seizure"] == [NOTE_S]
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda m: None if m == "eeg2edf" else found(m))
    with pytest.raises(MissingExtraError, match=r"newer layout.*brainscan\[vendor\]"):
        read(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("Micromed", vendor_extra_files.micromed),
        ("Micromed VWR", vendor_extra_files.micromed_vwr),
        ("Nicolet .e", vendor_extra_files.nicolet_e),
        ("XDF", vendor_extra_files.xdf),
        ("DICOM EEG", vendor_extra_files.dicom),
    ],
)
def test_pauses_are_on_the_clock(
    name: str, write: Writer, uv: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _needs(name)
    monkeypatch.setattr(vendor_extra_files, "NOTE_S", 7.0 if name in {"XDF", "DICOM EEG", "Nicolet .e"} else 25.0)
    path, step_uv = write(tmp_path, uv, 30.0)  # type: ignore[call-arg]
    recording = read(path)
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 20), (pytest.approx(50), 20)]
    for segment, part in zip(recording.segments, np.array_split(uv, 2, axis=1), strict=True):
        got = np.stack(recording.read(range(19), segment.start_s, segment.stop_s, segment).uv)
        assert np.abs(got - part).max() <= step_uv
    expected_s = 7.0 if vendor_extra_files.NOTE_S == 7.0 else 55.0
    assert any(note.onset_s == pytest.approx(expected_s, abs=1e-3) for note in recording.annotations)


@pytest.mark.parametrize("width", [2, 4])
def test_the_width_of_neuroscan_s_samples_is_measured(width: int, uv: FloatArray, tmp_path: Path) -> None:
    path, step_uv = vendor_files.neuroscan(tmp_path, uv, width, n_samples=0)
    recording = read(path)
    assert recording.duration_s == 40.0
    assert np.abs(np.stack(recording.read(range(19), 0.0, 40.0).uv) - uv).max() <= step_uv
    assert any("month, day, year" in warning for warning in recording.warnings)


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize(("block", "stated"), [(1, 8), (8, 8)])
def test_where_neuroscan_s_channels_lie_is_measured(
    width: int, block: int, stated: int, uv: FloatArray, tmp_path: Path
) -> None:
    path, step_uv = vendor_files.neuroscan(tmp_path, uv, width, block=block, stated=stated)
    recording = read(path)
    assert np.abs(np.stack(recording.read(range(19), 0.0, 40.0).uv) - uv).max() <= step_uv
    assert any("samples alternate between channels" in warning for warning in recording.warnings) == (block == 1)


def test_what_neuroscan_s_header_states_too_much_is_not_there(uv: FloatArray, tmp_path: Path) -> None:
    path, step_uv = vendor_files.neuroscan(tmp_path, uv, 2, n_samples=41 * RATE_HZ)
    recording = read(path)
    assert recording.duration_s == 40.0
    assert np.abs(np.stack(recording.read(range(19), 0.0, 40.0).uv) - uv).max() <= step_uv
    assert any("another number of samples" in warning for warning in recording.warnings)


def test_pauses_of_ant_are_on_the_clock(tmp_path: Path) -> None:
    # Which pieces there are, as their recorders list them: day, fraction of a second, samples.
    from brainscan.io.mne_beside import _pieces

    later = START + timedelta(seconds=90.25)
    day = (later.replace(microsecond=0) - _EXCEL).total_seconds() / 86400
    text = f"NumberSegments=2\n{day:.17e} {0.25:.6e} 4000\n"
    assert _pieces(text, START, 9000, 200.0) == ((0, 0.0), (5000, pytest.approx(90.25, abs=1e-3)))


def test_lost_packets_are_told(uv: FloatArray, tmp_path: Path) -> None:
    path, _ = vendor_files.nedf(tmp_path, uv, lost=3)
    assert any("3 packets were lost" in warning for warning in read(path).warnings)


def test_persyst_needs_no_patient_and_no_encoding(uv: FloatArray, tmp_path: Path) -> None:
    path, _ = vendor_files.persyst(tmp_path, uv, patient="Sex=M\nHand=\n")
    recording = read(path)
    assert recording.start is None
    assert recording.age_years is None
    path.write_bytes(path.read_bytes().replace(b"night.dat", b"C:\\old\\NIGHT.DAT").replace(b"seizure", b"cris\xe9"))
    assert [note.label for note in read(path).annotations] == ["cris\ufffd"]
    (tmp_path / "night.dat").unlink()
    with pytest.raises(InputError, match=r"night\.dat is missing"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("DataType=7", "DataType=3"),
        ("WaveformCount=19", "WaveformCount=20"),
        ("SamplingRate=200", "SamplingRate=0"),
        ("Calibration=0.25", ""),
    ],
)
def test_a_persyst_header_that_lacks_something_is_refused(old: str, new: str, uv: FloatArray, tmp_path: Path) -> None:
    path, _ = vendor_files.persyst(tmp_path, uv)
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(InputError, match="lacks what its samples need"):
        read(path)


def test_persyst_reads_what_mne_reads(uv: FloatArray, tmp_path: Path) -> None:
    path, step_uv = vendor_files.persyst(tmp_path, uv)
    raw = pytest.importorskip("mne").io.read_raw_persyst(path, verbose="ERROR")
    recording = read(path)
    got = np.stack(recording.read(range(19), 0.0, 40.0).uv)
    assert np.abs(got - raw.get_data() * 1e6).max() <= step_uv / 100
    assert recording.age_years == pytest.approx(44.3, abs=0.1)
    assert [(n.onset_s, n.label) for n in recording.annotations] == [
        (a["onset"], a["description"]) for a in raw.annotations
    ]


def test_persyst_s_clock_runs_over_midnight(uv: FloatArray, tmp_path: Path) -> None:
    times = {0: 86390.0, 10 * RATE_HZ: 0.0, 20 * RATE_HZ: 100.0}
    recording = read(vendor_files.persyst(tmp_path, uv, times)[0])
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [(0, 20), (110, 20)]


def test_bci2000_without_names_says_so(uv: FloatArray, tmp_path: Path) -> None:
    recording = read(vendor_files.bci2000(tmp_path, uv, names=False)[0])
    assert recording.labels[:2] == ("Ch1", "Ch2")
    assert any("names no channels" in warning for warning in recording.warnings)


@pytest.mark.parametrize(
    "line",
    ["HeaderLen=", "HeaderLen= 40", "HeaderLen= 9{}", "HeaderLen= 40 SourceCh= 9{}", "HeaderLen= -1 SourceCh= 2"],
)
def test_a_bci2000_header_that_states_nothing_or_too_much_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_text(line.format("9" * 20) + "\r\n" + " " * 40, encoding="latin-1")
    with pytest.raises(InputError, match="cannot be made sense of"):
        read(path)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("n_bytes", [9, 30, 300, 1000, 5000])
def test_a_beginning_alone_is_read_or_refused(name: str, n_bytes: int, uv: FloatArray, tmp_path: Path) -> None:
    _needs(name)
    path, _ = WRITERS[name](tmp_path, uv)
    if path.is_file():
        path.write_bytes(path.read_bytes()[:n_bytes])
        with suppress(InputError, MissingExtraError):
            read(path)


@pytest.mark.parametrize("name", [name for name in WRITERS if _ROWS[name].extra])
def test_its_extra_is_asked_for(name: str, uv: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _needs(name)
    path, _ = WRITERS[name](tmp_path, uv)
    row = _ROWS[name]
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda m: None if m == row.modules[-1] else found(m))
    with pytest.raises(MissingExtraError, match=rf"brainscan\[{row.extra}\]"):
        read(path)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("level_uv", [2000.0, 0.01])
def test_amplitudes_that_no_scalp_has_are_doubtful(
    level_uv: float, name: str, uv: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its maker, and whatever that makes plausible is named."""
    _needs(name)
    if name in (_NEVER_SO_LARGE if level_uv > 1.0 else _NEVER_SO_SMALL):
        pytest.skip("its numbers cannot be")
    monkeypatch.setattr(vendor_files, "STEP_UV", 0.25 * max(1.0, level_uv / 500.0) if level_uv > 1.0 else 1e-4)
    path, _ = WRITERS[name](tmp_path, uv * (level_uv / (1.4826 * np.median(np.abs(uv)))))
    numbered = {f"E{i + 1}": electrode for i, electrode in enumerate(ELECTRODES)} if name in _NUMBERED else {}
    plan = open_plan(read(path), numbered)
    assert any(re.search(r"1,?000|times 0\.001", warning) for warning in plan.warnings), plan.warnings


def _needs(name: str) -> None:
    for module in _ROWS[name].modules:
        pytest.importorskip(module)
