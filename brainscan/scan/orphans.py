"""Results in the output folder that are of no recording any more: deleted, renamed or moved since an earlier scan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePath

from brainscan.io.event_formats import FORMATS
from brainscan.scan.discover import folded
from brainscan.scan.ledger import Ledger
from brainscan.scan.tables import outputs_listed

_SHOWN = 3


def orphans(
    out: Path, ledger: Ledger, known: Callable[[PurePath], bool], possible: Iterable[PurePath]
) -> tuple[str, ...]:
    """Return the results that an earlier scan of this archive listed, which are there and of no recording any more.

    A folder of results may hold those of other archives, or of the whole that this scan was given a part of: they tell
    where they lie, not which folder was scanned. So only what the folder's own tables list counts, and only if they
    list the result of a recording that this scan has a result of, too: they are of the same archive then.

    Parameters
    ----------
    out : Path
        With the tables that the earlier scan left.
    ledger : Ledger
    known : callable
        ``(stem)``: whether there is, or may be, a recording whose outputs have this path.
    possible : iterable of PurePath
        Paths that outputs of recordings which are there may have got from an earlier scan, when other files lay beside
        them. A name that differs from one in case only is of that recording: it is the same file on many systems.

    Returns
    -------
    tuple of str
        Relative to `out`, sorted.
    """
    suffix = FORMATS["csv_bi"].suffixes[0]
    left: defaultdict[str, set[str]] = defaultdict(set)  # by the name itself, and by the folders that it lies in
    is_same_archive = False
    for name in outputs_listed(out):
        stem = PurePath(name.removesuffix(suffix))
        # A folder that cannot be listed is known; what it holds is not.
        above = [path for path in (stem, *stem.parents) if path.name]
        if any(known(path) for path in above):
            is_same_archive = is_same_archive or ledger.has_result(stem)
        elif (out / name).is_file():
            for path in above:
                left[folded(path)].add(name)
    if not left or not is_same_archive:
        return ()
    there = {name for stem in possible for name in left.get(folded(stem), ())}
    return tuple(sorted(set().union(*left.values()) - there))


def told(names: Collection[str]) -> str:
    """Return a line about such results.

    >>> told(["night1.csv_bi"])
    '1 result is of a recording that is not there any more (night1.csv_bi): left as it is'
    """
    shown = ", ".join(sorted(names)[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    if len(names) == 1:
        return f"1 result is of a recording that is not there any more ({shown}): left as it is"
    return f"{len(names)} results are of recordings that are not there any more ({shown}): left as they are"
