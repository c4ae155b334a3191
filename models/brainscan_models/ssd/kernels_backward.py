"""The backward stages of the native backend: the adjoint recurrence and what leads to and from it.

Blocks are taken from the last to the first. In each the forward stages are run again from the state that
the forward pass kept for its start, this time with the state of every step and the slopes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from brainscan_models.ssd.jit import stage
from brainscan_models.ssd.kernels import copy, fetch_row, fetch_scan_row, halves_to_one, position
from brainscan_models.ssd.layout import NORM_EPS
from brainscan_models.ssd.records import Adjoints, Buffers, Gradients, Parameters, Sizes
from brainscan_models.ssd.vector import broadcast, exp, lanes, load, pair_sums, row_totals, store, total, zeros

# Vectors of features whose adjoint state and two neighbouring states of every step stay in the near caches.
_GROUP = 8


@stage
def as_adjoints(table: Any) -> Adjoints:
    """Read the buffers' addresses from where Python put them."""
    return Adjoints(
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
    )


@stage
def as_gradients(table: Any) -> Gradients:
    """Read the addresses of the parameters' gradients from where Python put them."""
    return Gradients(table[0], table[1], table[2], table[3], table[4], table[5])


@stage
def add_to(array: Any, index: int, vector: Any) -> None:
    """Add a vector to ``array[index : index + lanes]``."""
    store(array, index, load(array, index) + vector)


@stage
def fold(array: Any, count: int, factor: int) -> None:
    """Replace each `factor` neighbours, a power of two, by their sum, in place."""
    width = lanes(array)
    while factor > 1:
        count //= 2
        factor //= 2
        for i in range(0, count, width):
            store(array, i, pair_sums(load(array, 2 * i), load(array, 2 * i + width)))


@stage
def fold_heads(array: Any, count: int, sizes: Sizes) -> None:
    """Replace the features of each head by their sum: (count, inner) becomes (count, heads), in place."""
    if halves_to_one(sizes):
        fold(array, count * sizes.inner, sizes.headdim)
    else:
        for t in range(count):
            for head in range(sizes.heads):
                first = t * sizes.inner + head * sizes.headdim
                features = array[first]
                for i in range(first + 1, first + sizes.headdim):
                    features += array[i]
                array[t * sizes.heads + head] = features


