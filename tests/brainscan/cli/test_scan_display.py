"""What is seen of a scan: the pace, a line a worker, failures and warnings."""

from __future__ import annotations

import pytest

from brainscan.analysis.outcome import Outcome
from brainscan.cli import scan_display
from brainscan.cli.scan_display import Display, Pace
from brainscan.errors import InputError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock that stands until it is set."""
    now = [100.0]
    monkeypatch.setattr(scan_display.time, "monotonic", lambda: now[0])
    return now


def test_the_pace_counts_what_was_done_now(clock: list[float]) -> None:
    pace = Pace(every_s=60.0)
    clock[0] += 30.0
    pace.add(Outcome("old.edf", "skipped", analysed_s=36_000.0))
    pace.add(Outcome("new.edf", "done", analysed_s=7_200.0))
    assert pace.text(2, 5) == "2.00 h of EEG, 240 times real time, 0:01:30 left"
    assert pace.now_and_then(2, 5) == ""
    clock[0] += 30.0
    assert pace.now_and_then(2, 5).startswith("2 of 5 recordings, 2.00 h of EEG, 120 times real time")
    assert pace.now_and_then(2, 5) == ""


def test_nothing_is_foretold_of_nothing(clock: list[float]) -> None:
    assert Pace().text(0, 5) == "0.00 h of EEG, 0 times real time"


def test_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as display:
        display.progress("a.edf", 0.0, 60.0)
        display.progress("b.edf", 0.0, 60.0)
        display.outcome(Outcome("a.edf", "done", analysed_s=60.0, warnings=("short",)), 1, 2)
        display.progress("c.edf", 30.0, 60.0)  # in the line of the first
        display.outcome(Outcome("b.edf", "failed", error=InputError("is empty", kind="empty", file="b.edf")), 2, 2)
        display.note("one link")
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "warning: a.edf: short",
        "[1/2] a.edf: done, 0 events in 60.0 s analysed",
        "error: b.edf: is empty",
        "warning: one link",
    ]
    assert display.notes == ["one link"]
