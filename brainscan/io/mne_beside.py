"""What vendors' headers and the files beside them say, and MNE does not hand on: clocks with gaps, labels, units.

Layouts after the makers' documents and the open readers that MNE-Python, EDFbrowser, BIOSIG and BCI2000 publish.
"""

from __future__ import annotations

import importlib.util
import json
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from brainscan.errors import InputError, MissingExtraError
from brainscan.io.containers import unreadable
from brainscan.io.mne_raw import Beside

_NK_STUB = b"EEG-1200A"
_NEXT_BLOCK_S = 1.0  # block times are whole seconds: blocks that follow each other closer than this have no gap
_EXCEL_DAY_0 = datetime(1899, 12, 30)
_NEDF_FRAME, _NEDF_HEADER = 5, 10240
_CNT_HEADER, _CNT_CHANNEL = 900, 75  # bytes, of all and of each channel
_PROBE = 1 << 16


def beside(path: Path, container: str) -> Beside:
    """Return what a recording's files say that MNE does not hand on.

    Raises
    ------
    InputError
        If a file cannot be read, or says what MNE would misread.
    """
    look = _LOOKS.get(container)
    try:
        return look(path) if look else Beside()
    except OSError as problem:
        raise unreadable(path.name, problem) from problem
    except (ValueError, struct.error, LookupError, OverflowError) as problem:
        raise InputError(
            "its header cannot be made sense of", kind="corrupt", file=path.name, hint="copy or export it again"
        ) from problem


def sibling(path: Path, suffix: str) -> Path | None:
    """Return the file of a recording's stem and another suffix, whatever its case; None if there is none."""
    wanted = (path.stem + suffix).casefold()
    found = sorted(entry for entry in path.parent.iterdir() if entry.name.casefold() == wanted)
    return next((entry for entry in found if entry.name == path.stem + suffix), found[0] if found else None)


def cnt_width(path: Path) -> str:
    """Return how wide samples of a Neuroscan file are (``int16``, ``int32``), where its header does not say.

    Read in the right width, neighbours in time are close to each other; read in the wrong one, they are not.
    """
    rough = {f"int{8 * width}": _roughness(_cnt_samples(path, width)[:, :, 0]) for width in (2, 4)}
    return min(rough, key=lambda name: rough[name])


def cnt_in_turn(path: Path, width: int, block: int) -> bool:
    """Whether samples of a Neuroscan file alternate between channels where its header says blocks of so many."""
    blocks = _cnt_samples(path, width, block)
    in_blocks = blocks.transpose(0, 2, 1).reshape(-1, blocks.shape[1])
    return _roughness(blocks.reshape(-1, blocks.shape[1])) < _roughness(in_blocks)


def cnt_length(path: Path, width: int) -> int:
    """Return how many samples of each channel a Neuroscan file holds in front of its table of events."""
    with path.open("rb") as stream:
        n_channels, table = _at(stream, 370, "<H"), _at(stream, 886, "<i")
        size = stream.seek(0, 2)
    # In files beyond 2 GiB the place of the table has overflown.
    end = table if 0 < table < size < 1 << 31 else size
    return (end - _CNT_HEADER - n_channels * _CNT_CHANNEL) // (n_channels * width)


