"""Two runs of a network may differ by rounding, and where rounding exchanges what is level; the second is counted."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from brainscan_models.network import Features, Network

TOLERANCE = 1e-4
"""Of a probability."""

_SAME_EDGE, _SAME_VECTOR = 0.01, 0.1


class Run(NamedTuple):
    """What a batch of windows came to."""

    adjacency: Tensor
    pe: Tensor
    probabilities: Tensor

    @classmethod
    def of(cls, network: Network, eeg: Tensor) -> Run:
        with torch.inference_mode():
            features = network.before_pe(eeg)
            return cls._after(network, features)

    @classmethod
    def one_by_one(cls, network: Network, eeg: Tensor) -> Run:
        return cls(*map(torch.cat, zip(*(cls.of(network, one.unsqueeze(0)) for one in eeg), strict=True)))

    @classmethod
    def _after(cls, network: Network, features: Features) -> Run:
        pe = network.pe(features.adjacency)
        return cls(features.adjacency, pe, network.after_pe(features, pe).logits.double().sigmoid())


class Flips(NamedTuple):
    """Graph steps at which two runs chose otherwise, of all, and whether a window is without."""

    edges: int
    vectors: int
    steps: int
    same: Tensor


def flips(one: Run, other: Run) -> Flips:
    """Count the steps at which two runs kept other edges, or turned or exchanged eigenvectors."""
    edges = ((one.adjacency - other.adjacency).abs() > _SAME_EDGE).flatten(2).any(-1)
    vectors = ((one.pe - other.pe).abs() > _SAME_VECTOR).flatten(2).any(-1) & ~edges
    return Flips(int(edges.sum()), int(vectors.sum()), edges.numel(), ~(edges | vectors).any(dim=1))


def assert_equal_but_for_flips(network: Network, one: Run, other: Run, *, share: float = 0.02) -> Flips:
    """Probabilities are equal to `TOLERANCE` in each window without a flip; few steps flip, and none that fade."""
    found = flips(one, other)
    if network.config.graph.ties == "fade":
        assert (found.edges, found.vectors) == (0, 0)
    assert found.edges + found.vectors <= share * found.steps, found
    assert bool(found.same.any()), "nothing is left to compare"
    off = (one.probabilities - other.probabilities).abs()
    assert bool(one.probabilities.isfinite().all())
    assert float(off[found.same].max()) <= TOLERANCE
    return found
