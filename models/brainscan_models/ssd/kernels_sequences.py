"""The compiled entry points of the native backend: whole sequences, forward and backward.

Every entry point works on the sequences ``span[0] .. span[1] - 1`` alone and touches nothing of the others,
so that results do not depend on who computes which.
"""

from __future__ import annotations

from typing import Any

from brainscan_models.ssd.jit import EntryPoint, inlined
from brainscan_models.ssd.kernels import (
    Buffers,
    Parameters,
    Sizes,
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
    Adjoints,
    Gradients,
    convolve_backward,
    gate_block_backward,
    load_upstream_block,
    scan_block_backward,
    steps_backward,
    store_mixer_gradients,
    store_scan_gradients,
)
from brainscan_models.ssd.vector import lanes


@EntryPoint
def mixer_forward(
    span: tuple[int, int],
    arrays: tuple[Any, Any, Any],
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
) -> None:
    """Compute the mixer. `arrays`: zxbcdt; the result; room for the states or an empty array."""
    zxbcdt, out, checkpoints = arrays
    for sequence in range(*span):
        clear(buffers.states, 0, buffers.states.size)
        for start in range(0, sizes.length, sizes.block):
            count = min(sizes.block, sizes.length - start)
            _keep_states(checkpoints, sequence, start, sizes, buffers)
            load_mixer_block(zxbcdt, sequence, start, count, sizes, buffers)
            convolve(count, parameters, sizes, buffers)
            soften_steps(count, parameters, sizes, buffers)
            spread_steps(count, parameters, sizes, buffers)
            scan_block(count, parameters, sizes, buffers, False)
            gate_block(zxbcdt, out, (sequence, start, count), parameters, sizes, buffers)


@EntryPoint
def mixer_backward(
    span: tuple[int, int],
    arrays: tuple[Any, Any, Any, Any],
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Go back through the mixer.

    `arrays`: zxbcdt; the states that `mixer_forward` kept; the gradient by its result; room for the
    gradient by zxbcdt.
    """
    zxbcdt, checkpoints, upstream, downstream = arrays
    for sequence in range(*span):
        clear(adjoints.state, 0, adjoints.state.size)
        clear(adjoints.raw, 0, adjoints.raw.size)
        for start in range((sizes.length - 1) // sizes.block * sizes.block, -1, -sizes.block):
            count = min(sizes.block, sizes.length - start)
            place = (sequence, start, count)
            load_mixer_block(zxbcdt, sequence, start, count, sizes, buffers)
            convolve(count, parameters, sizes, buffers)
            soften_steps(count, parameters, sizes, buffers)
            spread_steps(count, parameters, sizes, buffers)
            _restore_states(checkpoints, sequence, start, sizes, buffers)
            scan_block(count, parameters, sizes, buffers, True)
            gate_block_backward((zxbcdt, upstream, downstream), place, parameters, sizes, buffers, adjoints, gradients)
            scan_block_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            steps_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            convolve_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            store_mixer_gradients(downstream, place, sizes, adjoints)


@EntryPoint
def scan_forward(
    span: tuple[int, int],
    arrays: tuple[Any, Any, Any, Any, Any, Any],
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
) -> None:
    """Compute the scan. `arrays`: x; dt; B; C; the result; room for the states or an empty array."""
    x, dt, into, out_of, out, checkpoints = arrays
    for sequence in range(*span):
        clear(buffers.states, 0, buffers.states.size)
        for start in range(0, sizes.length, sizes.block):
            place = (sequence, start, min(sizes.block, sizes.length - start))
            _keep_states(checkpoints, sequence, start, sizes, buffers)
            load_scan_block((x, dt, into, out_of), place, sizes, buffers)
            spread_steps(place[2], parameters, sizes, buffers)
            scan_block(place[2], parameters, sizes, buffers, False)
            store_scan_block(out, place, sizes, buffers)


@EntryPoint
def scan_backward(
    span: tuple[int, int],
    arrays: tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any],
    parameters: Parameters,
    sizes: Sizes,
    buffers: Buffers,
    adjoints: Adjoints,
    gradients: Gradients,
) -> None:
    """Go back through the scan.

    `arrays`: x; dt; B; C; the states that `scan_forward` kept; the gradient by its result; room for the
    gradients by x, dt, B and C.
    """
    x, dt, into, out_of, checkpoints, upstream, by_x, by_dt, by_into, by_out_of = arrays
    for sequence in range(*span):
        clear(adjoints.state, 0, adjoints.state.size)
        for start in range((sizes.length - 1) // sizes.block * sizes.block, -1, -sizes.block):
            count = min(sizes.block, sizes.length - start)
            place = (sequence, start, count)
            load_scan_block((x, dt, into, out_of), place, sizes, buffers)
            spread_steps(count, parameters, sizes, buffers)
            _restore_states(checkpoints, sequence, start, sizes, buffers)
            scan_block(count, parameters, sizes, buffers, True)
            load_upstream_block(upstream, place, sizes, adjoints)
            scan_block_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            steps_backward(sequence, count, parameters, sizes, buffers, adjoints, gradients)
            store_scan_gradients((by_x, by_dt, by_into, by_out_of), place, sizes, adjoints)


@inlined
def _state_place(sequence: int, start: int, sizes: Sizes) -> int:
    """Give the place among the kept states of the one at the start of a block."""
    blocks = (sizes.length + sizes.block - 1) // sizes.block
    return (sequence * blocks + start // sizes.block) * sizes.inner * sizes.d_state


@inlined
def _keep_states(checkpoints: Any, sequence: int, start: int, sizes: Sizes, buffers: Buffers) -> None:
    if checkpoints.size > 0:
        place = _state_place(sequence, start, sizes)
        copy(buffers.states, 0, checkpoints, place, sizes.inner * sizes.d_state)


@inlined
def _restore_states(checkpoints: Any, sequence: int, start: int, sizes: Sizes, buffers: Buffers) -> None:
    place = _state_place(sequence, start, sizes)
    size = sizes.d_state * lanes(buffers.states)
    for tile in range(sizes.inner * sizes.d_state // size):
        copy(checkpoints, place + tile * size, buffers.states, tile * size * (sizes.block + 1), size)
