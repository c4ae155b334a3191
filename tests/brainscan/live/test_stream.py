"""A stream closes exactly what `detect` finds, sooner than the recording ends, and says what it did not see."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from brainscan.card import DecisionConfig
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import InputError
from brainscan.events import Event
from brainscan.live.messages import EventMessage, Lag, Message, Started, Unscored
from brainscan.live.pace import Pace
from brainscan.live.promises import closes_within_s, opens_within_s
from brainscan.live.source import Piece, RecordingSource
from brainscan.live.stream import Ears, Stream, StreamConfig
from brainscan.recording import Recording, Samples
from tests.brainscan.live.growing import RATE_HZ, loud_detector, signal
from tests.stand_ins import noise, quick, recording_of, with_bursts

OPTIONS = DetectOptions()


def _streamed(
    recording: Recording, detector: Detector | None = None, *, step_s: float = 1.0, look_s: float | None = None
) -> tuple[Detection, list[Message]]:
    said: list[Message] = []
    source = RecordingSource(recording, step_s, near=True)
    config = StreamConfig(OPTIONS, look_s)
    return Stream(detector or loud_detector(), source, config, Ears(said.append)).run(), said


def _events(said: Sequence[Message], kind: str = "") -> list[EventMessage]:
    return [m for m in said if isinstance(m, EventMessage) and kind in {m.kind, ""}]


def _recordings() -> dict[str, Recording]:
    uv = signal()
    holed = uv.copy()
    holed[:, 110 * RATE_HZ : 125 * RATE_HZ] = np.nan
    bad = uv.copy()
    bad[:12, 60 * RATE_HZ :] = 0.0
    parts = [(0.0, uv[:, :9000]), (100.0, uv[:, 9000:9100]), (130.0, uv[:, 9100:18000]), (300.0, uv[:, 18000:])]
    return {
        "plain": recording_of(uv, RATE_HZ),
        "holes": recording_of(holed, RATE_HZ),
        "unusable in part": recording_of(bad, RATE_HZ),
        "gaps": recording_of(parts, RATE_HZ),
        "short": recording_of(uv[:, : 45 * RATE_HZ], RATE_HZ),
        "very short": recording_of(noise(1.5, RATE_HZ), RATE_HZ),
        "odd rate": recording_of(with_bursts(noise(150.0, 130.3), 130.3, [(70.0, 90.0), (140.0, 150.0)]), 130.3),
    }


@pytest.mark.parametrize("name", _recordings())
@pytest.mark.parametrize("look_s", [None, 3.0])
def test_what_is_closed_is_what_detect_finds(name: str, look_s: float | None) -> None:
    recording = _recordings()[name]
    expected = loud_detector().detect(recording)
    detection, said = _streamed(recording, look_s=look_s)
    closed = [Event(m.onset_s, m.until_s, m.confidence, m.prolonged) for m in _events(said, "close")]
    assert tuple(closed) == expected.events == detection.events
    for field in ("duration_s", "analysed_s", "segments", "unscored", "electrodes", "warnings", "model", "sha256"):
        assert getattr(detection, field) == getattr(expected, field), field
    assert bool(closed) == (name != "very short")


@pytest.mark.parametrize("look_s", [None, 2.0])
def test_every_event_opens_once_grows_and_ends_once(look_s: float | None) -> None:
    parts = [(0.0, signal(200, [(20.0, 160.0), (190.0, 200.0)])), (300.0, signal(100, [(0.0, 30.0), (70.0, 75.0)]))]
    _, said = _streamed(recording_of(parts, RATE_HZ), look_s=look_s)
    lives: dict[str, list[EventMessage]] = {}
    for message in _events(said):
        lives.setdefault(message.id, []).append(message)
    for life in lives.values():
        kinds = [message.kind for message in life]
        assert kinds[0] == "open"
        assert kinds[-1] in {"close", "withdraw"}
        assert set(kinds[1:-1]) <= {"update"}
        assert all(a.at_s <= b.at_s for a, b in itertools.pairwise(life))
        assert all(a.until_s <= b.until_s or b.kind == "close" for a, b in itertools.pairwise(life))
        assert [message.provisional for message in life] == sorted((m.provisional for m in life), reverse=True)
    assert any("update" in [m.kind for m in life] for life in lives.values())


def test_it_says_first_who_it_is_and_no_event_is_later_than_it_said() -> None:
    detector = loud_detector()
    _, said = _streamed(recording_of(signal(400, [(20.0, 35.0), (100.0, 190.0), (250.0, 253.0)]), RATE_HZ), detector)
    started = said[0]
    assert isinstance(started, Started)
    assert (started.opens_within_s, started.closes_within_s) == (
        opens_within_s(detector.card, detector.decision),
        closes_within_s(detector.card, detector.decision),
    )
    opened = {message.id: message for message in _events(said, "open")}
    assert len(opened) == 3
    for close in _events(said, "close"):
        assert close.at_s - close.until_s <= started.closes_within_s
        assert opened[close.id].at_s - close.onset_s <= started.opens_within_s
        assert close.id.startswith(started.stream)
    long = opened[_events(said, "close")[1].id]
    assert long.at_s < 190.0  # before the seizure has ended


@pytest.mark.parametrize("average_s", [0.0, 12.0])
def test_a_look_near_the_present_opens_sooner_and_changes_nothing(average_s: float) -> None:
    detector = loud_detector().with_decision(quick(average_s=average_s, min_duration_s=4.0))
    recording = recording_of(signal(), RATE_HZ)
    plain, before = _streamed(recording, detector)
    looked, after = _streamed(recording, detector, look_s=2.0)
    assert looked.events == plain.events
    delays = [
        {e.onset_s: m.at_s - e.onset_s for m in _events(said, "open") for e in plain.events if near(m, e)}
        for said in (before, after)
    ]
    assert set(delays[0]) == set(delays[1]) == {event.onset_s for event in plain.events}
    assert max(delays[1].values()) < 4.0 + average_s + 4.0 < min(delays[0].values())
    assert all(message.provisional for message in _events(after, "open"))


def near(message: EventMessage, event: Event) -> bool:
    """Whether a message is about an event."""
    return message.onset_s < event.offset_s + 5.0 and event.onset_s < message.until_s + 5.0


def test_what_was_only_seen_is_withdrawn_once_it_is_settled() -> None:
    """A network that sees a seizure at the end of every window, and none once more of it is there."""
    detector = loud_detector()

    class Nervous(type(detector.runner)):  # type: ignore[misc]
        def _one(self, window: np.ndarray) -> np.ndarray:
            curve = np.zeros(window.shape[1], dtype=np.float32)
            curve[-2 * 256 :] = 1.0
            return curve

    nervous = Detector(Nervous(detector.card, batch_size=1), DecisionConfig(average_s=0.0, min_duration_s=1.5))
    recording = recording_of(noise(200.0, RATE_HZ), RATE_HZ)
    expected = nervous.detect(recording)
    detection, said = _streamed(recording, nervous, look_s=10.0)
    assert detection.events == expected.events
    withdrawn, closed = _events(said, "withdraw"), _events(said, "close")
    assert len(closed) == len(expected.events)
    assert len(withdrawn) > 5
    assert all(message.provisional for message in withdrawn)


class _Crowded(RecordingSource):
    """Says of some pieces that much waits behind them; a second passes with each."""

    now = 0.0

    def pieces(self, channels: Sequence[int]) -> Iterator[Piece]:
        for piece in super().pieces(channels):
            self.now += 1.0
            stop_s = piece.segment.stop_s
            yield replace(piece, backlog_s=stop_s if 50.0 < stop_s < 400.0 else 0.0)


def test_whole_windows_are_skipped_when_the_machine_is_behind() -> None:
    said: list[Message] = []
    recording = recording_of(signal(600, [(20.0, 35.0), (300.0, 330.0), (550.0, 570.0)]), RATE_HZ)
    config = StreamConfig(OPTIONS)
    source = _Crowded(recording, 1.0)
    detection = Stream(loud_detector(), source, config, Ears(said.append), Pace(100.0, lambda: source.now)).run()
    lags = [message for message in said if isinstance(message, Lag)]
    assert [lag.skipping for lag in lags] == [True, False]
    gone = [(m.start_s, m.stop_s) for m in said if isinstance(m, Unscored)]
    assert all(m.skipped for m in said if isinstance(m, Unscored))
    (start, stop), *others = detection.unscored
    assert others == []
    assert gone[0][0] == start
    assert gone[-1][1] == stop
    assert stop - start == sum(b - a for a, b in gone)
    assert 130.0 <= start <= 200.0 < 330.0 <= stop <= 400.0
    assert [round(event.onset_s, -1) for event in detection.events] == [20.0, 550.0]
    assert any("could not be scored" in warning for warning in detection.warnings)


def test_unscored_time_is_told_while_it_lasts() -> None:
    detection, said = _streamed(_recordings()["unusable in part"])
    gone = [m for m in said if isinstance(m, Unscored)]
    assert not any(m.skipped for m in gone)
    assert sum(m.stop_s - m.start_s for m in gone) == pytest.approx(sum(b - a for a, b in detection.unscored))
    assert len(gone) > 2


def test_nothing_to_score_is_refused_as_by_detect() -> None:
    uv = np.zeros((19, 70 * RATE_HZ))
    uv[:, :2] = 50.0
    with pytest.raises(InputError):
        _streamed(recording_of(uv, RATE_HZ))


class _Late(RecordingSource):
    """Hands its beginning out bit by bit."""

    over = False

    def open(self, at_least_s: float) -> Recording:
        """Return the first seconds."""
        whole = super().open(at_least_s)
        cut = whole.segments[0].n_samples(RATE_HZ) if at_least_s > 240.0 else int(at_least_s * RATE_HZ)
        uv = np.stack(whole.read(range(19), 0.0, cut / RATE_HZ).uv)
        self.over = at_least_s > 240.0
        return recording_of(uv, RATE_HZ)


def test_electrodes_that_are_put_on_later_are_waited_for() -> None:
    uv = signal()
    uv[:, : 100 * RATE_HZ] *= 0.0
    said: list[str] = []
    recording = recording_of(uv, RATE_HZ)
    stream = Stream(loud_detector(), _Late(recording, 1.0, near=True), StreamConfig(OPTIONS), Ears(note=said.append))
    try:
        expected: object = loud_detector().detect(recording).events
    except InputError as refused:
        expected = refused.kind
    try:
        found: object = stream.run().events
    except InputError as refused:
        found = refused.kind
    assert found == expected


def test_samples_are_not_kept() -> None:
    """What a look holds is bounded."""
    from brainscan.electrodes import ELECTRODES
    from brainscan.live.newest import Newest
    from brainscan.signal import montage

    detector = loud_detector()
    newest = Newest(detector.runner, montage.plan(ELECTRODES), [RATE_HZ] * 19, detector.decision, 3)  # type: ignore[list-item]
    piece = Samples(tuple(np.zeros((19, 130))), tuple(np.zeros((19, 130), dtype=np.bool_)))
    for _ in range(500):
        newest.push(piece)
    held = sum(len(samples.uv[0]) for samples in newest._held)
    assert 64 * RATE_HZ <= held <= 64 * RATE_HZ + 130
