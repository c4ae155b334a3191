"""From the ledger to the executor and back: what waits is handed out, what ended is written down."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from pathlib import PurePath
from typing import Protocol

from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task
from brainscan.scan.executor import MOST_DEATHS, Ended, Executor, killer
from brainscan.scan.ledger import Entry, Ledger
from brainscan.scan.plan import Plan

_WAIT_S = 1.0

Report = Callable[[Outcome, int, int], None]


class More(Protocol):
    """Where further recordings come from while others are being done."""

    def __call__(self, *, idle: bool) -> bool:
        """Enter what has come; return whether more may come. May wait a moment where nobody works."""

    def ended(self, path: PurePath, outcome: Outcome) -> None:
        """Hear what became of one."""


class Nothing:
    """No further recordings come."""

    def __call__(self, *, idle: bool) -> bool:
        """Enter nothing."""
        return False

    def ended(self, path: PurePath, outcome: Outcome) -> None:
        """Forget it."""


def carry_out(ledger: Ledger, plan: Plan, executor: Executor, report: Report, more: More | None = None) -> None:
    """Do everything that waits in the ledger, and whatever comes.

    Parameters
    ----------
    ledger : Ledger
    plan : Plan
    executor : Executor
        Closed at the end.
    report : callable
        ``(outcome, number, total)`` after each recording.
    more : More, optional
        By default nothing comes.

    Raises
    ------
    BrainscanError
        As `Executor.submit`.
    KeyboardInterrupt
        If it was interrupted; what was being written is whole then, and in the ledger.
    """
    course = _Course(ledger, plan, executor, report, more or Nothing())
    try:
        course.run()
    except KeyboardInterrupt:
        for ended in executor.finish():
            course.write_down(ended)
        raise
    finally:
        executor.close()


class _Course:
    """One run: who is on the way, and whose worker died."""

    def __init__(self, ledger: Ledger, plan: Plan, executor: Executor, report: Report, more: More) -> None:
        self._ledger, self._plan, self._executor, self._report, self._more = ledger, plan, executor, report, more
        self._on_the_way: dict[Task, PurePath] = {}
        self._again: deque[Entry] = deque()
        self._deaths: Counter[PurePath] = Counter()

    def run(self) -> None:
        while True:
            while len(self._on_the_way) < self._executor.places and (entry := self._next()) is not None:
                task = self._plan.task(entry)
                self._on_the_way[task] = entry.path
                self._executor.submit(task)
            more = self._more(idle=not self._on_the_way)
            if not self._on_the_way:
                if more or self._ledger.waits:
                    continue
                return
            for ended in self._executor.ended(_WAIT_S):
                self.write_down(ended)

    def _next(self) -> Entry | None:
        # Those that a worker died of last: there may be more memory then, and nothing waits for them.
        return self._ledger.take() or (self._again.popleft() if self._again else None)

    def write_down(self, ended: Ended) -> None:
        path = self._on_the_way.pop(ended.task)
        outcome = ended.outcome
        if outcome is None:
            self._deaths[path] += 1
            if self._deaths[path] < MOST_DEATHS:
                self._again.append(self._ledger.entry(path))
                return
            outcome = killer(ended.task, ended.cause)
        self._ledger.record(path, outcome)
        self._more.ended(path, outcome)
        self._report(outcome, len(self._ledger), self._ledger.n_entered)
