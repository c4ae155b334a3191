"""From the ledger to the executor and back: what waits is handed out, what ended is written down."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from pathlib import PurePath

from brainscan.analysis.outcome import Outcome
from brainscan.analysis.task import Task
from brainscan.errors import InputError
from brainscan.scan.executor import Ended, Executor
from brainscan.scan.ledger import Entry, Ledger
from brainscan.scan.plan import Plan

MOST_DEATHS = 2
"""A recording that so many workers died of is not tried again in this run."""

_WAIT_S = 1.0

Report = Callable[[Outcome, int, int], None]


def carry_out(ledger: Ledger, plan: Plan, executor: Executor, report: Report) -> None:
    """Do everything that waits in the ledger.

    Parameters
    ----------
    ledger : Ledger
    plan : Plan
    executor : Executor
        Closed at the end.
    report : callable
        ``(outcome, number, total)`` after each recording.

    Raises
    ------
    BrainscanError
        As `Executor.submit`.
    KeyboardInterrupt
        If it was interrupted; what was being written is whole then, and in the ledger.
    """
    course = _Course(ledger, plan, executor, report)
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

    def __init__(self, ledger: Ledger, plan: Plan, executor: Executor, report: Report) -> None:
        self._ledger, self._plan, self._executor, self._report = ledger, plan, executor, report
        self._on_the_way: dict[Task, PurePath] = {}
        self._again: deque[Entry] = deque()
        self._deaths: Counter[PurePath] = Counter()

    def run(self) -> None:
        while True:
            while len(self._on_the_way) < self._executor.places and (entry := self._next()) is not None:
                task = self._plan.task(entry)
                self._on_the_way[task] = entry.path
                self._executor.submit(task)
            if not self._on_the_way:
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
            outcome = _killer(ended)
        self._ledger.record(path, outcome)
        self._report(outcome, len(self._ledger), self._ledger.n_entered)


def _killer(ended: Ended) -> Outcome:
    error = InputError(
        f"{MOST_DEATHS} worker processes died of it ({ended.cause})",
        kind="io",
        file=ended.task.shown,
        hint="run `brainscan detect` on it alone, with enough memory, and please report it if that dies, too",
    )
    return Outcome(ended.task.shown, "failed", error=error)
