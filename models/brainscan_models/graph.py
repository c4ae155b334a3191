"""The graph of electrodes: who resembles whom, where each stands in it, and features mixed over it.

Dense and batched: 19 nodes fit a 19×19 matrix a time step. Sources: SSGConv, Zhu & Koniusz 2021 (Simple
Spectral Graph Convolution); Laplacian positional encoding, Dwivedi & Bresson 2021 (arXiv:2012.09699).
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from brainscan_models.autocast import without_autocast
from brainscan_models.bimamba import Stream
from brainscan_models.config import GraphConfig, StreamConfig, Ties
from brainscan_models.linear import Linear

_RANK_STEP = 1e-4
"""Weights closer than this rank by index: equal electrodes must not be told apart by rounding."""

_LIFT_SPREAD = 4.0
"""Spread of the weights that lift a cosine to the edge stream's width."""

_SPLIT = 1e-2
"""Spread of the fixed diagonal that separates the Laplacian's equal eigenvalues."""

_BEYOND = 4.0
"""An eigenvalue that no normalised Laplacian has: theirs lie in 0..2."""

_SIGN_STEP = 1e-3
"""Entries of an eigenvector closer than this count as equally large; the first of them decides the sign."""

_CLEAR_GAP = 0.05
"""An eigenvalue that is this far from the others stands out wholly."""

_CLEAR_SIGN = 0.05
"""An eigenvector of unit length whose largest and smallest entry differ in size by this has a clear sign."""


def pair_indices(n: int) -> tuple[Tensor, Tensor]:
    """Return the rows and columns of the n (n - 1) / 2 pairs above the diagonal, row by row."""
    rows, columns = torch.triu_indices(n, n, offset=1)
    return rows, columns


