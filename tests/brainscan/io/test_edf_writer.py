from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from brainscan.errors import OutputError
from brainscan.io.edf_writer import UV_PER_COUNT, EdfHeader, electrode_labels, write_edf
from brainscan.io.reading import read

HEADER = EdfHeader(labels=("EEG Fp1", "EEG O2"), rate_hz=100)


def samples(seconds: float, scale: float = 100.0) -> np.ndarray:
    return (scale * np.random.default_rng(0).standard_normal((2, round(100 * seconds)))).astype(np.float32)


@pytest.mark.parametrize("step", [7, 100, 250, 500])
def test_what_is_read_is_what_was_written_whatever_the_blocks(tmp_path: Path, step: int) -> None:
    uv = samples(5)
    write_edf(tmp_path / "a.edf", HEADER, (uv[:, n : n + step] for n in range(0, 500, step)))
    recording = read(tmp_path / "a.edf")
    assert recording.labels == HEADER.labels
    assert recording.duration_s == 5.0
    assert [float(channel.rate_hz) for channel in recording.channels] == [100.0, 100.0]
    back = np.stack(recording.read([0, 1], 0.0, 5.0).uv)
    assert np.abs(back - uv).max() <= 0.5 * UV_PER_COUNT + 1e-4


def test_values_beyond_the_range_are_cut(tmp_path: Path) -> None:
    uv = np.array([[-9999.0] * 100, [9999.0] * 100], dtype=np.float32)
    write_edf(tmp_path / "a.edf", HEADER, [uv])
    back = read(tmp_path / "a.edf").read([0, 1], 0.0, 1.0).uv
    assert back[0] == pytest.approx(-3276.7)
    assert back[1] == pytest.approx(3276.7)


def test_the_header_names_no_patient(tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf", HEADER, [samples(1)])
    head = (tmp_path / "a.edf").read_bytes()[:256]
    assert head[8:88].split() == [b"X"] * 4
    assert head[88:168].split() == [b"Startdate", b"01-JAN-2000", b"X", b"X", b"simulation"]


def test_half_a_second_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="50 samples are left over"):
        write_edf(tmp_path / "a.edf", HEADER, [samples(1.5)])
    assert list(tmp_path.iterdir()) == []


def test_another_number_of_channels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must have 2 channels"):
        write_edf(tmp_path / "a.edf", HEADER, [np.zeros((3, 100), dtype=np.float32)])
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_keeps_the_old_file(tmp_path: Path) -> None:
    def failing() -> object:
        yield samples(1)
        raise KeyboardInterrupt

    (tmp_path / "a.edf").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_edf(tmp_path / "a.edf", HEADER, failing())  # type: ignore[arg-type]
    assert (tmp_path / "a.edf").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_edf(tmp_path / "absent" / "a.edf", HEADER, [samples(1)])


def test_labels_follow_the_edf_plus_specification() -> None:
    assert electrode_labels(("Fp1", "Cz")) == ("EEG Fp1", "EEG Cz")


@pytest.mark.parametrize(("n_signals", "rate_hz", "seconds"), [(1, 256, 1), (2, 100, 5), (19, 200, 3)])
def test_the_bytes_are_those_of_edflib(tmp_path: Path, n_signals: int, rate_hz: int, seconds: int) -> None:
    """Files that are written by EDFlib, as simulated ones were at first, and ours do not differ in a byte."""
    pyedflib = pytest.importorskip("pyedflib")
    labels = tuple(f"EEG {number}" for number in range(n_signals))
    counts = np.random.default_rng(1).integers(-32767, 32768, (n_signals, seconds * rate_hz), dtype=np.int16)
    with pyedflib.EdfWriter(str(tmp_path / "theirs.edf"), n_signals, file_type=pyedflib.FILETYPE_EDF) as writer:
        largest = {"physical_max": 3276.7, "physical_min": -3276.7, "digital_max": 32767, "digital_min": -32767}
        fixed = {"dimension": "uV", "sample_frequency": rate_hz, "transducer": "", "prefilter": "", **largest}
        writer.setSignalHeaders([{"label": label, **fixed} for label in labels])
        writer.setStartdatetime(datetime(2031, 12, 24, 22, 5, 6))
        writer.setEquipment("simulation")
        for second in range(seconds):
            record = counts[:, second * rate_hz : (second + 1) * rate_hz]
            writer.blockWriteDigitalShortSamples(np.ascontiguousarray(record).ravel())
    header = EdfHeader(labels, rate_hz, datetime(2031, 12, 24, 22, 5, 6))
    write_edf(tmp_path / "ours.edf", header, [(counts * UV_PER_COUNT).astype(np.float32)])
    assert (tmp_path / "ours.edf").read_bytes() == (tmp_path / "theirs.edf").read_bytes()
