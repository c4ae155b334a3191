"""A simulated recording: its plan at once, its truth and, page by page, its samples whenever they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES, INDEX, N_ELECTRODES
from brainscan.events import Annotation
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan.simulate.artifacts import artifact_piece
from brainscan.simulate.background import Age, Subject, draw_subject, tile
from brainscan.simulate.noise import Array
from brainscan.simulate.schedule import Planned, plan_artifacts, plan_seizures, plan_states, state_at
from brainscan.simulate.seizures import DECREMENT, Pattern, SeizurePiece, SeizureType, seizure_piece

PAGE_S = 8
"""Samples are made in pages of so many seconds; how many are asked for at once changes none of them."""

FADE_S = 2
"""The backgrounds of neighbouring pages cross-fade over so many seconds."""

MAX_SEIZURE_UV = 150.0

_SUBJECT, _STATES, _SEIZURES, _ARTIFACTS, _MAINS, _TILE, _SEIZURE, _ARTIFACT = range(8)
"""Streams of random numbers below a recording's seed."""


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """What to simulate.

    Parameters
    ----------
    duration_s : int
        Whole seconds.
    n_seizures : int
    seed : int
        Decides everything else. Training < 1,000,000 <= development < 2,000,000 <= calibration < 3,000,000
        <= test.
    rate_hz : int
        Samples per second, 100 to 4096. The truth is the same at every rate, but for electrodes at the limit.
    artifacts : float
        Factor on how often artifacts and benign patterns occur.
    generalised : float
        Share of generalised seizures, 0..1.
    snr : tuple of float
        Lowest and highest RMS of a seizure over that of the background, over the electrodes that take part
        (decremental seizures: less, by `DECREMENT`).
    age : {"any", "adult", "child"}
        Whose background it is.
    """

    duration_s: int
    n_seizures: int
    seed: int
    rate_hz: int = 256
    artifacts: float = 1.0
    generalised: float = 0.3
    snr: tuple[float, float] = (1.0, 6.0)
    age: Age = "any"

    def __post_init__(self) -> None:
        if self.duration_s < 1 or self.duration_s != int(self.duration_s):
            raise ValueError(f"duration must be whole seconds, at least one, got {self.duration_s}")
        if self.n_seizures < 0 or self.seed < 0:
            raise ValueError(f"number of seizures and seed must not be negative: {self.n_seizures}, {self.seed}")
        if not 100 <= self.rate_hz <= 4096:
            raise ValueError(f"rate must be within 100..4096 Hz, got {self.rate_hz}")
        if not self.artifacts >= 0.0 or not 0.0 <= self.generalised <= 1.0:
            raise ValueError(f"artifacts >= 0 and generalised within 0..1: {self.artifacts}, {self.generalised}")
        if not 0.0 < self.snr[0] <= self.snr[1]:
            raise ValueError(f"signal-to-background ratios must be positive and in order, got {self.snr}")


