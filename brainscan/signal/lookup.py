"""Which channels a caller means: by index, by label, or by the electrode of a referential recording."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from brainscan.signal.derivations import common_electrode, wiring_of
from brainscan.signal.montage import plan
from brainscan.signal.names import CANONICAL, clean

_TAKEN = "channels are a list of indices (int), labels or electrodes (str)"
_SHOWN = 8


def channels_of(labels: Sequence[str], asked: object) -> tuple[int, ...]:
    """Return the index of each channel that is asked for.

    Parameters
    ----------
    labels : sequence of str
        Of all channels, in the order of the file.
    asked : iterable of int or str
        Indices, labels (case and blanks do not count), or electrodes that one channel measures against a reference.

    Raises
    ------
    TypeError
        If something else is asked for.
    ValueError
        If an index is out of range, or a name means no channel, several, or an electrode that only derivations tell.

    Examples
    --------
    >>> channels_of(["EEG Fp1-REF", "EEG T7-REF", "ECG"], ["t3", "ecg", 0])
    (1, 2, 0)
    """
    if isinstance(asked, (str, bytes)) or not isinstance(asked, Iterable):
        raise TypeError(f"{_TAKEN}, got {type(asked).__name__} {asked!r}")
    return tuple(_by_name(labels, one) if isinstance(one, str) else _by_index(labels, one) for one in asked)


def _by_index(labels: Sequence[str], one: object) -> int:
    if isinstance(one, bool) or not hasattr(one, "__index__"):
        raise TypeError(f"{_TAKEN}, got {type(one).__name__} in it")
    at = operator.index(one)
    if not 0 <= at < len(labels):
        raise ValueError(f"channel index out of range 0..{len(labels) - 1}: {at}")
    return int(at)


def _by_name(labels: Sequence[str], name: str) -> int:
    same = [i for i, label in enumerate(labels) if _plain(label) == _plain(name)]
    found = same or _electrode(labels, name)
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{i} ({labels[i]})" for i in found)
        raise ValueError(f"{name!r} is more than one channel here: give one of the indices {listed}")
    near = get_close_matches(name, labels, n=1)
    shown = ", ".join(labels[:_SHOWN]) + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no channel is called {name!r} (labels: {shown}){meant}")


def _plain(label: str) -> str:
    return "".join(clean(label).casefold().split())


def _electrode(labels: Sequence[str], name: str) -> list[int]:
    """Return the channels that measure an electrode against a reference.

    Raises
    ------
    ValueError
        If it is only told by derivations, which reading does not join.
    """
    electrode = CANONICAL.get(clean(name).upper())
    if electrode is None:
        return []
    everything = wiring_of(labels).edges
    edges = [edge for edge in everything if electrode in edge.key]
    common = common_electrode(everything)
    alone = [edge for edge in edges if edge.first == electrode and edge.is_referential(common)]
    if alone and not plan(labels).bipolar:
        return [edge.channel for edge in alone]
    if edges:
        derivations = ", ".join(labels[edge.channel] for edge in edges)
        raise ValueError(
            f"no channel is {electrode} alone: it is derived from {derivations}. Detectors do that (brainscan.detect);"
            " to read samples, give those labels"
        )
    return []
