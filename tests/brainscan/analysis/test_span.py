"""Which part of a recording ``--start`` and ``--stop`` mean."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.analysis.span import Span, span_of
from brainscan.errors import UsageError
from brainscan.io.clock import ClockTime
from brainscan.recording import Recording, Samples, Segment

H, DAY = 3600.0, 86400.0


def recording(begin: str | None, duration_s: float, *parts: tuple[float, float]) -> Recording:
    """Return a recording's facts; `parts` are start and duration of each segment, by default one."""
    segments = tuple(Segment(*part) for part in parts or ((0.0, duration_s),))
    start = None if begin is None else datetime.fromisoformat(begin)
    return Recording("n.edf", "EDF+D", start, duration_s, segments, (), lambda *_: Samples((), ()))


def span(begin: str, duration_s: float, start: str, stop: str = "", *parts: tuple[float, float]) -> Span:
    return span_of(start, stop, recording(begin, duration_s, *parts))


# begin, duration, --start, --stop, seconds of both, warnings
EXACT: list[tuple[str, float, str, str, float | None, float | None, int]] = [
    # at the start, at the precision typed
    ("2020-03-01 22:00:00", 8 * H, "22:00", "", 0, None, 0),
    ("2020-03-01 22:00:00.5", 8 * H, "22:00", "", 0, None, 0),
    ("2020-03-01 22:00:00.5", 8 * H, "22:00:00", "", 0, None, 0),
    ("2020-03-01 22:00:00.5", 8 * H, "22:00:00.5", "", 0, None, 0),
    ("2020-03-01 22:00:00.55", 8 * H, "22:00:00.5", "", 0, None, 0),
    ("2020-03-01 22:00:59.999", 8 * H, "22:00", "", 0, None, 0),
    ("2020-03-01 22:00:00.5", 48 * H, "22:00:00", "", 0, None, 0),
    ("2020-03-01 22:00:00.5", 48 * H, "2020-03-01 22:00", "", 0, None, 0),
    ("2020-03-01 00:00:00", 48 * H, "00:00", "", 0, None, 0),
    ("2020-03-01 00:00:00.25", 48 * H, "0:00", "", 0, None, 0),
    # a little before it
    ("2020-03-01 22:00:00.5", 8 * H, "22:00:00.4", "", 0, None, 1),
    ("2020-03-01 20:00:03", 48 * H, "20:00:00", "", 0, None, 1),
    ("2020-03-01 20:00:03", 48 * H, "19:59", "", 0, None, 1),
    ("2020-03-01 20:00:03", 72 * H, "18:00", "", 0, None, 1),
    ("2020-03-01 22:00:00", 600, "21:00", "", 0, None, 1),
    ("2020-03-01 22:00:00", 600, "16:30", "", 0, None, 1),
    ("2020-03-01 00:10:00", 8 * H, "23:50", "", 0, None, 1),  # through midnight, backwards
    ("2020-03-01 00:10:00", 8 * H, "2020-02-29 23:50", "", 0, None, 1),
    ("2020-03-01 20:00:00", 48 * H, "2020-03-01 17:00", "", 0, None, 1),
    ("2020-03-01 22:10:00", 8 * H, "22:00", "23:00", 0, 50 * 60, 1),
    # later moments
    ("2020-03-01 22:00:00", 8 * H, "23:30", "", 1.5 * H, None, 0),
    ("2020-03-01 22:00:00", 8 * H, "01:00", "05:59:30", 3 * H, 8 * H - 30, 0),
    ("2020-03-01 22:00:00.5", 8 * H, "22:00:01", "", 0.5, None, 0),
    ("2020-03-01 23:00:00", 25 * H, "10:00", "", 11 * H, None, 0),
    ("2020-03-01 10:00:00", 72 * H, "22:00", "06:00", 12 * H, 20 * H, 0),
    ("2020-03-01 10:00:00", 72 * H, "2020-03-03 22:00", "06:00", 60 * H, 68 * H, 0),
    ("2020-03-01 10:00:00", 72 * H, "2020-03-02T22:00:00", "2020-03-04 06:00", 36 * H, 68 * H, 0),
    ("2020-03-01 10:00:00", 96 * H, "180000", "06:00", 180000, 68 * H, 0),
    ("2020-03-01 10:00:00", 72 * H, "22:00", "21:00", 12 * H, 35 * H, 0),
    ("2020-03-01 10:00:00", 48 * H, "08:00", "09:00", 22 * H, 23 * H, 0),  # the next morning: the whole span is
    ("2020-03-01 10:00:00", 48 * H, "08:00", "10:00", 22 * H, 24 * H, 0),  # before the recording
    ("2020-03-28 22:00:00", 12 * H, "04:00", "", 6 * H, None, 0),  # clocks run on through summer time
    # stops
    ("2020-03-01 22:00:00", 8 * H, "", "23:00", None, 1 * H, 0),
    ("2020-03-01 22:00:00", 8 * H, "", "07:00", None, 9 * H, 1),
    ("2020-03-01 22:00:00.5", 48 * H, "", "22:00:00", None, DAY - 0.5 + 0.5, 0),
    ("2020-03-01 22:00:00", DAY - 1, "", "22:00", None, DAY, 1),
    ("2020-03-01 22:00:00", 8 * H, "5400", "00:30", 5400, 2.5 * H, 0),
    ("2020-03-01 22:00:00", 8 * H, "22:30", "7200", 1800, 7200, 0),
    ("2020-03-01 22:00:00", 8 * H, "", "", None, None, 0),
]


