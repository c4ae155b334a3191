"""The compiled stages that the forward and the backward pass of the native backend share.

A sequence is taken through all stages block by block, a few dozen time steps at a time, so that what lies
between two stages stays in the processor's near caches and no intermediate of the size of the input is ever
written. Arrays are pointers to flat memory. Rows inside the buffers are padded to whole vectors and hold,
like `mamba_ssm`'s, x (`inner` wide with padding), B, C; the padding is zero. Time steps inside a block are
counted from the block's start, in the direction in which time runs.

Nothing here may raise or allocate: the machine code has to run without Numba's run-time library.
"""

from __future__ import annotations

import math
from typing import Any

from brainscan_models.ssd.jit import stage
from brainscan_models.ssd.layout import NORM_EPS
from brainscan_models.ssd.records import Buffers, Parameters, Sizes
from brainscan_models.ssd.vector import (
    broadcast,
    exp,
    lanes,
    load,
    load_first,
    log1p_unit,
    minus_magnitude,
    positive_part,
    prefetch,
    state_operations,
    store,
    store_first,
    total,
    twice_high,
    twice_low,
    zeros,
)


@stage
def as_sizes(numbers: Any) -> Sizes:
    """Read the sizes from where Python put them."""
    return Sizes(
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        numbers[5],
        numbers[6],
        numbers[7],
        numbers[8],
        numbers[9],
        numbers[10],
        numbers[11],
        numbers[12],
    )


@stage
def as_parameters(table: Any) -> Parameters:
    """Read the parameters' addresses from where Python put them."""
    return Parameters(table[0], table[1], table[2], table[3], table[4], table[5])


@stage
def as_buffers(table: Any) -> Buffers:
    """Read the buffers' addresses from where Python put them."""
    return Buffers(
        table[0],
        table[1],
        table[2],
        table[3],
        table[4],
        table[5],
        table[6],
        table[7],
        table[8],
        table[9],
        table[10],
    )


@stage
def copy(source: Any, start: int, target: Any, place: int, count: int) -> None:
    """Copy ``source[start : start + count]`` to ``target[place :]``."""
    width = lanes(source)
    whole = count - count % width
    for i in range(0, whole, width):
        store(target, place + i, load(source, start + i))
    if whole < count:
        store_first(target, place + whole, load_first(source, start + whole, count - whole), count - whole)


@stage
def clear(array: Any, start: int, count: int) -> None:
    """Write zeros to ``array[start : start + count]``, a whole number of vectors."""
    for i in range(start, start + count, lanes(array)):
        store(array, i, zeros(array))


@stage
def position(sequence: int, step: int, sizes: Sizes) -> int:
    """Give the row of the caller's arrays that holds a time step of a sequence."""
    return sequence * sizes.length + (sizes.length - 1 - step if sizes.reverse else step)


@stage
def fetch_row(array: Any, sequence: int, step: int, row: int, sizes: Sizes) -> None:
    """Ask for a row, `row` wide, that will be needed a block later, if there is one.

    The processor does not foresee the jump from block to block, nor the gaps in a row that is read in
    parts: without this the edge stream takes half as long again.
    """
    if 0 <= step < sizes.length:
        first = position(sequence, step, sizes) * row
        for i in range(first, first + row, lanes(array)):
            prefetch(array, i)


@stage
def fetch_scan_row(arrays: tuple[Any, Any, Any, Any], sequence: int, step: int, sizes: Sizes) -> None:
    """Ask for a row of x, dt, B and C."""
    x, dt, into, out_of = arrays
    fetch_row(x, sequence, step, sizes.d_inner, sizes)
    fetch_row(dt, sequence, step, sizes.heads, sizes)
    fetch_row(into, sequence, step, sizes.d_state, sizes)
    fetch_row(out_of, sequence, step, sizes.d_state, sizes)


@stage
def load_mixer_block(zxbcdt: Any, sequence: int, start: int, count: int, sizes: Sizes, buffers: Buffers) -> None:
    """Read x, B, C and raw dt of a block, and the steps before it that the convolution sees."""
    before = sizes.d_conv - 1
    for t in range(-before, count):
        place = (before + t) * sizes.channels
        if start + t < 0:
            clear(buffers.entering, place, sizes.channels)
        else:
            row = position(sequence, start + t, sizes) * sizes.row + sizes.d_inner
            copy(zxbcdt, row, buffers.entering, place, sizes.d_inner)
            copy(zxbcdt, row + sizes.d_inner, buffers.entering, place + sizes.inner, 2 * sizes.d_state)
    for t in range(count):
        row = position(sequence, start + t, sizes) * sizes.row + sizes.row - sizes.heads
        copy(zxbcdt, row, buffers.step, t * sizes.heads, sizes.heads)


