"""CHB-MIT's ``.edf.seizures``: annotations in the binary format of WFDB (MIT format).

A word of 16 bits, low byte first, holds a code in its upper six bits and in the others the samples since the last
annotation; zero ends the file. SKIP carries a longer interval, AUX a text, NUM, SUB and CHN a number (WFDB Applications
Guide, annot(5), physionet.org/physiotools/wag/annot-5.htm). The corpus marks seizures by ``[`` and ``]``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brainscan.errors import BrainscanError, InputError
from brainscan.events import Annotation
from brainscan.io.annotation_file import SEIZURE, AnnotationFile, check_intervals
from brainscan.io.text_files import read_bytes

SUFFIX = ".seizures"

_BEGIN, _END, _NOTE = 32, 33, 22
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
_RESOLUTION = re.compile(r"## time resolution: (\d+(?:\.\d+)?)")
_CORPUS_RATE_HZ = 256.0  # of every recording of CHB-MIT


@dataclass(frozen=True, slots=True)
class _Mark:
    sample: int
    code: int
    text: str = ""


def read_wfdb_seizures(path: Path) -> AnnotationFile:
    """Read the seizures of one recording.

    Times count samples. How many there are in a second tells the file, else the recording beside it, else the corpus
    (256), with a warning.

    Parameters
    ----------
    path : Path
        Such as ``chb01_03.edf.seizures``.

    Raises
    ------
    InputError
        If it ends within an annotation, or a seizure has no end or no beginning.
    """
    marks = list(_marks(read_bytes(path), path.name))
    warnings: list[str] = []
    rate_hz = _rate(marks, path, warnings)
    begun: float | None = None
    seizures: list[Annotation] = []
    for mark in marks:
        at_s = mark.sample / rate_hz
        if mark.code == _BEGIN and begun is None:
            begun = at_s
        elif mark.code == _END and begun is not None:
            seizures.append(Annotation(begun, at_s, SEIZURE))
            begun = None
        elif mark.code in {_BEGIN, _END}:
            what = "begins twice" if mark.code == _BEGIN else "ends without a beginning"
            raise InputError(f"a seizure {what} (at {at_s:g} s)", kind="corrupt", file=path.name)
    if begun is not None:
        raise InputError(f"a seizure has no end (it begins at {begun:g} s)", kind="corrupt", file=path.name)
    n_others = sum(mark.code not in {_BEGIN, _END, _NOTE} for mark in marks)
    if n_others:
        warnings.append(f"{n_others} annotations are of no seizure (codes other than '[' and ']') and passed over")
    if not seizures:
        raise InputError("holds no seizure", kind="empty", file=path.name, hint="copy it again")
    return check_intervals(AnnotationFile(tuple(seizures), name=path.name, warnings=tuple(warnings)))


def _marks(data: bytes, name: str) -> Iterator[_Mark]:
    """Yield the annotations of a file."""
    sample, at = 0, 0
    pending: _Mark | None = None

    def take(size: int) -> bytes:
        nonlocal at
        part = data[at : at + size]
        if len(part) < size:
            raise InputError(
                f"ends within an annotation ({len(data)} bytes)", kind="corrupt", file=name, hint="copy it again"
            )
        at += size
        return part

    while True:
        (word,) = struct.unpack("<H", take(2))
        code, value = word >> 10, word & 0x3FF
        if code == _AUX:
            text = take(value + value % 2)[:value].decode("latin-1").rstrip("\0")
            pending = None if pending is None else _Mark(pending.sample, pending.code, text)
            continue
        if code in {_NUM, _SUB, _CHN}:
            continue
        if pending is not None:
            yield pending
            pending = None
        if word == 0:
            return
        if code == _SKIP:
            high, low = struct.unpack("<hH", take(4))
            sample += (high << 16) + low
            continue
        sample += value
        pending = _Mark(sample, code)


def _rate(marks: list[_Mark], path: Path, warnings: list[str]) -> float:
    """Return the samples a second that the marks count in."""
    told = next((match for mark in marks if (match := _RESOLUTION.search(mark.text))), None)
    if told is not None and float(told[1]) > 0:
        return float(told[1])
    recording = path.with_suffix("")
    if recording.is_file():
        from brainscan.io.reading import read

        try:
            rates = {float(channel.rate_hz) for channel in read(recording).channels}
        except BrainscanError:
            rates = set()
        if len(rates) > 1:
            warnings.append(f"the recording has several rates: times are taken as samples at {max(rates):g} Hz")
        if rates:
            return max(rates)
    warnings.append(f"times are taken as samples at {_CORPUS_RATE_HZ:g} Hz: the recording is not beside it")
    return _CORPUS_RATE_HZ
