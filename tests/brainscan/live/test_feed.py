"""Feeds without a file: gaps, units from the beginning, what is left at the end."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brainscan.detection import Detection
from brainscan.detector import DetectOptions
from brainscan.errors import InputError
from brainscan.live.feed import Chunk, FeedSource
from brainscan.live.messages import EventMessage, Message
from brainscan.live.stream import Ears, Stream, StreamConfig
from tests.brainscan.live.growing import RATE_HZ, Scripted, loud_detector, signal
from tests.stand_ins import noise, recording_of

OPTIONS = DetectOptions()


def _streamed(feed: Scripted) -> tuple[Detection, list[Message], list[str]]:
    messages, notes = list[Message](), list[str]()
    source = FeedSource(feed, threading.Event(), notes.append)
    return Stream(loud_detector(), source, StreamConfig(OPTIONS), Ears(messages.append)).run(), messages, notes


def _cut(frames: np.ndarray, size: int) -> list[list[Chunk]]:
    return [[Chunk(frames[at : at + size])] for at in range(0, len(frames), size)]


@pytest.mark.parametrize("size", [50, 777, 100_000])
def test_a_feed_equals_detect_on_the_same_samples(size: int) -> None:
    frames = signal().T.astype(np.float32)
    frames[115 * RATE_HZ : 125 * RATE_HZ] = np.nan
    detection, messages, notes = _streamed(Scripted([[], *_cut(frames, size), []]))
    expected = loud_detector().detect(recording_of(frames.T.astype(np.float64), RATE_HZ))
    assert detection.events == expected.events
    assert detection.unscored == expected.unscored == ((115.0, 125.0),)
    assert (detection.duration_s, detection.analysed_s) == (240.0, 230.0)
    assert (detection.file, detection.format, detection.sha256) == ("bed3", "test", "")
    assert len([m for m in messages if isinstance(m, EventMessage) and m.kind == "close"]) == len(expected.events)
    assert notes == ["ended: all said"]


def test_a_gap_begins_a_segment() -> None:
    frames = signal().T.astype(np.float32)
    steps = [[Chunk(frames[:9000])], [Chunk(frames[9000:12_000], gap_s=0.0), Chunk(frames[12_000:], gap_s=33.5)]]
    detection, _, _ = _streamed(Scripted(steps))
    expected = loud_detector().detect(
        recording_of([(0.0, frames[:12_000].T.astype(float)), (153.5, frames[12_000:].T.astype(float))], RATE_HZ)
    )
    assert detection.segments == expected.segments
    assert detection.events == expected.events
    assert detection.unscored == ((120.0, 153.5),)


def test_units_are_settled_by_the_beginning() -> None:
    frames = (signal() * 1e-6).T.astype(np.float32)
    detection, _, _ = _streamed(Scripted(_cut(frames, 1000), unit="V"))
    assert len(detection.events) == 4
    mistaken, _, _ = _streamed(Scripted(_cut(frames, 1000), unit="mV"))
    assert [round(e.onset_s) for e in mistaken.events] == [round(e.onset_s) for e in detection.events]


def test_a_feed_without_samples_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        _streamed(Scripted([[], []]))
    assert raised.value.kind == "empty"


def test_a_feed_that_shows_no_eeg_is_refused_after_ten_minutes_not_held_for_ever() -> None:
    silence = (0.01 * noise(60.0, RATE_HZ)).T.astype(np.float32)
    feed = Scripted([[Chunk(silence)] for _ in range(40)])
    with pytest.raises(InputError) as raised:
        _streamed(feed)
    assert raised.value.kind == "calibration"
    assert len(feed._steps) > 20
