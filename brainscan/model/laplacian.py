"""The step between the two ONNX graphs: `brainscan_models.graph.laplacian_pe` in NumPy, without torch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from brainscan_models.config import Ties

FloatArray = NDArray[np.float32]

# As in brainscan_models.graph, which cannot be imported without torch; a test holds both against each other.
_SPLIT = 1e-2
_SIGN_STEP = 1e-3
_CLEAR_GAP = 0.05
_CLEAR_SIGN = 0.05


def laplacian_pe(adjacency: FloatArray, count: int, ties: Ties) -> FloatArray:
    """Return the first eigenvectors of each normalised Laplacian.

    What neither eigenvalues nor signs decide either fades or goes by index, as in
    `brainscan_models.graph.laplacian_pe`.

    Parameters
    ----------
    adjacency : array, shape (..., n, n)
        Symmetric, every row with a positive sum.
    count : int
        Eigenvectors wanted, from the smallest eigenvalue on; 0..n.
    ties : {"index", "fade"}

    Returns
    -------
    array, shape (..., n, count), float32
        Scaled by sqrt(n), so that entries have unit spread.
    """
    n = adjacency.shape[-1]
    diagonal = np.eye(n, dtype=np.float32)
    if ties == "index":
        golden = 0.5 * (math.sqrt(5.0) - 1.0)
        diagonal = np.diag(1.0 + _SPLIT * np.remainder(golden * np.arange(1, n + 1), 1.0)).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1.0 / np.sqrt(adjacency.sum(axis=-1))
        laplacian = diagonal - scale[..., :, None] * adjacency * scale[..., None, :]
    # The decomposition raises on what is no number; weights that are none reach the logits by the graph itself.
    values, vectors = np.linalg.eigh(np.nan_to_num(laplacian, nan=0.0, posinf=0.0, neginf=0.0))
    vectors = vectors[..., :count]
    factor = _clearness(values, vectors) if ties == "fade" else _sign(vectors)
    return np.asarray(vectors * factor * math.sqrt(n), dtype=np.float32)


def _clearness(values: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return -1..1 for each vector: its sign, near 0 where eigenvalue or sign are not clear."""
    infinite = np.full((*values.shape[:-1], 1), np.inf, dtype=values.dtype)
    gaps = np.diff(values, axis=-1, prepend=-infinite, append=infinite)
    gap = np.minimum(gaps[..., :-1], gaps[..., 1:])[..., : vectors.shape[-1]]
    excess = vectors.max(axis=-2) + vectors.min(axis=-2)
    clear = np.minimum(gap / _CLEAR_GAP, 1.0) * np.clip(excess / _CLEAR_SIGN, -1.0, 1.0)
    return np.asarray(clear[..., None, :], dtype=np.float32)


def _sign(vectors: FloatArray) -> FloatArray:
    size = np.abs(vectors)
    largest = size >= size.max(axis=-2, keepdims=True) - _SIGN_STEP
    first = largest.argmax(axis=-2, keepdims=True)
    return np.where(np.take_along_axis(vectors, first, axis=-2) < 0.0, np.float32(-1.0), np.float32(1.0))


def held_pe(adjacency: FloatArray, count: int, every: int, ties: Ties) -> FloatArray:
    """Return the eigenvectors of every `every`-th step, held between.

    Parameters
    ----------
    adjacency : array, shape (batch, n_steps, n, n)
    count : int
        Eigenvectors wanted.
    every : int
        Steps between two decompositions, at least 1.
    ties : {"index", "fade"}

    Returns
    -------
    array, shape (batch, n_steps, n, count), float32
    """
    vectors = laplacian_pe(adjacency[:, ::every], count, ties)
    return np.repeat(vectors, every, axis=1)[:, : adjacency.shape[1]]
