"""Where the outputs of each recording of an archive go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from brainscan.io.outputs import anonymous_name, output_stem


def output_stems(recordings: Sequence[PurePath], *, anonymous: bool) -> dict[PurePath, PurePath]:
    """Return for each recording its outputs' common path without suffix, relative to the output folder.

    The tree is the recordings' own. Where two would share a name (``a.edf`` and ``a.bdf``, or names that differ
    in case only), each keeps its suffix.

    Parameters
    ----------
    recordings : sequence of PurePath
        Relative to the scanned folder.
    anonymous : bool
        Hash every part of the path.
    """
    if anonymous:
        return {path: PurePath(*map(anonymous_name, path.parts)) for path in recordings}
    plain = {path: path.parent / output_stem(path) for path in recordings}
    counts = Counter(folded(stem) for stem in plain.values())
    return {path: stem if counts[folded(stem)] == 1 else path for path, stem in plain.items()}


def possible_stems(recording: PurePath, *, anonymous: bool) -> tuple[PurePath, ...]:
    """Return every path that `output_stems` may give a recording, whatever lies beside it.

    >>> [stem.as_posix() for stem in possible_stems(PurePath("ward/a.edf"), anonymous=False)]
    ['ward/a', 'ward/a.edf']

    Parameters
    ----------
    recording : PurePath
    anonymous : bool
    """
    alone = output_stems((recording,), anonymous=anonymous)[recording]
    return (alone,) if anonymous else (alone, recording)


def folded(path: PurePath) -> str:
    """Return a key that is the same for paths that differ in case only.

    Parameters
    ----------
    path : PurePath
    """
    return path.as_posix().casefold()
