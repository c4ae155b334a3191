"""Windows composed of chunks, because clips are short and begin at the onset.

Background, clip, background, at random positions with cross-faded joins; windows without a seizure get the same
joins and the same padding, so that neither tells the label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import N_ELECTRODES
from brainscan.events import RATE_HZ, runs
from brainscan.simulate.artifacts import ARTIFACTS
from brainscan_training import augment
from brainscan_training.augment import AugmentConfig
from brainscan_training.cache import Cached
from brainscan_training.chunks import (
    ALL_KINDS,
    INTENSIVE_CARE,
    Chunk,
    join,
    stretched,
    with_artifact,
    with_ongoing,
    with_simulated,
)

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ComposeConfig:
    """How windows are put together.

    Parameters
    ----------
    window_s : int
        Length, seconds.
    seizure_share : float
        Share of windows that hold a seizure.
    chunk_s : tuple of (float, float)
        Shortest and longest chunk, seconds.
    join_s : tuple of (float, float)
        Shortest and longest cross-fade, seconds.
    padded : float
        Share of windows that end early and are filled by reflection, as `detect` fills short recordings.
    padded_from_s : int
        The shortest of them.
    simulated, transplanted : float
        Share of seizure chunks that are a simulated seizure in a real background, or a real one added to
        somebody else's background.
    patterns : tuple of (str, float)
        Relative weight of each pattern of the simulated seizures; empty: as `simulate` draws them.
    postictal : float
        Share of the simulated seizures that post-ictal slowing and suppression follow.
    intensive : float
        Share of the simulated seizures that are intensive care's: slow and evolving, or of spikes, over a slow
        background with or without periodic discharges, half of them in their midst throughout the chunk.
    short : float
        Share of the seizure chunks of 5 to 12 s, real ones cut out of longer seizures.
    slowed : float
        Share of background chunks made as slow as in intensive care, half of them with periodic discharges,
        triphasic waves or rhythmic delta.
    artifacts : float
        Share of the other background chunks with a simulated artifact or benign rhythm.
    more_artifacts : bool
        Draw those kinds, too, that simulated recordings do not have.
    sources : tuple of (str, float)
        Relative weight of each source, for seizures and background alike; sources that are not named share `other`.
    other : float
    sham : bool
        Put calm EEG of the same subject in the place of real seizures, labels as they were. A training that still
        tells them apart has learned joins, padding or sources: a check, no recipe (`simulated` must be 0 for it).
    """

    window_s: int = 60
    seizure_share: float = 0.67
    chunk_s: tuple[float, float] = (5.0, 40.0)
    join_s: tuple[float, float] = (0.1, 0.5)
    padded: float = 0.25
    padded_from_s: int = 8
    simulated: float = 0.2
    transplanted: float = 0.2
    patterns: tuple[tuple[str, float], ...] = ()
    postictal: float = 0.0
    intensive: float = 0.0
    short: float = 0.0
    slowed: float = 0.0
    artifacts: float = 0.1
    more_artifacts: bool = False
    sources: tuple[tuple[str, float], ...] = (
        ("chbmit", 0.30),
        ("adhd_children", 0.19),
        ("mumtaz_mdd", 0.14),
        ("eegmmidb", 0.10),
        ("epoc_epilepsy", 0.10),
        ("eegmat", 0.09),
    )
    other: float = 0.08
    sham: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """One training window.

    Parameters
    ----------
    uv : array of float32, shape (19, n_samples)
    ictal : array of float32, shape (n_seconds,)
        1 in ictal seconds.
    weight : array of float32, shape (n_seconds,)
        0 where the label is not sure or the second is padding.
    electrodes : array of float32, shape (19,)
        1 for electrodes that take part in the window's simulated seizure; NaN where nobody knows.
    origins : tuple of str
        Recordings that it was put together from, with the second, for reports.
    """

    uv: FloatArray
    ictal: FloatArray
    weight: FloatArray
    electrodes: FloatArray
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HardSpan:
    """A stretch of background that the network took for a seizure.

    Parameters
    ----------
    name : str
        The recording's.
    start_s, stop_s : float
    """

    name: str
    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class HardSpans:
    """Hard background, and the share of background chunks that are drawn from it."""

    spans: tuple[HardSpan, ...] = ()
    share: float = 0.0


NOTHING_HARD = HardSpans()

_SHORT_S = (5, 12)
_INTENSIVE_PATTERNS = ("slow_evolving", "spike_rhythm", "rhythmic")


class Composer:
    """Draws training windows from cached recordings.

    Parameters
    ----------
    recordings : sequence of Cached
        Of the training split.
    config : ComposeConfig
    changes : AugmentConfig
    """

    def __init__(self, recordings: Sequence[Cached], config: ComposeConfig, changes: AugmentConfig) -> None:
        self._config = config
        self._changes = changes
        self._labels = {r.item.name: r.labels() for r in recordings}
        self._by_name = {r.item.name: r for r in recordings}
        self._seizures: dict[str, dict[str, list[Cached]]] = defaultdict(lambda: defaultdict(list))
        self._backgrounds: dict[str, dict[str, list[Cached]]] = defaultdict(lambda: defaultdict(list))
        for recording in recordings:
            ictal, sure = self._labels[recording.item.name]
            if (ictal & sure).any():
                self._seizures[recording.item.source][recording.item.subject].append(recording)
            if (~ictal & sure).sum() >= 2:
                self._backgrounds[recording.item.source][recording.item.subject].append(recording)
        if not self._seizures:
            raise ValueError("no ictal second in the training recordings: check that annotations were found")
        if not self._backgrounds:
            raise ValueError("no background second in the training recordings")
        self._source_names = sorted(self._backgrounds)
        self._source_share = self._shares(self._source_names)
        self._seizure_names = sorted(self._seizures)
        self._seizure_share = self._shares(self._seizure_names)

    def _shares(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return how often each source is drawn; those without a weight share that of the others."""
        weights = dict(self._config.sources)
        others = [name for name in names if name not in weights]
        share = [weights.get(name, self._config.other / max(len(others), 1)) for name in names]
        return np.array(share) / sum(share)

    def draw(self, rng: np.random.Generator, hard: HardSpans = NOTHING_HARD) -> Composed:
        """Draw one window; some of its background from hard spans where there are any."""
        config = self._config
        n_seconds = config.window_s
        valid = n_seconds
        if rng.random() < config.padded:
            valid = int(np.exp(rng.uniform(np.log(config.padded_from_s), np.log(n_seconds))))
        chunks = self._chunks(rng, valid, hard)
        joined = join(chunks, valid, rng, config.join_s)
        uv = augment.window(joined.uv, rng, self._changes)
        missing = n_seconds - valid
        if missing:
            uv = np.pad(uv, ((0, 0), (0, missing * RATE_HZ)), mode="reflect")
        electrodes = np.full(N_ELECTRODES, np.nan, dtype=np.float32)
        if joined.electrodes is not None:
            electrodes = joined.electrodes.astype(np.float32)
        pad = (0, missing)
        return Composed(
            uv=uv,
            ictal=np.pad(joined.ictal, pad).astype(np.float32),
            weight=np.pad(joined.sure, pad).astype(np.float32),
            electrodes=electrodes,
            origins=joined.origins,
        )

    def _chunks(self, rng: np.random.Generator, n_seconds: int, hard: HardSpans) -> list[Chunk]:
        """Draw chunks that fill a window; where it shall hold a seizure, at least one does."""
        low, high = self._config.chunk_s
        lengths: list[int] = []
        while sum(lengths) < n_seconds:
            lengths.append(min(int(rng.uniform(low, high)), n_seconds))
        kinds = np.zeros(len(lengths), dtype=bool)
        if rng.random() < self._config.seizure_share:
            kinds = rng.random(len(lengths)) < 0.4
            kinds[rng.integers(len(kinds))] = True
        chunks = [
            self._seizure(rng, n) if kind else self._background(rng, n, hard)
            for n, kind in self._shortened(rng, lengths, kinds.tolist())
        ]
        return [self._changed(chunk, rng) for chunk in chunks]

    def _shortened(self, rng: np.random.Generator, lengths: list[int], kinds: list[bool]) -> Iterator[tuple[int, bool]]:
        """Yield length and kind of each chunk, some seizures cut short and background in the rest of their place."""
        low, high = _SHORT_S
        for n, ictal in zip(lengths, kinds, strict=True):
            if not (ictal and self._config.short and n > high + low and rng.random() < self._config.short):
                yield n, ictal
                continue
            short = int(rng.integers(low, high + 1))
            parts = [(short, True), (n - short, False)]
            yield from parts if rng.random() < 0.5 else parts[::-1]

    def _changed(self, chunk: Chunk, rng: np.random.Generator) -> Chunk:
        if self._changes.stretch and rng.random() < self._changes.stretch:
            chunk = stretched(chunk, rng.uniform(6.0 / 7.0, 7.0 / 6.0))
        return replace(chunk, uv=augment.chunk(chunk.uv, rng, self._changes))

    def _background(self, rng: np.random.Generator, n_seconds: int, hard: HardSpans = NOTHING_HARD) -> Chunk:
        if hard.spans and rng.random() < hard.share:
            return self._hard(hard.spans[int(rng.integers(len(hard.spans)))], n_seconds, rng)
        source = self._source_names[rng.choice(len(self._source_names), p=self._source_share)]
        subjects = self._backgrounds[source]
        subject = sorted(subjects)[rng.integers(len(subjects))]
        chunk = self._cut(_any(subjects[subject], rng), n_seconds, rng, ictal=False)
        if self._config.slowed and rng.random() < self._config.slowed:
            return _slowed(chunk, rng)
        if rng.random() < self._config.artifacts:
            return with_artifact(chunk, rng, ALL_KINDS if self._config.more_artifacts else tuple(ARTIFACTS))
        return chunk

    def _hard(self, span: HardSpan, n_seconds: int, rng: np.random.Generator) -> Chunk:
        recording = self._by_name[span.name]
        total = recording.n_seconds
        n = min(n_seconds, total)
        centre = rng.uniform(span.start_s, span.stop_s)
        return self._piece(recording, int(np.clip(centre - rng.integers(n), 0, total - n)), n)

    def _seizure(self, rng: np.random.Generator, n_seconds: int) -> Chunk:
        which = rng.random()
        if which < self._config.simulated * self._config.intensive:
            pattern = _INTENSIVE_PATTERNS[rng.choice(len(_INTENSIVE_PATTERNS), p=(0.6, 0.25, 0.15))]
            chunk = _slowed(self._background(rng, n_seconds), rng)
            if rng.random() < 0.5:
                return with_ongoing(chunk, rng, pattern)
            return with_simulated(chunk, rng, pattern, self._config.postictal)
        if which < self._config.simulated:
            return with_simulated(self._background(rng, n_seconds), rng, self._pattern(rng), self._config.postictal)
        names = self._seizure_names
        source = names[0] if len(names) == 1 else names[rng.choice(len(names), p=self._seizure_share)]
        subjects = self._seizures[source]
        subject = sorted(subjects)[rng.integers(len(subjects))]
        chunk = self._cut(_any(subjects[subject], rng), n_seconds, rng, ictal=True)
        if which < self._config.simulated + self._config.transplanted:
            other = self._background(rng, len(chunk.ictal))
            return _laid_over(chunk, other, rng)
        return chunk

    def _pattern(self, rng: np.random.Generator) -> str | None:
        """Draw a simulated seizure's pattern; None leaves it to the simulator."""
        if not self._config.patterns:
            return None
        names, weights = zip(*self._config.patterns, strict=True)
        return str(names[rng.choice(len(names), p=np.array(weights) / sum(weights))])

    def _cut(self, recording: Cached, n_seconds: int, rng: np.random.Generator, *, ictal: bool) -> Chunk:
        """Cut up to `n_seconds` around a random sure second of the wanted kind."""
        is_ictal, sure = self._labels[recording.item.name]
        candidates = np.flatnonzero((is_ictal == ictal) & sure)
        centre = int(candidates[rng.integers(len(candidates))])
        total = recording.n_seconds
        n = min(n_seconds, total)
        first = int(np.clip(centre - rng.integers(n), 0, total - n))
        chunk = self._piece(recording, first, n)
        return self._sham(chunk, recording.item.source, recording.item.subject, rng) if self._config.sham else chunk

    def _piece(self, recording: Cached, first: int, n: int) -> Chunk:
        ictal, sure = self._labels[recording.item.name]
        seconds = slice(first, first + n)
        uv = recording.signal[:, first * RATE_HZ : (first + n) * RATE_HZ].astype(np.float32)
        return Chunk(uv, ictal[seconds], sure[seconds], origins=(f"{recording.item.name} from {first} s",))

    def _sham(self, chunk: Chunk, source: str, subject: str, rng: np.random.Generator) -> Chunk:
        """Return other, calm EEG of the subject (else of its source) under a seizure chunk's labels."""
        subjects = self._backgrounds.get(source) or self._backgrounds[self._source_names[0]]
        others = subjects.get(subject) or [r for group in subjects.values() for r in group]
        n_seconds = len(chunk.ictal)
        pieces: list[Chunk] = []
        while sum(len(piece.ictal) for piece in pieces) < n_seconds:
            recording = _any(others, rng)
            ictal, sure = self._labels[recording.item.name]
            spans = runs(~ictal & sure)
            first, stop = spans[int(rng.integers(len(spans)))].tolist()
            pieces.append(self._piece(recording, first, min(stop - first, n_seconds)))
        calm = join(pieces, n_seconds, rng, self._config.join_s)
        return replace(chunk, uv=calm.uv, origins=calm.origins)


def _laid_over(chunk: Chunk, other: Chunk, rng: np.random.Generator) -> Chunk:
    """Return a chunk over somebody else's EEG, with its own labels; not sure where the other alone has a seizure."""
    n = min(len(chunk.ictal), len(other.ictal))
    uv = chunk.uv[:, : n * RATE_HZ] + np.float32(rng.uniform(0.3, 1.0)) * other.uv[:, : n * RATE_HZ]
    ictal = chunk.ictal[:n]
    return Chunk(uv, ictal, chunk.sure[:n] & (ictal | ~other.ictal[:n]), origins=chunk.origins + other.origins)


def _slowed(chunk: Chunk, rng: np.random.Generator) -> Chunk:
    """Return a background as slow as in intensive care, half of the time with its discharges or rhythms."""
    chunk = replace(chunk, uv=augment.slowed(chunk.uv, rng))
    return with_artifact(chunk, rng, INTENSIVE_CARE) if rng.random() < 0.5 else chunk


def _any(recordings: list[Cached], rng: np.random.Generator) -> Cached:
    return recordings[int(rng.integers(len(recordings)))]