@stage
def load_scan_block(
    arrays: tuple[Any, Any, Any, Any], place: tuple[int, int, int], sizes: Sizes, buffers: Buffers
) -> None:
    """Read x, dt, B and C of a block as they are: for the scan without the rest of the mixer."""
    x, dt, into, out_of = arrays
    sequence, start, count = place
    for t in range(count):
        row = position(sequence, start + t, sizes)
        line = t * sizes.channels
        copy(x, row * sizes.d_inner, buffers.active, line, sizes.d_inner)
        copy(into, row * sizes.d_state, buffers.active, line + sizes.inner, sizes.d_state)
        line += sizes.inner + sizes.d_state
        copy(out_of, row * sizes.d_state, buffers.active, line, sizes.d_state)
        copy(dt, row * sizes.heads, buffers.step, t * sizes.heads, sizes.heads)


@stage
def store_scan_block(
    out: Any, arrays: tuple[Any, Any, Any, Any], place: tuple[int, int, int], sizes: Sizes, buffers: Buffers
) -> None:
    """Write what the scan gives for a block to its place, and ask for the next block of `arrays`."""
    sequence, start, count = place
    for t in range(count):
        fetch_scan_row(arrays, sequence, start + t + sizes.block, sizes)
        row = position(sequence, start + t, sizes) * sizes.d_inner
        copy(buffers.y, t * sizes.inner, out, row, sizes.d_inner)


@stage
def convolve(count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers, keep_slope: bool) -> None:
    """Apply the causal convolution and SiLU to x, B and C; with `keep_slope` keep the derivative."""
    for c in range(0, sizes.channels, lanes(buffers.active)):
        if sizes.d_conv == 4:
            _convolve_4(c, count, parameters, sizes, buffers, keep_slope)
        else:
            _convolve_any(c, count, parameters, sizes, buffers, keep_slope)


@stage
def _convolve_4(c: int, count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers, keep_slope: bool) -> None:
    """Convolve a vector of channels with four taps, each step read once."""
    channels = sizes.channels
    bias = load(parameters.conv_bias, c)
    tap_0, tap_1 = load(parameters.conv, c), load(parameters.conv, channels + c)
    tap_2, tap_3 = load(parameters.conv, 2 * channels + c), load(parameters.conv, 3 * channels + c)
    x_0, x_1 = load(buffers.entering, c), load(buffers.entering, channels + c)
    x_2 = load(buffers.entering, 2 * channels + c)
    for t in range(count):
        x_3 = load(buffers.entering, (t + 3) * channels + c)
        raw = (bias + tap_0 * x_0 + tap_1 * x_1) + (tap_2 * x_2 + tap_3 * x_3)
        x_0, x_1, x_2 = x_1, x_2, x_3
        _activate(raw, t * channels + c, buffers, keep_slope)


@stage
def _convolve_any(c: int, count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers, keep_slope: bool) -> None:
    """Convolve a vector of channels with any number of taps."""
    bias = load(parameters.conv_bias, c)
    for t in range(count):
        raw = bias
        for k in range(sizes.d_conv):
            tap = load(parameters.conv, k * sizes.channels + c)
            raw = raw + tap * load(buffers.entering, (t + k) * sizes.channels + c)
        _activate(raw, t * sizes.channels + c, buffers, keep_slope)


@stage
def _activate(raw: Any, place: int, buffers: Buffers, keep_slope: bool) -> None:
    """Write SiLU of a vector; with `keep_slope` its derivative, too."""
    sigmoid = 1.0 / (1.0 + exp(0.0 - raw))
    value = raw * sigmoid
    store(buffers.active, place, value)
    if keep_slope:
        store(buffers.active_slope, place, sigmoid + value * (1.0 - sigmoid))


@stage
def soften_steps(count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers, keep_slope: bool) -> None:
    """Turn raw step sizes into dt = softplus(raw + bias); with `keep_slope` keep the derivative."""
    for i in range(0, count * sizes.heads, lanes(buffers.step)):
        raw = load(buffers.step, i) + load(parameters.dt_bias, i % sizes.period)
        small = exp(minus_magnitude(raw))
        store(buffers.step, i, positive_part(raw) + log1p_unit(small))
        if keep_slope:
            store(buffers.step_slope, i, 1.0 / (1.0 + exp(0.0 - raw)))


@stage
def spread_steps(count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers) -> None:
    """Make the decays from the step sizes, and repeat both for every feature of their head."""
    for i in range(0, count * sizes.heads, lanes(buffers.step)):
        step = load(buffers.step, i)
        decay = exp(step * load(parameters.A, i % sizes.period))
        store(buffers.decay, i, decay)
        store(buffers.step_wide, i, step)
        store(buffers.decay_wide, i, decay)
    if halves_to_one(sizes):
        unfold(buffers.step_wide, count * sizes.heads, sizes.headdim)
        unfold(buffers.decay_wide, count * sizes.heads, sizes.headdim)
    else:
        repeat_heads(buffers.step, buffers.step_wide, count, sizes)
        repeat_heads(buffers.decay, buffers.decay_wide, count, sizes)


@stage
def halves_to_one(sizes: Sizes) -> bool:
    """Tell whether rows are unpadded and the features of a head a power of two: folding then is simple."""
    return sizes.inner == sizes.d_inner and sizes.headdim & (sizes.headdim - 1) == 0


