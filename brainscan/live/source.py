"""What a stream reads from: whatever hands on samples in the order of time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from brainscan.recording import Recording, Samples, Segment

STEP_S = 2.0
"""The most that a growing source hands on at once, seconds: what is decided is told before more is read."""

_WHOLE_STEP_S = 60.0
_TELLING_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What a source hands on.

    Parameters
    ----------
    segment : Segment
        The gap-free part that it belongs to, up to the end of this piece; another start than before means a gap.
    samples : Samples or None
        Of the channels that were asked for; None where time passed and nothing came.
    backlog_s : float
        Seconds of recording that wait behind it.
    """

    segment: Segment
    samples: Samples | None
    backlog_s: float = 0.0


class Source(Protocol):
    """A recording that may still grow."""

    @property
    def over(self) -> bool:
        """Whether nothing will come beyond what is there."""
        ...

    def open(self, at_least_s: float) -> Recording:
        """Wait for so many seconds, or the end, and return what is known by then; samples of those seconds included.

        Raises
        ------
        InputError
            If it cannot be used.
        """
        ...

    def pieces(self, channels: Sequence[int]) -> Iterator[Piece]:
        """Yield everything from the first sample on, until the end."""
        ...

    def finished(self) -> Recording:
        """Return the facts of all that was handed on, once `pieces` has ended."""
        ...


class RecordingSource:
    """A recording that does not grow, handed on as fast as it is taken.

    Parameters
    ----------
    recording : Recording
    step_s : float
        Length of a piece, seconds.
    near : bool
        Say that nothing waits behind a piece, as if it had been recorded this moment.
    """

    over = True

    def __init__(self, recording: Recording, step_s: float = _WHOLE_STEP_S, *, near: bool = False) -> None:
        self._recording = recording
        self._step_s = step_s
        self._near = near

    def open(self, at_least_s: float) -> Recording:
        """Return the recording."""
        return self._recording

    def pieces(self, channels: Sequence[int]) -> Iterator[Piece]:
        """Yield its segments one after the other."""
        for home in self._recording.segments:
            n_steps = max(1, -int(-home.duration_s // self._step_s))
            for number in range(n_steps):
                at_s = home.start_s + number * self._step_s
                stop_s = home.stop_s if number == n_steps - 1 else at_s + self._step_s
                samples = self._recording.read(channels, at_s, stop_s, home)
                left_s = 0.0 if self._near else self._recording.duration_s - stop_s
                yield Piece(Segment(home.start_s, stop_s - home.start_s), samples, left_s)

    def finished(self) -> Recording:
        """Return the recording."""
        return self._recording


def identity(recording: Recording) -> str:
    """Return what tells a recording from others, today and after a restart: the beginning of a hash.

    Of its name, start, labels, rates and first seconds, since names and dates may be the same every night. Nothing
    of it can be read back, and no field about the patient is part of it.
    """
    facts = (
        recording.name,
        "" if recording.start is None else recording.start.isoformat(),
        *(f"{channel.label} {channel.rate_hz}" for channel in recording.channels),
    )
    digest = hashlib.sha256("\n".join(facts).encode("utf-8", "surrogateescape"))
    first = recording.segments[0]
    stop_s = first.start_s + min(first.duration_s, _TELLING_S)
    for uv in recording.read(range(len(recording.channels)), first.start_s, stop_s, first).uv:
        digest.update(uv.astype("<f4").tobytes())
    return digest.hexdigest()[:12]
