"""`Stream`: a source, the sessions of its segments, and what is said of events while they happen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from brainscan.decision.room import room_s
from brainscan.detection import Detection
from brainscan.errors import InputError
from brainscan.events import RATE_HZ, Event, complement, union
from brainscan.examine import DetectOptions, Findings, allowed_missing, nothing_scored, rates_of, with_notes
from brainscan.io.plan import open_plan
from brainscan.live.lives import Known, Lives
from brainscan.live.messages import EventMessage, Lag, Message, Started, Unscored
from brainscan.live.newest import Newest
from brainscan.live.pace import Pace
from brainscan.live.promises import closes_within_s, filter_delay_s, opens_within_s
from brainscan.live.source import Piece, Source, identity
from brainscan.recording import Recording, Segment
from brainscan.signal.montage import operator

if TYPE_CHECKING:
    from brainscan.detector import Detector
    from brainscan.session import Session
    from brainscan.signal.montage import ElectrodePlan

OPENING_S = 60.0
"""Units and electrodes are settled by so much of the beginning."""

_CHANGED = (
    "the finished recording shows other units or electrodes than its first minute did: `brainscan detect` may find"
    " other events"
)


def _unheard(_message: Message) -> None:
    return None


def _silent(_text: str) -> None:
    return None


def _none_known(_stream: str) -> Sequence[Known]:
    return ()


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """How a stream goes about it.

    Parameters
    ----------
    options : DetectOptions
    look_s : float or None
        Look at the newest minute each time so many seconds were recorded, and open what is seen there provisionally.
    known : callable
        ``identity -> events`` of which an earlier run of that stream has spoken.
    """

    options: DetectOptions
    look_s: float | None = None
    known: Callable[[str], Sequence[Known]] = field(default=_none_known)


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears of a stream's course.

    Parameters
    ----------
    message : callable
        Hears what is said of events and unscored time.
    note : callable
        Hears what was guessed or went wrong, for people.
    """

    message: Callable[[Message], None] = field(default=_unheard)
    note: Callable[[str], None] = field(default=_silent)


