"""What is seen of a scan while it runs: on a terminal a line a worker and one for all, else a line a recording."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from brainscan.cli import console

if TYPE_CHECKING:
    from rich.progress import TaskID

    from brainscan.analysis.outcome import Outcome


class Display:
    """Progress, failures and warnings of a scan; a context manager.

    Attributes
    ----------
    notes : list of str
        What was said of the archive as a whole.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._bar = console.progress()
        self._all = self._bar.add_task("recordings", total=None)
        self._lines: dict[str, TaskID] = {}
        self._idle: list[TaskID] = []
        self._pace = Pace()

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()

    def note(self, text: str) -> None:
        """Warn of something about the archive."""
        self.notes.append(text)
        console.warning(text)

    def message(self, text: str) -> None:
        """Say something."""
        console.message(text)

    def progress(self, file: str, at_s: float, duration_s: float) -> None:
        """Show how far a recording is, in a line that stays with its worker's place."""
        line = self._lines.get(file)
        if line is None:
            line = self._idle.pop() if self._idle else self._bar.add_task("", total=None)
            self._lines[file] = line
        self._bar.update(line, description=file, completed=round(at_s), total=round(duration_s), visible=True)

    def outcome(self, outcome: Outcome, number: int, total: int) -> None:
        """Show how a recording ended."""
        self._pace.add(outcome)
        self._bar.update(self._all, completed=number, total=total, description=self._pace.text(number, total))
        line = self._lines.pop(outcome.file, None)
        if line is not None:
            self._bar.update(line, visible=False)
            self._idle.append(line)
        if outcome.error is not None:
            print(f"error: {outcome.error}", file=sys.stderr)
            return
        if outcome.status == "done":
            for text in outcome.warnings:
                console.warning(f"{outcome.file}: {text}")
        if self._bar.disable:
            found = f"{console.count(len(outcome.events), 'event')} in {outcome.analysed_s:.1f} s analysed"
            console.message(f"[{number}/{total}] {outcome.file}: {outcome.status}, {found}")
            if pace := self._pace.now_and_then(number, total):
                console.message(pace)


class Pace:
    """How much EEG was done in how much time."""

    def __init__(self, every_s: float = 60.0) -> None:
        self._every_s = every_s
        self._since = self._told_at = time.monotonic()
        self._done = 0
        self._analysed_s = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count what has ended, unless it was done before."""
        if outcome.status != "skipped":
            self._done += 1
            self._analysed_s += outcome.analysed_s

    def text(self, number: int, total: int) -> str:
        """Return hours done, times real time, and how long the rest takes at this pace."""
        took_s = max(time.monotonic() - self._since, 1e-3)
        left = ""
        if self._done:
            left = f", {console.elapsed(took_s / self._done * (total - number)).partition('.')[0]} left"
        return f"{self._analysed_s / 3600.0:.2f} h of EEG, {self._analysed_s / took_s:.0f} times real time{left}"

    def now_and_then(self, number: int, total: int) -> str:
        """Return the same, with the recordings, if a while has passed since the last time; else nothing."""
        now = time.monotonic()
        if now - self._told_at < self._every_s:
            return ""
        self._told_at = now
        return f"{number} of {total} recordings, {self.text(number, total)}"
