"""EDF and BDF files for tests, byte by byte, so that every field can be as wrong as a hospital's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brainscan.electrodes import ELECTRODES


def fixed(value: str | bytes | float, width: int) -> bytes:
    """Return a header field: latin-1, padded with blanks, cut at its width."""
    data = value if isinstance(value, bytes) else str(value).encode("latin-1")
    return data[:width].ljust(width)


@dataclass(frozen=True)
class FakeSignal:
    """One signal; `values` are digital, all records one after the other."""

    label: str | bytes
    values: np.ndarray
    samples: int = 100
    unit: str | bytes = "uV"
    physical: tuple[str, str] = ("-3276.8", "3276.7")
    digital: tuple[str, str] = ("-32768", "32767")
    samples_field: str | None = None


@dataclass(frozen=True)
class FakeEdf:
    """A whole file; `fields` replaces header fields by name."""

    signals: Sequence[FakeSignal]
    n_records: int
    record_s: str = "1"
    reserved: str = ""
    width: int = 2
    onsets: Sequence[str | bytes] | None = None
    notes: Mapping[int, bytes] = field(default_factory=dict)
    annotation_bytes: int = 120
    fields: Mapping[str, Any] = field(default_factory=dict)

    def header(self) -> bytes:
        rows = [(s.label, s.unit, *s.physical, *s.digital, s.samples_field or s.samples) for s in self.signals]
        if self.onsets is not None:
            name = "BDF Annotations" if self.width == 3 else "EDF Annotations"
            low, high = ("-8388608", "8388607") if self.width == 3 else ("-32768", "32767")
            rows.append((name, "", "-1", "1", low, high, self.annotation_bytes // self.width))
        ns = len(rows)
        values = {
            "version": b"\xffBIOSEMI" if self.width == 3 else "0",
            "patient": "X X X X",
            "recording": "Startdate X X X X",
            "date": "01.02.24",
            "time": "10.00.00",
            "header_bytes": 256 * (ns + 1),
            "reserved": self.reserved,
            "n_records": self.n_records,
            "record_s": self.record_s,
            "n_signals": ns,
            **self.fields,
        }
        widths = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
        head = b"".join(fixed(v, w) for v, w in zip(values.values(), widths, strict=True))
        columns = list(zip(*rows, strict=True))
        parts = [(columns[0], 16), ([""] * ns, 80)]
        parts += [(c, 8) for c in columns[1:6]] + [([""] * ns, 80), (columns[6], 8), ([""] * ns, 32)]
        return head + b"".join(fixed(v, w) for column, w in parts for v in column)

    def record(self, index: int) -> bytes:
        parts = []
        for s in self.signals:
            values = np.asarray(s.values[index * s.samples : (index + 1) * s.samples], dtype="<i4")
            parts.append(values.view(np.uint8).reshape(-1, 4)[:, : self.width].tobytes())
        if self.onsets is not None:
            onset = self.onsets[index]
            onset = onset if isinstance(onset, bytes) else f"{onset}\x14\x14\0".encode()
            parts.append(
                (onset + self.notes.get(index, b""))[: self.annotation_bytes].ljust(self.annotation_bytes, b"\0")
            )
        return b"".join(parts)

    def data(self) -> bytes:
        return self.header() + b"".join(self.record(i) for i in range(self.n_records))


def eeg(
    labels: Sequence[str] = ELECTRODES, n_records: int = 20, samples: int = 100, seed: int = 0, **kwargs: Any
) -> list[FakeSignal]:
    """Return signals of plausible noise, 0.1 uV a digital step."""
    rng = np.random.default_rng(seed)
    return [FakeSignal(label, rng.integers(-400, 400, n_records * samples), samples, **kwargs) for label in labels]
