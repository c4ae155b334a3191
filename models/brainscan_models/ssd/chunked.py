"""The scan in chunks, as matrix products: plain PyTorch, any device, differentiable, exportable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor


DEFAULT_CHUNK = 16
"""Steps per chunk: the fastest or level with it for all shapes in use (benchmarks/kernels.py)."""


def ssd_chunked(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    *,
    chunk: int = DEFAULT_CHUNK,
) -> Tensor:
    """Run the recurrence of `ssd_reference` chunk by chunk (Dao & Gu 2024, section 6).

    Inside a chunk the scan is a masked matrix product; between chunks only the state is carried, so that
    time and memory grow linearly with T.

    Parameters
    ----------
    x, dt, A, B, C, D : Tensor
        As for `ssd_reference`.
    chunk : int
        Steps per chunk, at least 1.

    Returns
    -------
    Tensor, shape (batch, T, H, P)

    Raises
    ------
    ValueError
        If `chunk` is below 1.
    """
    batch, length, heads, headdim = x.shape
    if chunk < 1:
        raise ValueError(f"chunk needs at least 1 step, got {chunk}")
    size = min(chunk, length)
    # Steps of dt = 0 leave the state as it is, so the last chunk may be filled with them.
    fill = -length % size
    n_chunks = (length + fill) // size
    step, values, into, out_of = (
        (F.pad(each, (0, 0) * (each.ndim - 2) + (0, fill)) if fill else each).reshape(
            batch, n_chunks, size, *each.shape[2:]
        )
        for each in (dt, x, B, C)
    )
    log_decay = (step * A).transpose(2, 3)  # (batch, n_chunks, H, size)

    within = _decays(log_decay)  # (batch, n_chunks, H, size, size)
    weights = (out_of @ into.transpose(-1, -2))[:, :, None] * within
    values = (values * step[..., None]).transpose(2, 3)  # (batch, n_chunks, H, size, P)
    inside = weights @ values

    # What each chunk adds to the state, seen from its last step: row -1 of the decays.
    added = (values * within[..., -1, :, None]).transpose(-1, -2) @ into[:, :, None]
    since_start = torch.exp(torch.cumsum(log_decay, dim=-1))  # (batch, n_chunks, H, size)
    if torch.compiler.is_compiling():
        # An exporter unrolls loops: sixty chunks of thirty scans would be a graph of ten thousand nodes.
        carried = _carry_at_once(added, log_decay.sum(dim=-1))
    else:
        carried = _carry(added, since_start[..., -1])  # (batch, n_chunks, H, P, N)
    outside = (out_of[:, :, None] @ carried.transpose(-1, -2)) * since_start[..., None]

    y = (inside + outside).transpose(2, 3).reshape(batch, n_chunks * size, heads, headdim)[:, :length]
    return y if D is None else y + D[:, None] * x


def _decays(log_decay: Tensor) -> Tensor:
    """Give ``exp`` of the sum of ``log_decay[s+1..t]`` for every pair s <= t; 0 above the diagonal.

    Sums of few terms, not differences of two long sums: those lose their digits when dt is large.
    """
    terms = log_decay[..., :, None].expand(*log_decay.shape, log_decay.shape[-1]).tril(-1)
    return torch.exp(torch.cumsum(terms, dim=-2)).tril()


def _carry(added: Tensor, decay: Tensor) -> Tensor:
    """Give the state before each chunk from what each chunk adds and how much it forgets."""
    state = torch.zeros_like(added[:, 0])
    before = [state]
    for k in range(added.shape[1] - 1):
        state = decay[:, k, :, None, None] * state + added[:, k]
        before.append(state)
    return torch.stack(before, dim=1)


def _carry_at_once(added: Tensor, log_decay: Tensor) -> Tensor:
    """Give what `_carry` gives as one matrix product, quadratic in the number of chunks.

    `log_decay`, shape (batch, n_chunks, H), is the logarithm of what each chunk leaves of the state.
    """
    decay = _decays(log_decay.transpose(1, 2))  # (batch, H, n_chunks, n_chunks)
    after = decay @ added.transpose(1, 2).flatten(-2)
    before = F.pad(after, (0, 0, 1, 0))[:, :, :-1].transpose(1, 2)
    return before.reshape(added.shape)
