"""Write referential EEG as plain EDF, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from brainscan.io.atomic import atomic_write
from brainscan.io.edf_layout import FixedFields, SignalFields, edf_header

UV_PER_COUNT = 0.1
"""Resolution of the file. 16 bits reach ±3.2767 mV, beyond what EEG amplifiers are set to."""

SIMULATION = "simulation"
"""What made the signal, in the header of simulated recordings."""

_LARGEST = 32767


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """What a written file says about itself; there is no room for a patient.

    Parameters
    ----------
    labels : tuple of str
        One a channel, at most 16 ASCII characters each.
    rate_hz : int
        Of all channels; records last one second.
    start : datetime
        Wall-clock time of second 0.
    equipment : str
        What made the signal, without blanks.
    """

    labels: tuple[str, ...]
    rate_hz: int
    start: datetime = datetime(2000, 1, 1)
    equipment: str = SIMULATION


def write_edf(path: Path, header: EdfHeader, blocks: Iterable[NDArray[np.float32]]) -> None:
    """Write blocks of samples as they come; the file appears whole or not at all.

    Parameters
    ----------
    path : Path
    header : EdfHeader
    blocks : iterable of arrays, shape (n_channels, n_samples) each
        Microvolts, no NaN; of any length, whole seconds together. What exceeds the range is cut to it.

    Raises
    ------
    OutputError
        If the file cannot be written, or a recording that is no simulation would be written over.
    ValueError
        If the blocks have another number of channels, or do not add up to whole seconds.
    """
    with atomic_write(path, is_simulated) as stream:
        stream.write(_header(header, 0))
        n_records = 0
        pending = np.zeros((len(header.labels), 0), dtype=np.int16)
        for block in blocks:
            pending = np.concatenate((pending, _counts(block, header)), axis=1)
            written = _write_records(stream, pending, header.rate_hz)
            pending = pending[:, written * header.rate_hz :]
            n_records += written
        if pending.shape[1]:
            raise ValueError(f"EDF holds whole records of one second, {pending.shape[1]} samples are left over")
        stream.seek(0)
        stream.write(_header(header, n_records))


def is_simulated(path: Path) -> bool:
    """Whether a file says that `write_edf` made it for a simulation."""
    try:
        with path.open("rb") as stream:
            return stream.read(168)[88:].split()[-1:] == [SIMULATION.encode()]
    except OSError:
        return False


def _header(header: EdfHeader, n_records: int) -> bytes:
    largest_uv = f"{_LARGEST * UV_PER_COUNT:.1f}"
    signals = [
        SignalFields(
            label,
            unit="uV",
            physical_min=f"-{largest_uv}",
            physical_max=largest_uv,
            digital_min=str(-_LARGEST),
            digital_max=str(_LARGEST),
            samples=str(header.rate_hz),
        )
        for label in header.labels
    ]
    return edf_header(FixedFields(header.start, "1", n_records, equipment=header.equipment), signals)


def _counts(block: NDArray[np.float32], header: EdfHeader) -> NDArray[np.int16]:
    if block.ndim != 2 or len(block) != len(header.labels):
        raise ValueError(f"blocks must have {len(header.labels)} channels, got shape {block.shape}")
    counts = np.rint(block.astype(np.float64) / UV_PER_COUNT)
    return np.clip(counts, -_LARGEST, _LARGEST).astype(np.int16)


def _write_records(stream: BinaryIO, counts: NDArray[np.int16], rate_hz: int) -> int:
    """Write the whole seconds of `counts`; return how many there were."""
    n_records: int = counts.shape[1] // rate_hz
    records = counts[:, : n_records * rate_hz].reshape(len(counts), n_records, rate_hz)
    stream.write(records.transpose(1, 0, 2).astype("<i2").tobytes())
    return n_records


def electrode_labels(electrodes: Sequence[str]) -> tuple[str, ...]:
    """Return labels as the EDF+ specification wants them: type of signal, blank, electrode."""
    return tuple(f"EEG {electrode}" for electrode in electrodes)
