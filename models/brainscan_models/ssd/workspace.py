"""Memory for the compiled kernels: sizes, padded parameters, buffers of a thread, gradients of parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from brainscan_models.ssd.layout import MixerShape
from brainscan_models.ssd.records import VECTOR_BYTES, Adjoints, Buffers, Gradients, Parameters, Sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from brainscan_models.ssd.layout import MixerWeights

BLOCK = 32
"""Time steps of a block: few enough for the near caches, many enough to keep few states."""


def addresses(arrays: Iterable[Tensor]) -> NDArray[np.int64]:
    """Make the table of addresses that a kernel takes; the arrays must outlive the call."""
    return np.array([array.data_ptr() for array in arrays], dtype=np.int64)


def make_scan_sizes(x: Tensor, d_state: int, *, keep_states: bool) -> Sizes:
    """Describe the scan of `x`, shape (batch, T, H, P)."""
    heads, headdim = x.shape[2:]
    return _sizes(x, MixerShape(headdim, d_state), heads, d_conv=1)._replace(keep_states=int(keep_states))


def make_mixer_sizes(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape, *, keep_states: bool) -> Sizes:
    """Describe the mixer on `zxbcdt`, shape (batch, T, row)."""
    heads, d_conv = weights.A_log.shape[0], weights.conv_weight.shape[-1]
    return _sizes(zxbcdt, shape, heads, d_conv)._replace(keep_states=int(keep_states))


def _sizes(data: Tensor, shape: MixerShape, heads: int, d_conv: int) -> Sizes:
    lanes = VECTOR_BYTES // data.element_size()
    d_inner = heads * shape.headdim
    inner = _whole(d_inner, lanes)
    return Sizes(
        length=data.shape[1],
        # The convolution's last rows are handed from block to block, so a block holds at least those.
        block=max(BLOCK, d_conv - 1),
        reverse=int(shape.reverse),
        keep_states=0,
        d_inner=d_inner,
        d_state=shape.d_state,
        heads=heads,
        headdim=shape.headdim,
        d_conv=d_conv,
        row=2 * d_inner + 2 * shape.d_state + heads,
        inner=inner,
        channels=_whole(inner + 2 * shape.d_state, lanes),
        period=math.lcm(heads, lanes),
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
        A=_over_and_over(A, sizes),
        D=_padded(D.repeat_interleave(sizes.headdim), sizes.inner),
        norm=nothing,
    )


def make_mixer_parameters(weights: MixerWeights, sizes: Sizes) -> Parameters:
    """Lay out the parameters of the mixer."""
    return Parameters(
        conv=_padded_channels(weights.conv_weight[:, 0].T, sizes),
        conv_bias=_padded_channels(weights.conv_bias[None], sizes),
        dt_bias=_over_and_over(weights.dt_bias, sizes),
        A=_over_and_over(-torch.exp(weights.A_log), sizes),
        D=_padded(weights.D.repeat_interleave(sizes.headdim), sizes.inner),
        norm=_padded(weights.norm_weight, sizes.inner),
    )


def _over_and_over(values: Tensor, sizes: Sizes) -> Tensor:
    return values.repeat(sizes.period // sizes.heads)


def _padded(values: Tensor, width: int) -> Tensor:
    padded = torch.zeros(width, dtype=values.dtype)
    padded[: values.shape[0]] = values
    return padded


def _padded_channels(rows: Tensor, sizes: Sizes) -> Tensor:
    """Lay rows of (x, B, C) out as the kernels' rows."""
    padded = torch.zeros(rows.shape[0], sizes.channels, dtype=rows.dtype)
    padded[:, : sizes.d_inner] = rows[:, : sizes.d_inner]
    padded[:, sizes.inner : sizes.inner + 2 * sizes.d_state] = rows[:, sizes.d_inner :]
    return padded


