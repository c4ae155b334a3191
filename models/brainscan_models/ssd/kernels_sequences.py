"""The compiled entry points of the native backend: whole sequences, forward and backward.

Every entry point works on the sequences ``first .. stop - 1`` alone and touches nothing of the others, so
that results do not depend on who computes which. Tables hold the addresses of arrays, in the order of the
fields of the type that is made from them.
"""

from __future__ import annotations

from typing import Any

from brainscan_models.ssd.jit import stage
from brainscan_models.ssd.kernels import (
    as_buffers,
    as_parameters,
    as_sizes,
    clear,
    convolve,
    copy,
    gate_block,
    load_mixer_block,
    load_scan_block,
    scan_block,
    soften_steps,
    spread_steps,
    store_scan_block,
)
from brainscan_models.ssd.kernels_backward import (
    as_adjoints,
    as_gradients,
    convolve_backward,
    gate_block_backward,
    load_upstream_block,
    scan_block_backward,
    steps_backward,
    store_mixer_gradients,
    store_scan_gradients,
)
from brainscan_models.ssd.records import Buffers, Sizes
from brainscan_models.ssd.vector import lanes


def mixer_forward(first: int, stop: int, numbers: Any, arrays: Any, given: Any, room: Any) -> None:
    """Compute the mixer.

    `arrays`: zxbcdt; the result; room for the states. `given`: the parameters. `room`: the buffers.
    """
    zxbcdt, out, checkpoints = arrays[0], arrays[1], arrays[2]
    sizes, parameters, buffers = as_sizes(numbers), as_parameters(given), as_buffers(room)
    for sequence in range(first, stop):
        clear(buffers.states, 0, sizes.inner * sizes.d_state)
        for block in range(_n_blocks(sizes)):
            start = block * sizes.block
            count = min(sizes.block, sizes.length - start)
            _keep_states(checkpoints, sequence, block, sizes, buffers)
            load_mixer_block(zxbcdt, sequence, start, count, sizes, buffers)
            convolve(count, parameters, sizes, buffers, False)
            soften_steps(count, parameters, sizes, buffers, False)
            spread_steps(count, parameters, sizes, buffers)
            scan_block(count, parameters, sizes, buffers, False)
            gate_block(zxbcdt, out, (sequence, start, count), parameters, sizes, buffers)


def mixer_backward(
    first: int, stop: int, numbers: Any, arrays: Any, given: Any, room: Any, more: Any, by_given: Any
) -> None:
    """Go back through the mixer.

    `arrays`: zxbcdt; the states that `mixer_forward` kept; the gradient by its result; room for the
    gradient by zxbcdt. `more`: the adjoints. `by_given`: the gradients by the parameters.
    """
    zxbcdt, checkpoints, upstream, downstream = arrays[0], arrays[1], arrays[2], arrays[3]
    sizes, parameters, buffers = as_sizes(numbers), as_parameters(given), as_buffers(room)
    adjoints, gradients = as_adjoints(more), as_gradients(by_given)
    around = (zxbcdt, upstream, downstream)
    for sequence in range(first, stop):
        clear(adjoints.state, 0, sizes.inner * sizes.d_state)
        clear(adjoints.raw, 0, (sizes.block + sizes.d_conv - 1) * sizes.channels)
        for block in range(_n_blocks(sizes) - 1, -1, -1):
            start = block * sizes.block
            count = min(sizes.block, sizes.length - start)
            place = (sequence, start, count)
            load_mixer_block(zxbcdt, sequence, start, count, sizes, buffers)
            convolve(count, parameters, sizes, buffers, True)
            soften_steps(count, parameters, sizes, buffers, True)
            spread_steps(count, parameters, sizes, buffers)
            _restore_states(checkpoints, sequence, block, sizes, buffers)
            scan_block(count, parameters, sizes, buffers, True)
            gate_block_backward(around, place, parameters, sizes, buffers, adjoints, gradients)
            scan_block_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            steps_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients, True)
            convolve_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            store_mixer_gradients(downstream, place, sizes, adjoints)


def scan_forward(first: int, stop: int, numbers: Any, arrays: Any, given: Any, room: Any) -> None:
    """Compute the scan. `arrays`: x; dt; B; C; the result; room for the states."""
    out, checkpoints = arrays[4], arrays[5]
    sources = (arrays[0], arrays[1], arrays[2], arrays[3])
    sizes, parameters, buffers = as_sizes(numbers), as_parameters(given), as_buffers(room)
    for sequence in range(first, stop):
        clear(buffers.states, 0, sizes.inner * sizes.d_state)
        for block in range(_n_blocks(sizes)):
            start = block * sizes.block
            count = min(sizes.block, sizes.length - start)
            place = (sequence, start, count)
            _keep_states(checkpoints, sequence, block, sizes, buffers)
            load_scan_block(sources, place, sizes, buffers)
            spread_steps(count, parameters, sizes, buffers)
            scan_block(count, parameters, sizes, buffers, False)
            store_scan_block(out, sources, place, sizes, buffers)


def scan_backward(
    first: int, stop: int, numbers: Any, arrays: Any, given: Any, room: Any, more: Any, by_given: Any
) -> None:
    """Go back through the scan.

    `arrays`: x; dt; B; C; the states that `scan_forward` kept; the gradient by its result; room for the
    gradients by x, dt, B and C.
    """
    checkpoints, upstream = arrays[4], arrays[5]
    sources = (arrays[0], arrays[1], arrays[2], arrays[3])
    targets = (arrays[6], arrays[7], arrays[8], arrays[9])
    sizes, parameters, buffers = as_sizes(numbers), as_parameters(given), as_buffers(room)
    adjoints, gradients = as_adjoints(more), as_gradients(by_given)
    for sequence in range(first, stop):
        clear(adjoints.state, 0, sizes.inner * sizes.d_state)
        for block in range(_n_blocks(sizes) - 1, -1, -1):
            start = block * sizes.block
            count = min(sizes.block, sizes.length - start)
            place = (sequence, start, count)
            load_scan_block(sources, place, sizes, buffers)
            spread_steps(count, parameters, sizes, buffers)
            _restore_states(checkpoints, sequence, block, sizes, buffers)
            scan_block(count, parameters, sizes, buffers, True)
            load_upstream_block(upstream, sources, place, sizes, adjoints)
            scan_block_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            steps_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients, False)
            store_scan_gradients(targets, place, sizes, adjoints)


@stage
def _n_blocks(sizes: Sizes) -> int:
    return (sizes.length + sizes.block - 1) // sizes.block


@stage
def _keep_states(checkpoints: Any, sequence: int, block: int, sizes: Sizes, buffers: Buffers) -> None:
    """Keep the state at the start of a block."""
    if sizes.keep_states:
        size = sizes.inner * sizes.d_state
        copy(buffers.states, 0, checkpoints, (sequence * _n_blocks(sizes) + block) * size, size)


@stage
def _restore_states(checkpoints: Any, sequence: int, block: int, sizes: Sizes, buffers: Buffers) -> None:
    """Put the state at the start of a block where `scan_block` finds it, apart by tiles of features."""
    size = sizes.d_state * lanes(buffers.states)
    tiles = sizes.inner // lanes(buffers.states)
    place = (sequence * _n_blocks(sizes) + block) * tiles * size
    for tile in range(tiles):
        copy(checkpoints, place + tile * size, buffers.states, tile * size * (sizes.block + 1), size)
