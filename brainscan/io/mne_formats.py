"""BrainVision, FIF and EEGLAB through MNE (extra ``mne``), and recordings from an MNE ``Raw`` object."""

from __future__ import annotations

import re
import struct
import unicodedata
import warnings as python_warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from brainscan.errors import InputError, printable
from brainscan.events import Annotation, complement, union
from brainscan.io.calibration import calibrated
from brainscan.io.checksums import sha256_of
from brainscan.io.containers import Container, unreadable
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan.signal.units import MAX_UV, uv_per_unit

_VOLTAGES = frozenset({"eeg", "eog", "ecg", "emg", "bio"})
"""Channel types of MNE that hold volts at the scalp; depth and grid contacts are not looked at."""

_BREAK = re.compile(r"(?:^|[ /])(?:boundary|New Segment)", re.IGNORECASE)
_SKIPPED = "BAD_ACQ_SKIP"
_DAMAGED = re.compile(r"invalid tag|truncat|corrupt|cut off", re.IGNORECASE)
_HEADER_BYTES = 1 << 20
_UV_PER_V = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class RawReader:
    """Fetches samples of an MNE ``Raw``; a `brainscan.recording.Reader`.

    Parameters
    ----------
    raw : mne.io.BaseRaw
    rate_hz : Fraction
    name : str
    factors : tuple of (float or None)
        µV for each volt that MNE gives; None where a channel holds no volts.
    """

    raw: Any
    rate_hz: Fraction
    name: str
    factors: tuple[float | None, ...]

    def __call__(self, channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        """Read channels over a span of a segment; see `Recording.read`."""
        first = round(segment.start_s * self.rate_hz)
        start, stop = (first + segment.index(at_s, self.rate_hz) for at_s in (start_s, stop_s))
        values = np.full((len(channels), max(stop - start, 0)), np.nan)
        rows = [row for row, channel in enumerate(channels) if self.factors[channel] is not None]
        if rows and stop > start:
            factors = [[self.factors[channels[row]]] for row in rows]
            values[rows] = self._volts([channels[row] for row in rows], start, stop) * factors
            # Floating-point files may hold infinities, and numbers that no amplifier gives.
            values[np.abs(values) > MAX_UV] = np.nan
        return Samples(tuple(values), tuple(np.zeros(values.shape, dtype=np.bool_)))

    def _volts(self, channels: Sequence[int], start: int, stop: int) -> Any:
        # MNE wants ascending picks without repetition.
        picks = sorted(set(channels))
        try:
            with python_warnings.catch_warnings():
                python_warnings.simplefilter("ignore")
                data = self.raw.get_data(picks=picks, start=start, stop=stop, verbose="ERROR")
        except OSError as problem:
            raise unreadable(self.name, problem) from problem
        except Exception as problem:  # as below
            raise _damaged(self.name) from problem
        return data[[picks.index(channel) for channel in channels]]


def read_with_mne(path: Path, container: Container) -> Recording:
    """Open a file of a container that MNE reads.

    Raises
    ------
    InputError
        Kind ``io`` if a file is missing; ``corrupt`` if MNE cannot make sense of it.
    """
    name = path.name
    remarks_on_header = _check_brainvision(path) if container == "BrainVision" else []
    if container == "FIF":
        _check_fif(path)
    import mne

    readers = {
        "BrainVision": mne.io.read_raw_brainvision,
        "FIF": partial(mne.io.read_raw_fif, allow_maxshield=True, on_split_missing="warn"),
        "EEGLAB": mne.io.read_raw_eeglab,
    }
    try:
        with python_warnings.catch_warnings(record=True) as remarks:
            python_warnings.simplefilter("always")
            recording = from_raw(
                readers.get(container, mne.io.read_raw)(path, preload=False, verbose="WARNING"), name=name
            )
    except InputError:
        raise
    except FileNotFoundError as problem:
        missing = Path(problem.filename).name if problem.filename else "a file that it needs"
        raise InputError(
            f"{missing} is missing", kind="io", file=name, hint="copy all files of the recording into one folder"
        ) from problem
    except OSError as problem:
        raise unreadable(name, problem) from problem
    except Exception as problem:  # on damaged files its parsers raise whatever comes up
        raise _damaged(name) from problem
    if any(_DAMAGED.search(str(remark.message)) for remark in remarks):
        recording = replace(recording, warnings=(*recording.warnings, "the file is cut short or damaged"))
    warnings = (*recording.warnings, *remarks_on_header)
    return replace(recording, format=container, warnings=warnings, sha256=partial(sha256_of, path))


def from_raw(raw: Any, *, name: str = "raw") -> Recording:
    """Make a recording of an MNE ``Raw`` object.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        Loaded or not; blocks are fetched as they are needed. Channels that are marked as bad are not used.
    name : str
        For messages and outputs.

    Returns
    -------
    Recording
        Second 0 is the first sample. Parts that MNE calls skipped or separated by a boundary are segments.

    Raises
    ------
    InputError
        Kind ``empty`` if there are no samples.
    """
    rate_hz = Fraction(float(raw.info["sfreq"])).limit_denominator(1_000_000)
    n_samples = int(raw.n_times)
    if n_samples < 1 or rate_hz <= 0:
        raise InputError("has no samples", kind="empty", file=name)
    bad = set(raw.info["bads"])
    usable = tuple(
        kind in _VOLTAGES and label not in bad
        for kind, label in zip(raw.get_channel_types(), raw.ch_names, strict=True)
    )
    notes = tuple(_annotations(raw))
    segments = _segments(notes, n_samples, rate_hz)
    warnings = [f"{len(segments)} parts: analysed separately"] if len(segments) > 1 else []
    if bad:
        warnings.append(f"channels marked as bad are left out: {', '.join(sorted(bad))}")
    start = raw.info["meas_date"]
    stated = tuple(
        Channel(label, rate_hz, unit, (uv_per_unit(unit) or _UV_PER_V) if held else None)
        for label, unit, held in zip(_own_labels(raw.ch_names), _units(raw), usable, strict=True)
    )
    recording = Recording(
        name=name,
        format="array",
        start=None if start is None else start.replace(tzinfo=None) + timedelta(seconds=float(raw.first_time)),
        duration_s=float(n_samples / rate_hz),
        segments=segments,
        channels=stated,
        reader=RawReader(raw, rate_hz, name, tuple(_UV_PER_V if held else None for held in usable)),
        annotations=notes,
        warnings=tuple(warnings),
        age_years=_age(raw.info),
    )
    channels = calibrated(recording)
    # MNE has turned the file's units into volts; where they mean something else, its volts do.
    factors = tuple(
        None if c.uv_per_unit is None or s.uv_per_unit is None else _UV_PER_V * (c.uv_per_unit / s.uv_per_unit)
        for c, s in zip(channels, stated, strict=True)
    )
    return replace(recording, channels=channels, reader=RawReader(raw, rate_hz, name, factors))


def _units(raw: Any) -> list[str]:
    """Return the unit of each channel in the file, as far as MNE knows; volts, its own, otherwise."""
    own = getattr(raw, "_orig_units", None) or {}
    units = [str(own.get(label, "")) for label in raw.ch_names]
    return [unit if uv_per_unit(unit) is not None else "V" for unit in units]


def _annotations(raw: Any) -> Iterator[Annotation]:
    # MNE counts onsets from the measurement's start, of which the first sample may be later.
    for onset, duration, text in zip(
        raw.annotations.onset, raw.annotations.duration, raw.annotations.description, strict=True
    ):
        onset_s = float(onset) - float(raw.first_time)
        yield Annotation(onset_s, onset_s + float(duration), str(text))


def _segments(notes: Sequence[Annotation], n_samples: int, rate_hz: Fraction) -> tuple[Segment, ...]:
    """Cut at boundaries, and leave out what was not recorded."""
    duration_s = float(n_samples / rate_hz)
    skipped = union((n.onset_s, n.offset_s) for n in notes if n.label == _SKIPPED)
    cuts = {n.onset_s for n in notes if _BREAK.search(n.label)}
    bounds = sorted({0.0, duration_s, *(c for c in cuts if 0.0 < c < duration_s)})
    grid = [round(b * rate_hz) for b in bounds]
    parts = []
    for first, stop in pairwise(grid):
        for a, b in complement(skipped, float(first / rate_hz), float(stop / rate_hz)):
            begin, end = round(a * rate_hz), round(b * rate_hz)
            if end > begin:
                parts.append(Segment(float(begin / rate_hz), float((end - begin) / rate_hz)))
    return tuple(parts) or (Segment(0.0, duration_s),)


def _own_labels(labels: Sequence[str]) -> list[str]:
    """Take off the running numbers that MNE appends to labels that occur twice (``T8-P8-0``, ``T8-P8-1``)."""
    stems = [re.fullmatch(r"(.+)-(\d+)", label) for label in labels]
    counts = Counter(stem.group(1) for stem in stems if stem)
    return [
        stem.group(1) if stem and counts[stem.group(1)] > 1 and stem.group(1) not in labels else label
        for stem, label in zip(stems, labels, strict=True)
    ]


def _age(info: Any) -> float | None:
    subject, start = info["subject_info"], info["meas_date"]
    born = subject.get("birthday") if subject else None
    if born is None or start is None:
        return None
    days = (start.date() - (born.date() if isinstance(born, datetime) else born)).days
    return days / 365.25 if 0 <= days < 130 * 365.25 else None


def _check_brainvision(path: Path) -> list[str]:
    """Refuse headers that name files elsewhere, or files that are not there; return what looks wrong.

    A recording that was renamed still names its old files: the line to correct is told, not guessed.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_HEADER_BYTES).decode("latin-1")
        beside = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    missing, corrections, warnings = [], [], []
    for key in ("DataFile", "MarkerFile"):
        found = re.search(rf"^{key}\s*=(.*)$", text, re.MULTILINE)
        if found is None:
            continue
        named = found.group(1).strip().replace("$b", path.stem)
        # latin-1 kept the bytes; the name itself may be UTF-8.
        named = named.encode("latin-1").decode("utf-8", errors="surrogateescape")
        if not named or named != Path(named).name or "\\" in named or "\0" in named:
            right = _own_file(path, key, named, beside)
            hint = f"{right} lies beside it: correct the header's line to {key}={right}" if right else ""
            raise InputError(
                f"{key} names no file of the same folder",
                kind="header",
                file=path.name,
                hint=hint or "correct the header",
            )
        is_there = (path.parent / named).is_file()
        right = _own_file(path, key, "" if is_there else named, beside)
        if not is_there:
            missing.append(printable(named))
            corrections += [(right, f"{key}={right}")] if right else []
        elif right and right != named:
            warnings.append(f"{key}={printable(named)} is read, although {printable(right)} lies beside the header")
    if missing:
        hint = "copy all files of the recording into one folder"
        if corrections:
            names = " and ".join(name for name, _ in corrections)
            lines = " and ".join(line for _, line in corrections)
            lie, line = ("lies", "line") if len(corrections) == 1 else ("lie", "lines")
            hint = f"{names} {lie} beside it: correct the header's {line} to {lines}"
        lack = "is" if len(missing) == 1 else "are"
        raise InputError(f"{' and '.join(missing)} {lack} missing", kind="io", file=path.name, hint=hint)
    return warnings


def _own_file(path: Path, key: str, named: str, beside: Sequence[str]) -> str:
    """Return the file of a header's own name that it ought to name, or the named one in another spelling; else ''."""

    def folded(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()

    suffixes = (".eeg", ".dat", ".seg") if key == "DataFile" else (".vmrk", ".amrk")
    suffix = Path(named.replace("\\", "/")).suffix
    wanted = [folded(Path(named.replace("\\", "/")).name)]
    wanted += [folded(path.stem + end) for end in dict.fromkeys((suffix, *suffixes)) if end]
    for name in wanted:
        for own in beside:
            if folded(own) == name and folded(own) != folded(path.name):
                return own
    return ""


def _check_fif(path: Path) -> None:
    """Refuse a chain of tags that runs backwards, which MNE would follow for ever.

    A tag is kind, type, size and the position of the next (0: behind this one, -1: none), four bytes each.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            at = 0
            while at + 16 <= size:
                stream.seek(at)
                _, _, length, following = struct.unpack(">iiii", stream.read(16))
                if following < 0:
                    return
                behind = following or at + 16 + length
                if length < 0 or behind <= at:
                    raise _damaged(path.name)
                at = behind
    except OSError as problem:
        raise unreadable(path.name, problem) from problem


def _damaged(name: str) -> InputError:
    return InputError("cannot be made sense of", kind="corrupt", file=name, hint="copy or export it again")
