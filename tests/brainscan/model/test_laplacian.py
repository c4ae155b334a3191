"""The step between the two ONNX graphs equals the network's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.model.laplacian import held_pe, laplacian_pe
from brainscan_models import graph
from brainscan_models.config import GraphConfig

N = 19
PAIRS = N * (N - 1) // 2


def _adjacency(weights: torch.Tensor) -> np.ndarray:
    return graph.adjacency(weights, N, GraphConfig()).numpy()


def _random(seed: int) -> np.ndarray:
    return _adjacency(torch.rand(2, PAIRS, 6, generator=torch.Generator().manual_seed(seed)) ** 3)


def _extreme() -> np.ndarray:
    """Return graphs of level edges, of no edge, of one, and of two halves that do not touch."""
    weights = torch.zeros(1, PAIRS, 4)
    weights[..., 0] = 1.0
    weights[:, 0, 2] = 1.0
    rows, columns = graph.pair_indices(N)
    weights[:, (rows < 9) == (columns < 9), 3] = torch.rand(
        int(((rows < 9) == (columns < 9)).sum()), generator=torch.Generator().manual_seed(1)
    )
    return _adjacency(weights)


@pytest.mark.parametrize("adjacency", [_random(0), _random(1), _extreme()], ids=["random", "other", "extreme"])
@pytest.mark.parametrize("count", [1, 8, 19])
def test_equals_torch(adjacency: np.ndarray, count: int) -> None:
    wanted = graph.laplacian_pe(torch.from_numpy(adjacency), count).numpy()
    found = laplacian_pe(adjacency, count)
    assert found.dtype == np.float32
    # Eigenvalues lie as close as 1e-4 of each other, so that float32 leaves three digits of the vectors.
    np.testing.assert_allclose(found, wanted, atol=5e-3)


def test_vectors_are_held_between_decompositions() -> None:
    adjacency = _random(2)
    found = held_pe(adjacency, 4, 4)
    np.testing.assert_array_equal(found[:, 0], laplacian_pe(adjacency[:, 0], 4))
    np.testing.assert_array_equal(found[:, 3], found[:, 0])
    np.testing.assert_array_equal(found[:, 4], laplacian_pe(adjacency[:, 4], 4))
    assert found.shape == (2, 6, N, 4)


def test_no_vectors_and_no_numbers_raise_nothing() -> None:
    adjacency = _random(3)
    assert held_pe(adjacency, 0, 5).shape == (2, 6, N, 0)
    adjacency[0, 0] = np.nan
    assert np.isfinite(laplacian_pe(adjacency, 3)[1]).all()
