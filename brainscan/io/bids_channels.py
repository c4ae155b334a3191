"""What BIDS' ``_channels.tsv`` beside a recording says otherwise than the recording itself: told, never obeyed.

The file of the recording decides what its channels are called and in which unit they stand, and brainscan judges every
electrode in every minute itself: who marks a channel as bad may mean a part of the recording, or another purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from brainscan.electrodes import INDEX
from brainscan.errors import InputError
from brainscan.io.tables import read_table
from brainscan.recording import Channel
from brainscan.signal.labels import parse_all

_ENDING = "_eeg"
_MANY = 5
_EEG = frozenset({"eeg", "n/a", ""})
_MICROVOLTS = {"v": 1e6, "mv": 1e3, "uv": 1.0, "µv": 1.0, "μv": 1.0, "microvolts": 1.0, "nv": 1e-3}


def remarks(path: Path, channels: Sequence[Channel]) -> tuple[str, ...]:
    """Return what has to be said of a recording's ``_channels.tsv``; nothing where there is none.

    Parameters
    ----------
    path : Path
        Of the recording.
    channels : sequence of Channel
        As its own header has them.
    """
    table = path.with_name(path.stem.removesuffix(_ENDING) + "_channels.tsv")
    if not path.stem.endswith(_ENDING) or not table.is_file():
        return ()
    try:
        rows = _rows(table)
    except InputError as problem:
        return (f"{table.name} cannot be used: {problem.message}",)
    return tuple(f"{table.name} {text}" for text in _differences(rows, channels))


def _rows(table: Path) -> dict[str, dict[str, str]]:
    """Return the rows by the name of their channel."""
    read = read_table(table)
    header = [name.casefold() for name in read.header]
    if "name" not in header:
        raise InputError("has no column 'name'", kind="header", file=table.name)
    rows = [dict(zip(header, cells, strict=True)) for _, cells in read.rows]
    return {row["name"]: row for row in rows}


def _differences(rows: dict[str, dict[str, str]], channels: Sequence[Channel]) -> Iterator[str]:
    known = [channel for channel in channels if channel.label in rows]
    foreign = [name for name in rows if name not in {channel.label for channel in channels}]
    if foreign:
        yield (
            f"names channels that the recording has not ({_few(foreign)}): the recording's own names count"
            " (--channel-map gives others)"
        )
    bad = [c.label for c in known if rows[c.label].get("status", "").casefold() == "bad"]
    if bad:
        yield f"marks channels as bad ({_few(bad)}): not obeyed, each is judged by what it holds"
    labels = parse_all([channel.label for channel in channels])
    electrodes = [c.label for c, label in zip(channels, labels, strict=True) if label.first in INDEX]
    others = [name for name in electrodes if rows.get(name, {}).get("type", "EEG").casefold() not in _EEG]
    if others:
        what = rows[others[0]]["type"]
        yield f"calls electrodes something else than EEG ({what}: {_few(others)}): taken as EEG by their names"
    units = [c.label for c in known if _differ(rows[c.label].get("units", ""), c.unit)]
    if units:
        first = units[0]
        own = next(c.unit for c in known if c.label == first)
        yield (
            f"gives other units than the recording ({rows[first]['units']} for {_few(units)}, there {own}):"
            " the recording's count"
        )


def _differ(one: str, other: str) -> bool:
    sizes = [_MICROVOLTS.get(unit.strip().casefold()) for unit in (one, other)]
    return None not in sizes and sizes[0] != sizes[1]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_MANY]) + (", ..." if len(names) > _MANY else "")
