"""The scan and the mixer on CPUs, compiled; forward and backward, float32 and float64.

Sequences are independent: each thread takes some of them through all stages with its own buffers. For the
backward pass the forward pass keeps its input and the state at the start of every block, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.autograd.function import once_differentiable

from brainscan_models.ssd import workspace
from brainscan_models.ssd.kernels_sequences import mixer_backward, mixer_forward, scan_backward, scan_forward
from brainscan_models.ssd.layout import MixerWeights
from brainscan_models.ssd.threads import run_spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from brainscan_models.ssd.layout import MixerShape


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


def _flat(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().reshape(-1).numpy()


def _scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, keep: bool) -> tuple[Tensor, Tensor]:
    """Compute the scan; with `keep` also the state at the start of every block."""
    sizes = workspace.make_scan_sizes(x, B.shape[2])
    parameters = workspace.make_scan_parameters(A.detach(), D.detach(), sizes)
    out = torch.empty(x.shape, dtype=x.dtype)
    states = workspace.make_states(x.shape[0], sizes, x.dtype, keep=keep)
    arrays = tuple(_flat(tensor) for tensor in (x, dt, B, C, out, states))

    def work(spans: Iterator[tuple[int, int]]) -> None:
        buffers = workspace.make_buffers(sizes, x.dtype, backward=False, slopes=False)
        for span in spans:
            scan_forward(span, arrays, parameters, sizes, buffers)

    run_spans(work, x.shape[0])
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
        sizes = workspace.make_scan_sizes(x, B.shape[2])
        parameters = workspace.make_scan_parameters(A, D, sizes)
        results = tuple(torch.empty(tensor.shape, dtype=tensor.dtype) for tensor in (x, dt, B, C))
        arrays = tuple(_flat(tensor) for tensor in (x, dt, B, C, states, upstream, *results))
        gradients = workspace.make_gradients(x.shape[0], parameters)

        def work(spans: Iterator[tuple[int, int]]) -> None:
            buffers = workspace.make_buffers(sizes, x.dtype, backward=True, slopes=False)
            adjoints = workspace.make_adjoints(sizes, x.dtype)
            for span in spans:
                scan_backward(span, arrays, parameters, sizes, buffers, adjoints, gradients)

        run_spans(work, x.shape[0])
        by_a = workspace.sum_heads(gradients.A, x.shape[0], sizes)
        by_d = workspace.sum_features(gradients.D, x.shape[0], sizes).reshape(sizes.heads, -1).sum(1)
        by_x, by_dt, by_b, by_c = results
        return by_x, by_dt, by_a.to(A.dtype), by_b, by_c, by_d.to(D.dtype)


def _mixer(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape, *, keep: bool) -> tuple[Tensor, Tensor]:
    """Compute the mixer; with `keep` also the state at the start of every block."""
    sizes = workspace.make_mixer_sizes(zxbcdt, weights, shape)
    parameters = workspace.make_mixer_parameters(_detached(weights), sizes)
    n_sequences, length, _ = zxbcdt.shape
    out = torch.empty(n_sequences, length, sizes.d_inner, dtype=zxbcdt.dtype)
    states = workspace.make_states(n_sequences, sizes, zxbcdt.dtype, keep=keep)
    arrays = tuple(_flat(tensor) for tensor in (zxbcdt, out, states))

    def work(spans: Iterator[tuple[int, int]]) -> None:
        buffers = workspace.make_buffers(sizes, zxbcdt.dtype, backward=False, slopes=False)
        for span in spans:
            mixer_forward(span, arrays, parameters, sizes, buffers)

    run_spans(work, n_sequences)
    return out, states


def _detached(weights: MixerWeights) -> MixerWeights:
    return MixerWeights(*(tensor.detach() for tensor in weights))


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
        sizes = workspace.make_mixer_sizes(zxbcdt, weights, ctx.shape)
        parameters = workspace.make_mixer_parameters(weights, sizes)
        n_sequences = zxbcdt.shape[0]
        result = torch.empty(zxbcdt.shape, dtype=zxbcdt.dtype)
        arrays = tuple(_flat(tensor) for tensor in (zxbcdt, states, upstream, result))
        gradients = workspace.make_gradients(n_sequences, parameters)

        def work(spans: Iterator[tuple[int, int]]) -> None:
            buffers = workspace.make_buffers(sizes, zxbcdt.dtype, backward=True, slopes=True)
            adjoints = workspace.make_adjoints(sizes, zxbcdt.dtype)
            for span in spans:
                mixer_backward(span, arrays, parameters, sizes, buffers, adjoints, gradients)

        run_spans(work, n_sequences)
        by_weights = MixerWeights(
            conv_weight=workspace.sum_channels(gradients.conv, n_sequences, sizes).T[:, None],
            conv_bias=workspace.sum_channels(gradients.conv_bias, n_sequences, sizes)[0],
            dt_bias=workspace.sum_heads(gradients.dt_bias, n_sequences, sizes),
            # A = -exp(A_log) is its own derivative by A_log.
            A_log=workspace.sum_heads(gradients.A, n_sequences, sizes) * -torch.exp(weights.A_log),
            D=workspace.sum_features(gradients.D, n_sequences, sizes).reshape(sizes.heads, -1).sum(1),
            norm_weight=workspace.sum_features(gradients.norm, n_sequences, sizes),
        )
        return None, result, *(by.to(weight.dtype) for by, weight in zip(by_weights, weights, strict=True))
