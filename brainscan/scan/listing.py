"""Listing an archive while its first recordings are already being done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import PurePath

from brainscan.analysis.outcome import Outcome
from brainscan.io.discover import Found, joined
from brainscan.scan.ledger import Ledger
from brainscan.scan.plan import Plan

FIRST_S = 2.0
"""So long the work waits for the listing: of most archives everything is known then, and told before it begins."""

_SLICE_S = 0.2


class Listing:
    """Enters what is found in the ledger, from a thread of its own.

    Parameters
    ----------
    parts : iterable of Found
        What lies in one folder after the other.
    plan : Plan
    ledger : Ledger
    told : callable
        Hears, once all is listed, of what is no task: links, and recordings of kinds that are not read.
    """

    def __init__(self, parts: Iterable[Found], plan: Plan, ledger: Ledger, told: Callable[[Found], None]) -> None:
        self._parts, self._plan, self._ledger, self._told = parts, plan, ledger, told
        self._rest: list[Found] = []
        self._is_told = False
        self._problem: Exception | None = None
        self._stop = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Start to list, and wait a moment.

        Raises
        ------
        InputError, UsageError
            What the listing met by then.
        """
        self._thread.start()
        while not self._over.wait(FIRST_S):
            if self._ledger.n_entered:
                break  # there is something to do
        self._end()

    @property
    def n_recordings(self) -> int | None:
        """How many there are; None before that is known."""
        return self._ledger.n_entered if self._over.is_set() else None

    def __call__(self, *, idle: bool) -> bool:
        """Say whether more may come; wait a moment for it where nobody works."""
        if idle:
            self._over.wait(_SLICE_S)
        return not self._end()

    def knows(self, stem: PurePath) -> bool:
        """Say whether there is a recording whose outputs have this path, or may be: before all is listed."""
        return not self._is_told or self._ledger.has_stem(stem)

    def there(self) -> Iterator[PurePath]:
        """Yield the recordings that were found."""
        return self._ledger.paths()

    def ended(self, path: PurePath, outcome: Outcome) -> None:
        """Forget it: nothing is listed twice."""

    def close(self) -> None:
        """Stop listing."""
        self._stop = True
        self._thread.join()

    def _end(self) -> bool:
        """Return whether the listing is over; tell what it found, once."""
        if not self._over.is_set():
            return False
        if self._problem is not None:
            raise self._problem
        if not self._is_told:
            self._is_told = True
            self._told(joined(self._rest))
        return True

    def _run(self) -> None:
        try:
            for part in self._parts:
                self._ledger.enter_all(self._plan.entries(part.recordings, self._ledger.has_stem))
                rest = replace(part, recordings=())
                if rest != Found(()):
                    self._rest.append(rest)
                if self._stop:
                    return
        except Exception as problem:  # noqa: BLE001 - raised where somebody hears it
            self._problem = problem
        finally:
            self._over.set()
