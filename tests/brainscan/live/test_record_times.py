"""Records of a growing file fall into the same segments as those of the finished one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.io.tal import timeline
from brainscan.live.record_times import RecordTimes


def _segments(onsets: list[float], cuts: list[int], record_s: float = 1.0) -> list[tuple[int, int, float]]:
    """Return first record, record after the last, and start of each segment, the onsets pushed in pieces."""
    times = RecordTimes(record_s, 0.01)
    bounds = [0, *sorted(cuts), len(onsets)]
    runs = [run for a, b in itertools.pairwise(bounds) for run in times.push(onsets[a:b])]
    runs += times.finish()
    assert [run.first for run in runs] == [0, *itertools.accumulate(run.count for run in runs)][:-1]
    assert sum(run.count for run in runs) == len(onsets)
    segments: list[tuple[int, int, float]] = []
    for run in runs:
        if run.within:
            first, stop, start_s = segments.pop()
            assert (run.within, run.start_s) == (stop - first, start_s)
            segments.append((first, stop + run.count, start_s))
        else:
            segments.append((run.first, run.first + run.count, run.start_s))
    return segments


# Steps between records: as they should be, a gap, a step back; few of the last, which would make them no clock.
_steps = st.lists(st.sampled_from([1.0] * 6 + [1.003, 0.997, 2.5, 31.0]), min_size=2, max_size=40)


@given(steps=_steps, origin_s=st.sampled_from([0.0, 0.25]), cuts=st.lists(st.integers(0, 3), max_size=4))
def test_gaps_are_those_of_the_whole_file(steps: list[float], origin_s: float, cuts: list[int]) -> None:
    onsets = (origin_s + np.concatenate(([0.0], np.cumsum(steps)))).tolist()
    expected = timeline(np.array(onsets), 1.0, 0.01).segments
    found = _segments(onsets, [min(cut, len(onsets)) for cut in cuts])
    assert [segment[:2] for segment in found] == [segment[:2] for segment in expected]
    assert [s[2] for s in found] == pytest.approx([s[2] for s in expected])


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4, 5], [3]])
def test_a_lone_odd_time_is_no_gap(cuts: list[int]) -> None:
    onsets = [0.0, 1.0, 2.0, 907.0, 4.0, 5.0]
    assert _segments(onsets, cuts) == [(0, 6, 0.0)] == list(timeline(np.array(onsets), 1.0, 0.01).segments)


def test_records_without_times_follow_on() -> None:
    nan = float("nan")
    for onsets in ([nan, nan, 7.0, nan, 9.0, 40.0, nan], [nan] * 4, [3.0, nan, 5.0]):
        assert _segments(onsets, [2]) == list(timeline(np.array(onsets), 1.0, 0.01).segments)


def test_a_record_that_jumps_waits_for_the_next() -> None:
    times = RecordTimes(1.0, 0.01)
    assert [run.count for run in times.push([0.0, 1.0, 60.0])] == [2]
    assert [(run.first, run.count, run.start_s) for run in times.push([61.0])] == [(2, 2, 60.0)]
    assert list(times.push([500.0])) == []
    assert [(run.first, run.count, run.start_s) for run in times.finish()] == [(4, 1, 500.0)]


def test_a_clock_that_drifts_makes_no_gap() -> None:
    onsets = [1.002 * i for i in range(1000)]
    assert len(_segments(onsets, [])) == len(timeline(np.array(onsets), 1.0, 0.01).segments) == 1


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4, 5], [3], [4]])
def test_what_was_handed_on_is_not_moved_by_a_clock_set_back(cuts: list[int]) -> None:
    assert _segments([0.0, 1.0, 2.0, -57.0, -56.0, -55.0, -40.0, -39.0], cuts) == [
        (0, 3, 0.0),
        (3, 6, 3.0),
        (6, 8, 20.0),
    ]
    assert _segments([5.0, 6.0, -9.0], [cut for cut in cuts if cut < 3]) == [(0, 2, 0.0), (2, 3, 2.0)]