def _room(count: int, dtype: torch.dtype) -> Tensor:
    # PyTorch's memory starts at a cache line.
    return torch.zeros(count, dtype=dtype)


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
    lanes = VECTOR_BYTES // dtype.itemsize
    rows = sizes.block
    # Repeating values for a head and folding them again reach up to two vectors past the last row.
    wide = rows * sizes.inner + 2 * lanes
    return Buffers(
        entering=_room((sizes.d_conv - 1 + rows) * sizes.channels, dtype),
        active=_room(rows * sizes.channels, dtype),
        active_slope=_room(rows * sizes.channels if slopes else 0, dtype),
        step=_room(rows * sizes.heads + lanes, dtype),
        step_slope=_room(rows * sizes.heads + lanes if slopes else 0, dtype),
        decay=_room(rows * sizes.heads + lanes, dtype),
        step_wide=_room(wide, dtype),
        decay_wide=_room(wide, dtype),
        y=_room(rows * sizes.inner, dtype),
        gate=_room(sizes.inner, dtype),
        # Written before it is read, and large.
        states=torch.empty(sizes.inner * sizes.d_state * (rows + 1 if backward else 1), dtype=dtype),
    )


def make_adjoints(sizes: Sizes, dtype: torch.dtype) -> Adjoints:
    """Make the further buffers that one thread needs in the backward pass."""
    lanes = VECTOR_BYTES // dtype.itemsize
    rows = sizes.block
    wide = rows * sizes.inner + 2 * lanes
    return Adjoints(
        y=_room(rows * sizes.inner, dtype),
        active=_room(rows * sizes.channels, dtype),
        raw=_room((rows + sizes.d_conv - 1) * sizes.channels, dtype),
        step=_room(rows * sizes.heads + lanes, dtype),
        step_wide=_room(wide, dtype),
        decay_wide=_room(wide, dtype),
        state=_room(sizes.inner * sizes.d_state, dtype),
        into_out_of=_room((sizes.channels - sizes.inner) * lanes, dtype),
        gate=_room(3 * sizes.inner, dtype),
        line=_room(sizes.inner, dtype),
    )


def empty(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Make room for a large result.

    NumPy asks the system for large pages where they exist. PyTorch does not, and its fresh memory then is
    handed out 4 KiB at a time: 20 ms for the edge stream's gradient, as long as it takes to compute.
    """
    count = math.prod(shape)
    lanes = VECTOR_BYTES // dtype.itemsize
    room = np.empty(count + lanes, dtype=str(dtype).removeprefix("torch."))
    first = -room.ctypes.data % VECTOR_BYTES // dtype.itemsize
    return torch.from_numpy(room[first : first + count]).view(tuple(shape))


def make_states(n_sequences: int, sizes: Sizes, dtype: torch.dtype) -> Tensor:
    """Make room for the state at every block's start, if it is to be kept."""
    blocks = -(-sizes.length // sizes.block)
    return empty([sizes.keep_states * n_sequences * blocks * sizes.inner * sizes.d_state], dtype)


def make_gradients(n_sequences: int, parameters: Parameters) -> Gradients:
    """Make room for each sequence's gradients by those parameters that there are."""
    return Gradients(*(torch.zeros(n_sequences, array.numel(), dtype=array.dtype) for array in parameters))


def sum_heads(rows: Tensor, sizes: Sizes) -> Tensor:
    """Add up the gradients by one number per head over the sequences: (heads,)."""
    return _sum(rows).reshape(-1, sizes.heads).sum(0)


def sum_features(rows: Tensor, sizes: Sizes) -> Tensor:
    """Add up the gradients by one number per feature over the sequences: (d_inner,)."""
    return _sum(rows)[: sizes.d_inner]


def sum_channels(rows: Tensor, sizes: Sizes) -> Tensor:
    """Add up the gradients by what belongs to x, B and C over the sequences: (taps, channels)."""
    summed = _sum(rows).reshape(-1, sizes.channels)
    both = summed[:, sizes.inner : sizes.inner + 2 * sizes.d_state]
    return torch.cat([summed[:, : sizes.d_inner], both], dim=1)


def _sum(rows: Tensor) -> Tensor:
    """Add up in NumPy, whose order does not depend on the number of threads."""
    return torch.from_numpy(np.sum(rows.numpy(), axis=0, dtype=np.float64))