@pytest.mark.parametrize(("begin", "duration_s", "start", "stop", "start_s", "stop_s", "n_warnings"), EXACT)
def test_what_is_meant(
    begin: str, duration_s: float, start: str, stop: str, start_s: float, stop_s: float, n_warnings: int
) -> None:
    found = span(begin, duration_s, start, stop)
    assert found.start_s == (None if start_s is None else pytest.approx(start_s, abs=1e-6))
    assert found.stop_s == (None if stop_s is None else pytest.approx(stop_s, abs=1e-6))
    assert len(found.warnings) == n_warnings, found.warnings
    clocks = [text for text in (start, stop) if ":" in text]
    assert len(found.said) + len(found.warnings) == len(clocks)  # no clock time is taken without a word


@pytest.mark.parametrize(
    ("begin", "duration_s", "start", "stop", "message"),
    [
        ("2020-03-01 22:00:00", 8 * H, "09:00", "", r"nothing recorded from 09:00 \(39600 s\) on"),
        ("2020-03-01 22:00:00", 600, "15:00", "", "nothing recorded from 15:00"),
        ("2020-03-01 22:00:00", 600, "22:10", "", "nothing recorded from 22:10"),
        ("2020-03-01 22:00:00", 8 * H, "2020-02-29 22:00", "", "nothing recorded from 2020-02-29 22:00"),
        ("2020-03-01 22:00:00", 8 * H, "2020-03-03 22:00", "", "nothing recorded from 2020-03-03 22:00"),
        ("2020-03-01 22:00:00", 8 * H, "20:00", "21:00", "nothing recorded from 20:00"),
        ("2020-03-01 22:00:00", 8 * H, "23:00", "22:30", "stop must lie behind start"),
        ("2020-03-01 22:00:00", 8 * H, "23:00", "23:00", "stop must lie behind start"),
        ("2020-03-01 22:00:00", 8 * H, "23:00", "1800", "stop must lie behind start"),
        ("2020-03-01 22:00:00", 72 * H, "2020-03-02 23:00", "2020-03-02 22:00", "stop must lie behind start"),
        ("2020-03-01 22:00:00", 8 * H, "", "21:30", "--stop 21:30 does not lie within the recording"),
        ("2020-03-01 22:00:00.5", 600, "", "22:00", "--stop 22:00 does not lie within the recording"),
        ("2020-03-01 22:00:00", 8 * H, "", "2020-03-01 21:00", "does not lie within the recording"),
        ("2020-03-01 22:00:00", 8 * H, "24:00", "", "--start 24:00 is not a time"),
        ("2020-03-01 22:00:00", 8 * H, "22:60", "", "not a time"),
        ("2020-03-01 22:00:00", 8 * H, "22:00:00,5", "", "not a time"),
        ("2020-03-01 22:00:00", 8 * H, "", "2020-02-30 22:00", "--stop 2020-02-30 22:00 is not a time"),
        ("2020-03-01 22:00:00", 8 * H, "10pm", "", "not a time"),
        ("2020-03-01 22:00:00", 8 * H, "22:00+01:00", "", "not a time"),
    ],
)
def test_what_cannot_be_meant(begin: str, duration_s: float, start: str, stop: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        span(begin, duration_s, start, stop)


def test_without_a_clock_only_seconds_mean_something() -> None:
    assert span_of("5", "7", recording(None, 600.0)) == Span(5.0, 7.0)
    with pytest.raises(UsageError, match="no valid start time"):
        span_of("22:00", "", recording(None, 600.0))


def test_a_start_in_a_gap_is_told() -> None:
    parts = ((0.0, 300.0), (DAY, 300.0))
    found = span("2020-03-01 22:00:00", DAY + 300, "22:30", "", *parts)
    (warning,) = found.warnings
    assert "lies in a gap: the recording goes on at 86400 s (2020-03-02 22:00:00)" in warning
    assert not span("2020-03-01 22:00:00", DAY + 300, "22:04", "", *parts).warnings


begins = st.datetimes(datetime(1990, 1, 1), datetime(2080, 1, 1))


@given(begins, st.floats(60.0, 5 * DAY), st.integers(0, 2))
def test_the_start_as_a_header_shows_it_is_the_start(begin: datetime, duration_s: float, n_parts: int) -> None:
    """Whoever types what `info` shows gets the whole recording, however long it is and whatever it hides."""
    typed = (f"{begin:%H:%M}", f"{begin:%H:%M:%S}", f"{begin:%Y-%m-%d %H:%M:%S}")[n_parts]
    assert span(begin.isoformat(), duration_s, typed).start_s == 0.0


@given(begins, st.floats(2 * H, 5 * DAY), st.integers(61, 5 * 86400))
def test_a_moment_with_its_date_is_that_moment(begin: datetime, duration_s: float, at_s: int) -> None:
    begin = begin.replace(microsecond=0)
    if at_s >= duration_s:
        return
    moment = begin + timedelta(seconds=at_s)
    assert span(begin.isoformat(), duration_s, f"{moment:%Y-%m-%d %H:%M:%S}").start_s == at_s
    if at_s < DAY and duration_s - at_s > 1 and DAY - at_s > 3 * H:
        assert span(begin.isoformat(), duration_s, f"{moment:%H:%M:%S}").start_s == at_s


@given(begins, st.floats(60.0, 5 * DAY), st.integers(1, 3 * 3600))
def test_no_start_a_little_before_a_recording_skips_a_day(begin: datetime, duration_s: float, before_s: int) -> None:
    begin = begin.replace(microsecond=0)
    typed = f"{begin - timedelta(seconds=before_s):%H:%M:%S}"
    found = span(begin.isoformat(), duration_s, typed)
    assert found.start_s == 0.0
    assert "before the recording" in found.warnings[0]


@pytest.mark.parametrize(
    ("text", "of_day_s", "precision_s"),
    [("22:00", 79200, 60), ("7:05:09", 25509, 1), ("00:00:00.25", 0.25, 0.01), ("2020-01-02T03:04", 11040, 60)],
)
def test_clock_times_keep_their_precision(text: str, of_day_s: float, precision_s: float) -> None:
    clock = ClockTime.parse(text)
    assert (clock.of_day_s, clock.precision_s) == (of_day_s, pytest.approx(precision_s))


@pytest.mark.parametrize("text", ["", "22", "24:00", "22:60", "22:00:60", "22:00:00:00", "22:00Z", "2020-13-01 22:00"])
def test_what_is_no_clock_time(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the standard library words one of them
        ClockTime.parse(text)
