"""From a recording to its detection: clocks, gaps, ends, faults, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from brainscan import examine as examine_module
from brainscan.card import Card
from brainscan.cohort import Cohort
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.electrodes import ELECTRODES, INDEX
from brainscan.errors import InputError, UsageError
from brainscan.io.content import Content
from brainscan.io.event_formats import FORMATS
from brainscan.io.outputs import pieces
from brainscan.provenance import Provenance
from brainscan.recording import Recording, Samples, Segment
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

RATE_HZ = 200
CHILDREN = Cohort("children", ages_years=(1.5, 22.0), seizures=120)


@pytest.fixture
def detector() -> Detector:
    """Return a detector that takes loud for ictal."""
    return Detector(LoudnessRunner(), quick())


def _bursts(duration_s: float, *spans: tuple[float, float]) -> np.ndarray:
    return with_bursts(noise(duration_s, RATE_HZ), RATE_HZ, spans)


def _spans(detection: Detection) -> list[tuple[int, int]]:
    return [(round(e.onset_s), round(e.offset_s)) for e in detection.events]


def _tiled(detection: Detection) -> float:
    return detection.analysed_s + sum(stop - start for start, stop in detection.unscored)


def test_events_and_facts(detector: Detector) -> None:
    detection = detector.detect(recording_of(_bursts(200.0, (30, 50), (150, 170)), RATE_HZ))
    assert _spans(detection) == [(30, 50), (150, 170)]
    assert (detection.duration_s, detection.analysed_s, detection.unscored) == (200.0, 200.0, ())
    assert {(e.found, e.how, e.quality) for e in detection.electrodes} == {("present", "recorded", "good")}
    assert detection.warnings == ()
    assert detection.model["model"] == "loudness"
    assert detection.model["decision"]["enter"] == 0.6
    assert detection.sha256 == ""


def test_a_bipolar_recording(detector: Detector) -> None:
    chains = ["Fp1-F7", "F7-T3", "T3-T5", "T5-O1", "Fp1-F3", "F3-C3", "C3-P3", "P3-O1", "Fz-Cz", "Cz-Pz"]
    mirror = str.maketrans("13579", "24680")
    chains += [c.translate(mirror).replace("0", "10") for c in chains[:8]]
    uv = _bursts(100.0, (30, 50))
    pairs = [chain.split("-") for chain in chains]
    derived = np.stack([uv[INDEX[a]] - uv[INDEX[b]] for a, b in pairs])
    detection = detector.detect(recording_of(derived, RATE_HZ, chains))
    assert {(e.found, e.how) for e in detection.electrodes} == {("derived", "derived")}
    assert _spans(detection) == [(30, 50)]


@pytest.mark.parametrize("block_s", [7.3, 61.0, 1000.0])
def test_block_length_changes_nothing(detector: Detector, monkeypatch: pytest.MonkeyPatch, block_s: float) -> None:
    recording = recording_of(_bursts(200.0, (30, 50), (150, 170)), RATE_HZ)
    options = DetectOptions(keep_probabilities=True)
    expected = detector.detect(recording, options)
    monkeypatch.setattr(examine_module, "BLOCK_S", block_s)
    found = detector.detect(recording, options)
    assert found.events == expected.events
    assert np.array_equal(found.probabilities[0].values, expected.probabilities[0].values)


def test_gaps_are_unscored_and_events_stay_on_the_clock(detector: Detector) -> None:
    recording = recording_of([(0.0, _bursts(70.0, (20, 40))), (500.0, _bursts(90.0, (60, 80)))], RATE_HZ)
    detection = detector.detect(recording, DetectOptions(keep_probabilities=True))
    assert _spans(detection) == [(20, 40), (560, 580)]
    assert detection.unscored == ((70.0, 500.0),)
    assert detection.analysed_s == 160.0
    assert [(p.start_s, len(p.values)) for p in detection.probabilities] == [(0.0, 70 * 256), (500.0, 90 * 256)]


def test_an_event_never_crosses_a_gap(detector: Detector) -> None:
    recording = recording_of([(0.0, _bursts(60.0, (40, 60))), (60.5, _bursts(60.0, (0, 20)))], RATE_HZ)
    assert len(detector.detect(recording).events) == 2


def test_segments_that_overlap_on_the_clock_give_disjoint_events_of_their_own_samples(detector: Detector) -> None:
    """An invalid EDF+D: the second part lies inside the first's time and is loud where that is quiet."""
    parts = [(0.0, _bursts(100.0, (60, 80))), (20.0, _bursts(50.0, (10, 20))), (60.0, _bursts(60.0, (10, 30)))]
    detection = detector.detect(recording_of(parts, RATE_HZ))
    assert _spans(detection) == [(30, 40), (60, 90)]
    b"".join(pieces(Content.of(detection), FORMATS["csv_bi"]))


