"""Which messages others are told of, and by whom they are brought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from brainscan.live.courier import Courier, Send
from brainscan.live.lives import Known
from brainscan.live.messages import EventMessage, Message
from brainscan.live.outbox import Outbox, place_of

TOLD = frozenset({"open", "close", "withdraw"})
"""Kinds of messages that leave the stream."""

LAST_S = 10.0
"""At the end so long is waited for what was not delivered yet."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is told.

    Parameters
    ----------
    target : str
        What tells it from others.
    shown : str
        For people.
    send : callable
    """

    target: str
    shown: str
    send: Send


class Dispatch:
    """Tells receivers of events: each once, also across restarts.

    Parameters
    ----------
    receivers : sequence of Receiver
    folder : Path
        Where outboxes lie.
    label : str
        Stands in every document; empty for none.
    note : callable
        Hears of what cannot be delivered.
    """

    def __init__(self, receivers: Sequence[Receiver], folder: Path, label: str, note: Callable[[str], None]) -> None:
        self._receivers = tuple(receivers)
        self._folder = folder
        self._label = label
        self._note = note
        self._stream = ""
        self._ways: list[tuple[Receiver, Outbox, Courier]] = []

    def begin(self, stream: str) -> tuple[Known, ...]:
        """Open the outboxes of a stream, send what waits in them, and return the events that they know.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        self._stream = stream
        known: dict[str, Known] = {}
        for receiver in self._receivers:
            outbox = Outbox(place_of(self._folder, stream, receiver.target))
            known.update((event.id, event) for event in outbox.known)
            self._ways.append((receiver, outbox, Courier(outbox, receiver.send, self._note)))
        return tuple(sorted(known.values(), key=lambda event: event.onset_s))

    def message(self, message: Message) -> None:
        """Pass a message on, if it is one of those that others are told of.

        Raises
        ------
        OutputError
            If an outbox cannot be written.
        """
        if not isinstance(message, EventMessage) or message.kind not in TOLD:
            return
        document = {**message.as_mapping(), "stream": self._stream}
        if self._label:
            document["label"] = self._label
        for _, outbox, courier in self._ways:
            if outbox.put(f"{message.id}:{message.kind}", document):
                courier.wake()

    def end(self) -> None:
        """Deliver what can be delivered soon, and say what waits."""
        for receiver, outbox, courier in self._ways:
            n_left = courier.close(LAST_S)
            if n_left:
                kept = f"kept in {outbox.path.name}: the same command sends them"
                self._note(f"{n_left} not delivered to {receiver.shown}, {kept}")
