"""Memory for the compiled kernels: sizes, padded parameters, buffers of a thread, gradients of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from brainscan_models.ssd.kernels import Buffers, Parameters, Sizes
from brainscan_models.ssd.kernels_backward import Adjoints, Gradients

if TYPE_CHECKING:
    from torch import Tensor

    from brainscan_models.ssd.layout import MixerShape, MixerWeights

BLOCK = 32
"""Time steps of a block: few enough for the near caches, many enough to keep few states."""

_VECTOR_BYTES = 64


def make_scan_sizes(x: Tensor, d_state: int) -> Sizes:
    """Describe the scan of `x`, shape (batch, T, H, P)."""
    _, length, heads, headdim = x.shape
    return _sizes(x, (length, heads, headdim, d_state), d_conv=1, reverse=False)


def make_mixer_sizes(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape) -> Sizes:
    """Describe the mixer on `zxbcdt`, shape (batch, T, row)."""
    heads = weights.A_log.shape[0]
    extent = (zxbcdt.shape[1], heads, shape.headdim, shape.d_state)
    return _sizes(zxbcdt, extent, d_conv=weights.conv_weight.shape[-1], reverse=shape.reverse)


def _sizes(data: Tensor, extent: tuple[int, int, int, int], *, d_conv: int, reverse: bool) -> Sizes:
    length, heads, headdim, d_state = extent
    lanes = _VECTOR_BYTES // data.element_size()
    d_inner = heads * headdim
    inner = _whole(d_inner, lanes)
    return Sizes(
        length=length,
        # The convolution's last rows are handed from block to block, so a block holds at least those.
        block=max(BLOCK, d_conv - 1),
        reverse=reverse,
        d_inner=d_inner,
        d_state=d_state,
        heads=heads,
        headdim=headdim,
        d_conv=d_conv,
        row=2 * d_inner + 2 * d_state + heads,
        inner=inner,
        channels=_whole(inner + 2 * d_state, lanes),
        head_row=_whole(heads, lanes),
    )


def _whole(count: int, lanes: int) -> int:
    return -(-count // lanes) * lanes


def make_scan_parameters(A: Tensor, D: Tensor, sizes: Sizes) -> Parameters:
    """Lay out the parameters of the scan alone."""
    nothing = _room(0, A.dtype)
    return Parameters(
        conv=nothing,
        conv_bias=nothing,
        dt_bias=nothing,
        A=_padded(A, sizes.head_row),
        D=_padded(D.repeat_interleave(sizes.headdim), sizes.inner),
        norm=nothing,
    )


def make_mixer_parameters(weights: MixerWeights, sizes: Sizes) -> Parameters:
    """Lay out the parameters of the mixer."""
    return Parameters(
        conv=_padded_channels(weights.conv_weight[:, 0].T, sizes),
        conv_bias=_padded_channels(weights.conv_bias[None], sizes),
        dt_bias=_padded(weights.dt_bias, sizes.head_row),
        A=_padded(-torch.exp(weights.A_log), sizes.head_row),
        D=_padded(weights.D.repeat_interleave(sizes.headdim), sizes.inner),
        norm=_padded(weights.norm_weight, sizes.inner),
    )


def _padded(values: Tensor, width: int) -> Any:
    padded = torch.zeros(width, dtype=values.dtype)
    padded[: values.shape[0]] = values
    return padded.numpy()


def _padded_channels(rows: Tensor, sizes: Sizes) -> Any:
    """Lay rows of (x, B, C) out as the kernels' rows."""
    padded = torch.zeros(rows.shape[0], sizes.channels, dtype=rows.dtype)
    padded[:, : sizes.d_inner] = rows[:, : sizes.d_inner]
    padded[:, sizes.inner : sizes.inner + 2 * sizes.d_state] = rows[:, sizes.d_inner :]
    return padded.reshape(-1).numpy()


def _room(count: int, dtype: torch.dtype) -> Any:
    # PyTorch's memory starts at a cache line, NumPy's need not.
    return torch.zeros(count, dtype=dtype).numpy()


