"""Where text goes: results to stdout, progress and messages to stderr, one JSON document when asked."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from brainscan.documents import spelled
from brainscan.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

T = TypeVar("T")
_quiet = False
_MOST_WARNINGS = 20
_FILES = re.compile(r"(?:[^:]*\.\w{2,7}: )+")  # names of files that a warning begins with


def set_quiet(quiet: bool) -> None:
    """Silence messages and progress (errors stay)."""
    global _quiet
    _quiet = quiet


def stderr_console() -> Console:
    """Return a console on stderr; colours only on a terminal without NO_COLOR."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def message(text: str) -> None:
    """Print one line of information on stderr."""
    if not _quiet:
        print(printable(text), file=sys.stderr)


def warning(text: str) -> None:
    """Print one warning line on stderr."""
    if not _quiet:
        print(f"warning: {printable(text)}", file=sys.stderr)


def warnings(texts: Iterable[str]) -> None:
    """Print warnings of many files (``FILE: what``) on stderr: what several share once, and not more than a screen."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(_FILES.sub("", text), []).append(text)
    for same in list(groups.values())[:_MOST_WARNINGS]:
        more = f" (and {count(len(same) - 1, 'more file')})" if len(same) > 1 else ""
        warning(same[0] + more)
    if len(groups) > _MOST_WARNINGS:
        warning(f"{len(groups) - _MOST_WARNINGS} further kinds of warnings; --json tells all")


class NoProgress:
    """What stands for a progress display where nobody would see one, without loading what draws it."""

    disable = True

    def __enter__(self) -> NoProgress:
        return self

    def __exit__(self, *_problem: object) -> None:
        pass

    def start(self) -> None:
        """Begin to show nothing."""

    def stop(self) -> None:
        """End showing nothing."""

    def add_task(self, _description: str, **_facts: object) -> TaskID:
        """Return a number for what nobody sees."""
        return cast("TaskID", 0)

    def update(self, _task: TaskID, **_facts: object) -> None:
        """Show nothing of a task."""

    def track(self, sequence: Iterable[T], **_facts: object) -> Iterable[T]:
        """Return what is worked through."""
        return sequence


def progress() -> Progress | NoProgress:
    """Return a progress display on stderr; it shows nothing where stderr is no terminal."""
    if _quiet or not sys.stderr.isatty():
        return NoProgress()
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = stderr_console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document on stdout; it names its schema."""
    sys.stdout.write(spelled(document, indent=2) + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """Print one line of a result for people on stdout."""
    sys.stdout.write(printable(line) + "\n")


def stdout_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print a plain aligned table on stdout: numbers to the right, text to the left."""
    cells = [[printable(str(c)) for c in row] for row in rows]
    widths = [max([len(h), *(len(row[i]) for row in cells)]) for i, h in enumerate(header)]
    numeric = [all(_is_number(row[i]) for row in cells) and bool(cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        parts = (c.rjust(w) if right else c.ljust(w) for c, w, right in zip(row, widths, numeric, strict=True))
        return "  ".join(parts).rstrip()

    lines = [printable(title)] if title else []
    lines += [line(header), "  ".join("-" * w for w in widths).rstrip()]
    lines += [line(row) for row in cells]
    sys.stdout.write("\n".join(lines) + "\n")


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    >>> count(1, "event"), count(0, "event")
    ('1 event', '0 events')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def elapsed(at_s: float) -> str:
    """Return seconds as H:MM:SS.s."""
    tenths = round(at_s * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest / 10:04.1f}"


def clock_time(when: datetime, form: str = "%H:%M:%S") -> str:
    """Return a time of the day to the nearest second, as elapsed times are rounded, not cut."""
    return (when + timedelta(seconds=0.5)).strftime(form)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values on stdout, the values in one column; a name that repeats is left out."""
    before, facts = "", list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        sys.stdout.write(f"{('' if name == before else name).ljust(width)}  {printable(value)}".rstrip() + "\n")
        before = name


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace(":", "").lstrip("+-").isdigit() or text in {"", "-", "nan"}