@stage
def unfold(array: Any, count: int, factor: int) -> None:
    """Replace each value by `factor`, a power of two, of the same, in place."""
    width = lanes(array)
    while factor > 1:
        # From the end, so that nothing is overwritten before it is read.
        for i in range((count - 1) // width * width, -1, -width):
            vector = load(array, i)
            store(array, 2 * i + width, twice_high(vector))
            store(array, 2 * i, twice_low(vector))
        count *= 2
        factor //= 2


@stage
def repeat_heads(source: Any, target: Any, count: int, sizes: Sizes) -> None:
    """Repeat each head's value for its features, whatever their number."""
    for t in range(count):
        for head in range(sizes.heads):
            value = broadcast(source, t * sizes.heads + head)
            first = t * sizes.inner + head * sizes.headdim
            # A store may run past its head: the next head's, or the next row's, comes after it.
            for i in range(first, first + sizes.headdim, lanes(source)):
                store(target, i, value)


@stage
def scan_block(count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers, keep_states: bool) -> None:
    """Run the recurrence over a block, a vector of features at a time, from the state that is there.

    With `keep_states` the state after each step is kept behind the one before it.
    """
    for c in range(0, sizes.inner, lanes(buffers.y)):
        if sizes.d_state == 16:
            _scan_16(c, count, parameters, sizes, buffers, keep_states)
        elif sizes.d_state == 8:
            _scan_8(c, count, parameters, sizes, buffers, keep_states)
        else:
            _scan_any(c, count, parameters, sizes, buffers, keep_states)


def _scan_held(n_states: int) -> Any:
    """Make the scan for states of this many components, which stay in registers over a block.

    A state in registers is a tuple whose length the compiler must know: hence a function for each size. It is a
    sixth faster than `_scan_any`.
    """
    load_states, advance_states, store_states = state_operations(n_states)

    @stage
    def scan(c: int, count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers, keep_states: bool) -> None:
        size = n_states * lanes(buffers.y)
        at = c * n_states * (1 + (sizes.block if keep_states else 0))
        held = load_states(buffers.states, at)
        direct = load(parameters.D, c)
        for t in range(count):
            row = t * sizes.channels
            x = load(buffers.active, row + c)
            entering = x * load(buffers.step_wide, t * sizes.inner + c)
            decay = load(buffers.decay_wide, t * sizes.inner + c)
            row += sizes.inner
            held = advance_states(held, decay, entering, buffers.active, row, row + n_states)
            store(buffers.y, t * sizes.inner + c, direct * x + held[n_states])
            if keep_states:
                at += size
                store_states(buffers.states, at, held)
        if not keep_states:
            store_states(buffers.states, at, held)

    return scan


_scan_8, _scan_16 = _scan_held(8), _scan_held(16)


@stage
def _scan_any(c: int, count: int, parameters: Parameters, sizes: Sizes, buffers: Buffers, keep_states: bool) -> None:
    """Run a vector of features over a block, whatever the size of its state."""
    width = lanes(buffers.y)
    advance = sizes.d_state * width if keep_states else 0
    before = c * sizes.d_state * (1 + (sizes.block if keep_states else 0))
    direct = load(parameters.D, c)
    for t in range(count):
        row = t * sizes.channels
        x = load(buffers.active, row + c)
        entering = x * load(buffers.step_wide, t * sizes.inner + c)
        decay = load(buffers.decay_wide, t * sizes.inner + c)
        row += sizes.inner
        y = direct * x
        for n in range(sizes.d_state):
            state = decay * load(buffers.states, before + n * width)
            state = state + entering * broadcast(buffers.active, row + n)
            store(buffers.states, before + advance + n * width, state)
            y = y + state * broadcast(buffers.active, row + sizes.d_state + n)
        store(buffers.y, t * sizes.inner + c, y)
        before += advance


@stage
def gate_block(
    zxbcdt: Any, out: Any, place: tuple[int, int, int], parameters: Parameters, sizes: Sizes, buffers: Buffers
) -> None:
    """Gate the scan's block with SiLU(z), norm each time step and write it out.

    `place` is the sequence, the block's first step and its number of steps.
    """
    sequence, start, count = place
    width = lanes(buffers.y)
    for t in range(count):
        fetch_row(zxbcdt, sequence, start + t + sizes.block, sizes.row, sizes)
        row = position(sequence, start + t, sizes)
        copy(zxbcdt, row * sizes.row, buffers.gate, 0, sizes.d_inner)
        squares = zeros(buffers.y)
        for c in range(0, sizes.inner, width):
            z = load(buffers.gate, c)
            gated = load(buffers.y, t * sizes.inner + c) * z / (1.0 + exp(0.0 - z))
            squares = squares + gated * gated
            store(buffers.gate, c, gated)
        scale = 1.0 / math.sqrt(total(squares) / sizes.d_inner + NORM_EPS)
        for c in range(0, sizes.inner, width):
            store(buffers.gate, c, load(buffers.gate, c) * scale * load(parameters.norm, c))
        copy(buffers.gate, 0, out, row * sizes.d_inner, sizes.d_inner)