def make_buffers(sizes: Sizes, dtype: torch.dtype, *, backward: bool, slopes: bool) -> Buffers:
    """Make the buffers of one thread.

    Parameters
    ----------
    sizes, dtype : Sizes, torch.dtype
        Of the scan or mixer.
    backward : bool
        Whether the state of every step is kept.
    slopes : bool
        Whether the slopes of the activations are kept: in the backward pass of the mixer.

    Returns
    -------
    Buffers
    """
    lanes = _VECTOR_BYTES // dtype.itemsize
    rows = sizes.block
    # Values repeated for a head may be stored up to a vector past the last row.
    wide = rows * sizes.inner + lanes
    return Buffers(
        entering=_room((sizes.d_conv - 1 + rows) * sizes.channels, dtype),
        active=_room(rows * sizes.channels, dtype),
        active_slope=_room(rows * sizes.channels if slopes else 0, dtype),
        step=_room(rows * sizes.head_row, dtype),
        step_slope=_room(rows * sizes.head_row if slopes else 0, dtype),
        decay=_room(rows * sizes.head_row, dtype),
        step_wide=_room(wide, dtype),
        decay_wide=_room(wide, dtype),
        y=_room(rows * sizes.inner, dtype),
        gate=_room(sizes.inner, dtype),
        states=_room(sizes.inner * sizes.d_state * (rows + 1 if backward else 1), dtype),
    )


def make_adjoints(sizes: Sizes, dtype: torch.dtype) -> Adjoints:
    """Make the further buffers that one thread needs in the backward pass."""
    lanes = _VECTOR_BYTES // dtype.itemsize
    rows = sizes.block
    # Folding reads up to two vectors past what it folds.
    wide = rows * sizes.inner + 2 * lanes
    return Adjoints(
        y=_room(rows * sizes.inner, dtype),
        active=_room(rows * sizes.channels, dtype),
        raw=_room((rows + sizes.d_conv - 1) * sizes.channels, dtype),
        step=_room(rows * sizes.head_row, dtype),
        step_wide=_room(wide, dtype),
        decay_wide=_room(wide, dtype),
        state=_room(sizes.inner * sizes.d_state, dtype),
        into_out_of=_room((sizes.channels - sizes.inner) * lanes, dtype),
        gate=_room(3 * sizes.inner, dtype),
        line=_room(sizes.inner, dtype),
    )


def make_states(n_sequences: int, sizes: Sizes, dtype: torch.dtype, *, keep: bool) -> Tensor:
    """Make room for the state at every block's start; with ``keep=False`` none."""
    blocks = -(-sizes.length // sizes.block)
    count = n_sequences * blocks * sizes.inner * sizes.d_state
    return torch.empty(count if keep else 0, dtype=dtype)


def make_gradients(n_sequences: int, parameters: Parameters) -> Gradients:
    """Make room for each sequence's gradients by those parameters that there are."""
    return Gradients(*(np.zeros(n_sequences * values.size, values.dtype) for values in parameters))


def sum_heads(rows: Any, n_sequences: int, sizes: Sizes) -> Tensor:
    """Add up the gradients by one number per head over the sequences."""
    return _sum(rows, n_sequences)[: sizes.heads]


def sum_features(rows: Any, n_sequences: int, sizes: Sizes) -> Tensor:
    """Add up the gradients by one number per feature over the sequences."""
    return _sum(rows, n_sequences)[: sizes.d_inner]


def sum_channels(rows: Any, n_sequences: int, sizes: Sizes) -> Tensor:
    """Add up the gradients by what belongs to x, B and C over the sequences: (taps, channels)."""
    summed = _sum(rows, n_sequences).reshape(-1, sizes.channels)
    both = summed[:, sizes.inner : sizes.inner + 2 * sizes.d_state]
    return torch.cat([summed[:, : sizes.d_inner], both], dim=1)


def _sum(rows: Any, n_sequences: int) -> Tensor:
    """Add up in an order that does not depend on the number of threads."""
    return torch.from_numpy(np.sum(rows.reshape(n_sequences, -1), axis=0, dtype=np.float64))
