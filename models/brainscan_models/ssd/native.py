"""The scan and the mixer on CPUs, compiled; forward and backward, float32 and float64.

Sequences are independent: each thread takes some of them through all stages with its own buffers. For the
backward pass the forward pass keeps its input and the state at the start of every block, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from brainscan_models.ssd import workspace
from brainscan_models.ssd.jit import load_kernel
from brainscan_models.ssd.layout import MixerWeights
from brainscan_models.ssd.threads import run_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from brainscan_models.ssd.layout import MixerShape
    from brainscan_models.ssd.records import Adjoints, Buffers, Gradients, Sizes


def prepare() -> None:
    """Load or compile the mixer's forward kernel.

    Raises
    ------
    ImportError, RuntimeError
        If this machine can neither load nor compile it.
    """
    load_kernel("mixer_forward", "float32", 3)


def ssd_native(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None = None) -> Tensor:
    """Run the recurrence of `ssd_reference`, compiled.

    Parameters
    ----------
    x, dt, A, B, C, D : Tensor
        As for `ssd_reference`, on the CPU, float32 or float64.

    Returns
    -------
    Tensor, shape (batch, T, H, P)
    """
    direct = torch.zeros_like(A) if D is None else D
    tensors = (x, dt, A, B, C, direct)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return _Scan.apply(*tensors)  # type: ignore[no-untyped-call, no-any-return]
    return _scan(*tensors, keep=False)[0]


def native_mixer(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape) -> Tensor:
    """Compute what `plain_mixer` computes, compiled and fused.

    Parameters
    ----------
    zxbcdt : Tensor, shape (batch, T, 2 d_inner + 2 d_state + H)
        On the CPU, float32 or float64.
    weights, shape : MixerWeights, MixerShape
        As for `plain_mixer`.

    Returns
    -------
    Tensor, shape (batch, T, d_inner)
    """
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (zxbcdt, *weights)):
        return _Mixer.apply(shape, zxbcdt, *weights)  # type: ignore[no-untyped-call, no-any-return]
    return _mixer(zxbcdt, weights, shape, keep=False)[0]


def _scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, keep: bool) -> tuple[Tensor, Tensor]:
    """Compute the scan; with `keep` also the state at the start of every block."""
    sizes = workspace.make_scan_sizes(x, B.shape[2], keep_states=keep)
    parameters = workspace.make_scan_parameters(A.detach(), D.detach(), sizes)
    out = workspace.empty(x.shape, x.dtype)
    states = workspace.make_states(x.shape[0], sizes, x.dtype)
    sources = [tensor.detach().contiguous() for tensor in (x, dt, B, C)]

    def buffers() -> tuple[Buffers]:
        return (workspace.make_buffers(sizes, x.dtype, backward=False, slopes=False),)

    _run("scan_forward", sizes, ([*sources, out, states], parameters), buffers)
    return out, states


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
        out, states = _scan(x, dt, A, B, C, D, keep=True)
        ctx.save_for_backward(x, dt, A, B, C, D, states)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, ...]:
        x, dt, A, B, C, D, states = ctx.saved_tensors
        sizes = workspace.make_scan_sizes(x, B.shape[2], keep_states=True)
        parameters = workspace.make_scan_parameters(A, D, sizes)
        gradients = workspace.make_gradients(x.shape[0], parameters)
        sources = [tensor.contiguous() for tensor in (x, dt, B, C)]
        results = [workspace.empty(tensor.shape, tensor.dtype) for tensor in sources]

        def buffers() -> tuple[Buffers, Adjoints, Gradients]:
            room = workspace.make_buffers(sizes, x.dtype, backward=True, slopes=False)
            return room, workspace.make_adjoints(sizes, x.dtype), gradients

        arrays = [*sources, states, upstream.contiguous(), *results]
        _run("scan_backward", sizes, (arrays, parameters), buffers)
        by_x, by_dt, by_b, by_c = results
        by_a = workspace.sum_heads(gradients.A, sizes)
        by_d = workspace.sum_features(gradients.D, sizes).reshape(sizes.heads, -1).sum(1)
        return by_x, by_dt, by_a.to(A.dtype), by_b, by_c, by_d.to(D.dtype)


def _mixer(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape, *, keep: bool) -> tuple[Tensor, Tensor]:
    """Compute the mixer; with `keep` also the state at the start of every block."""
    sizes = workspace.make_mixer_sizes(zxbcdt, weights, shape, keep_states=keep)
    parameters = workspace.make_mixer_parameters(MixerWeights(*(w.detach() for w in weights)), sizes)
    out = workspace.empty([*zxbcdt.shape[:2], sizes.d_inner], zxbcdt.dtype)
    states = workspace.make_states(zxbcdt.shape[0], sizes, zxbcdt.dtype)

    def buffers() -> tuple[Buffers]:
        return (workspace.make_buffers(sizes, zxbcdt.dtype, backward=False, slopes=False),)

    _run("mixer_forward", sizes, ([zxbcdt.detach().contiguous(), out, states], parameters), buffers)
    return out, states


class _Mixer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, shape: MixerShape, zxbcdt: Tensor, *weights: Tensor) -> Tensor:
        out, states = _mixer(zxbcdt, MixerWeights(*weights), shape, keep=True)
        ctx.save_for_backward(zxbcdt, states, *weights)
        ctx.shape = shape
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        # Unpacked once: a layer that is recomputed in the backward pass hands its tensors out only once.
        zxbcdt, states, *kept = ctx.saved_tensors
        weights = MixerWeights(*kept)
        sizes = workspace.make_mixer_sizes(zxbcdt, weights, ctx.shape, keep_states=True)
        parameters = workspace.make_mixer_parameters(weights, sizes)
        gradients = workspace.make_gradients(zxbcdt.shape[0], parameters)
        result = workspace.empty(zxbcdt.shape, zxbcdt.dtype)

        def buffers() -> tuple[Buffers, Adjoints, Gradients]:
            room = workspace.make_buffers(sizes, zxbcdt.dtype, backward=True, slopes=True)
            return room, workspace.make_adjoints(sizes, zxbcdt.dtype), gradients

        arrays = [zxbcdt.contiguous(), states, upstream.contiguous(), result]
        _run("mixer_backward", sizes, (arrays, parameters), buffers)
        by_weights = MixerWeights(
            conv_weight=workspace.sum_channels(gradients.conv, sizes).T[:, None],
            conv_bias=workspace.sum_channels(gradients.conv_bias, sizes)[0],
            dt_bias=workspace.sum_heads(gradients.dt_bias, sizes),
            # A = -exp(A_log) is its own derivative by A_log.
            A_log=workspace.sum_heads(gradients.A, sizes) * -torch.exp(weights.A_log),
            D=workspace.sum_features(gradients.D, sizes).reshape(sizes.heads, -1).sum(1),
            norm_weight=workspace.sum_features(gradients.norm, sizes),
        )
        return None, result, *(by.to(weight.dtype) for by, weight in zip(by_weights, weights, strict=True))


def _run(
    name: str,
    sizes: Sizes,
    shared: tuple[Sequence[Tensor], Sequence[Tensor]],
    own: Callable[[], Sequence[Sequence[Tensor]]],
) -> None:
    """Run a kernel over all sequences.

    `shared`: arrays and parameters, the first array with a row of sequences. `own` makes what each thread
    needs for itself.
    """
    data = shared[0][0]
    numbers = np.array(sizes, dtype=np.int64)
    common = [workspace.addresses(arrays) for arrays in shared]

    def work(spans: Iterator[tuple[int, int]]) -> None:
        room = own()
        tables = [*common, *(workspace.addresses(arrays) for arrays in room)]
        kernel = load_kernel(name, str(data.dtype).removeprefix("torch."), len(tables))
        for first, stop in spans:
            kernel(first, stop, numbers.ctypes.data, *(table.ctypes.data for table in tables))

    run_spans(work, data.shape[0])
