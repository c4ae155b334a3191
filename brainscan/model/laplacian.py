"""The step between the two ONNX graphs: `brainscan_models.graph.laplacian_pe` in NumPy, without torch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# As in brainscan_models.graph, which cannot be imported without torch; a test holds both against each other.
_SPLIT = 1e-2
_SIGN_STEP = 1e-3


def laplacian_pe(adjacency: FloatArray, count: int) -> FloatArray:
    """Return the first eigenvectors of each normalised Laplacian.

    A small fixed diagonal, different for each electrode, separates equal eigenvalues. The sign makes the largest
    entry positive, the first of equals.

    Parameters
    ----------
    adjacency : array, shape (..., n, n)
        Symmetric, every row with a positive sum.
    count : int
        Eigenvectors wanted, from the smallest eigenvalue on; 0..n.

    Returns
    -------
    array, shape (..., n, count), float32
        Scaled by sqrt(n), so that entries have unit spread.
    """
    n = adjacency.shape[-1]
    golden = 0.5 * (math.sqrt(5.0) - 1.0)
    diagonal = np.diag(1.0 + _SPLIT * np.remainder(golden * np.arange(1, n + 1), 1.0)).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1.0 / np.sqrt(adjacency.sum(axis=-1))
        laplacian = diagonal - scale[..., :, None] * adjacency * scale[..., None, :]
    # The decomposition raises on what is no number; weights that are none reach the logits by the graph itself.
    vectors = np.linalg.eigh(np.nan_to_num(laplacian, nan=0.0, posinf=0.0, neginf=0.0))[1][..., :count]
    size = np.abs(vectors)
    largest = size >= size.max(axis=-2, keepdims=True) - _SIGN_STEP
    first = largest.argmax(axis=-2, keepdims=True)
    sign = np.where(np.take_along_axis(vectors, first, axis=-2) < 0.0, -1.0, 1.0)
    return np.asarray(vectors * sign * math.sqrt(n), dtype=np.float32)


def held_pe(adjacency: FloatArray, count: int, every: int) -> FloatArray:
    """Return the eigenvectors of every `every`-th step, held between.

    Parameters
    ----------
    adjacency : array, shape (batch, n_steps, n, n)
    count : int
        Eigenvectors wanted.
    every : int
        Steps between two decompositions, at least 1.

    Returns
    -------
    array, shape (batch, n_steps, n, count), float32
    """
    vectors = laplacian_pe(adjacency[:, ::every], count)
    return np.repeat(vectors, every, axis=1)[:, : adjacency.shape[1]]
