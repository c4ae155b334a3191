"""Which mistakes are shown, and what is read again to show them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from brainscan.evaluate import mistakes
from brainscan.evaluate.counts import Judged
from brainscan.evaluate.mistakes import LONGEST_S, excerpt, pictures, worst_alarms, worst_misses
from brainscan.evaluate.rows import rows_at
from brainscan.events import RATE_HZ, Probabilities
from brainscan.report.traces import DERIVATIONS
from tests.brainscan.evaluate.conftest import BURST_S, DURATION_S, Found, case_of, figures, judged, write_edf


def alarms_of(events: list[Found]) -> list[tuple[float, str]]:
    rows = rows_at([judged([], events)], lambda recording: recording.hypothesis.events)
    return [(mistake.onset_s, mistake.caption.split(" ")[0]) for mistake in worst_alarms(rows.alarms)]


def test_the_surest_and_the_longest_alarms_are_shown() -> None:
    events = [(100.0 * k, 100.0 * k + 10.0, 0.9 - 0.01 * k) for k in range(10)] + [(2000.0, 2090.0, 0.3)]
    assert alarms_of(events) == [
        *((0.0, "Sure"), (100.0, "Sure"), (200.0, "Sure"), (2000.0, "Long"), (300.0, "Long"), (400.0, "Long"))
    ]


@given(confidences=st.lists(st.integers(1, 9), max_size=12))
def test_no_alarm_is_shown_twice_and_the_surest_always(confidences: list[int]) -> None:
    events = [(100.0 * k, 100.0 * k + 20.0, c / 10.0) for k, c in enumerate(confidences)]
    shown = [at_s for at_s, _ in alarms_of(events)]
    assert len(shown) == len(set(shown)) == min(6, len(confidences))
    if confidences:
        assert max(confidences) == confidences[round(shown[0] / 100.0)]


def test_the_faintest_misses_come_first() -> None:
    values = np.repeat(np.array([0.1, 0.6, 0.3, 0.9], dtype=np.float32), 100 * RATE_HZ)
    truth = [(10.0, 20.0), (110.0, 120.0), (210.0, 220.0), (310.0, 320.0)]
    recording = judged(truth, [(300.0, 350.0, 0.9)], 400.0, curves=(Probabilities(0.0, values),))
    misses = worst_misses(rows_at([recording], lambda one: one.hypothesis.events).seizures, 2)
    assert [m.onset_s for m in misses] == [10.0, 210.0]
    assert "mean probability 0.10" in misses[0].caption


def test_without_curves_the_longest_misses_come_first() -> None:
    recording = judged([(10.0, 20.0), (100.0, 190.0)], [])
    misses = worst_misses(rows_at([recording], lambda one: one.hypothesis.events).seizures)
    assert [m.onset_s for m in misses] == [100.0, 10.0]
    assert "probability" not in misses[0].caption
    assert "the first 60 s" in misses[0].caption


@pytest.fixture
def recording(tmp_path: Path) -> Judged:
    """Return a file with a burst, where the detector alarms, and a seizure at its end that it misses."""
    case = case_of("p", path=write_edf(tmp_path / "p.edf"))
    curve = Probabilities(0.0, np.linspace(0.0, 1.0, DURATION_S * RATE_HZ).astype(np.float32))
    return judged([(50.0, 58.0)], [(*BURST_S, 0.9)], float(DURATION_S), case=case, curves=(curve,))


def test_the_eeg_around_a_mistake_is_read_again(recording: Judged) -> None:
    evaluation = figures(recording)
    rows = evaluation.rows(evaluation.default)
    places = [*worst_alarms(rows.alarms), *worst_misses(rows.seizures)]
    alarm, miss = (excerpt(evaluation, place) for place in places)
    assert (alarm.start_s, alarm.stop_s) == (0.0, 55.0)
    assert (miss.start_s, miss.stop_s) == (30.0, 60.0)
    assert alarm.uv.shape == (len(DERIVATIONS), 55 * RATE_HZ)
    assert (alarm.annotated, alarm.detected) == (((50.0, 55.0),), (BURST_S,))
    loud = np.abs(alarm.uv[:, 22 * RATE_HZ : 33 * RATE_HZ]).mean()
    assert loud > 2 * np.abs(alarm.uv[:, 5 * RATE_HZ : 18 * RATE_HZ]).mean()
    assert not any(alarm.doubtful)
    assert alarm.probability[10 * RATE_HZ] == pytest.approx(10 / 60, abs=1e-3)
    assert miss.averaged[10 * RATE_HZ] == pytest.approx(40 / 60, abs=0.01)


def test_a_recording_that_is_gone_is_said(recording: Judged) -> None:
    evaluation = figures(recording)
    recording.case.path.unlink()
    (alarm,) = pictures(evaluation, worst_alarms(evaluation.rows(evaluation.default).alarms))
    assert alarm.png == b""
    assert "No picture: " in alarm.caption


def test_a_picture_that_is_kept_is_not_drawn_again(
    recording: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    evaluation, kept = figures(recording), tmp_path / "kept"
    places = worst_alarms(evaluation.rows(evaluation.default).alarms)
    first = pictures(evaluation, places, kept)
    assert first[0].png.startswith(b"\x89PNG")
    with monkeypatch.context() as patched:
        patched.setattr(mistakes, "draw", lambda _: b"drawn again")
        assert pictures(evaluation, places, kept) == first
        other = figures(recording, on=0.6)  # the line of the threshold moves
        assert pictures(other, places, kept)[0].png == b"drawn again"
    recording.case.path.write_bytes(recording.case.path.read_bytes()[:-1] + b"x")
    pictures(evaluation, places, kept)
    assert len(list(kept.glob("*.png"))) == 3  # another recording, another picture


def test_a_long_event_is_cut(tmp_path: Path) -> None:
    case = case_of("p", path=write_edf(tmp_path / "p.edf"))
    evaluation = figures(judged([], [(25.0, 50.0, 0.9)], float(DURATION_S), case=case))
    (place,) = worst_alarms(evaluation.rows(evaluation.default).alarms)
    whole = excerpt(evaluation, place)
    assert whole.stop_s - whole.start_s == 55.0 < LONGEST_S
    assert np.isnan(whole.probability).all()
    assert whole.unjudged == ()


def test_what_nobody_judged_is_told(tmp_path: Path) -> None:
    case = replace(case_of("p", path=write_edf(tmp_path / "p.edf")), scored=((20.0, 30.0),))
    evaluation = figures(judged([], [(15.0, 50.0, 0.9)], float(DURATION_S), case=case))
    (place,) = worst_alarms(evaluation.rows(evaluation.default).alarms)
    assert (place.onset_s, place.offset_s) == (20.0, 30.0)
    shown = excerpt(evaluation, place)
    assert shown.unjudged == ((0.0, 20.0), (30.0, 50.0))
    assert shown.detected == ((15.0, 50.0),)
