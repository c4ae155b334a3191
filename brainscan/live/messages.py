"""What a stream says while it goes on, and how a JSON line spells it (docs/live.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Kind = Literal["open", "update", "close", "withdraw"]

SCHEMA = "stream-1"
"""The schema in docs/schemas that every line keeps to, and what others are told."""


@dataclass(frozen=True, slots=True)
class EventMessage:
    """Something about one event.

    Parameters
    ----------
    kind : {"open", "update", "close", "withdraw"}
        A closed event is final; one that is withdrawn was provisional and did not hold.
    id : str
        The same for everything that is said about the event.
    onset_s : float
        On the recording's clock; final once the event is closed.
    until_s : float
        How far it reaches as yet; its offset once it is closed.
    confidence : float
    provisional : bool
        Seen near the present only: whether it will be reported is not certain yet.
    prolonged : bool
    at_s : float
        How much was recorded when this was said.
    clock : datetime or None
        Wall-clock time of the onset.
    """

    kind: Kind
    id: str
    onset_s: float
    until_s: float
    confidence: float
    provisional: bool
    at_s: float
    prolonged: bool = False
    clock: datetime | None = None

    def as_mapping(self) -> dict[str, Any]:
        """Return the JSON form; no field of it says whose recording it is."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "id": self.id,
            "onset_s": self.onset_s,
            "offset_s": self.until_s if self.kind == "close" else None,
            "confidence": self.confidence,
            "clock": None if self.clock is None else self.clock.isoformat(timespec="milliseconds"),
            "until_s": self.until_s,
            "provisional": self.provisional,
            "prolonged": self.prolonged,
            "at_s": self.at_s,
        }


@dataclass(frozen=True, slots=True)
class Started:
    """What is streamed, and within which time events are told.

    Parameters
    ----------
    stream : str
        Identity of the recording, with which the identifiers of its events begin.
    start : datetime or None
    opens_within_s, closes_within_s : float
        Seconds of recording behind an onset within which an event is opened for certain, and behind an offset
        within which it is closed.
    looks_every_s : float or None
        Seconds of recording from look to look at the newest minute; None where none is taken.
    model : str
    """

    stream: str
    start: datetime | None
    opens_within_s: float
    closes_within_s: float
    looks_every_s: float | None
    model: str

    def as_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": SCHEMA,
            "kind": "start",
            "stream": self.stream,
            "clock": None if self.start is None else self.start.isoformat(timespec="milliseconds"),
            "opens_within_s": self.opens_within_s,
            "closes_within_s": self.closes_within_s,
            "looks_every_s": self.looks_every_s,
            "model": self.model,
        }


@dataclass(frozen=True, slots=True)
class Unscored:
    """A span in which a seizure would not have been seen.

    Parameters
    ----------
    start_s, stop_s : float
    skipped : bool
        Because the machine could not keep up, not because of the recording.
    """

    start_s: float
    stop_s: float
    skipped: bool

    def as_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        why = "the machine could not keep up" if self.skipped else "too many electrodes could not be used"
        return {"schema": SCHEMA, "kind": "unscored", "start_s": self.start_s, "stop_s": self.stop_s, "reason": why}


@dataclass(frozen=True, slots=True)
class Lag:
    """The machine cannot keep up, or can again.

    Parameters
    ----------
    behind_s : float
        Seconds of recording that wait.
    skipping : bool
        Windows are skipped from now on, or no more.
    """

    behind_s: float
    skipping: bool

    def as_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"schema": SCHEMA, "kind": "lag", "behind_s": self.behind_s, "skipping": self.skipping}


Message = EventMessage | Started | Unscored | Lag