def _cnt_samples(path: Path, width: int, block: int = 1) -> NDArray[np.float64]:
    """Return the first samples of a Neuroscan file as they lie there: blocks, channels, samples of a block."""
    with path.open("rb") as stream:
        n_channels = _at(stream, 370, "<H")
        stream.seek(_CNT_HEADER + n_channels * _CNT_CHANNEL)
        data = stream.read(max(_PROBE, 200 * 4 * n_channels, 4 * width * n_channels * block))
    piece = width * n_channels * block
    numbers = np.frombuffer(data[: len(data) // piece * piece], f"<i{width}")
    return numbers.reshape(-1, n_channels, block).astype(np.float64)


def _roughness(table: NDArray[np.float64]) -> float:
    """Return how far neighbours in time lie apart, against how far a channel's values do; of shape (time, channels)."""
    spread = np.median(np.abs(table - np.median(table, axis=0)), axis=0)
    step = np.median(np.abs(np.diff(table, axis=0)), axis=0)
    return float(np.median(step[spread > 0] / spread[spread > 0])) if (spread > 0).any() else np.inf


def _nihon_kohden(path: Path) -> Beside:
    """Read the times of blocks, and labels where MNE would not find their file for its case."""
    with path.open("rb") as stream:
        if stream.read(16).startswith(_NK_STUB) or _at(stream, 0x91, "B") != 1:
            if importlib.util.find_spec("eeg2edf") is not None:
                return Beside(by="eeg2edf")
            raise MissingExtraError("the newer layout of its blocks", "vendor", file=path.name)
        control = _at(stream, 0x92, "<I")
        addresses = [_at(stream, control + 18 + i * 20, "<I") for i in range(_at(stream, control + 17, "B"))]
        starts, lengths, rows = [], [], []
        for address in addresses:
            stream.seek(address + 0x14)
            starts.append(_bcd_time(stream.read(6)))
            rate_hz = _at(stream, address + 0x1A, "<H") & 0x3FFF
            lengths.append(_at(stream, address + 0x1C, "<I") * rate_hz // 10)
            n_channels = _at(stream, address + 0x26, "B")
            rows = [_at(stream, address + 0x27 + i * 10, "B") for i in range(n_channels)]
    blocks = _one_behind_the_other(starts, lengths, rate_hz)
    warnings = []
    labels: tuple[str, ...] = ()
    names = sibling(path, ".21E")
    if names is None:
        warnings.append("no .21E lies beside it: its labels are those that the maker's recorders have by default")
    elif names.name != path.stem + ".21E":
        own = _names_of_21e(names)
        from mne.io.nihon.nihon import _default_chan_labels as defaults  # the recorders' own names

        labels = tuple(own.get(row) or defaults[row] for row in rows)
    for suffix, lost in ((".LOG", "annotations are"), (".PNT", "age is")):
        other = sibling(path, suffix)
        if other is not None and other.name != path.stem + suffix:
            warnings.append(f"its {lost} not read: {other.name} would have to end in {suffix}")
    # MNE takes whatever has a Z in its name (Fz, Cz, Pz) for something else.
    return Beside(starts[0], blocks, labels, electrodes_are_eeg=True, warnings=tuple(warnings))


def _one_behind_the_other(
    starts: Sequence[datetime | None], lengths: Sequence[int], rate_hz: float
) -> tuple[tuple[int, float], ...]:
    """Put blocks on the clock at the times that they state, in whole seconds; none over the one before it."""
    blocks: list[tuple[int, float]] = []
    first, end_s = 0, 0.0
    for start, length in zip(starts, lengths, strict=True):
        at_s = end_s
        if start is not None and starts[0] is not None:
            told_s = (start - starts[0]).total_seconds()
            at_s = told_s if told_s >= end_s + _NEXT_BLOCK_S else end_s
        blocks.append((first, at_s))
        first, end_s = first + length, at_s + length / rate_hz
    return tuple(blocks)


def of_eeg2edf(raw: Any) -> Beside:
    """Return where the parts of a recording lie on the clock, as eeg2edf notes them beside its ``Raw``."""
    segments = json.loads(raw.info["description"])["segments"]
    rate_hz = float(raw.info["sfreq"])
    if len(segments) < 2:
        return Beside()
    if all(part.get("start") for part in segments):
        starts = [datetime.fromisoformat(part["start"]) for part in segments]
        blocks = _one_behind_the_other(starts, [round(part["duration_s"] * rate_hz) for part in segments], rate_hz)
    else:  # samples that the recorder counted, also while nothing was kept
        times = [(round(p["offset_s"] * rate_hz), p["original_frame"] / rate_hz) for p in segments]
        blocks = _gaps([(first, at_s - times[0][1]) for first, at_s in times], rate_hz)
    return Beside(blocks=blocks)


def _at(stream: BinaryIO, address: int, form: str) -> int:
    stream.seek(address)
    return int(struct.unpack(form, stream.read(struct.calcsize(form)))[0])


def _bcd_time(field: bytes) -> datetime | None:
    """Read year, month, day, hour, minute and second, two decimal digits a byte."""
    try:
        return datetime.strptime(field.hex(), "%y%m%d%H%M%S")
    except ValueError:
        return None


def _names_of_21e(path: Path) -> dict[int, str]:
    names: dict[int, str] = {}
    inside = False
    for line in path.read_text(encoding="latin-1").splitlines():
        key, equals, value = line.partition("=")
        if line.startswith("["):
            inside = "ELECTRODE" in line or "REFERENCE" in line
        elif inside and equals and key.strip().isdigit() and value.strip():
            names[int(key)] = value.strip()
    return names


def _gaps(times: Sequence[tuple[int, float]], rate_hz: float) -> tuple[tuple[int, float], ...]:
    """Return the stamps at which the clock jumps, by a sample (at least 1 ms) or more; none where it never does."""
    blocks = [times[0]]
    for sample, at_s in times[1:]:
        first, start_s = blocks[-1]
        late_s = at_s - (start_s + (sample - first) / rate_hz)
        if late_s >= max(1 / rate_hz, 0.001):
            blocks.append((sample, at_s))
    return tuple(blocks) if len(blocks) > 1 else ()


def _ant(path: Path) -> Beside:
    """Read when pieces began that an interrupted recording was put together from (file ``.seg`` beside it)."""
    listed = sibling(path, ".seg")
    if listed is None:
        return Beside()
    import mne

    raw = mne.io.read_raw_ant(path, verbose="ERROR")
    start, n_samples, rate_hz = raw.info["meas_date"], int(raw.n_times), float(raw.info["sfreq"])
    if start is None:
        return Beside()
    blocks = _pieces(listed.read_text(encoding="latin-1"), start.replace(tzinfo=None), n_samples, rate_hz)
    return Beside(
        blocks=blocks or (), warnings=() if blocks is not None else (f"{listed.name} does not fit it: not looked at",)
    )


def _pieces(text: str, start: datetime, n_samples: int, rate_hz: float) -> tuple[tuple[int, float], ...] | None:
    """Return where each piece begins, in samples and on the clock; None where they are more than was recorded.

    Each line has a day since the end of 1899, a fraction of a second, and the samples of a piece behind the first.
    """
    rows = [line.split() for line in text.splitlines()[1:] if line.strip()]
    first = n_samples - sum(int(length) for _, _, length in rows)
    if first <= 0:
        return None
    times = [(0, 0.0)]
    for day, second, length in rows:
        # Days are printed to the thousandth of a second; whole ones are meant.
        whole = _EXCEL_DAY_0 + timedelta(seconds=round(float(day) * 86400))
        times.append((first, (whole - start).total_seconds() + float(second)))
        first += int(length)
    return _gaps(times, rate_hz)


def _nedf(path: Path) -> Beside:
    with path.open("rb") as stream:
        lost = re.search(rb"<NumberOfPacketsLost>\s*(\d+)", stream.read(_NEDF_HEADER))
    n_lost = int(lost[1]) if lost else 0
    warnings = (f"{n_lost} packets were lost: what comes after them is earlier than it says",) if n_lost else ()
    return Beside(grid=_NEDF_FRAME, warnings=warnings)


def _neuroscan(path: Path) -> Beside:
    """Read when it began; MNE takes the recorder's clock for that of the computer that reads it."""
    with path.open("rb") as stream:
        stream.seek(225)
        date, time = (stream.read(n).split(b"\0")[0].decode("latin-1").strip() for n in (10, 12))
    for form in ("%m/%d/%y", "%d/%m/%y"):
        try:
            start = datetime.strptime(f"{date} {time}", f"{form} %H:%M:%S")
        except ValueError:
            continue
        doubtful = form == "%m/%d/%y" and start.day <= 12 and start.day != start.month
        return Beside(start, warnings=(f"its date {date} is read as month, day, year",) if doubtful else ())
    return Beside(warnings=("its date and time cannot be read",), clocked=False)


def _bci2000(path: Path) -> Beside:
    """Read labels and gains, of which MNE takes none: it hands numbers of the converter on as volts."""
    with path.open("rb") as stream:
        first = stream.readline(_PROBE).decode("latin-1")
        facts = dict(re.findall(r"(\w+)\s*=\s*(\S+)", first))
        length, n_channels, n_bytes = int(facts["HeaderLen"]), int(facts["SourceCh"]), path.stat().st_size
        if not (0 < length <= n_bytes and 0 < n_channels <= n_bytes):
            raise ValueError("more than the file holds")
        stream.seek(0)
        header = stream.read(length).decode("latin-1")
    parameters = {
        line.partition("=")[0].split()[-1]: line.partition("=")[2].partition("//")[0].split()
        for line in header.splitlines()
        if "=" in line.partition("//")[0] and line.partition("=")[0].split()
    }
    names = [unquote(name) for name in _list(parameters, "ChannelNames")]
    gains = [_number(value) for value in _list(parameters, "SourceChGain")]
    offsets = [_number(value) for value in _list(parameters, "SourceChOffset")]
    warnings = []
    if len(names) != n_channels:
        warnings.append("its header names no channels: they are numbered")
        names = [f"Ch{i + 1}" for i in range(n_channels)]
    if len(gains) != n_channels:
        warnings.append("its header states no gain: the converter's numbers are taken for uV")
        gains = [1.0] * n_channels
    offsets = offsets if len(offsets) == n_channels else [0.0] * n_channels
    # Behind the channels MNE puts one that marks stimuli, where the file has it.
    if re.search(r"^StimulusCode ", header, re.MULTILINE):
        names, gains, offsets = [*names, "StimulusCode"], [*gains, 1.0], [*offsets, 0.0]
    return Beside(
        _storage_time(parameters.get("StorageTime", [])),
        labels=tuple(names),
        factors=tuple(gains),
        offsets=tuple(offsets),
        warnings=tuple(warnings),
    )


def _list(parameters: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """Return a list parameter: its values follow their number."""
    values = parameters.get(name, [])
    return list(values[1 : 1 + int(values[0])]) if values and values[0].isdigit() else []


def _number(text: str) -> float:
    """Read a number that may carry a unit (``0.1uV``, ``3e-2``)."""
    found = re.match(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text)
    if found is None:
        raise ValueError(text)
    thousands = {"nv": 1e-3, "mv": 1e3, "v": 1e6}
    return float(found.group()) * thousands.get(text[found.end() :].lower(), 1.0)


def _storage_time(words: Sequence[str]) -> datetime | None:
    text = unquote(words[0]) if words else ""
    fields = parsedate(text)
    try:
        return datetime(*fields[:6]) if fields else datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


_LOOKS: Mapping[str, Callable[[Path], Beside]] = MappingProxyType(
    {
        "Nihon Kohden": _nihon_kohden,
        "ANT Neuro": _ant,
        "Neuroelectrics": _nedf,
        "Neuroscan": _neuroscan,
        "BCI2000": _bci2000,
    }
)
