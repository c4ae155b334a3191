"""Files that grow and feeds that flow, for the tests of streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.card import Card
from brainscan.detector import Detector
from brainscan.electrodes import ELECTRODES
from brainscan.live.feed import Chunk, FeedFacts
from tests.edf_files import FakeEdf, FakeSignal
from tests.stand_ins import LoudnessRunner, noise, quick, with_bursts

RATE_HZ = 100
BURSTS = ((20.0, 35.0), (80.0, 84.0), (100.0, 130.0), (171.0, 179.0))


def loud_detector() -> Detector:
    """Return a detector of loudness that takes a window at a time."""
    card = Card(name="loudness", variant={}, sha256="0" * 64, decision=quick())
    return Detector(LoudnessRunner(card, batch_size=1))  # type: ignore[arg-type]


def signal(duration_s: int = 240, spans: Sequence[tuple[float, float]] = BURSTS) -> NDArray[np.float64]:
    """Return 19 channels with bursts, µV."""
    return with_bursts(noise(duration_s, RATE_HZ), RATE_HZ, spans)


def edf_of(uv: NDArray[np.float64], onsets: Sequence[str] | None = None, **fields: object) -> FakeEdf:
    """Return an EDF of records of a second, 0.1 µV a step; with times of the records, an EDF+D."""
    digital = np.clip(np.round(uv * 10.0), -32768, 32767).astype(np.int64)
    signals = [FakeSignal(label, row, RATE_HZ) for label, row in zip(ELECTRODES, digital, strict=True)]
    n_records = uv.shape[1] // RATE_HZ
    return FakeEdf(
        signals,
        n_records,
        onsets=onsets,
        reserved="" if onsets is None else "EDF+D",
        fields={"n_records": -1, **fields},
    )


class Grower:
    """An `Event` to wait on that makes the file grow instead of waiting: one step each time.

    Parameters
    ----------
    steps : sequence of callable
        What happens, one after the other; then the event is set.
    """

    def __init__(self, steps: Sequence[Callable[[], object]]) -> None:
        self._steps = list(steps)
        self._event = threading.Event()
        self.now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        """Let time pass and the next thing happen."""
        self.now += timeout or 0.0
        if self._steps:
            self._steps.pop(0)()
        else:
            self._event.set()
        return self._event.is_set()

    def is_set(self) -> bool:
        """Whether all has happened."""
        return self._event.is_set()

    def clock(self) -> float:
        """Return the time that has passed in waiting."""
        return self.now


def append(path: Path, data: bytes) -> Callable[[], object]:
    """Return what appends bytes to a file."""

    def act() -> None:
        with path.open("ab") as stream:
            stream.write(data)

    return act


def say_count(path: Path, n_records: int) -> Callable[[], object]:
    """Return what writes the number of records into a header."""

    def act() -> None:
        with path.open("r+b") as stream:
            stream.seek(236)
            stream.write(str(n_records).encode().ljust(8))

    return act


class Scripted:
    """A feed that gives what it is told to, a step a pull."""

    def __init__(
        self, steps: Sequence[Sequence[Chunk]], unit: str = "uV", rate_hz: Fraction = Fraction(RATE_HZ)
    ) -> None:
        self.facts = FeedFacts("bed3", "test", None, ELECTRODES, (unit,) * len(ELECTRODES), rate_hz)
        self.why_over = ""
        self.backlog_s = 0.0
        self._steps = list(steps)

    def pull(self, wait_s: float) -> Sequence[Chunk]:
        """Return the next step."""
        if not self._steps:
            self.why_over = "all said"
            return ()
        return self._steps.pop(0)
