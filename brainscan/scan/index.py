"""The archive's page while a scan runs: written anew now and then, and once more at the end."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from brainscan.analysis.outcome import Outcome
from brainscan.errors import OutputError
from brainscan.io.atomic import write_bytes
from brainscan.report.archive_page import State, index_page, is_index
from brainscan.scan.tables import INDEX

Report = Callable[[Outcome, int, int], None]

LEAST_S = 10.0
"""Between two pages of a running scan; longer where a page takes long, so that it costs a twentieth at most."""

_SHARE = 0.05


class Index:
    """Who writes the page; nobody, where jinja2 is not installed.

    Parameters
    ----------
    out : Path
        The folder of the results.
    facts : mapping
        What makes every result.
    notes : tuple of str
    anonymous : bool
    clock : callable
        Seconds, from whenever on.
    """

    def __init__(
        self,
        out: Path,
        facts: Mapping[str, Any],
        notes: tuple[str, ...] = (),
        *,
        anonymous: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out, self._facts, self._anonymous = out, facts, anonymous
        self.notes = notes
        self._clock = clock
        self._next_s = clock()
        self.able = importlib.util.find_spec("jinja2") is not None

    def check(self) -> None:
        """Refuse to replace a page of that name that a scan did not write.

        Raises
        ------
        OutputError
        """
        path = self._out / INDEX
        if self.able and path.exists() and not is_index(path):
            raise OutputError(
                "exists and was not written by a scan", file=str(path), hint="choose another -o, or use --force"
            )

    def heard(self, outcomes: Iterable[Outcome], report: Report) -> Report:
        """Return a listener that writes the page now and then, beside another one.

        Parameters
        ----------
        outcomes : iterable of Outcome
            All so far, whenever it is gone through.
        report : callable
            ``(outcome, number, total)`` after each recording.
        """

        def tell(outcome: Outcome, number: int, total: int) -> None:
            report(outcome, number, total)
            with suppress(OutputError):  # the last page will tell
                self.update(outcomes, total)

        return tell

    def update(self, outcomes: Iterable[Outcome], total: int) -> None:
        """Write the page if it is time to."""
        if self._clock() >= self._next_s:
            self.write(outcomes, total, running=True)

    def write(self, outcomes: Iterable[Outcome], total: int, *, running: bool = False) -> None:
        """Write the page.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        if not self.able:
            return
        began_s = self._clock()
        state = State(total, running, self._facts, self.notes, self._anonymous)
        write_bytes(self._out / INDEX, index_page(outcomes, self._out, state))
        ended_s = self._clock()
        self._next_s = ended_s + max(LEAST_S, (ended_s - began_s) / _SHARE)
