"""The lives of events: what is certain, what was only seen, and which of both is the same event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from brainscan.decision.postprocess import Ongoing
from brainscan.events import Event
from brainscan.live.messages import EventMessage, Kind

NEAR_S = 5.0
"""An onset seen near the present moves by so much once its window is whole; further apart, two are not one event."""


@dataclass(slots=True)
class _Life:
    """An event that is open."""

    id: str
    onset_s: float
    until_s: float
    confidence: float
    certain: bool
    told: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """An event of which an earlier run of the same stream has spoken; `is_open`: and not said that it was over."""

    id: str
    onset_s: float
    until_s: float
    is_open: bool = False


class Lives:
    """State of the events that are open, and what is to be said of them.

    Parameters
    ----------
    stream : str
        Identifiers begin with it.
    start : datetime or None
        Of the recording.
    known : sequence of Known
        Whose identifiers are taken again where the same events come up.
    """

    def __init__(self, stream: str, start: datetime | None = None, known: Sequence[Known] = ()) -> None:
        self._stream = stream
        self._start = start
        self._known = [event for event in known if not event.is_open]
        # Whoever was told that it is open will be told how it ended, also where nothing comes of it any more.
        self._lives = [
            _Life(event.id, event.onset_s, event.until_s, 0.0, certain=False, told=False)
            for event in known
            if event.is_open
        ]
        self._closed_s = float("-inf")  # end of the last closed event
        self._used = {life.id for life in self._lives}

    def closed(self, events: Sequence[Event], at_s: float) -> list[EventMessage]:
        """Close events that are final; one that nobody had seen is opened first."""
        said = []
        for event in events:
            life = self._same(event.onset_s, event.offset_s)
            if life is None:
                life = self._begin(event.onset_s, event.offset_s, event.confidence, certain=True)
                said.append(self._message("open", life, at_s))
            self._lives.remove(life)
            life.onset_s, life.until_s, life.confidence = event.onset_s, event.offset_s, event.confidence
            life.certain = True
            if not life.told:
                said.append(self._message("open", life, at_s))
            self._closed_s = event.offset_s
            said.append(self._message("close", life, at_s, prolonged=event.prolonged))
        return said

    def goes_on(self, ongoing: Ongoing | None, settled_s: float, at_s: float) -> list[EventMessage]:
        """Open or lengthen what is certain, and withdraw what was only seen where it is settled that nothing was."""
        said = []
        if ongoing is not None:
            life = self._same(ongoing.onset_s, ongoing.until_s)
            if life is None:
                life = self._begin(ongoing.onset_s, ongoing.until_s, ongoing.confidence, certain=True)
                said.append(self._message("open", life, at_s))
            elif not life.certain or ongoing.until_s > life.until_s or ongoing.onset_s != life.onset_s:
                life.onset_s, life.confidence, life.certain = ongoing.onset_s, ongoing.confidence, True
                life.until_s = max(life.until_s, ongoing.until_s)
                said.append(self._message("update" if life.told else "open", life, at_s))
        for life in [life for life in self._lives if not life.certain and life.until_s + NEAR_S < settled_s]:
            self._lives.remove(life)
            said.append(self._message("withdraw", life, at_s))
        return said

    def seen(self, events: Sequence[Event], at_s: float) -> list[EventMessage]:
        """Open or lengthen what a look near the present shows."""
        said = []
        for event in events:
            life = self._same(event.onset_s, event.offset_s)
            if life is None:
                if event.onset_s < self._closed_s + NEAR_S:
                    continue  # its end was decided
                life = self._begin(event.onset_s, event.offset_s, event.confidence, certain=False)
                said.append(self._message("open", life, at_s))
            elif event.offset_s > life.until_s:
                life.until_s = event.offset_s
                if not life.certain:
                    life.confidence = event.confidence
                said.append(self._message("update", life, at_s))
        return said

    def _same(self, onset_s: float, until_s: float) -> _Life | None:
        """Return the open event that a span belongs to, a certain one rather than one that was seen."""
        near = [a for a in self._lives if a.onset_s < until_s + NEAR_S and onset_s < a.until_s + NEAR_S]
        return min(near, key=lambda life: (not life.certain, life.onset_s), default=None)

    def _begin(self, onset_s: float, until_s: float, confidence: float, *, certain: bool) -> _Life:
        life = _Life(self._identifier(onset_s, until_s), onset_s, until_s, confidence, certain)
        self._lives.append(life)
        return life

    def _identifier(self, onset_s: float, until_s: float) -> str:
        for known in self._known:
            if known.onset_s < until_s + NEAR_S and onset_s < known.until_s + NEAR_S:
                self._known.remove(known)
                self._used.add(known.id)
                return known.id
        name = f"{self._stream}-{onset_s:010.3f}"
        number = 2
        while name in self._used:
            name = f"{self._stream}-{onset_s:010.3f}-{number}"
            number += 1
        self._used.add(name)
        return name

    def _message(self, kind: Kind, life: _Life, at_s: float, *, prolonged: bool = False) -> EventMessage:
        life.told = True
        clock = None if self._start is None else self._start + timedelta(seconds=life.onset_s)
        return EventMessage(
            kind=kind,
            id=life.id,
            onset_s=life.onset_s,
            until_s=life.until_s,
            confidence=life.confidence,
            provisional=not life.certain,
            prolonged=prolonged,
            at_s=at_s,
            clock=clock,
        )
