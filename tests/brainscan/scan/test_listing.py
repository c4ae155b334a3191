"""Listing while the work has begun: nothing waits for the end of a large archive, and nothing is kept of it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

from brainscan.errors import InputError, UsageError
from brainscan.io.discover import Found
from brainscan.io.event_formats import FORMATS
from brainscan.scan import listing
from brainscan.scan.ledger import Ledger
from brainscan.scan.listing import Listing
from brainscan.scan.plan import Plan


def _plan() -> Plan:
    return Plan(Path("archive"), Path("out"), (FORMATS["csv_bi"],))


def _folder(number: int, n: int = 1000) -> Found:
    return Found(tuple(PurePath(f"{number:05}", f"{i:05}.edf") for i in range(n)))


def test_work_begins_before_the_listing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "FIRST_S", 0.05)
    go_on = threading.Event()

    def parts() -> Iterator[Found]:
        yield _folder(0, 3)
        go_on.wait(60.0)
        yield _folder(1, 2)
        yield Found((), twice=((PurePath("b.edf"), PurePath("a.edf")),))

    told: list[Found] = []
    ledger = Ledger()
    more = Listing(parts(), _plan(), ledger, told.append)
    more.begin()
    assert ledger.n_entered == 3
    assert more(idle=False)
    first = ledger.take()
    assert first is not None
    assert first.path == PurePath("00000", "00000.edf")
    assert told == []
    go_on.set()
    while more(idle=True):
        pass
    assert ledger.n_entered == 5
    assert [found.twice for found in told] == [((PurePath("b.edf"), PurePath("a.edf")),)]
    more.close()


def test_what_the_listing_meets_is_raised() -> None:
    def parts() -> Iterator[Found]:
        raise InputError("cannot be listed", kind="io")
        yield _folder(0)

    more = Listing(parts(), _plan(), Ledger(), lambda found: None)
    with pytest.raises(InputError, match="cannot be listed"):
        more.begin()
    taken = Found((PurePath("summary.edf"),))
    more = Listing((taken,), Plan(Path(), Path(), (FORMATS["tusz_csv"],)), Ledger(), lambda found: None)
    with pytest.raises(UsageError, match="which the scan writes for itself"):
        more.begin()


def test_names_that_clash_across_links_keep_their_suffix() -> None:
    ledger = Ledger()
    more = Listing((Found((PurePath("x.edf"),)), Found((PurePath("x.bdf"),))), _plan(), ledger, lambda found: None)
    more.begin()
    stems = [ledger.entry(PurePath(name)).stem for name in ("x.edf", "x.bdf")]
    assert stems == [PurePath("x"), PurePath("x.bdf")]
    more.close()


def test_nothing_is_kept_of_what_was_listed() -> None:
    def paths() -> int:
        gc.collect()
        return sum(issubclass(type(held), PurePath) for held in gc.get_objects())

    before, ledger = paths(), Ledger()
    more = Listing((_folder(number, 100) for number in range(10)), _plan(), ledger, lambda found: None)
    more.begin()
    while more(idle=True):
        pass
    more.close()
    assert ledger.n_entered == 1000
    assert paths() < before + 100
