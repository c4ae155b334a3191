"""What stands in for files and networks in tests: recordings from arrays, a detector of loudness, a tiny network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.card import AmplitudeConfig, Card, DecisionConfig, PostictalConfig, WindowConfig
from brainscan.electrodes import ELECTRODES, N_ELECTRODES
from brainscan.events import RATE_HZ
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan_models.config import (
    DecoderConfig,
    EncoderConfig,
    GraphConfig,
    HeadConfig,
    NetworkConfig,
    StreamConfig,
)

FloatArray = NDArray[np.float64]

TINY = NetworkConfig(
    encoder=EncoderConfig(
        widths=(4, 8),
        kernels=(5, 5),
        second_kernels=(3, 3),
        strides=(16, 16),
        dilations=(1, 1),
        shared=True,
        norm="batch",
    ),
    bottleneck=StreamConfig(layers=0, d_model=8, d_state=4, headdim=4),
    nodes=StreamConfig(layers=0, d_model=8, d_state=4, headdim=4),
    edges=StreamConfig(layers=0, d_model=4, d_state=4, headdim=4),
    graph=GraphConfig(hidden=4, eigenvectors=2, pe_every=5),
    decoder=DecoderConfig(widths=(4,), kernel=3, channels=2),
    head=HeadConfig(pool="pool", hidden=4),
)
"""A network without streams, fast enough for every test."""


_STREAM = StreamConfig(layers=1, d_model=8, d_state=4, headdim=4)

SMALL = replace(
    TINY,
    encoder=replace(TINY.encoder, strides=(8, 4)),
    bottleneck=_STREAM,
    nodes=_STREAM,
    edges=replace(_STREAM, d_model=4, norm="after"),
    graph=GraphConfig(hidden=4, eigenvectors=4, pe_every=3, stride=2),
    head=replace(TINY.head, largest=2),
)
"""A network with every part of v3-lite, for windows of 8 s."""

MIXED = replace(
    SMALL,
    encoder=replace(SMALL.encoder, shared=False, norm="none", activation="gelu"),
    graph=GraphConfig(hidden=4, eigenvectors=2, pe_every=2, ties="fade"),
    decoder=DecoderConfig(widths=(6, 4), kernel=3),
    head=HeadConfig(),
)
"""A network with every part of V3, for windows of 8 s."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A checkpoint, the folder of its ONNX export, and what the command printed."""

    checkpoint: Path
    folder: Path
    out: str
    err: str


