"""Recorders' own files, as MNE-Python publishes them for its tests; none of them is in this repository."""

from __future__ import annotations

import os
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from brainscan.io import read
from brainscan.io.mne_formats import opened
from brainscan.signal.units import uv_per_unit

mne = pytest.importorskip("mne")

_FOLDER = "BRAINSCAN_MNE_TESTING_DATA"
_LONG = "sub-pt1_ses-02_task-monitor_acq-ecog_run-01_clip2.lay"


def _file(name: str) -> Path:
    folder = os.environ.get(_FOLDER, "")
    found = sorted(Path(folder).rglob(name)) if folder else []
    if not found:
        pytest.skip(f"recorders' files absent (set {_FOLDER} to a folder with mne-testing-data and mne-python)")
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
