"""What a stream says, as lines on stdout: JSON, or for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from brainscan.cli import console
from brainscan.documents import spelled

if TYPE_CHECKING:
    from brainscan.analysis.outcome import Outcome
    from brainscan.live.messages import Message


class Display:
    """Lines on stdout: JSON, or for people."""

    def __init__(self, *, as_json: bool, to_stderr: bool, quiet: bool) -> None:
        self._as_json = as_json
        self._to_stderr = to_stderr
        self._quiet = quiet
        self._has_clock = True

    def message(self, message: Message) -> None:
        """Print one message."""
        from brainscan.live.messages import Started
        from brainscan.recording import is_filler

        if self._as_json:
            self._print(spelled(message.as_mapping()))
            return
        if isinstance(message, Started):
            self._has_clock = not is_filler(message.start)
        if not self._quiet:
            self._print(_line(message, has_clock=self._has_clock))

    def end(self, outcome: Outcome) -> None:
        """Print what became of it."""
        for text in outcome.warnings:
            console.warning(f"{outcome.file}: {text}")
        detection = outcome.detection
        assert detection is not None
        if self._as_json:
            from brainscan.io.detection_json import as_mapping
            from brainscan.live.messages import SCHEMA

            outputs = [str(path) for path in outcome.outputs]
            told = {**as_mapping(detection), "warnings": list(outcome.warnings), "outputs": outputs}
            self._print(spelled({**told, "schema": SCHEMA, "kind": "end"}))
        elif not self._quiet:
            n_events = console.count(len(detection.events), "event")
            self._print(f"{outcome.file}: {n_events} in {detection.analysed_s:.1f} s analysed")
            if outcome.outputs:
                self._print(f"written: {', '.join(map(str, outcome.outputs))}")

    def _print(self, line: str) -> None:
        place = sys.stderr if self._to_stderr else sys.stdout
        place.write(line + "\n")
        place.flush()


def _line(message: Message, *, has_clock: bool) -> str:
    """Return a message for people, with the time of day where the recording tells one."""
    from brainscan.live.messages import EventMessage, Lag, Started, Unscored

    match message:
        case EventMessage():
            clock = f" ({console.clock_time(message.clock)})" if message.clock is not None and has_clock else ""
            lasting = f"{message.until_s - message.onset_s:.1f} s"
            what = {"open": "seizure?" if message.provisional else "seizure", "update": "goes on", "close": "ended"}
            said = what.get(message.kind, "withdrawn")
            return (
                f"{console.elapsed(message.at_s)}  {said:9s}  onset {console.elapsed(message.onset_s)}{clock}"
                f"  {lasting}  confidence {message.confidence:.2f}  {message.id}"
            )
        case Unscored():
            why = ", the machine could not keep up" if message.skipped else ""
            return f"not scored: {console.elapsed(message.start_s)} to {console.elapsed(message.stop_s)}{why}"
        case Lag():
            return f"{message.behind_s:.0f} s behind: " + (
                "windows are skipped" if message.skipping else "windows are scored again"
            )
        case Started():
            return (
                f"stream {message.stream}, model {message.model}: an event opens within {message.opens_within_s:.0f} s"
                f" of its onset, closes within {message.closes_within_s:.0f} s of its end (seconds of recording)"
            )
