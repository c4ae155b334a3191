"""Recordings that are unlike the training background are marked, by windows without an event."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from brainscan.card import Card
from brainscan.detector import Detector
from brainscan.familiarity import Answer, Compared, Familiarity, unfamiliar_share
from brainscan.io.detection_json import as_mapping
from brainscan.report import words
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

KNOWN = Familiarity(mean=(6.5,), spread=(1.0,), limit=3.0)
"""Of windows as loud as `noise` is behind the filter."""


class Featuring(LoudnessRunner):
    """Also gives one feature: how loud the window is, µV."""

    def submit(self, windows: Sequence[NDArray[np.float32]]) -> list[Future[list[Answer]]]:
        future: Future[list[Answer]] = Future()
        loudness = (np.array([np.sqrt(np.mean(uv**2))], dtype=np.float32) for uv in windows)
        future.set_result(list(map(Answer, self.probabilities(windows), loudness)))
        return [future]


def _detector(familiarity: Familiarity | None) -> Detector:
    card = replace(Card(name="featuring", variant={}, sha256="0" * 64), familiarity=familiarity)
    return Detector(Featuring(card), quick())  # type: ignore[arg-type]


def test_a_distance_counts_standard_deviations() -> None:
    known = Familiarity((1.0, 2.0), (0.5, 4.0), 2.0)
    assert known.distance(np.array([1.0, 2.0], np.float32)) == 0.0
    assert known.distance(np.array([1.5, 6.0], np.float32)) == pytest.approx(1.0)
    assert not known.is_unlike(np.array([2.0, -6.0], np.float32))
    assert known.is_unlike(np.array([1.0, 14.0], np.float32))


@pytest.mark.parametrize("facts", [((), (), 1.0), ((1.0,), (), 1.0), ((1.0,), (0.0,), 1.0), ((1.0,), (1.0,), 0.0)])
def test_statistics_that_tell_nothing_are_refused(facts: tuple[tuple[float, ...], tuple[float, ...], float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Familiarity(*facts)


def test_windows_with_an_event_say_nothing() -> None:
    windows = [Compared(0.0, 60.0, unlike=True), Compared(30.0, 90.0, unlike=True), Compared(60.0, 120.0, unlike=False)]
    assert unfamiliar_share(windows, ()) == pytest.approx(2 / 3)
    assert unfamiliar_share(windows, [(20.0, 60.0)]) == 0.0
    assert unfamiliar_share(windows, [(20.0, 61.0)]) is None


def test_a_recording_unlike_the_background_is_marked_everywhere() -> None:
    recording = recording_of(2.0 * noise(240.0, 200), 200)
    detection = _detector(KNOWN).detect(recording)
    assert (detection.unfamiliar_share, detection.unfamiliar) == (1.0, True)
    assert repr(detection).endswith(", unfamiliar>")
    assert [text for text in detection.warnings if text.startswith("unfamiliar: 100% ")]
    assert "Unfamiliar: " in words.summary(detection, detection.burden, "the detector")
    assert (as_mapping(detection)["unfamiliar"], as_mapping(detection)["unfamiliar_share"]) == (True, 1.0)


def test_a_seizure_makes_no_recording_unfamiliar() -> None:
    recording = recording_of(with_bursts(noise(240.0, 200), 200, [(100.0, 130.0)]), 200)
    detection = _detector(KNOWN).detect(recording)
    assert len(detection.events) == 1
    assert (detection.unfamiliar_share, detection.unfamiliar) == (0.0, False)


def test_a_card_without_statistics_marks_nothing() -> None:
    detection = _detector(None).detect(recording_of(2.0 * noise(120.0, 200), 200))
    assert (detection.unfamiliar_share, detection.unfamiliar) == (None, False)
