"""Sample values equal edfio's and pyedflib's within one step, on the files that they can read."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError
from brainscan.io import read
from brainscan.recording import Recording
from brainscan.signal.units import uv_per_unit
from tests.brainscan.io.readers import CASES, EDFIO_STOPS, PYEDFLIB_STOPS
from tests.edf_files import FakeEdf, eeg

# Where that reader is wrong by its own records' account: it trusts the size over the count, the header
# length field, or returns raw numbers for a decimal comma.
EDFIO_WRONG = {
    "nrec_too_small.edf",
    "hbytes_wrong.edf",
    "hbytes_zero.edf",
    "edf_comma_decimals.edf",
    "spr_zero_one.edf",
}

# What they open and we refuse: damaged in transfer, without time base, without samples.
REFUSED = {
    "crlf_mangled.edf", "utf8_mangled.edf", "header_only.edf", "recdur_zero.edf",
    "pub_hypnogram.bdf", "pub_sleep_hypnogram.edf", "pub_wfdb_annot_only.edf", "edfplus_annot_only.edf",
}  # fmt: skip


def _by_label(recording: Recording) -> dict[str, tuple[np.ndarray, float]]:
    """Return whole channels with unique labels and a known unit, and the size of a step in µV."""
    result = {}
    for i, channel in enumerate(recording.channels):
        if recording.labels.count(channel.label) > 1 or uv_per_unit(channel.unit) != channel.uv_per_unit:
            continue
        if channel.uv_per_unit is None:
            continue
        parts = [recording.read([i], s.start_s, s.stop_s, s).uv[0] for s in recording.segments]
        values = np.concatenate(parts)
        steps = np.diff(np.unique(values))
        result[channel.label] = (values, float(steps.min()) if len(steps) else 1e-6)
    return result


def _compare(path: Path, theirs: dict[str, tuple[np.ndarray, str]]) -> None:
    if path.name in REFUSED:
        with pytest.raises(InputError):
            read(path)
        return
    ours = _by_label(read(path))
    for label in ours.keys() & theirs.keys():
        values, step = ours[label]
        data, unit = theirs[label]
        np.testing.assert_allclose(values, data * (uv_per_unit(unit) or 1.0), atol=1.01 * step, err_msg=label)


@pytest.mark.parametrize("name", [name for name in CASES if name not in EDFIO_STOPS | EDFIO_WRONG])
def test_edfio(name: str, shared: Path) -> None:
    edfio = pytest.importorskip("edfio")
    path = shared / "edf-cases" / name
    reader = edfio.read_bdf if path.read_bytes()[:1] == b"\xff" else edfio.read_edf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = {s.label: (np.asarray(s.data), s.physical_dimension) for s in reader(path).signals}
    _compare(path, theirs)


@pytest.mark.parametrize("name", [name for name in CASES if name not in PYEDFLIB_STOPS])
def test_pyedflib(name: str, shared: Path) -> None:
    pyedflib = pytest.importorskip("pyedflib")
    path = shared / "edf-cases" / name
    with pyedflib.EdfReader(str(path)) as reader:
        theirs = {
            label: (reader.readSignal(i), reader.getPhysicalDimension(i))
            for i, label in enumerate(reader.getSignalLabels())
        }
    _compare(path, theirs)


@pytest.mark.parametrize("width", [2, 3])
def test_generated_files(tmp_path: Path, width: int) -> None:
    edfio = pytest.importorskip("edfio")
    path = tmp_path / "a.edf"
    digital = ("-32768", "32767") if width == 2 else ("-8388608", "8388607")
    path.write_bytes(FakeEdf(eeg(n_records=7, digital=digital, unit="uV"), 7, width=width).data())
    theirs = (edfio.read_edf if width == 2 else edfio.read_bdf)(path).signals
    recording = read(path)
    for i, signal in enumerate(theirs):
        assert signal.label == ELECTRODES[i]
        np.testing.assert_allclose(recording.read([i], 0, 7).uv[0], signal.data, atol=1e-9)
