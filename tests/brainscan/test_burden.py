"""Burden on constructed tables: hours, gaps, midnight, summer time, and the flags at exactly their limits."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.burden import BAND_WINDOW_S, HOUR_S, Burden, burden_of, largest
from brainscan.events import Event, union


def _events(*spans: tuple[float, float]) -> list[Event]:
    return [Event(a, b, 0.9) for a, b in spans]


def _names(burden: Burden) -> set[str]:
    return {flag.name for flag in burden.flags}


def test_hours_by_the_clock_split_an_event_across_midnight() -> None:
    burden = burden_of(_events((1740.0, 1920.0)), (), 7200.0, datetime(2024, 2, 28, 23, 30))
    assert burden.as_mapping()["by_hour"] == {
        "2024-02-28T23:00": 1.0,
        "2024-02-29T00:00": 2.0,
        "2024-02-29T01:00": 0.0,
    }
    assert burden.busiest is not None
    assert burden.busiest.label == "2024-02-29T00:00"


def test_hours_of_elapsed_time_where_there_is_no_clock() -> None:
    burden = burden_of(_events((3570.0, 3660.0)), (), 5400.0)
    assert burden.as_mapping()["by_hour"] == {"0": 0.5, "1": 1.0}


@pytest.mark.parametrize(
    ("start", "labels"),
    [
        # Clocks without a zone run on; with one, the hour that occurs twice is two hours, the one left out is none.
        (datetime(2024, 10, 27, 1, 30), ["2024-10-27T01:00", "2024-10-27T02:00", "2024-10-27T03:00"]),
        (
            datetime(2024, 10, 27, 1, 30, tzinfo=ZoneInfo("Europe/Berlin")),
            ["2024-10-27T01:00+02:00", "2024-10-27T02:00+02:00", "2024-10-27T02:00+01:00"],
        ),
        (
            datetime(2024, 3, 31, 1, 30, tzinfo=ZoneInfo("Europe/Berlin")),
            ["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"],
        ),
    ],
)
def test_summer_time(start: datetime, labels: list[str]) -> None:
    burden = burden_of(_events((1800.0, 5400.0)), (), 9000.0, start)
    assert [hour.label for hour in burden.hours] == labels
    assert [hour.seizure_s for hour in burden.hours] == [0.0, 3600.0, 0.0]


def test_unscored_time_is_never_seizure_free() -> None:
    burden = burden_of(_events((100.0, 160.0)), ((3600.0, 9000.0),), 10800.0)
    found = burden.as_mapping()
    assert found["by_hour"] == {"0": 1.0, "1": None, "2": 0.0}
    assert found["scored_by_hour"] == {"0": 60.0, "1": 0.0, "2": 30.0}
    assert found["seizures_per_24h"] == pytest.approx(24.0 / 1.5)
    assert (found["since_last_s"], found["since_last_unscored_s"]) == (10640.0, 5400.0)
    assert found["unscored_s"] == 5400.0
    nothing = burden_of((), ((0.0, 60.0),), 60.0).as_mapping()
    assert nothing["seizures_per_24h"] is None
    assert nothing["since_last_s"] is None
    assert nothing["by_hour"] == {"0": None}


@pytest.mark.parametrize(("length_s", "met"), [(599.9, False), (600.0, True), (900.0, True)])
def test_status_by_ten_minutes(length_s: float, met: bool) -> None:
    burden = burden_of(_events((0.1, 0.1 + length_s)), (), 90000.0)
    assert ("status_continuous" in _names(burden)) == met


@pytest.mark.parametrize(("each_s", "met"), [(59.9, False), (60.0, True)])
def test_status_by_a_fifth_of_any_hour(each_s: float, met: bool) -> None:
    # Twelve seizures within exactly one hour that begins at no full hour: the last ends where it ends.
    onsets = [1234.0 + k * 320.0 for k in range(11)] + [1234.0 + HOUR_S - each_s]
    burden = burden_of(_events(*((t, t + each_s) for t in onsets)), (), 20000.0)
    assert ("status_share" in _names(burden)) == met
    assert burden.largest_hour.seizure_s == pytest.approx(12 * each_s)


def test_a_short_recording_is_not_extrapolated_to_an_hour() -> None:
    burden = burden_of(_events((0.0, 300.0)), (), 600.0)  # half of it, but 5 min of any 60
    assert not _names(burden) & {"status_continuous", "status_share"}
    assert burden.rests_on_less_than_24h


@pytest.mark.parametrize(
    ("seizure_s", "band"),
    [(29.9, ""), (30.0, "frequent"), (149.9, "frequent"), (150.0, "abundant"), (270.0, "continuous")],
)
def test_bands(seizure_s: float, band: str) -> None:
    burden = burden_of(_events((50.0, 50.0 + seizure_s)), (), 4000.0)
    assert _names(burden) == ({band} if band else set())


_SPANS = st.lists(
    st.tuples(st.floats(0.0, 20000.0, allow_nan=False), st.floats(1.0, 900.0)).map(lambda p: (p[0], p[0] + p[1])),
    max_size=8,
)


@given(_SPANS, st.floats(0.0, 3599.0), st.lists(st.floats(0.0, 21000.0), max_size=5))
def test_the_largest_window_beats_any_other_and_hours_add_up(
    spans: list[tuple[float, float]], offset_s: float, starts: list[float]
) -> None:
    ictal, duration_s = union(spans), 21000.0
    burden = burden_of(_events(*ictal), (), duration_s)
    assert sum(hour.seizure_s for hour in burden.hours) == pytest.approx(burden.seizure_s)
    for window_s in (HOUR_S, BAND_WINDOW_S):
        best = largest(ictal, window_s, duration_s)
        for start_s in starts:
            held = sum(max(min(b, start_s + window_s) - max(a, start_s), 0.0) for a, b in ictal)
            assert held <= best.seizure_s + 1e-3
