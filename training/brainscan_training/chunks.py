"""Chunks of EEG: what is laid over them, and how they are joined to a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import N_ELECTRODES
from brainscan.events import RATE_HZ, BoolArray
from brainscan.simulate.artifacts import ARTIFACTS, MORE, artifact_piece
from brainscan.simulate.seizures import DECREMENT, seizure_piece
from brainscan_training import augment

FloatArray = NDArray[np.float32]

ALL_KINDS = (*ARTIFACTS, *MORE)

INTENSIVE_CARE = ("delta_run", "lateral_delta", "periodic", "spike", "triphasic")
"""What the slow background of intensive care carries."""

_ONGOING_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A stretch of EEG with its label for each second, before it becomes part of a window."""

    uv: FloatArray
    ictal: BoolArray
    sure: BoolArray
    electrodes: BoolArray | None = None
    origins: tuple[str, ...] = ()


def stretched(chunk: Chunk, factor: float) -> Chunk:
    """Return a chunk played slower or faster, in whole seconds; a second's label is that of its middle."""
    n_seconds = max(1, int(len(chunk.ictal) * factor))
    uv = augment.stretched(chunk.uv, factor)[:, : n_seconds * RATE_HZ]
    if uv.shape[1] < n_seconds * RATE_HZ:
        return chunk
    middles = np.minimum(((np.arange(n_seconds) + 0.5) / factor).astype(np.int64), len(chunk.ictal) - 1)
    return replace(chunk, uv=uv, ictal=chunk.ictal[middles], sure=chunk.sure[middles])


def with_artifact(chunk: Chunk, rng: np.random.Generator, kinds: Sequence[str]) -> Chunk:
    """Add a simulated artifact or benign rhythm of one of the kinds."""
    n_seconds, kinds = len(chunk.ictal), sorted(kinds)
    piece = artifact_piece(rng, kinds[rng.integers(len(kinds))], float(n_seconds), float(RATE_HZ))
    n = min(chunk.uv.shape[1], piece.shape[1])
    uv = chunk.uv.copy()
    uv[:, :n] += piece[:, :n]
    return replace(chunk, uv=uv)


def with_simulated(chunk: Chunk, rng: np.random.Generator, pattern: str | None, postictal: float) -> Chunk:
    """Add a simulated seizure to a background, at a drawn ratio of its amplitude to the background's."""
    n_seconds = len(chunk.ictal)
    length = int(rng.integers(min(5, n_seconds), n_seconds + 1))
    first = int(rng.integers(n_seconds - length + 1))
    after_s = float(n_seconds - first - length) if postictal and rng.random() < postictal else 0.0
    piece = seizure_piece(rng, float(length), float(RATE_HZ), pattern, after_s)  # type: ignore[arg-type]
    ratio = _ratio(chunk, piece.uv[:, : length * RATE_HZ], rng)
    if piece.pattern == "decremental":
        ratio *= DECREMENT  # what stands out is the fall of the background
    uv = chunk.uv.copy()
    span = slice(first * RATE_HZ, first * RATE_HZ + piece.uv.shape[1])
    uv[:, span] = uv[:, span] * piece.background_gain + piece.uv * ratio
    ictal, sure = chunk.ictal.copy(), chunk.sure.copy()
    ictal[first : first + length] = True
    if after_s:
        sure[max(first + length - 1, 0) : first + length + 1] = False  # its end is a matter of opinion
    electrodes = np.asarray(piece.electrodes, dtype=bool)
    return Chunk(uv, ictal, sure, electrodes, (*chunk.origins, f"simulated {piece.pattern} seizure"))


def with_ongoing(chunk: Chunk, rng: np.random.Generator, pattern: str) -> Chunk:
    """Add a stretch out of a longer simulated seizure, that began before the chunk and goes on after it."""
    n = len(chunk.ictal) * RATE_HZ
    whole_s = float(rng.uniform(len(chunk.ictal), max(len(chunk.ictal), _ONGOING_S) + 1.0))
    piece = seizure_piece(rng, whole_s, float(RATE_HZ), pattern)  # type: ignore[arg-type]
    first = int(rng.integers(piece.uv.shape[1] - n + 1))
    span = slice(first, first + n)
    uv = chunk.uv * piece.background_gain[:, span] + piece.uv[:, span] * _ratio(chunk, piece.uv[:, span], rng)
    electrodes = np.asarray(piece.electrodes, dtype=bool)
    origins = (*chunk.origins, f"simulated {piece.pattern} seizure, in its midst")
    return Chunk(uv, np.ones_like(chunk.ictal), chunk.sure, electrodes, origins)


def _ratio(chunk: Chunk, seizure: FloatArray, rng: np.random.Generator) -> np.float32:
    """Return what makes a seizure's strongest electrode about 2.2 times as strong as a background."""
    background = np.sqrt(np.mean(np.square(chunk.uv), dtype=np.float64)) + 1e-3
    strongest = np.sqrt(np.mean(np.square(seizure), axis=1, dtype=np.float64).max()) + 1e-3
    return np.float32(np.exp(rng.normal(np.log(2.2), 0.45)) * background / strongest)


def join(chunks: Sequence[Chunk], n_seconds: int, rng: np.random.Generator, join_s: tuple[float, float]) -> Chunk:
    """Put chunks one after the other with cross-faded joins; too short ones are followed by more of the same kind."""
    uv = np.zeros((N_ELECTRODES, n_seconds * RATE_HZ), dtype=np.float32)
    ictal = np.zeros(n_seconds, dtype=bool)
    sure = np.zeros(n_seconds, dtype=bool)
    electrodes: BoolArray | None = None
    origins: list[str] = []
    at, turn = 0, 0
    while at < n_seconds:
        chunk = chunks[turn % len(chunks)]
        turn += 1
        n = min(len(chunk.ictal), n_seconds - at)
        first, stop = at * RATE_HZ, (at + n) * RATE_HZ
        fade = min(round(rng.uniform(*join_s) * RATE_HZ), n * RATE_HZ) if at else 0
        uv[:, first:stop] = chunk.uv[:, : n * RATE_HZ]
        if fade:
            # The previous chunk's end, mirrored, fades out under the new one's beginning.
            ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
            fade = min(fade, first)
            ramp = ramp[:fade]
            before = uv[:, first - fade : first][:, ::-1]
            uv[:, first : first + fade] = uv[:, first : first + fade] * ramp + before * (1.0 - ramp)
        ictal[at : at + n], sure[at : at + n] = chunk.ictal[:n], chunk.sure[:n]
        if at and ictal[at] != ictal[at - 1]:
            sure[at - 1] = sure[at] = False  # the join lies here: neither second is purely one or the other
        electrodes = chunk.electrodes if chunk.electrodes is not None else electrodes
        origins += chunk.origins
        at += n
    return Chunk(uv, ictal, sure, electrodes, tuple(dict.fromkeys(origins)))