class LoudnessRunner:
    """Gives a sample the higher a probability, the louder the second around it is: half at `half_uv`."""

    def __init__(self, card: Card | None = None, *, batch_size: int = 3, half_uv: float = 40.0) -> None:
        self.card = card or Card(name="loudness", variant={}, sha256="0" * 64)
        self.batch_size = batch_size
        self.backend = "loudness"
        self.precision = "float32"
        self.place = "cpu (1 thread)"
        self._half_uv = half_uv

    def probabilities(self, windows: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        return [self._one(window.astype(np.float64)) for window in windows]

    def _one(self, window: FloatArray) -> NDArray[np.float32]:
        power = (window**2).mean(axis=0)
        total = np.concatenate(([0.0], np.cumsum(power)))
        at = np.arange(len(power))
        low, high = np.maximum(at - RATE_HZ // 2, 0), np.minimum(at + RATE_HZ // 2, len(power))
        loudness_uv = np.sqrt((total[high] - total[low]) / (high - low))
        return (1.0 / (1.0 + np.exp(-(loudness_uv - self._half_uv) / 4.0))).astype(np.float32)


def quick(**changes: float | PostictalConfig) -> DecisionConfig:
    """Return a decision for short tests: no averaging, events from one second on."""
    return DecisionConfig(**{"enter": 0.6, "leave": 0.4, "average_s": 0.0, "min_duration_s": 1.0, **changes})  # type: ignore[arg-type]


def noise(duration_s: float, rate_hz: float = 256.0, *, seed: int = 0, n: int = N_ELECTRODES) -> FloatArray:
    """Return noise of 12 µV with a little of it shared, shape (n, n_samples)."""
    rng = np.random.default_rng(seed)
    n_samples = round(duration_s * rate_hz)
    return np.asarray(10.0 * rng.standard_normal((n, n_samples)) + 7.0 * rng.standard_normal(n_samples))


def with_bursts(
    uv: FloatArray, rate_hz: float, spans: Sequence[tuple[float, float]], peak_uv: float = 250.0
) -> FloatArray:
    """Return the signal with a 6 Hz rhythm on half of the electrodes in the given spans."""
    uv = uv.copy()
    at_s = np.arange(uv.shape[1]) / rate_hz
    for start_s, stop_s in spans:
        inside = (at_s >= start_s) & (at_s < stop_s)
        # No two electrodes alike, so that derivations show it too.
        field = peak_uv * np.linspace(1.0, -0.4, len(uv) // 2)[:, None]
        uv[: len(uv) // 2, inside] += field * np.sin(2.0 * np.pi * 6.0 * at_s[inside])
    return uv


def recording_of(
    uv: FloatArray | Sequence[tuple[float, FloatArray]],
    rate_hz: float | Fraction = 256,
    labels: Sequence[str] = ELECTRODES,
    *,
    railed: NDArray[np.bool_] | None = None,
    name: str = "array",
) -> Recording:
    """Return a recording of one array, or of several parts with their start times.

    Parameters
    ----------
    uv : array, shape (n_channels, n_samples), or sequence of (start_s, array)
    rate_hz : number
    labels : sequence of str
    railed : array of bool, optional
        For a recording of one part.
    name : str
    """
    rate = Fraction(rate_hz)
    parts = [(0.0, uv)] if isinstance(uv, np.ndarray) else list(uv)
    segments = tuple(Segment(start_s, part.shape[1] / float(rate)) for start_s, part in parts)

    def read(channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        part = parts[segments.index(segment)][1]
        first, stop = segment.index(start_s, rate), segment.index(stop_s, rate)
        marks = np.zeros(part.shape, dtype=np.bool_) if railed is None else railed
        return Samples(
            tuple(part[c, first:stop].astype(np.float64) for c in channels),
            tuple(marks[c, first:stop] for c in channels),
        )

    return Recording(
        name=name,
        format="array",
        start=None,
        duration_s=segments[-1].stop_s,
        segments=segments,
        channels=tuple(Channel(label, rate) for label in labels),
        reader=read,
    )


def ragged(uv: Sequence[NDArray[np.float64]], cuts: Sequence[float], railed: bool = False) -> Iterator[Samples]:
    """Cut channels (each at its own rate) at the same shares 0..1 of their lengths and yield the pieces."""
    bounds = [0.0, *sorted(cuts), 1.0]
    for a, b in itertools.pairwise(bounds):
        pieces = tuple(c[round(a * len(c)) : round(b * len(c))] for c in uv)
        yield Samples(pieces, tuple(np.full(len(p), railed) for p in pieces))


def save_tiny(path: Path, *, seed: int = 0, name: str = "tiny", decision: DecisionConfig | None = None) -> Card:
    """Write a checkpoint of the tiny network with weights drawn from a seed."""
    import torch

    from brainscan.model import checkpoint
    from brainscan_models.registry import build

    torch.manual_seed(seed)
    card = Card(name=name, variant=TINY.to_mapping(), decision=decision or DecisionConfig())
    return checkpoint.save(path, build(TINY), card)


def save_small(path: Path, *, seed: int = 0, variant: NetworkConfig = SMALL) -> Card:
    """Write a checkpoint of a small network with all parts, whose probabilities are spread over 0..1."""
    import torch

    from brainscan.model import checkpoint
    from brainscan_models.registry import build

    torch.manual_seed(seed)
    card = Card(
        name="small",
        variant=variant.to_mapping(),
        window=WindowConfig(8, 4, 4.0),
        amplitude=AmplitudeConfig(scale_uv=20.0, centre="lateral"),
        decision=quick(),
        logit_shift=-2.0,
        logit_scale=2.0,
    )
    return checkpoint.save(path, build(variant), card)
