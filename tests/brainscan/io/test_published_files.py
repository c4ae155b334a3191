"""Recorders' files as MNE-Python, EEGLAB and Lab Streaming Layer publish them; none of them is in this repository."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainscan.errors import InputError
from brainscan.io import read
from brainscan.io.containers import kind_of
from brainscan.io.mne_formats import opened
from brainscan.recording import Recording
from brainscan.signal.units import uv_per_unit

mne = pytest.importorskip("mne")

_FOLDER = "BRAINSCAN_MNE_TESTING_DATA"
_AT_MOST_BYTES = 16 << 20
_CHANNELS = 30
_OWN = {"EDF": "read_raw_edf", "BDF": "read_raw_bdf", "Persyst": "read_raw_persyst"}
"""What our own parsers read: how MNE reads it."""
_LONG = "sub-pt1_ses-02_task-monitor_acq-ecog_run-01_clip2.lay"


def _file(name: str) -> Path:
    folder = os.environ.get(_FOLDER, "")
    found = sorted(Path(folder).rglob(name)) if folder else []
    if not found:
        pytest.skip(f"recorders' files absent (set {_FOLDER} to a folder with their repositories)")
    return found[0]


@pytest.mark.parametrize(
    ("name", "container", "labels", "start", "segments"),
    [
        ("MB0400FU.EEG", "Nihon Kohden", ("Fp2", "Fp1"), "2019-04-03 16:00:16", [(0, 29)]),
        (_LONG, "Persyst", ("Fp1-Ref", "Fp2-Ref"), "2014-12-19 02:37:48", [(0, 4.235)]),
        ("test_nicolet_raw.head", "Nicolet .data", ("FP1", "FP2"), "2015-01-01 12:00:00", [(0, 2)]),
        ("test_egi.raw", "EGI RAW", ("E1", "E2"), "2014-04-08 09:46:44", [(0, 0.308)]),
        (
            "test_egi_multiepoch_paused.mff",
            "EGI MFF",
            ("E1", "E2"),
            "2018-07-30 14:47:01.021673",
            [(0, 1.304), (1.772, 6.888), (12.296, 5.8)],
        ),
        ("scan41_short.cnt", "Neuroscan", ("1", "2"), "", [(0, 7.675)]),
        ("test_CA_208.cnt", "ANT Neuro", ("Fp1", "Fpz"), "2024-08-14 10:44:47.531224", [(0, 4.025)]),
        (
            "test_CA_208_start_stop.cnt",
            "ANT Neuro",
            ("Fp1", "Fpz"),
            "2024-08-14 10:45:58.343215",
            [(0, 3.828), (12.536, 3.828), (25.664, 3.431)],
        ),
        ("test-na-271.cnt", "ANT Neuro", ("Z2", "Z4"), "2024-09-06 10:45:07.411188", [(0, 4.59)]),
        ("Ref_channel_omitted Curry7.dap", "Curry", ("FP1", "FPZ"), "2018-11-21 12:53:48.525", [(0, 20)]),
        ("test_bdf_stim_channel Curry 8.cdt", "Curry", ("C3", "C4"), "", [(0, 10)]),
        ("testdata.nedf", "Neuroelectrics", ("P8", "TP8"), "2019-05-06 14:00:30.520", [(0, 65.076)]),
        ("test_eximia.nxe", "eXimia", ("GateIn", "Trig1"), "", [(0, 10.812)]),
    ],
)
def test_a_recorder_s_file_is_read_as_mne_reads_it(
    name: str, container: str, labels: tuple[str, str], start: str, segments: list[tuple[float, float]]
) -> None:
    path = _file(name)
    recording = read(path)
    assert recording.format == container
    assert recording.labels[:2] == labels
    assert recording.start == (datetime.fromisoformat(start) if start else None)
    assert [(s.start_s, s.duration_s) for s in recording.segments] == [
        (pytest.approx(a, abs=2e-3), pytest.approx(b, abs=1e-3)) for a, b in segments
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = mne.io.read_raw_persyst(path) if container == "Persyst" else opened(path, container)
    held = [i for i, channel in enumerate(recording.channels) if channel.uv_per_unit is not None][:30]
    # eXimia's numbers are microvolts, which MNE calls volts: the factor was settled when it was opened.
    channels = [recording.channels[i] for i in held]
    settled = [(channel.uv_per_unit or 0.0) / (uv_per_unit(channel.unit) or 1.0) for channel in channels]
    volts = raw.get_data(picks=held)
    first = 0
    for segment in recording.segments:
        rate_hz = recording.channels[0].rate_hz
        n = segment.n_samples(rate_hz)
        if container == "EGI MFF":
            first = round(segment.start_s * rate_hz)
        got = np.stack(recording.read(held, segment.start_s, segment.stop_s, segment).uv)
        np.testing.assert_allclose(
            got, volts[:, first : first + n] * 1e6 * np.array(settled)[:, None], rtol=1e-6, atol=1e-3
        )
        first += n


@pytest.mark.parametrize("name", ["test_CA_208", "test_CA_208_start_stop"])
def test_ant_s_own_export_holds_the_same(name: str) -> None:
    own, exported = read(_file(f"{name}.cnt")), read(_file(f"{name}.vhdr"))
    a, b = own.segments[0], exported.segments[0]
    stop_s = min(a.stop_s, b.stop_s)
    for label in ("Fp1", "Cz"):
        np.testing.assert_allclose(
            own.read([label], 0.0, stop_s, a).uv[0], exported.read([label], 0.0, stop_s, b).uv[0], atol=0.2
        )


def test_lab_streaming_layer_s_examples() -> None:
    """Their values are those that pyxdf's own tests state; the other example's clock was set anew at sample 12876."""
    pytest.importorskip("pyxdf")
    recording = read(_file("minimal.xdf"))
    tens = [192, 12, 13, 14, 15, 12, 13, 14, 15]
    assert [row.tolist() for row in recording.reader(range(3), recording.segments[0], 0.0, 0.9).uv] == [
        tens, [255, *(ten + 10 for ten in tens[1:])], [238, *(ten + 20 for ten in tens[1:])],
    ]  # fmt: skip
    recording = read(_file("clock_resets.xdf"))
    assert [round(segment.duration_s * 100) for segment in recording.segments] == [12876, 14939]
    assert any("its clock and its stated rate differ by 11.8 s" in warning for warning in recording.warnings)


@pytest.mark.parametrize(
    "container",
    [
        "EDF", "BDF", "BrainVision", "FIF", "EEGLAB", "Nihon Kohden", "Persyst", "Nicolet .data", "EGI MFF", "EGI RAW",
        "Neuroscan", "ANT Neuro", "GDF", "Neuroelectrics", "Curry", "BCI2000", "eXimia",
    ],
)  # fmt: skip
def test_whatever_mne_reads_is_read_alike(container: str) -> None:
    compared, unlike = 0, []
    for path in _of_container(container):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                raw = getattr(mne.io, _OWN[container])(path) if container in _OWN else opened(path, container)
            except Exception:  # noqa: BLE001  (not for MNE, whatever it raises)
                continue
            if not isinstance(raw, mne.io.BaseRaw):
                continue
            try:
                recording = read(path)
            except InputError as refused:
                unlike += [] if refused.kind == "no_eeg" else [f"{path.name}: {refused.message}"]
                continue
            unlike += [f"{path.name}: {what}" for what in _differences(recording, raw, container)]
            compared += 1
    assert unlike == []
    if not compared:
        pytest.skip(f"no file of {container} among the published ones")


def _of_container(container: str) -> Iterator[Path]:
    """Walk the published files that are of a container, its folders as one; not the large ones."""
    waiting = [Path(os.environ[_FOLDER])] if os.environ.get(_FOLDER) else []
    while waiting:
        for entry in sorted(waiting.pop().iterdir()):
            kind = kind_of(entry) if entry.is_dir() or entry.stat().st_size <= _AT_MOST_BYTES else None
            if kind is not None and kind.name == container:
                yield entry
            elif entry.is_dir() and kind is None:
                waiting.append(entry)


def _differences(recording: Recording, raw: Any, container: str) -> Iterator[str]:
    """Say in what a recording differs from what MNE reads: length, samples, notes on the clock."""
    rate_hz = float(raw.info["sfreq"])
    names = [name.casefold() for name in raw.ch_names]
    pairs = [
        (ours, names.index(channel.label.casefold()))
        for ours, channel in enumerate(recording.channels)
        if names.count(channel.label.casefold()) == 1
        and channel.uv_per_unit is not None
        and float(channel.rate_hz) == pytest.approx(rate_hz)
        and raw.get_channel_types([names.index(channel.label.casefold())])[0] == "eeg"
    ][:_CHANNELS]
    if not pairs:
        return
    volts = raw.get_data(picks=[theirs for _, theirs in pairs])
    chosen = [recording.channels[ours] for ours, _ in pairs]
    times = np.array([(c.uv_per_unit or 0.0) / (uv_per_unit(c.unit) or 1.0) for c in chosen])
    first = 0
    clock = {}
    for segment in recording.segments:
        n = segment.n_samples(chosen[0].rate_hz)
        first = round(segment.start_s * rate_hz) if container == "EGI MFF" else first
        clock[first] = segment.start_s - first / rate_hz
        got = np.stack(recording.read([ours for ours, _ in pairs], segment.start_s, segment.stop_s, segment).uv)
        expected = volts[:, first : first + n] * 1e6 * times[:, None]
        if got.shape != expected.shape:
            yield f"{got.shape} samples instead of {expected.shape}"
        elif not np.allclose(got, expected, rtol=1e-6, atol=1e-3, equal_nan=True):
            yield f"samples off by up to {np.nanmax(np.abs(got - expected)):g} uV"
        first += n
    if first != raw.n_times and container != "EGI MFF":
        yield f"{first} samples instead of {raw.n_times}"
    ours_s = [(note.label.strip(), note.onset_s) for note in recording.annotations]
    for onset, label in zip(raw.annotations.onset, raw.annotations.description, strict=True):
        at_s = float(onset) - float(raw.first_time)
        at_s += clock[max(begin for begin in clock if begin <= max(0, round(at_s * rate_hz)))]
        if not any(own == str(label).strip() and abs(own_s - at_s) <= 1.5 / rate_hz for own, own_s in ours_s):
            yield f"{str(label)!r} at {at_s:g} s is not among {ours_s[:5]}"
