"""The step between the two ONNX graphs equals the network's own."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch

from brainscan.model.laplacian import held_pe, laplacian_pe
from brainscan_models import graph
from brainscan_models.config import GraphConfig, Ties

N = 19
PAIRS = N * (N - 1) // 2


def _random(seed: int) -> torch.Tensor:
    return torch.rand(2, PAIRS, 6, generator=torch.Generator().manual_seed(seed)) ** 3


def _extreme() -> torch.Tensor:
    """Return graphs of level edges, of no edge, of one, and of two halves that do not touch."""
    weights = torch.zeros(1, PAIRS, 4)
    weights[..., 0] = 1.0
    weights[:, 0, 2] = 1.0
    rows, columns = graph.pair_indices(N)
    weights[:, (rows < 9) == (columns < 9), 3] = torch.rand(
        int(((rows < 9) == (columns < 9)).sum()), generator=torch.Generator().manual_seed(1)
    )
    return weights


def _adjacency(seed: int) -> np.ndarray:
    return graph.adjacency(_random(seed), N, GraphConfig()).numpy()


@pytest.mark.isa
@pytest.mark.parametrize("weights", [_random(0), _random(1), _extreme()], ids=["random", "other", "extreme"])
@pytest.mark.parametrize("count", [0, 1, 8, 19])
@pytest.mark.parametrize("ties", get_args(Ties))
def test_equals_torch(weights: torch.Tensor, count: int, ties: Ties) -> None:
    adjacency = graph.adjacency(weights, N, GraphConfig(ties=ties))
    wanted = graph.laplacian_pe(adjacency, count, ties).numpy()
    found = laplacian_pe(adjacency.numpy(), count, ties)
    assert found.dtype == np.float32
    # Eigenvalues lie as close as 1e-4 of each other, so that float32 leaves three digits of the vectors.
    np.testing.assert_allclose(found, wanted, atol=5e-3)


def test_vectors_are_held_between_decompositions() -> None:
    adjacency = _adjacency(2)
    found = held_pe(adjacency, 4, 4, "index")
    np.testing.assert_array_equal(found[:, 0], laplacian_pe(adjacency[:, 0], 4, "index"))
    np.testing.assert_array_equal(found[:, 3], found[:, 0])
    np.testing.assert_array_equal(found[:, 4], laplacian_pe(adjacency[:, 4], 4, "index"))
    assert found.shape == (2, 6, N, 4)


@pytest.mark.parametrize("ties", get_args(Ties))
def test_no_vectors_and_no_numbers_raise_nothing(ties: Ties) -> None:
    adjacency = _adjacency(3)
    assert held_pe(adjacency, 0, 5, ties).shape == (2, 6, N, 0)
    adjacency[0, 0] = np.nan
    assert np.isfinite(laplacian_pe(adjacency, 3, ties)[1]).all()