def test_short_pieces_beside_gaps_are_unscored(detector: Detector) -> None:
    recording = recording_of([(0.0, noise(30.0, RATE_HZ)), (40.0, noise(1.5, RATE_HZ))], RATE_HZ)
    assert detector.detect(recording).unscored == ((30.0, 41.5),)


def test_parts_without_room_for_an_event_do_not_count_as_analysed(detector: Detector) -> None:
    """Whatever parts them: gaps, holes, or a stop behind a gap. All of them is an error that says so."""
    detector = detector.with_decision(quick(min_duration_s=6.0))
    loud = _bursts(60.0, (0, 60))
    cut = [(5.01 * k, loud[:, 5 * k * RATE_HZ : 5 * (k + 1) * RATE_HZ]) for k in range(6)]
    detection = detector.detect(recording_of([*cut, (40.0, loud[:, : 20 * RATE_HZ])], RATE_HZ))
    assert detection.analysed_s == 20.0
    assert detection.unscored == ((0.0, 40.0),)
    assert any("parts shorter than 6 s: 6, 30 s in all" in warning for warning in detection.warnings)
    with pytest.raises(InputError, match=r"every part is too short .*the longest has 5 s, 6 s are needed"):
        detector.detect(recording_of(cut, RATE_HZ))

    holed = loud.copy()
    holed[:, [s for s in range(30 * RATE_HZ) if s // RATE_HZ % 6 == 5]] = np.nan
    detection = detector.detect(recording_of(holed, RATE_HZ))
    assert detection.analysed_s == 30.0
    assert any("parts shorter than 6 s: 5, 25 s in all" in warning for warning in detection.warnings)


def test_a_short_part_is_told_as_a_short_recording_is(detector: Detector) -> None:
    recording = recording_of(noise(30.0, RATE_HZ), RATE_HZ)
    detector = detector.with_decision(quick(min_duration_s=6.0))
    for start_s, told in ((22.0, "(8 s)"), (29.75, "(0.25 s): no event has room there")):
        detection = detector.detect(recording, DetectOptions(start_s=start_s))
        assert f"less than 10 s were analysed {told}" in detection.warnings
    with pytest.raises(InputError, match=r"too short .*the longest has 0\.001"):
        detector.detect(recording, DetectOptions(start_s=29.999))


@pytest.mark.parametrize("duration_s", [0.1, 1.0, 3.7])
def test_a_recording_of_a_second_is_padded_with_a_warning(detector: Detector, duration_s: float) -> None:
    detection = detector.detect(recording_of(noise(duration_s, RATE_HZ), RATE_HZ))
    assert detection.analysed_s == pytest.approx(duration_s)
    assert any("shorter than 10 s" in warning for warning in detection.warnings)


def test_events_end_with_the_recording(detector: Detector) -> None:
    """A length that 256 Hz does not divide: neither event nor analysed span may leave it."""
    uv = with_bursts(noise(40.003, 1000), 1000, [(20.0, 41.0)])
    detection = detector.detect(recording_of(uv, 1000))
    assert detection.events[-1].offset_s == pytest.approx(40.003, abs=1 / 256)
    assert detection.events[-1].offset_s <= detection.duration_s
    assert detection.unscored == ()


def test_start_and_stop_are_on_the_recording_s_clock(detector: Detector) -> None:
    recording = recording_of(_bursts(200.0, (30, 50), (150, 170)), RATE_HZ)
    detection = detector.detect(recording, DetectOptions(start_s=100.0, stop_s=190.0))
    assert _spans(detection) == [(150, 170)]
    assert detection.unscored == ((0.0, 100.0), (190.0, 200.0))
    assert _tiled(detection) == pytest.approx(200.0)


@pytest.mark.parametrize("start_s", [0.1, 33.3, 100.7, 133.333])
@pytest.mark.parametrize("offset_s", [0.0, 1e5 + 0.1])
def test_any_fraction_of_a_second_may_be_the_start(detector: Detector, start_s: float, offset_s: float) -> None:
    """In floats start + (stop - start) need not be stop."""
    recording = recording_of([(offset_s, _bursts(200.3, (150, 170)))], RATE_HZ)
    detection = detector.detect(recording, DetectOptions(start_s=offset_s + start_s))
    assert detection.events[0].onset_s - offset_s == pytest.approx(150.0, abs=0.6)
    assert detection.analysed_s == pytest.approx(200.3 - start_s, abs=1 / RATE_HZ)


@pytest.mark.parametrize("options", [DetectOptions(start_s=300.0), DetectOptions(start_s=72.0, stop_s=90.0)])
def test_nothing_within_start_and_stop_is_the_user_s_mistake(detector: Detector, options: DetectOptions) -> None:
    recording = recording_of([(0.0, noise(70.0, RATE_HZ)), (100.0, noise(90.0, RATE_HZ))], RATE_HZ)
    with pytest.raises(UsageError, match="nothing recorded"):
        detector.detect(recording, options)


@pytest.mark.parametrize("values", [{"max_missing": -1}, {"max_missing": 16}, {"start_s": 5.0, "stop_s": 5.0}])
def test_impossible_options_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"max_missing|stop must lie"):
        DetectOptions(**values)  # type: ignore[arg-type]


def test_seconds_without_values_are_unscored(detector: Detector) -> None:
    uv = _bursts(120.0, (50, 80))
    uv[:, 60 * RATE_HZ : 65 * RATE_HZ] = np.nan
    detection = detector.detect(recording_of(uv, RATE_HZ))
    assert _spans(detection) == [(50, 60), (65, 80)]
    assert detection.unscored == ((60.0, 65.0),)


def test_an_electrode_that_falls_off_is_reported_with_its_share(detector: Detector) -> None:
    uv = noise(300.0, RATE_HZ)
    uv[INDEX["T3"], 150 * RATE_HZ :] = 0.0
    detection = detector.detect(recording_of(uv, RATE_HZ))
    report = detection.electrodes[INDEX["T3"]]
    assert (report.found, report.how, report.quality) == ("present", "recorded", "doubtful")
    assert any("T3 (44%)" in warning for warning in detection.warnings)
    assert (detection.doubted, detection.quality) == (True, "mixed")
    detection = detector.detect(recording_of(uv, RATE_HZ), DetectOptions(start_s=200.0))
    assert any("throughout: T3" in warning for warning in detection.warnings)
    assert (detection.doubted, detection.quality) == (True, "poor")  # a third was analysed


def test_missing_electrodes_are_interpolated_up_to_a_limit(detector: Detector) -> None:
    recording = recording_of(noise(30.0, RATE_HZ)[3:], RATE_HZ, ELECTRODES[3:])
    detection = detector.detect(recording)
    assert [(e.found, e.how) for e in detection.electrodes[:3]] == [("missing", "interpolated")] * 3
    assert (detection.doubted, detection.quality) == (False, "good")
    with pytest.raises(InputError, match="Fp1 F3 C3") as caught:
        detector.detect(recording, DetectOptions(max_missing=2))
    assert caught.value.kind == "electrodes"
    assert caught.value.exit_code == 3


def test_nothing_scored_is_an_error_that_names_the_electrodes(detector: Detector) -> None:
    uv = noise(30.0, RATE_HZ)
    uv[:4] = 0.0
    with pytest.raises(InputError, match=r"no window can be scored .*Fp1 F3 C3 P3") as caught:
        detector.detect(recording_of(uv, RATE_HZ))
    assert caught.value.kind == "signal"


def test_more_than_half_doubtful_is_low_trust(detector: Detector) -> None:
    uv = noise(300.0, RATE_HZ)
    for i in range(12):
        uv[i, (i % 6) * 50 * RATE_HZ : ((i % 6) * 50 + 50) * RATE_HZ] = 0.0
    detection = detector.detect(recording_of(uv, RATE_HZ))
    assert detection.low_trust
    assert any("low trust" in warning for warning in detection.warnings)
    assert detection.quality == "poor"


def test_what_doubts_the_plan_doubts_the_detection(detector: Detector) -> None:
    uv = noise(30.0, RATE_HZ)
    assert detector.detect(recording_of(uv, RATE_HZ)).quality == "good"
    uv[INDEX["F7"]] *= 20.0
    detection = detector.detect(recording_of(uv, RATE_HZ))
    assert (detection.doubted, detection.quality) == (True, "mixed")
    assert {report.bad_share for report in detection.electrodes} == {0.0}  # the windows do not


@pytest.mark.parametrize(
    ("age", "trained", "said"),
    [
        (0.02, (CHILDREN,), "outside the ages"),
        (40.0, (CHILDREN,), "outside the ages"),
        (9.0, (CHILDREN,), ""),
        (None, (CHILDREN,), ""),
        (9.0, (), "cannot be said"),
        (None, (), ""),
    ],
)
def test_ages_of_whose_seizures_training_saw_none_bring_a_warning(
    age: float | None, trained: tuple[Cohort, ...], said: str
) -> None:
    card = Card(name="x", variant={}, decision=quick(), provenance=Provenance(trained=trained))
    recording = replace(recording_of(noise(30.0, RATE_HZ), RATE_HZ), age_years=age)
    ages = [w for w in Detector(LoudnessRunner(card)).detect(recording).warnings if "ages of those" in w]
    assert len(ages) == bool(said)
    assert all(said in w and f"{age:g} years" not in w for w in ages)


def test_warnings_of_the_recording_come_first_and_once(detector: Detector) -> None:
    recording = replace(recording_of(noise(5.0, RATE_HZ), RATE_HZ), warnings=("odd header", "odd header"))
    warnings = detector.detect(recording).warnings
    assert warnings[0] == "odd header"
    assert len(warnings) == len(set(warnings))


def test_probabilities_are_those_of_the_detection(detector: Detector) -> None:
    recording = recording_of(_bursts(100.0, (30, 50)), RATE_HZ)
    (curve,) = detector.probabilities(recording)
    assert np.array_equal(
        curve.values, detector.detect(recording, DetectOptions(keep_probabilities=True)).probabilities[0].values
    )
    assert detector.detect(recording).probabilities == ()


def test_another_decision_on_the_same_model(detector: Detector) -> None:
    recording = recording_of(_bursts(100.0, (30, 50)), RATE_HZ)
    assert detector.with_decision(quick(enter=1.0, leave=1.0)).detect(recording).events == ()
    assert len(detector.detect(recording).events) == 1


def test_without_a_decision_the_card_s_own_holds() -> None:
    assert Detector(LoudnessRunner(Card(name="x", variant={}, decision=quick()))).decision == quick()


def test_progress_reaches_the_end(detector: Detector) -> None:
    seen: list[float] = []
    detector.detect(recording_of(noise(150.0, RATE_HZ), RATE_HZ), None, seen.append)
    assert seen == [60.0, 120.0, 150.0]


def test_a_file_that_breaks_off_while_it_is_read_is_an_input_error(detector: Detector) -> None:
    recording = recording_of(noise(300.0, RATE_HZ), RATE_HZ)

    def read(channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        if start_s > 100.0:
            raise InputError("became shorter", kind="io")
        return recording.reader(channels, segment, start_s, stop_s)

    with pytest.raises(InputError, match="became shorter"):
        detector.detect(replace(recording, reader=read))


def test_the_checksum_is_the_recording_s(detector: Detector) -> None:
    recording = replace(recording_of(noise(20.0, RATE_HZ), RATE_HZ), sha256=lambda: "abc")
    assert detector.detect(recording).sha256 == "abc"


def test_clock_of_an_event(detector: Detector) -> None:
    recording: Recording = replace(recording_of(noise(20.0, RATE_HZ), RATE_HZ), start=datetime(2024, 5, 3, 23, 59, 50))
    detection = detector.detect(recording)
    assert detection.clock(12.5) == datetime(2024, 5, 4, 0, 0, 2, 500_000)
    assert replace(detection, start=None).clock(1.0) is None
