"""What Python and the compiled kernels hand each other: records of numbers and of arrays.

In Python the arrays are tensors, in the kernels pointers to their flat memory. Rows are padded to whole
vectors of `VECTOR_BYTES`; the padding is zero. Loads without Numba.
"""

from __future__ import annotations

from typing import Any, NamedTuple

VECTOR_BYTES = 64


class Sizes(NamedTuple):
    """Numbers that fix the loops; `inner` and `channels` are padded to whole vectors."""

    length: int
    """Time steps of a sequence."""
    block: int
    """Time steps of a block."""
    reverse: int
    """1 if time runs backwards, else 0"""
    keep_states: int
    """1 if the forward pass keeps the state at each block's start, else 0"""
    d_inner: int
    d_state: int
    heads: int
    headdim: int
    d_conv: int
    row: int
    """Width of a row of ``zxbcdt``."""
    inner: int
    channels: int
    """Room for x, B and C in a row."""
    period: int
    """Smallest number of values that fills whole rows of heads and whole vectors"""


class Parameters(NamedTuple):
    """The block's parameters, padded and laid out for the stages."""

    conv: Any
    """(d_conv, channels)"""
    conv_bias: Any
    dt_bias: Any
    """(period,): the heads' values over and over"""
    A: Any
    """Like `dt_bias`"""
    D: Any
    """(inner,): each head's value repeated for its features"""
    norm: Any


class Buffers(NamedTuple):
    """Room for one block of one sequence; those of the backward pass are empty in the forward pass."""

    entering: Any
    """(d_conv - 1 + block, channels): x, B, C before the convolution"""
    active: Any
    """(block, channels): x, B, C after convolution and activation"""
    active_slope: Any
    """Derivative of `active` by the convolution's result"""
    step: Any
    """(block, heads): step size dt"""
    step_slope: Any
    """Derivative of `step` by the raw step size"""
    decay: Any
    """(block, heads): exp(dt A)"""
    step_wide: Any
    """(block, inner): `step`, each head's value repeated for its features"""
    decay_wide: Any
    y: Any
    """(block, inner): what the scan gives"""
    gate: Any
    """(inner,): one row of z, later of what is made from it"""
    states: Any
    """Forward (tile, d_state, lanes); backward (tile, block + 1, d_state, lanes)"""


class Adjoints(NamedTuple):
    """Gradients of what `Buffers` holds, for one block of one sequence."""

    y: Any
    """(block, inner)"""
    active: Any
    """(block, channels)"""
    raw: Any
    """(block + d_conv - 1, channels): by the convolution's result; the later block's first rows follow"""
    step: Any
    """(block, heads)"""
    step_wide: Any
    """(block, inner): per feature; folded in place to (block, heads)"""
    decay_wide: Any
    """Like `step_wide`, by dt A"""
    state: Any
    """(tile, d_state, lanes)"""
    into_out_of: Any
    """(channels - inner, lanes): by B and C, before the lanes are added up"""
    gate: Any
    """(3, inner): gated, SiLU(z) and its slope in one time step"""
    line: Any
    """(channels,): a row of results on its way out"""


class Gradients(NamedTuple):
    """Gradients by the parameters, one row per sequence, laid out like `Parameters`."""

    conv: Any
    conv_bias: Any
    dt_bias: Any
    A: Any
    D: Any
    norm: Any
