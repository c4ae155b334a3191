"""What became of one recording, whoever asked for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from brainscan.burden import Burden, burden_of
from brainscan.detection import Detection, RecordingQuality
from brainscan.errors import BrainscanError, InputError
from brainscan.events import Event
from brainscan.io.annotations import losses
from brainscan.io.csv_bi import read_csv_bi

Status = Literal["done", "skipped", "failed", "unread"]
Quality = Literal[RecordingQuality, "unknown"]
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")  # what `csv_bi` makes of other than ASCII


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[0][2:], 16))


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What is told of an event beside its times and confidence, as texts: the same fresh and read back.

    Parameters
    ----------
    clock : str
        Date and time of its onset; empty where the recording tells none.
    side : str
        Empty where nobody looked.
    leading : tuple of str
        Electrodes that lead at the onset, the strongest first.
    """

    clock: str = ""
    side: str = ""
    leading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one recording.

    Parameters
    ----------
    file : str
        As it is shown: its name, or its path in an archive; hashed where names shall be anonymous.
    status : {"done", "skipped", "failed", "unread"}
        Skipped: its outputs were there, made from the same bytes with the same model and settings. Unread: of a
        kind that we know and do not read.
    outputs : tuple of Path
        Where its results are, in the order that they were asked for.
    duration_s, analysed_s : float
    events : tuple of Event
    event_facts : tuple of EventFacts
        One an event.
    unscored : tuple of (float, float)
    warnings : tuple of str
        Of an unread one, what it is.
    detection : Detection or None
        Of a fresh one; without its probability curves, which may be long, unless the task keeps them.
    error : BrainscanError or None
        Of a failure, and what to do with an unread one.
    quality : {"good", "mixed", "poor", "unknown"}
        `Detection.quality`. Unknown: nothing was analysed, or a version made the result that did not write it down.
    """

    file: str
    status: Status
    outputs: tuple[Path, ...] = ()
    duration_s: float = 0.0
    analysed_s: float = 0.0
    events: tuple[Event, ...] = ()
    unscored: tuple[tuple[float, float], ...] = ()
    warnings: tuple[str, ...] = ()
    detection: Detection | None = None
    error: BrainscanError | None = None
    event_facts: tuple[EventFacts, ...] = ()
    quality: Quality = "unknown"

    @classmethod
    def done(cls, file: str, outputs: tuple[Path, ...], detection: Detection, warnings: tuple[str, ...]) -> Outcome:
        """Return the outcome of a fresh detection, with the warnings of writing it."""
        return cls(
            file=file,
            status="done",
            outputs=outputs,
            duration_s=detection.duration_s,
            analysed_s=detection.analysed_s,
            events=detection.events,
            unscored=detection.unscored,
            warnings=(*detection.warnings, *warnings),
            detection=detection,
            event_facts=tuple(_facts_of(event, detection) for event in detection.events),
            quality=detection.quality,
        )

    @classmethod
    def skipped(cls, file: str, outputs: tuple[Path, ...], formats: Sequence[str] = ()) -> Outcome:
        """Read the outcome of an earlier run back from its first output, a CSV_bi.

        Parameters
        ----------
        file : str
        outputs : tuple of Path
        formats : sequence of str
            Names of the outputs' formats; what they leave out is told again.

        Raises
        ------
        InputError
            If the file is not what an earlier run wrote.
        """
        held = read_csv_bi(outputs[0])
        analysed_s, unscored, warnings = 0.0, [], []
        quality: Quality = "unknown"
        facts: dict[str, EventFacts] = {}  # by onset, as it is written
        try:
            for line in held.comments:
                word, _, rest = line.partition(" ")
                if word == "analysed":
                    analysed_s = float(rest.removesuffix(" s"))
                elif word == "quality":
                    quality = _quality(rest)
                elif word == "unscored":
                    start, stop = rest.split()
                    unscored.append((float(start), float(stop)))
                elif word == "warning":
                    warnings.append(_ESCAPE.sub(_character, rest))
                elif word in {"event", "place"}:
                    onset, *told = rest.split()
                    before = facts.get(onset, EventFacts())
                    facts[onset] = (
                        replace(before, clock=told[1])
                        if word == "event"
                        else replace(before, side=told[0], leading=tuple(told[1:]))
                    )
            events = [Event(a.onset_s, a.offset_s, a.confidence) for a in held.annotations if a.label == "seiz"]
        except (ValueError, IndexError) as problem:
            raise InputError(f"is damaged ({problem})", kind="corrupt", file=outputs[0].name) from None
        return cls(
            file=file,
            status="skipped",
            outputs=outputs,
            duration_s=held.duration_s or 0.0,
            analysed_s=analysed_s,
            events=tuple(events),
            unscored=tuple(unscored),
            warnings=(*warnings, *(text for name in formats for text in losses(held, name))),
            event_facts=tuple(facts.get(f"{event.onset_s:.4f}", EventFacts()) for event in events),
            quality=quality,
        )

    @property
    def burden(self) -> Burden:
        """How much seizure there was, by elapsed hours (an earlier run's file does not tell the clock)."""
        return burden_of(self.events, self.unscored, self.duration_s)

    def as_mapping(self, folder: Path) -> dict[str, Any]:
        """Return the fixed keys of a result, with status and output (relative to a folder) beside them."""
        return {
            "file": self.file,
            "status": self.status,
            "output": self.output_in(folder),
            "duration_s": self.duration_s,
            "analysed_s": self.analysed_s,
            "events": [{"onset_s": e.onset_s, "offset_s": e.offset_s, "confidence": e.confidence} for e in self.events],
            "unscored": [list(span) for span in self.unscored],
            "warnings": list(self.warnings),
        }

    def output_in(self, folder: Path) -> str:
        """Return the first output relative to a folder; empty if there is none."""
        return self.outputs[0].relative_to(folder).as_posix() if self.outputs else ""


def _quality(word: str) -> RecordingQuality:
    known: tuple[RecordingQuality, ...] = get_args(RecordingQuality)
    for quality in known:
        if word == quality:
            return quality
    raise ValueError(f"quality {word!r}")


def _facts_of(event: Event, detection: Detection) -> EventFacts:
    clock = detection.clock(event.onset_s)
    said = "" if clock is None else clock.isoformat(timespec="milliseconds")
    return EventFacts(said, "" if event.place is None else event.side, event.leading)