@dataclass(frozen=True, slots=True)
class SimulatedSeizure:
    """One seizure as it truly is.

    Parameters
    ----------
    onset_s, offset_s : float
        Seconds from the start, half-open.
    type : {"focal", "generalised"}
    pattern : str
        See `PATTERNS`.
    electrodes : tuple of bool
        Which of the 19 take part.
    snr : float
        RMS of the seizure over that of the background, over those electrodes.
    origin : tuple of float or None
        Unit vector to where a focal one begins, axes as in `brainscan.electrodes`.
    crosses : bool
        A focal one reaches the other hemisphere.
    """

    onset_s: float
    offset_s: float
    type: SeizureType
    pattern: Pattern
    electrodes: tuple[bool, ...]
    snr: float
    origin: tuple[float, float, float] | None = None
    crosses: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """A recording with known seizures.

    Parameters
    ----------
    config : SimulationConfig
    planned : tuple of Planned
        Its seizures, in order of onset.
    known : callable
        Returns what is true of them; their pieces, which take long, are made by the first call.
    page : callable
        ``number -> (19, n_samples)`` float32 µV of `PAGE_S` seconds (the last page may be shorter).
    """

    config: SimulationConfig
    planned: tuple[Planned, ...]
    known: Callable[[], tuple[SimulatedSeizure, ...]] = field(repr=False)
    page: Callable[[int], NDArray[np.float32]] = field(repr=False)

    @property
    def truth(self) -> tuple[SimulatedSeizure, ...]:
        """The seizures as they truly are, in order of onset."""
        return self.known()

    @property
    def n_samples(self) -> int:
        """Samples per electrode."""
        return self.config.duration_s * self.config.rate_hz

    def annotations(self) -> tuple[Annotation, ...]:
        """Return the truth as annotations labelled ``seiz``."""
        return tuple(Annotation(planned.onset_s, _offset_s(planned), "seiz") for planned in self.planned)

    def samples(self, first: int, last: int) -> NDArray[np.float32]:
        """Return samples ``[first, last)`` of all electrodes, shape (19, last - first), µV."""
        per_page = PAGE_S * self.config.rate_hz
        parts = [
            self.page(number)[:, max(first - number * per_page, 0) : last - number * per_page]
            for number in range(first // per_page, -(-last // per_page))
        ]
        return np.concatenate(parts, axis=1) if parts else np.zeros((N_ELECTRODES, 0), dtype=np.float32)

    def blocks(self, seconds: float) -> Iterator[NDArray[np.float32]]:
        """Yield the recording in blocks of (19, n) float32 µV, one after the other."""
        step = round(seconds * self.config.rate_hz)
        if step < 1:
            raise ValueError(f"a block needs at least one sample, got {seconds} s")
        for first in range(0, self.n_samples, step):
            yield self.samples(first, min(first + step, self.n_samples))

    def recording(self) -> Recording:
        """Return it as a recording that was never a file; samples are made when they are read."""

        def read(channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
            first, last = (segment.index(at_s, self.config.rate_hz) for at_s in (start_s, stop_s))
            uv = self.samples(first, max(first, last))
            return Samples(
                uv=tuple(uv[channel].astype(np.float64) for channel in channels),
                railed=tuple(np.zeros(uv.shape[1], dtype=np.bool_) for _ in channels),
            )

        return Recording(
            name=f"simulated-{self.config.seed}",
            format="array",
            start=datetime(2000, 1, 1),
            duration_s=float(self.config.duration_s),
            segments=(Segment(0.0, float(self.config.duration_s)),),
            channels=tuple(Channel(label, Fraction(self.config.rate_hz)) for label in ELECTRODES),
            reader=read,
        )


def simulate(config: SimulationConfig) -> Simulation:
    """Plan a recording; its truth and its samples are made when they are read.

    Parameters
    ----------
    config : SimulationConfig

    Returns
    -------
    Simulation
        The same for the same configuration, whatever the blocks in which it is read.

    Raises
    ------
    ValueError
        If the seizures have no room.

    Examples
    --------
    >>> simulation = simulate(SimulationConfig(duration_s=60, n_seizures=1, seed=3_000_000))
    >>> len(simulation.truth), next(simulation.blocks(10)).shape
    (1, (19, 2560))
    """
    subject = draw_subject(_stream(config, _SUBJECT), config.age)
    seizures = plan_seizures(_stream(config, _SEIZURES), config.duration_s, config.n_seizures, config.generalised)
    pages = _Pages(config, subject, seizures)
    return Simulation(config, seizures, cache(pages.truth), lru_cache(maxsize=4)(pages.page))


def _offset_s(planned: Planned) -> float:
    return round(planned.onset_s + planned.duration_s, 2)


def _stream(config: SimulationConfig, stream: int, number: int = 0) -> np.random.Generator:
    return np.random.default_rng((config.seed, stream, number))


class _Pages:
    """Makes pages from the plan; every piece comes from its own generator, so any page can be made first."""

    def __init__(self, config: SimulationConfig, subject: Subject, seizures: tuple[Planned, ...]) -> None:
        self._config = config
        self._subject = subject
        self._seizures = seizures
        self._states = plan_states(_stream(config, _STATES), config.duration_s)
        self._artifacts = plan_artifacts(
            _stream(config, _ARTIFACTS), config.duration_s, self._states, seizures, config.artifacts
        )
        self._artifact_onsets = np.array([a.onset_s for a in self._artifacts])
        self._longest_artifact_s = max((a.duration_s for a in self._artifacts), default=0.0)
        self._mains = _draw_mains(_stream(config, _MAINS), config)
        self._tile = lru_cache(maxsize=2)(self._make_tile)
        self._seizure = lru_cache(maxsize=2)(self._make_seizure)
        self._artifact = lru_cache(maxsize=32)(self._make_artifact)

    def truth(self) -> tuple[SimulatedSeizure, ...]:
        """Return the seizures of the plan with what their pieces turned out to be."""
        return tuple(self._true_seizure(planned) for planned in self._seizures)

    def page(self, number: int) -> NDArray[np.float32]:
        """Return a page, shape (19, n_samples), against linked ears."""
        rate_hz = self._config.rate_hz
        first = number * PAGE_S * rate_hz
        last = min(first + PAGE_S * rate_hz, self._config.duration_s * rate_hz)
        uv = self._tile(number)[:, FADE_S * rate_hz :].copy()
        uv[:, -FADE_S * rate_hz :] += self._tile(number + 1)[:, : FADE_S * rate_hz]
        uv = uv[:, : last - first]
        start_s, stop_s = first / rate_hz, last / rate_hz
        for planned in self._seizures:
            if planned.onset_s < stop_s and planned.stop_s > start_s:
                piece = self._seizure(planned)
                here, there = _overlap(round(planned.onset_s * rate_hz), piece.uv.shape[1], first, last)
                uv[:, here] = uv[:, here] * piece.background_gain[:, there] + piece.uv[:, there]
        begin = np.searchsorted(self._artifact_onsets, start_s - self._longest_artifact_s - 1.0)
        for planned in self._artifacts[begin : np.searchsorted(self._artifact_onsets, stop_s)]:
            if planned.stop_s > start_s:
                artifact = self._artifact(planned)
                here, there = _overlap(round(planned.onset_s * rate_hz), artifact.shape[1], first, last)
                uv[:, here] += artifact[:, there]
        uv += self._mains(np.arange(first, last))
        uv -= _ears(uv)
        return uv.astype(np.float32)

    def _make_tile(self, number: int) -> Array:
        """Return background from `FADE_S` before a page to its end, faded in and out at equal power."""
        rate_hz = self._config.rate_hz
        n_samples = (PAGE_S + FADE_S) * rate_hz
        state = state_at(self._states, (number + 0.5) * PAGE_S)
        uv = tile(_stream(self._config, _TILE, number), self._subject, state, n_samples, rate_hz)
        rise = np.sin(0.5 * np.pi * (np.arange(FADE_S * rate_hz) + 0.5) / (FADE_S * rate_hz))
        uv[:, : len(rise)] *= rise
        uv[:, -len(rise) :] *= rise[::-1]
        return uv

    def _make_seizure(self, planned: Planned) -> SeizurePiece:
        rng = _stream(self._config, _SEIZURE, planned.number)
        snr = np.exp(rng.uniform(*np.log(self._config.snr)))
        pattern: Pattern = planned.kind  # type: ignore[assignment]  # a plan names patterns and artifacts alike
        piece = seizure_piece(rng, planned.duration_s, self._config.rate_hz, pattern, planned.after_s)
        if pattern == "decremental":
            snr *= DECREMENT
        return piece.scaled(float(min(snr * self._subject.rms_uv(piece.electrodes), MAX_SEIZURE_UV)))

    def _true_seizure(self, planned: Planned) -> SimulatedSeizure:
        piece = self._seizure(planned)
        return SimulatedSeizure(
            onset_s=planned.onset_s,
            offset_s=_offset_s(planned),
            type=piece.type,
            pattern=piece.pattern,
            electrodes=tuple(bool(part) for part in piece.electrodes),
            snr=piece.rms_uv / self._subject.rms_uv(piece.electrodes),
            origin=piece.origin,
            crosses=piece.crosses,
        )

    def _make_artifact(self, planned: Planned) -> NDArray[np.float32]:
        rng = _stream(self._config, _ARTIFACT, planned.number)
        return artifact_piece(rng, planned.kind, planned.duration_s, self._config.rate_hz)


def _draw_mains(rng: np.random.Generator, config: SimulationConfig) -> Callable[[NDArray[np.int64]], Array]:
    """Return mains hum of a recording as a function of the sample numbers, shape (19, n_samples)."""
    mains_hz = 50.0 if rng.uniform() < 0.5 else 60.0
    uv = np.exp(rng.normal(np.log(0.3), 1.0)) * np.exp(rng.normal(0.0, 0.7, (N_ELECTRODES, 1)))
    swell_hz, swell_phase = rng.uniform(0.001, 0.02), rng.uniform(0.0, 2 * np.pi)
    if mains_hz > 0.45 * config.rate_hz:
        uv = np.zeros_like(uv)

    def hum(numbers: NDArray[np.int64]) -> Array:
        t = numbers / config.rate_hz
        swell = 1.0 + 0.5 * np.sin(2 * np.pi * swell_hz * t + swell_phase)
        course: Array = uv * (swell * np.sin(2 * np.pi * mains_hz * t))
        return course

    return hum


def _overlap(onset: int, n_samples: int, first: int, last: int) -> tuple[slice, slice]:
    """Return where a piece that begins at sample `onset` meets ``[first, last)``: in the page, in the piece."""
    begin, end = max(onset, first), min(onset + n_samples, last)
    end = max(begin, end)
    return slice(begin - first, end - first), slice(begin - onset, end - onset)


def _ears(uv: Array) -> Array:
    """Return what linked ears see: less of the temporal lobes above them, shape (n_samples,)."""
    below: Array = 0.35 * (uv[INDEX["T3"]] + uv[INDEX["T4"]])
    return below
