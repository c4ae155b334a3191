"""What counts as not keeping up."""

from __future__ import annotations

from collections.abc import Callable

from brainscan.live.pace import Pace


def _course(backlog_s: Callable[[float], float], *, most_s: float = 100.0, until: int = 1000) -> list[int]:
    """Return the seconds in which windows are skipped."""
    now = 0.0
    pace = Pace(most_s, lambda: now)
    skipped = []
    for second in range(until):
        now = float(second)
        if pace.observe(backlog_s(now)):
            skipped.append(second)
    return skipped


def test_a_backlog_that_grows_is_lag_once_it_has_lasted() -> None:
    skipped = _course(lambda now: 0.5 * now)
    assert 300 <= skipped[0] <= 302  # 100 s waited from second 200 on
    assert skipped == list(range(skipped[0], 1000))


def test_catching_up_is_no_lag() -> None:
    assert _course(lambda now: max(5 * 3600.0 - 30.0 * now, 0.0)) == []


def test_a_jump_that_is_worked_off_is_no_lag() -> None:
    assert _course(lambda now: 0.0 if now < 300 else max(500.0 - 3.0 * (now - 300), 0.0)) == []


def test_a_standing_backlog_below_the_limit_is_no_lag() -> None:
    assert _course(lambda _: 90.0) == []


def test_skipping_ends_when_half_as_much_waits() -> None:
    skipped = _course(lambda now: now if now < 400 else max(400.0 - 10.0 * (now - 400), 0.0))
    assert 200 <= skipped[0] <= 202
    assert 434 <= skipped[-1] <= 435


def test_zero_means_never() -> None:
    assert _course(lambda now: now, most_s=0.0) == []