@stage
def gate_block_backward(
    arrays: tuple[Any, Any, Any],
    place: tuple[int, int, int],
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Go back through norm and gate: the gradient by the scan's block, and by z into its place.

    `arrays`: zxbcdt, the gradient by the mixer's result, the gradient by zxbcdt. With g = y SiLU(z),
    r = 1 / sqrt(mean(g^2) + eps) and e = gradient * norm, dg = r (e - g r^2 mean(g e)).
    """
    zxbcdt, upstream, downstream = arrays
    sequence, start, count = place
    width = lanes(buffers.y)
    inner = sizes.inner
    gate = adjoints.gate
    for t in range(count):
        fetch_row(zxbcdt, sequence, start + t - sizes.block, sizes.row, sizes)
        fetch_row(upstream, sequence, start + t - sizes.block, sizes.d_inner, sizes)
        row = position(sequence, start + t, sizes)
        copy(zxbcdt, row * sizes.row, buffers.gate, 0, sizes.d_inner)
        copy(upstream, row * sizes.d_inner, adjoints.y, t * inner, sizes.d_inner)
        squares = zeros(gate)
        products = zeros(gate)
        for c in range(0, inner, width):
            z = load(buffers.gate, c)
            sigmoid = 1.0 / (1.0 + exp(0.0 - z))
            silu = z * sigmoid
            gated = load(buffers.y, t * inner + c) * silu
            squares = squares + gated * gated
            products = products + gated * load(adjoints.y, t * inner + c) * load(parameters.norm, c)
            store(gate, c, gated)
            store(gate, inner + c, silu)
            store(gate, 2 * inner + c, sigmoid + silu * (1.0 - sigmoid))
        scale = 1.0 / math.sqrt(total(squares) / sizes.d_inner + NORM_EPS)
        share = scale * scale * total(products) / sizes.d_inner
        for c in range(0, inner, width):
            gated = load(gate, c)
            coming = load(adjoints.y, t * inner + c)
            add_to(gradients.norm, sequence * inner + c, coming * gated * scale)
            by_gated = (coming * load(parameters.norm, c) - gated * share) * scale
            by_z = by_gated * load(buffers.y, t * inner + c) * load(gate, 2 * inner + c)
            store(adjoints.line, c, by_z)
            store(adjoints.y, t * inner + c, by_gated * load(gate, inner + c))
        copy(adjoints.line, 0, downstream, row * sizes.row, sizes.d_inner)


@stage
def scan_block_backward(
    sequence: int,
    count: int,
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Run the adjoint recurrence over a block, from its last step to its first.

    With s the state, u = dt x and g the gradient by s: g_t = exp(dt_t+1 A) g_t+1 + dy_t C_t, and from it
    dB = sum(g u), dC = sum(dy s), du = sum(g B), d(dt A) = exp(dt A) sum(g s_t-1).
    """
    width = lanes(buffers.y)
    for first in range(0, sizes.inner, _GROUP * width):
        stop = min(first + _GROUP * width, sizes.inner)
        for t in range(count - 1, -1, -1):
            place = (sequence, t, first, stop)
            _scan_step_backward(place, parameters, sizes, buffers, adjoints, gradients)
            for i in range(0, sizes.channels - sizes.inner, width):
                sums = row_totals(adjoints.into_out_of, i * width)
                target = t * sizes.channels + sizes.inner + i
                if first > 0:
                    sums = sums + load(adjoints.active, target)
                store(adjoints.active, target, sums)
    fold_heads(adjoints.step_wide, count, sizes)
    fold_heads(adjoints.decay_wide, count, sizes)


class _Tile(NamedTuple):
    """One vector of features in one time step, as the adjoint recurrence needs it."""

    coming: Any
    """Gradient by the scan's result"""
    x: Any
    step: Any
    entering: Any
    decay: Any
    before: int
    """Place of the state before the step in `Buffers.states`"""
    adjoint: int
    """Place of the adjoint in `Adjoints.state`"""


@stage
def _read_tile(t: int, c: int, sizes: Sizes, buffers: Buffers, adjoints: Adjoints) -> _Tile:
    x = load(buffers.active, t * sizes.channels + c)
    step = load(buffers.step_wide, t * sizes.inner + c)
    decay = load(buffers.decay_wide, t * sizes.inner + c)
    coming = load(adjoints.y, t * sizes.inner + c)
    first = c * sizes.d_state
    before = first * (sizes.block + 1) + t * sizes.d_state * lanes(buffers.y)
    return _Tile(coming, x, step, step * x, decay, before, first)


@stage
def _adjoint_of_state(
    tile: _Tile, place: int, into: Any, out_of: Any, states: tuple[Any, Any, int]
) -> tuple[Any, Any, Any, Any]:
    """Take one component of the state back; give the gradients by B, C, dt x and dt A.

    `states`: the states; their adjoints; the distance from a state to the next step's.
    """
    kept, adjoint, advance = states
    g = load(adjoint, tile.adjoint + place) + tile.coming * out_of
    decayed = g * tile.decay
    store(adjoint, tile.adjoint + place, decayed)
    by_out_of = tile.coming * load(kept, tile.before + advance + place)
    return g * tile.entering, by_out_of, g * into, decayed * load(kept, tile.before + place)


@stage
def _write_tile(
    tile: _Tile,
    place: tuple[int, int, int],
    by: tuple[Any, Any],
    direct: Any,
    sizes: Sizes,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Write what a tile's gradients by dt x and by dt A come to. `place`: sequence, step, feature."""
    sequence, t, c = place
    by_entering, by_decay = by
    store(adjoints.active, t * sizes.channels + c, by_entering * tile.step + tile.coming * direct)
    store(adjoints.step_wide, t * sizes.inner + c, by_entering * tile.x)
    store(adjoints.decay_wide, t * sizes.inner + c, by_decay)
    add_to(gradients.D, sequence * sizes.inner + c, tile.coming * tile.x)


@stage
def _scan_step_backward(
    place: tuple[int, int, int, int],
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Take the adjoint recurrence one step back, two tiles of features at a time where there are two.

    `place`: sequence, time step, the first feature and the one after the last.
    """
    sequence, t, first, stop = place
    width = lanes(buffers.y)
    into = t * sizes.channels + sizes.inner
    size = sizes.d_state * width
    states = (buffers.states, adjoints.state, size)
    by_both = adjoints.into_out_of
    for c in range(first, stop, 2 * width):
        paired = c + width < stop
        one = _read_tile(t, c, sizes, buffers, adjoints)
        two = _read_tile(t, c + width if paired else c, sizes, buffers, adjoints)
        by_entering, by_entering_2 = zeros(buffers.y), zeros(buffers.y)
        by_decay, by_decay_2 = zeros(buffers.y), zeros(buffers.y)
        for n in range(sizes.d_state):
            at = n * width
            b = broadcast(buffers.active, into + n)
            c_ = broadcast(buffers.active, into + sizes.d_state + n)
            by_b, by_c, entering, decay = _adjoint_of_state(one, at, b, c_, states)
            by_entering = by_entering + entering
            by_decay = by_decay + decay
            if paired:
                by_b_2, by_c_2, entering, decay = _adjoint_of_state(two, at, b, c_, states)
                by_b = by_b + by_b_2
                by_c = by_c + by_c_2
                by_entering_2 = by_entering_2 + entering
                by_decay_2 = by_decay_2 + decay
            if c > first:
                by_b = by_b + load(by_both, at)
                by_c = by_c + load(by_both, size + at)
            store(by_both, at, by_b)
            store(by_both, size + at, by_c)
        direct = load(parameters.D, c)
        _write_tile(one, (sequence, t, c), (by_entering, by_decay), direct, sizes, adjoints, gradients)
        if paired:
            direct = load(parameters.D, c + width)
            by = (by_entering_2, by_decay_2)
            _write_tile(two, (sequence, t, c + width), by, direct, sizes, adjoints, gradients)


@stage
def steps_backward(
    sequence: int,
    count: int,
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
    softened: bool,
) -> None:
    """Go back through the decays to the step sizes; if `softened` through softplus, too."""
    n = count * sizes.heads
    # What lies behind the last value must not count.
    store(adjoints.step_wide, n, zeros(buffers.step))
    store(adjoints.decay_wide, n, zeros(buffers.step))
    for i in range(0, n, lanes(buffers.step)):
        head = i % sizes.period
        by_exponent = load(adjoints.decay_wide, i)
        by_step = load(adjoints.step_wide, i) + by_exponent * load(parameters.A, head)
        add_to(gradients.A, sequence * sizes.period + head, by_exponent * load(buffers.step, i))
        if softened:
            by_step = by_step * load(buffers.step_slope, i)
            add_to(gradients.dt_bias, sequence * sizes.period + head, by_step)
        store(adjoints.step, i, by_step)


@stage
def convolve_backward(
    sequence: int,
    count: int,
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Go back through SiLU and the convolution; `adjoints.active` then holds the gradient by x, B and C.

    The gradients by the convolution's first results are left for the block before this one, which is a full one.
    """
    for c in range(0, sizes.channels, lanes(buffers.active)):
        if sizes.d_conv == 4:
            _convolve_4_backward((sequence, c), count, parameters, sizes, buffers, adjoints, gradients)
        else:
            _convolve_any_backward((sequence, c), count, parameters, sizes, buffers, adjoints, gradients)
    if sizes.d_conv != 4:
        copy(adjoints.raw, 0, adjoints.raw, sizes.block * sizes.channels, (sizes.d_conv - 1) * sizes.channels)


@stage
def _convolve_4_backward(
    place: tuple[int, int],
    count: int,
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Go back through four taps on a vector of channels, each step read once. `place`: sequence, channel."""
    sequence, c = place
    channels = sizes.channels
    tap_0, tap_1 = load(parameters.conv, c), load(parameters.conv, channels + c)
    tap_2, tap_3 = load(parameters.conv, 2 * channels + c), load(parameters.conv, 3 * channels + c)
    after = sizes.block * channels + c
    raw_1, raw_2 = load(adjoints.raw, after), load(adjoints.raw, after + channels)
    raw_3 = load(adjoints.raw, after + 2 * channels)
    last = count * channels + c
    x_1, x_2 = load(buffers.entering, last), load(buffers.entering, last + channels)
    x_3 = load(buffers.entering, last + 2 * channels)
    by_0 = by_1 = by_2 = by_3 = by_bias = zeros(buffers.active)
    for t in range(count - 1, -1, -1):
        at = t * channels + c
        raw = load(adjoints.active, at) * load(buffers.active_slope, at)
        x_0 = load(buffers.entering, at)
        by_bias = by_bias + raw
        by_0 = by_0 + raw * x_0
        by_1 = by_1 + raw * x_1
        by_2 = by_2 + raw * x_2
        by_3 = by_3 + raw * x_3
        store(adjoints.active, at, (tap_3 * raw + tap_2 * raw_1) + (tap_1 * raw_2 + tap_0 * raw_3))
        x_1, x_2, x_3 = x_0, x_1, x_2
        raw_1, raw_2, raw_3 = raw, raw_1, raw_2
    store(adjoints.raw, after, raw_1)
    store(adjoints.raw, after + channels, raw_2)
    store(adjoints.raw, after + 2 * channels, raw_3)
    add_to(gradients.conv_bias, sequence * channels + c, by_bias)
    first = 4 * sequence * channels + c
    add_to(gradients.conv, first, by_0)
    add_to(gradients.conv, first + channels, by_1)
    add_to(gradients.conv, first + 2 * channels, by_2)
    add_to(gradients.conv, first + 3 * channels, by_3)


@stage
def _convolve_any_backward(
    place: tuple[int, int],
    count: int,
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Go back through any number of taps on a vector of channels. `place`: sequence, channel."""
    sequence, c = place
    channels = sizes.channels
    bias = load(gradients.conv_bias, sequence * channels + c)
    for t in range(count):
        at = t * channels + c
        raw = load(adjoints.active, at) * load(buffers.active_slope, at)
        store(adjoints.raw, at, raw)
        bias = bias + raw
    store(gradients.conv_bias, sequence * channels + c, bias)
    for k in range(sizes.d_conv):
        at = (sequence * sizes.d_conv + k) * channels + c
        tap = load(gradients.conv, at)
        for t in range(count):
            tap = tap + load(adjoints.raw, t * channels + c) * load(buffers.entering, (t + k) * channels + c)
        store(gradients.conv, at, tap)
    for t in range(count):
        by_input = zeros(buffers.active)
        for k in range(sizes.d_conv):
            tap = load(parameters.conv, k * channels + c)
            by_input = by_input + tap * load(adjoints.raw, (t + sizes.d_conv - 1 - k) * channels + c)
        store(adjoints.active, t * channels + c, by_input)


@stage
def store_mixer_gradients(downstream: Any, place: tuple[int, int, int], sizes: Sizes, adjoints: Adjoints) -> None:
    """Write the gradient by x, B, C and the raw step sizes to its place."""
    sequence, start, count = place
    for t in range(count):
        row = position(sequence, start + t, sizes) * sizes.row + sizes.d_inner
        line = t * sizes.channels
        copy(adjoints.active, line, downstream, row, sizes.d_inner)
        copy(adjoints.active, line + sizes.inner, downstream, row + sizes.d_inner, 2 * sizes.d_state)
        row += sizes.d_inner + 2 * sizes.d_state
        copy(adjoints.step, t * sizes.heads, downstream, row, sizes.heads)


@stage
def load_upstream_block(
    upstream: Any,
    arrays: tuple[Any, Any, Any, Any],
    place: tuple[int, int, int],
    sizes: Sizes,
    adjoints: Adjoints,
) -> None:
    """Read the gradient by what the scan gives for a block, and ask for the block before it."""
    sequence, start, count = place
    for t in range(count):
        fetch_scan_row(arrays, sequence, start + t - sizes.block, sizes)
        fetch_row(upstream, sequence, start + t - sizes.block, sizes.d_inner, sizes)
        row = position(sequence, start + t, sizes) * sizes.d_inner
        copy(upstream, row, adjoints.y, t * sizes.inner, sizes.d_inner)


@stage
def store_scan_gradients(
    arrays: tuple[Any, Any, Any, Any], place: tuple[int, int, int], sizes: Sizes, adjoints: Adjoints
) -> None:
    """Write the gradients by x, dt, B and C to their places."""
    by_x, by_dt, by_into, by_out_of = arrays
    sequence, start, count = place
    for t in range(count):
        row = position(sequence, start + t, sizes)
        line = t * sizes.channels
        copy(adjoints.active, line, by_x, row * sizes.d_inner, sizes.d_inner)
        copy(adjoints.active, line + sizes.inner, by_into, row * sizes.d_state, sizes.d_state)
        line += sizes.inner + sizes.d_state
        copy(adjoints.active, line, by_out_of, row * sizes.d_state, sizes.d_state)
        copy(adjoints.step, t * sizes.heads, by_dt, row * sizes.heads, sizes.heads)