class Stream:
    """One recording while it grows.

    Parameters
    ----------
    detector : Detector
        Its runner takes a window at a time.
    source : Source
    config : StreamConfig
    ears : Ears
    pace : Pace
        When windows are skipped; by default never.
    """

    def __init__(
        self,
        detector: Detector,
        source: Source,
        config: StreamConfig,
        ears: Ears | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._detector = detector
        self._source = source
        self._config = config
        self._ears = ears or Ears()
        self._pace = pace or Pace(0.0)
        self._findings = Findings(detector.card, detector.decision, config.options)
        self._session: Session | None = None
        self._newest: Newest | None = None
        self._segment = Segment(0.0, 0.0)
        self._n_segments = 0
        self._next_look_s = 0.0
        self._told_s = 0.0  # up to which unscored time was told, on the recording's clock
        self._skipped: list[tuple[float, float]] = []

    def run(self) -> Detection:
        """Follow the source to its end.

        Returns
        -------
        Detection
            What `Detector.detect` says of the finished recording.

        Raises
        ------
        InputError
            If the source cannot be used, or nothing of it could be scored.
        """
        recording, plan = self._open()
        stream, detector = identity(recording), self._detector
        self._lives = Lives(stream, recording.start, self._config.known(stream))
        self._ears.message(
            Started(
                stream=stream,
                start=recording.start,
                opens_within_s=opens_within_s(detector.card, detector.decision),
                closes_within_s=closes_within_s(detector.card, detector.decision),
                looks_every_s=self._config.look_s,
                model=detector.card.name,
            )
        )
        for piece in self._source.pieces(plan.channels):
            self._take(piece, recording, plan)
        self._end_segment(last=True)
        return self._detection(recording, plan)

    def _open(self) -> tuple[Recording, ElectrodePlan]:
        """Open the source once its beginning says what its channels are."""
        at_least_s = OPENING_S
        while True:
            recording = self._source.open(at_least_s)
            try:
                return recording, self._plan(recording)
            except InputError as problem:
                # Electrodes may be put on later; labels do not change.
                if problem.kind != "calibration" or self._source.over:
                    raise
                self._ears.note(f"not yet: {problem.message}")
                at_least_s += OPENING_S

    def _plan(self, recording: Recording) -> ElectrodePlan:
        options, caps = self._config.options, self._detector.card.provenance.caps
        return open_plan(recording, options.channel_map, options.max_missing, caps)

    def _take(self, piece: Piece, recording: Recording, plan: ElectrodePlan) -> None:
        if piece.samples is None:
            return
        if self._session is None or piece.segment.start_s != self._segment.start_s:
            self._end_segment(last=False)
            self._begin_segment(piece.segment, recording, plan)
        session = self._session
        assert session is not None
        before_s, self._segment = self._segment.stop_s, piece.segment
        behind = self._pace.behind
        skip = self._pace.observe(piece.backlog_s)
        if skip != behind:
            self._ears.message(Lag(piece.backlog_s, skip))
        if skip:  # of windows that become complete, the oldest sample is so much older
            oldest_s = before_s - self._detector.card.window.duration_s - filter_delay_s(self._detector.card)
            self._skipped.append((oldest_s, piece.segment.stop_s))
        self._tell(session, session.push(piece.samples, skip=skip))
        self._look(piece, skip=skip)

    def _begin_segment(self, segment: Segment, recording: Recording, plan: ElectrodePlan) -> None:
        options, detector = self._config.options, self._detector
        self._session = detector.session(plan, recording, options, start_s=segment.start_s)
        if self._config.look_s:
            rates_hz = rates_of(recording, plan)
            self._newest = Newest(detector.runner, plan, rates_hz, detector.decision, allowed_missing(plan, options))
            self._next_look_s = segment.start_s + self._config.look_s
        self._segment = Segment(segment.start_s, 0.0)
        self._n_segments += 1
        self._told_s = segment.start_s

    def _end_segment(self, *, last: bool) -> None:
        """End the segment in progress; beside a gap it is left out where no event has room, as of a finished file."""
        session, self._session, segment = self._session, None, self._segment
        if session is None:
            return
        if segment.duration_s < room_s(self._detector.decision) and not (last and self._n_segments == 1):
            session.close()
            self._findings.leave_out(segment)
            return
        events = session.finish()
        if last:  # a sample at 256 Hz may reach beyond the last one recorded
            events = [replace(event, offset_s=min(event.offset_s, segment.stop_s)) for event in events]
        self._tell(session, events, ended=True)
        self._findings.add(session, segment)

    def _tell(self, session: Session, events: list[Event], *, ended: bool = False) -> None:
        """Say what became final, what goes on, and what was not scored."""
        at_s = self._segment.stop_s
        self._findings.events += events
        messages = self._lives.closed(events, at_s)
        if ended:
            messages += self._lives.goes_on(None, float("inf"), at_s)
        else:
            messages += self._lives.goes_on(session.ongoing, session.settled_s, at_s)
        self._say(messages)
        known_s = at_s if ended else min(session.stitched_s, at_s)
        for start_s, stop_s in complement(session.scored, self._told_s, known_s):
            if stop_s - start_s >= 1.0 / RATE_HZ:
                skipped = any(a < stop_s and start_s < b for a, b in self._skipped)
                self._ears.message(Unscored(start_s, stop_s, skipped))
        self._told_s = max(self._told_s, known_s)
        self._skipped = [span for span in union(self._skipped) if span[1] > self._told_s]

    def _look(self, piece: Piece, *, skip: bool) -> None:
        """Look at the newest minute where it is time to, and nothing waits that is newer."""
        newest, look_s = self._newest, self._config.look_s
        if newest is None or look_s is None or piece.samples is None:
            return
        newest.push(piece.samples)
        at_s = piece.segment.stop_s
        if at_s < self._next_look_s or skip or piece.backlog_s >= look_s:
            return
        start_s = piece.segment.start_s
        self._next_look_s = start_s + (math.floor((at_s - start_s) / look_s) + 1) * look_s
        self._say(self._lives.seen(newest.events(start_s, at_s), at_s))

    def _say(self, messages: list[EventMessage]) -> None:
        for message in messages:
            self._ears.message(message)

    def _detection(self, opened: Recording, plan: ElectrodePlan) -> Detection:
        """Return what was found, with the facts of the finished recording."""
        recording = self._source.finished()
        used, sha256, changed = plan, "", False
        if recording.sha256 is not None:
            sha256 = recording.sha256()
            try:
                plan = self._plan(recording)
                changed = not _alike(used, opened, plan, recording)
            except InputError:
                changed = True
        at_hand = recording.sha256 is not None
        detection = self._findings.detection(recording, used if changed else plan, sha256, at_hand=at_hand)
        if not detection.analysed_s:
            raise nothing_scored(detection)
        return with_notes(self._detector.noted(detection, recording), _CHANGED if changed else "")


def _alike(plan: ElectrodePlan, opened: Recording, later: ElectrodePlan, finished: Recording) -> bool:
    """Whether two plans take the same electrodes from the same channels in the same units."""

    def factors(recording: Recording) -> list[float | None]:
        return [recording.channels[channel].uv_per_unit for channel in plan.channels]

    if plan.channels != later.channels or factors(opened) != factors(finished):
        return False
    none: frozenset[int] = frozenset()
    return bool(np.array_equal(operator(plan, none).matrix, operator(later, none).matrix))
