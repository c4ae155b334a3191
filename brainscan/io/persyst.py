"""Persyst: a .lay that says what is in the .dat beside it.

Read here and not by MNE-Python, which opens no file without a date of birth, nor one in another encoding than the
computer's, and takes a recording with pauses for one piece; the layout is that of Persyst's own description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from brainscan.errors import InputError
from brainscan.events import Annotation
from brainscan.io.containers import unreadable
from brainscan.io.parts import FloatArray, Opened, Part, recording_of_parts
from brainscan.recording import Recording

_DTYPES = {"0": "<i2", "7": "<i4"}
_DATES = ("%m/%d/%Y", "%d-%m-%Y", "%Y.%m.%d", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%y", "%d-%b-%Y")
_DAY_S = 86400.0

Section = Mapping[str, str]


def read_persyst(path: Path) -> Recording:
    """Open a .lay; samples are read from its .dat as they are needed.

    Raises
    ------
    InputError
        Kind ``io`` if a file is missing; ``header`` if the .lay lacks what the samples need.
    """
    try:
        text = path.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")
        lists = sections(text)
        facts = {key.lower(): value for key, value in lists.get("fileinfo", [])}
        labels = [key for key, _ in lists.get("channelmap", [])]
        data = _data_file(path, facts.get("file", ""))
        return recording_of_parts(path, "Persyst", _opened(data, facts, labels, lists, text))
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    except (ValueError, KeyError) as problem:
        raise InputError(
            f"its header lacks what its samples need ({problem})", kind="header", file=path.name, hint="export it again"
        ) from problem


def _opened(
    data: Path, facts: Section, labels: list[str], lists: Mapping[str, Sequence[tuple[str, str]]], text: str
) -> Opened:
    n_channels, offset = int(facts["waveformcount"]), int(facts.get("headerlength") or 0)
    if n_channels != len(labels):
        raise ValueError(f"{n_channels} channels, {len(labels)} labels")
    dtype = np.dtype(_DTYPES[facts["datatype"]])
    rate_hz = Fraction(facts["samplingrate"]).limit_denominator(1_000_000)
    if rate_hz <= 0:
        raise ValueError("SamplingRate")
    factor = float(facts["calibration"])
    # Clips are cut out of recordings without a word in the header: the file's size counts.
    n_samples = max(data.stat().st_size - offset, 0) // (dtype.itemsize * n_channels)

    def fetch(first: int, channels: Sequence[int], start: int, stop: int) -> FloatArray:
        at = offset + (first + start) * n_channels * dtype.itemsize
        numbers = np.fromfile(data, dtype, (stop - start) * n_channels, offset=at).reshape(-1, n_channels)
        values: FloatArray = numbers[:, list(channels)].T.astype(np.float64) * factor
        return values

    stamps = jumps([(int(a), float(b)) for a, b in lists.get("sampletimes", [])], n_samples, float(rate_hz))
    ends = [first for first, _ in stamps[1:]] + [n_samples]
    parts = [Part(at_s, stop - first, partial(fetch, first)) for (first, at_s), stop in zip(stamps, ends, strict=True)]
    patient = {key.lower(): value for key, value in lists.get("patient", [])}
    day = _date(patient.get("testdate", ""))
    start = _start(day, patient.get("testtime", ""))
    # Labels carry the reference; a blank before it is none of the label.
    notes = comments(text, stamps, float(rate_hz))
    return Opened(rate_hz, labels, ["uV"] * n_channels, parts, start, notes, (), _age(patient, day))


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """Return the keys and values of each section of a .lay, in the order of the file; comments have none."""
    found: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].lower()
        elif "=" in line and section != "comments":
            key, _, value = line.partition("=")
            found.setdefault(section, []).append((key.strip(), value.strip()))
    return found


def _data_file(path: Path, named: str) -> Path:
    """Return the .dat beside a .lay: the one that it names, else the one of its own name, in whatever case."""
    wanted = [Path(named.replace("\\", "/")).name.casefold(), (path.stem + ".dat").casefold()]
    beside = {entry.name.casefold(): entry for entry in path.parent.iterdir() if entry.is_file()}
    found = next((beside[name] for name in wanted if name in beside), None)
    if found is None:
        raise InputError(
            f"{wanted[0] or wanted[1]} is missing",
            kind="io",
            file=path.name,
            hint="copy all files of the recording into one folder",
        )
    return found


def jumps(times: Sequence[tuple[int, float]], n_samples: int, rate_hz: float) -> list[tuple[int, float]]:
    """Return the stamps at which the clock jumps by a sample (at least 1 ms) or more, the first at 0.

    Stamps are seconds of the day, which begin anew at midnight.
    """
    ordered = sorted(stamp for stamp in times if 0 <= stamp[0] < n_samples)
    if not ordered or ordered[0][0] != 0:
        return [(0, 0.0)]
    began_s = ordered[0][1]
    blocks = [(0, 0.0)]
    for sample, stamp_s in ordered[1:]:
        first, start_s = blocks[-1]
        expected_s = start_s + (sample - first) / rate_hz
        at_s = stamp_s - began_s
        if at_s < expected_s - _DAY_S / 2:
            at_s += _DAY_S * round((expected_s - at_s) / _DAY_S)
        if at_s - expected_s >= max(1 / rate_hz, 0.001):
            blocks.append((sample, at_s))
    return blocks


def comments(text: str, stamps: Sequence[tuple[int, float]], rate_hz: float) -> tuple[Annotation, ...]:
    """Read comments: second (of what was recorded), duration, two fields that do not matter, text."""
    notes = []
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].lower()
            continue
        fields = line.split(",", 4)
        if section != "comments" or len(fields) < 5 or not fields[4].strip():
            continue
        try:
            second, duration_s = float(fields[0]), max(float(fields[1]), 0.0)
        except ValueError:
            continue
        first, start_s = next((s for s in reversed(stamps) if s[0] <= second * rate_hz + 0.5), stamps[0])
        onset_s = start_s + second - first / rate_hz
        notes.append(Annotation(onset_s, onset_s + duration_s, fields[4].strip()))
    return tuple(notes)


def _date(text: str) -> date | None:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def _start(day: date | None, time: str) -> datetime | None:
    if day is None:
        return None
    try:
        return datetime.combine(day, datetime.strptime(time, "%H:%M:%S").time())
    except ValueError:
        return None


def _age(patient: Section, day: date | None) -> float | None:
    born = _date(patient.get("birthdate", ""))
    if born is None or day is None or not 0 <= (day - born).days < 130 * 365.25:
        return None
    return (day - born).days / 365.25