def similarity(nodes: Tensor, stride: int) -> Tensor:
    """Return each pair's cosine over the features of `stride` steps.

    Parameters
    ----------
    nodes : Tensor, shape (batch, n_electrodes, n_steps, width)
    stride : int
        Divides n_steps.

    Returns
    -------
    Tensor, shape (batch, n_pairs, n_steps / stride)
        -1..1; 0 for an electrode whose features are all 0.
    """
    batch, n, steps, width = nodes.shape
    pieces = nodes.reshape(batch, n, steps // stride, stride * width).transpose(1, 2)
    unit = F.normalize(pieces, dim=-1, eps=1e-6)
    gram = unit @ unit.transpose(-1, -2)
    rows, columns = pair_indices(n)
    flat = (rows * n + columns).to(nodes.device)
    return gram.flatten(-2).index_select(-1, flat).transpose(1, 2)


class EdgeStream(nn.Module):
    """From each pair's similarity over time to the weight of its edge; shared by the pairs."""

    def __init__(self, config: StreamConfig, cosine_gain: float) -> None:
        super().__init__()
        self.lift = nn.Linear(1, config.d_model, bias=False)
        # A cosine is small beside the unit spread that the layers expect.
        nn.init.normal_(self.lift.weight, std=_LIFT_SPREAD)
        self.stream = Stream(config)
        self.readout = nn.Linear(config.d_model, 1)
        self.cosine_gain = cosine_gain

    def forward(self, cosine: Tensor) -> Tensor:
        """Return positive weights, (batch, n_pairs, n_steps), for similarities of that shape."""
        batch, pairs, steps = cosine.shape
        series = cosine.reshape(batch * pairs, steps, 1).to(self.lift.weight.dtype)
        lifted = self.lift(series)
        logit = self.readout(self.stream(lifted)).reshape(batch, pairs, steps)
        return F.softplus(logit.to(cosine.dtype) + self.cosine_gain * cosine)


def adjacency(weights: Tensor, n: int, config: GraphConfig) -> Tensor:
    """Return the graph of each electrode's strongest edges.

    An edge counts if it is among the strongest of either end and above the threshold. How much it counts is for
    `GraphConfig.ties` to say: ``index``, its weight, level ones by index; ``fade``, what its weight has above the
    strongest of the edges (of either end) that do not count. The latter moves by at most twice as much as the
    weights do, through ties.

    An electrode without an edge gets a loop of weight 1; with ``fade``, one whose edges come to less than 1 gets
    what is missing.

    Parameters
    ----------
    weights : Tensor, shape (batch, n_pairs, n_steps)
        Not negative.
    n : int
        Number of electrodes.
    config : GraphConfig

    Returns
    -------
    Tensor, shape (batch, n_steps, n, n)
        Symmetric.
    """
    rows, columns = pair_indices(n)
    where = torch.zeros(n, n, dtype=torch.long)
    where[rows, columns] = where[columns, rows] = torch.arange(len(rows))
    eye = torch.eye(n, dtype=weights.dtype, device=weights.device)
    dense = weights.transpose(1, 2).index_select(-1, where.flatten().to(weights.device))
    dense = dense.reshape(*dense.shape[:2], n, n) * (1.0 - eye)
    if config.ties == "fade":
        kept = _above_the_rest(dense, config)
        return kept + F.relu(1.0 - kept.sum(dim=-1, keepdim=True)) * eye
    keep = _strongest(dense.detach(), config)
    return dense * keep + (~keep.any(dim=-1, keepdim=True)).to(weights.dtype) * eye


def _above_the_rest(dense: Tensor, config: GraphConfig) -> Tensor:
    """Return what each weight has above the strongest that does not count, at the end where that is less."""
    # The diagonal's zero stands for the rest where every edge is among the strongest.
    ranked = dense.topk(min(config.top_k + 1, dense.shape[-1]), dim=-1).values
    rest = ranked[..., -1:].clamp(min=config.threshold)
    return F.relu(dense - torch.minimum(rest, rest.transpose(-1, -2)))


def _strongest(dense: Tensor, config: GraphConfig) -> Tensor:
    """Say which edges are among the strongest of either end, level ones by index."""
    n = dense.shape[-1]
    rank = torch.round(dense / _RANK_STEP) - 2.0 * torch.eye(n, dtype=dense.dtype, device=dense.device)
    keep = torch.zeros_like(rank, dtype=torch.bool)
    for _ in range(min(config.top_k, n - 1)):
        best = rank.argmax(dim=-1, keepdim=True)  # the first of equals
        keep = keep.scatter(-1, best, True)
        rank = rank.scatter(-1, best, -1.0)
    return (keep | keep.transpose(-1, -2)) & (dense > config.threshold)


def normalised(adjacency: Tensor) -> Tensor:
    """Return D^-1/2 (A + I) D^-1/2, where a loop that is there takes the place of the one that is added.

    A loop below 1 is raised to 1. (The published layer leaves it: a step from 1 to 0 and back for a loop that
    vanishes.)

    Parameters
    ----------
    adjacency : Tensor, shape (..., n, n)
        Symmetric, not negative.
    """
    loops = adjacency.diagonal(dim1=-2, dim2=-1)
    full = adjacency + torch.diag_embed(F.relu(1.0 - loops))
    scale = full.sum(dim=-1).rsqrt()
    return scale.unsqueeze(-1) * full * scale.unsqueeze(-2)


def laplacian_pe(adjacency: Tensor, count: int, ties: Ties) -> Tensor:
    """Return the first eigenvectors of the normalised Laplacian, without gradient.

    Each matrix is decomposed for itself, in float32. Neither the vectors of equal eigenvalues nor the sign of any
    vector are given by the matrix:

    - ``fade``: a vector counts the less, the nearer its eigenvalue is to another and the nearer its largest and
      its smallest entry come to cancel each other; of the two, the larger is positive. So nothing jumps.
    - ``index``: a small fixed diagonal, different for each electrode, separates equal eigenvalues. The sign makes
      the largest entry positive, the first of equals.

    Parameters
    ----------
    adjacency : Tensor, shape (..., n, n)
        Symmetric, every row with a positive sum.
    count : int
        Eigenvectors wanted, from the smallest eigenvalue on.
    ties : {"index", "fade"}

    Returns
    -------
    Tensor, shape (..., n, count), float32
        Scaled by sqrt(n), so that entries have unit spread.
    """
    n = adjacency.shape[-1]
    a = adjacency.detach().float()
    scale = a.sum(dim=-1).rsqrt()
    diagonal = torch.eye(n).to(a)
    if ties == "index":
        golden = 0.5 * (math.sqrt(5.0) - 1.0)  # its multiples are evenly spread and never equal (mod 1)
        split = _SPLIT * torch.remainder(golden * torch.arange(1, n + 1, dtype=torch.float64), 1.0)
        diagonal = torch.diag(1.0 + split).to(a)
    with without_autocast(a.device.type):
        # The decomposition raises on what is no number; weights that are none reach the logits by the graph itself.
        laplacian = torch.nan_to_num(diagonal - scale.unsqueeze(-1) * a * scale.unsqueeze(-2), 0.0, 0.0, 0.0)
        values, whole = torch.linalg.eigh(_aligned(laplacian))
    vectors: Tensor = whole[..., :n, :count]
    factor = _clearness(values[..., :n], vectors) if ties == "fade" else _sign(vectors)
    return vectors * factor * math.sqrt(n)


def _clearness(values: Tensor, vectors: Tensor) -> Tensor:
    """Return -1..1 for each vector: its sign, near 0 where eigenvalue or sign are not clear."""
    gaps = F.pad(values.diff(dim=-1), (1, 1), value=math.inf)
    gap = torch.minimum(gaps[..., :-1], gaps[..., 1:])[..., : vectors.shape[-1]]
    excess = vectors.amax(dim=-2) + vectors.amin(dim=-2)
    return ((gap / _CLEAR_GAP).clamp(max=1.0) * (excess / _CLEAR_SIGN).clamp(-1.0, 1.0)).unsqueeze(-2)


def _sign(vectors: Tensor) -> Tensor:
    size = vectors.abs()
    largest = size >= size.amax(dim=-2, keepdim=True) - _SIGN_STEP
    first = largest.to(torch.uint8).argmax(dim=-2, keepdim=True)
    return torch.where(vectors.gather(-2, first) < 0, -1.0, 1.0)


def _aligned(matrices: Tensor) -> Tensor:
    """Grow each matrix to whole cache lines, by nodes of their own with the largest eigenvalues.

    The decomposition rounds differently at another alignment, and within a batch of 19×19 matrices each
    would have its own: its vectors then depended on its place in the batch.
    """
    n = matrices.shape[-1]
    grown = F.pad(matrices, (0, -n % 4, 0, -n % 4))
    beyond = torch.arange(grown.shape[-1], device=matrices.device) >= n
    return grown + _BEYOND * torch.diag(beyond.to(grown))


class SSGConv(nn.Module):
    """Simple spectral graph convolution: lin(α x + (1 - α) / K · Σ_k Â^k x), over a dense batch of graphs."""

    def __init__(self, in_width: int, out_width: int, *, alpha: float, hops: int) -> None:
        super().__init__()
        self.lin = Linear(in_width, out_width)
        self.alpha, self.hops = alpha, hops

    def forward(self, x: Tensor, propagation: Tensor) -> Tensor:
        """Return (..., n, out_width) for x (..., n, in_width) and the normalised adjacency (..., n, n)."""
        mixed = self.alpha * x
        for _ in range(self.hops):
            x = propagation @ x
            mixed = mixed + (1.0 - self.alpha) / self.hops * x
        out: Tensor = self.lin(mixed)
        return out


class GraphMixer(nn.Module):
    """Two graph convolutions over node features joined with the Laplacian's eigenvectors."""

    def __init__(self, width: int, config: GraphConfig) -> None:
        super().__init__()
        self.first = SSGConv(width + config.eigenvectors, config.hidden, alpha=config.alpha, hops=config.hops)
        self.first_norm = nn.LayerNorm(config.hidden)
        self.second = SSGConv(config.hidden, width, alpha=config.alpha, hops=config.hops)
        self.second_norm = nn.LayerNorm(width)
        self.dropout = config.dropout

    def forward(self, nodes: Tensor, adjacency: Tensor, pe: Tensor) -> Tensor:
        """Return what the graph adds to the nodes.

        Parameters
        ----------
        nodes : Tensor, shape (batch, n_steps, n_electrodes, width)
        adjacency : Tensor, shape (batch, n_steps, n_electrodes, n_electrodes)
        pe : Tensor, shape (batch, n_steps, n_electrodes, eigenvectors)

        Returns
        -------
        Tensor, shape (batch, n_steps, n_electrodes, width)
        """
        propagation = normalised(adjacency).to(nodes.dtype)
        # Standardised over channels, so that the eigenvectors are not drowned by large features.
        joined = torch.cat((F.layer_norm(nodes, nodes.shape[-1:]), pe.to(nodes.dtype)), dim=-1)
        hidden = F.gelu(self.first_norm(self.first(joined, propagation)))
        if self.dropout:
            hidden = F.dropout(hidden, self.dropout, self.training)
        return cast(Tensor, self.second_norm(self.second(hidden, propagation)))
