"""Seizure by seizure, alarm by alarm."""

from __future__ import annotations

import math
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from brainscan.corpora.references import Seizure
from brainscan.evaluate.counts import Judged
from brainscan.evaluate.rows import (
    DURATION_BINS_S,
    Rows,
    by_duration,
    by_patient,
    by_type,
    latencies_s,
    quartiles,
    rows_at,
    timing,
)
from tests.brainscan.evaluate.conftest import Found, case_of, judged

moments = st.integers(0, 340).map(lambda k: 10.0 * k)


def at_default(*recordings: Judged) -> Rows:
    return rows_at(recordings, lambda recording: recording.hypothesis.events)


def test_latency_and_offset_error_are_those_of_the_first_and_the_last_event() -> None:
    (row,) = at_default(judged([(100.0, 200.0)], [(90.0, 120.0, 0.9), (150.0, 210.0, 0.8)])).seizures
    assert row.found
    assert (row.latency_s, row.offset_error_s) == (-10.0, 10.0)


def test_a_missed_seizure_has_no_times() -> None:
    rows = at_default(judged([(100.0, 200.0)], [(200.0, 210.0, 0.9)]))
    (row,), (alarm,) = rows.seizures, rows.alarms
    assert not row.found
    assert math.isnan(row.latency_s)
    assert math.isnan(row.offset_error_s)
    assert (alarm.event.onset_s, alarm.event.confidence) == (200.0, 0.9)


def test_an_event_over_two_seizures_finds_both_and_is_no_alarm() -> None:
    rows = at_default(judged([(100.0, 110.0), (120.0, 130.0)], [(105.0, 125.0, 0.9)]))
    assert [row.found for row in rows.seizures] == [True, True]
    assert rows.alarms == ()


def test_types_and_lengths_are_counted_apart() -> None:
    truth = [Seizure(100.0, 105.0, "absz"), Seizure(200.0, 210.0, "fnsz"), Seizure(400.0, 900.0, "fnsz")]
    rows = at_default(judged(truth, [(200.0, 205.0, 0.9)]))
    assert by_type(rows) == {"absz": {"seizures": 1, "found": 0}, "fnsz": {"seizures": 2, "found": 1}}
    assert by_duration(rows) == {
        "0 to 10 s": {"seizures": 1, "found": 0},
        "10 to 30 s": {"seizures": 1, "found": 1},
        "300 s or more": {"seizures": 1, "found": 0},
    }


@given(length_s=st.floats(0.01, 1500.0))
def test_every_length_has_its_bin(length_s: float) -> None:
    (name,) = by_duration(at_default(judged([(10.0, 10.0 + length_s)], [])))
    low = float(name.split(" ")[0])
    assert low in DURATION_BINS_S
    assert low <= length_s + 1e-6


def test_patients_are_added_up_over_their_recordings() -> None:
    first = judged([(100.0, 110.0)], [(100.0, 110.0, 0.9), (500.0, 520.0, 0.9)], case=case_of("p1"))
    second = judged([(100.0, 110.0)], [], 1800.0, case=case_of("p1"))
    other = judged([], [(5.0, 15.0, 0.9)], case=case_of("p0", "t"))
    recordings = [first, second, other]
    table = by_patient(recordings, at_default(*recordings))
    assert [(row["source"], row["subject"]) for row in table] == [("s", "p1"), ("t", "p0")]
    assert table[0] == {
        **{"source": "s", "subject": "p1", "recordings": 2, "hours": 1.5},
        **{"seizures": 2, "found": 1, "false_alarms": 1},
    }


def test_seizures_that_begin_with_the_recording_tell_no_latency() -> None:
    events = [(2.5, 30.0, 0.9), (104.0, 110.0, 0.9), (3590.0, 3600.0, 0.9)]
    found = timing(at_default(judged([(0.5, 20.0), (100.0, 120.0), (3580.0, 3600.0)], events)))
    assert (found["found"], found["onset_at_start"], found["offset_at_end"]) == (3, 1, 1)
    assert found["latency_s"] == [5.5, 7.0, 8.5]
    assert found["offset_error_s"] == [-5.0, 0.0, 5.0]


def test_seizures_that_begin_with_the_judged_part_tell_no_latency() -> None:
    case = replace(case_of("a"), scored=((100.0, 300.0),))
    rows = at_default(judged([(50.0, 150.0), (200.0, 210.0)], [(60.0, 290.0, 0.9)], case=case))
    assert [(row.begins_inside, row.ends_inside) for row in rows.seizures] == [(False, True), (True, True)]
    assert latencies_s(rows) == [-100.0]


def test_without_values_there_are_no_quartiles() -> None:
    assert quartiles([]) is None
    assert timing(at_default(judged([(1.0, 2.0)], [])))["latency_s"] is None


@given(st.lists(st.floats(-100.0, 100.0), min_size=1, max_size=30))
def test_quartiles_are_in_order_and_within_the_values(values: list[float]) -> None:
    found = quartiles(values)
    assert found is not None
    assert min(values) <= found[0] <= found[1] <= found[2] <= max(values)
    assert found[1] == pytest.approx(float(np.median(values)))


@given(
    truth=st.lists(moments, max_size=5, unique=True),
    events=st.lists(moments, max_size=6, unique=True),
)
def test_every_event_is_a_hit_or_an_alarm(truth: list[float], events: list[float]) -> None:
    found: list[Found] = [(at_s + 4.0, at_s + 9.0, 0.9) for at_s in events]
    rows = at_default(judged([(at_s, at_s + 5.0) for at_s in sorted(truth)], found))
    hits = {event for row in rows.seizures for event in row.events}
    assert len(hits) + len(rows.alarms) == len(events)
    assert sum(row.found for row in rows.seizures) == len(set(truth) & set(events))
