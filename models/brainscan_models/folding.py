"""A network's twin for inference: what is constant once training has ended is computed once.

Folded into the weights of the convolutions are weight norms, the statistics of batch norms, and the factors that
even the sums of two branches; activations overwrite their input. The streams, the graph and the head are the
network's own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from brainscan_models.decoder import Decoder, UpStage
from brainscan_models.linear import linear
from brainscan_models.network import Network
from brainscan_models.tcn import HALF, Encoder, PlainStage, ResidualStage, RowConv, RowConvTranspose

Parent = TypeVar("Parent", Encoder, Decoder)


def folded(network: Network) -> Network:
    """Return a network that computes what another computes in evaluation, to within rounding, faster.

    It takes the weights of the convolutions over as they are now, and shares everything else.

    Parameters
    ----------
    network : Network
        In evaluation mode.

    Returns
    -------
    Network
        Without gradients by its convolutions; never to be trained, saved or loaded into.

    Raises
    ------
    ValueError
        If the network is in training mode.
    """
    if network.training:
        raise ValueError("only a network in evaluation mode can be folded")
    twin = copy.copy(network)
    twin._modules = dict(network._modules)
    with torch.no_grad():
        twin.encoder = _swapped(network.encoder, _folded_stage)
        if network.mixer is not None:
            twin.mixer = _swapped(network.mixer, _folded_stage)
        twin.decoder = _swapped(network.decoder, FoldedUpStage)
    return twin


def _swapped(parent: Parent, fold: Callable[..., nn.Module]) -> Parent:
    twin = copy.copy(parent)
    twin._modules = dict(parent._modules)
    twin.stages = nn.ModuleList(fold(stage) for stage in parent.stages).eval()
    return twin


class FoldedConv(nn.Module):
    """A row convolution with constant weights.

    Parameters
    ----------
    conv : RowConv or RowConvTranspose
        Weight-normalised or not.
    by_input : Tensor, shape (in_channels,) or None
        Factor of each input channel.
    factor : float
        Of the output.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, conv: RowConv | RowConvTranspose, by_input: Tensor | None = None, factor: float = 1.0) -> None:
        super().__init__()
        weight = conv.weight.detach() * factor
        if by_input is not None:
            weight = weight * by_input[:, None]
        rows = weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        self.register_buffer("weight", rows, persistent=False)
        self.register_buffer("bias", cast(Tensor, conv.bias).detach() * factor, persistent=False)
        self.stride, self.dilation, self.padding = (1, conv.stride[0]), (1, conv.dilation[0]), (0, int(conv.padding[0]))
        self.transposed = isinstance(conv, RowConvTranspose)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the convolution gives for x, shape (n, in_channels, rows, steps), channels-last."""
        if self.transposed:
            y = F.conv_transpose2d(x, self.weight, self.bias, self.stride, self.padding)
        else:
            y = F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return y.contiguous(memory_format=torch.channels_last)


def _folded_stage(stage: ResidualStage | PlainStage) -> nn.Module:
    return FoldedPlainStage(stage) if isinstance(stage, PlainStage) else FoldedStage(stage)


class _Normalised(nn.Module):
    """A convolution that the norm before it is part of."""

    start: Tensor
    end: Tensor

    def __init__(self, conv: RowConv, mean: Tensor, gain: Tensor) -> None:
        super().__init__()
        self.conv = FoldedConv(conv, gain)
        taken = self.conv.weight[:, :, 0] * mean[:, None]  # (out, in, taps): what each tap takes off an output
        self.conv.bias -= taken.sum(dim=(1, 2))
        before, after = _beyond(conv)
        # Padding is zero behind the norm, so that it has nothing to take off.
        self.register_buffer("start", _excess(taken, before), persistent=False)
        self.register_buffer("end", _excess(taken, after), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of x, shape (n, in_channels, rows, steps), standardised."""
        y: Tensor = self.conv(x)
        steps = y.shape[-1]
        y[..., : self.start.shape[-1]] += self.start[..., :steps]
        y[..., max(steps - self.end.shape[-1], 0) :] += self.end[..., -steps:] if self.end.shape[-1] else self.end
        return y


class FoldedPlainStage(nn.Module):
    """A `PlainStage` whose normalisation is part of its convolution."""

    def __init__(self, stage: PlainStage) -> None:
        super().__init__()
        first = cast(RowConv, stage.first)
        self.first = _Normalised(first, *_statistics(stage.norm, first))
        self.activation = stage.activation

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, rows, steps / stride) for x of shape (n, in_width, rows, steps)."""
        return _activated(self.activation, self.first(x))


class FoldedStage(nn.Module):
    """A `ResidualStage` whose normalisation is part of its first convolution and of its residual."""

    residual: Tensor

    def __init__(self, stage: ResidualStage) -> None:
        super().__init__()
        first, residual = cast(RowConv, stage.first), stage.residual
        mean, gain = _statistics(stage.norm, first)
        self.first = _Normalised(first, mean, gain)
        self.second = FoldedConv(cast(RowConv, stage.second), factor=HALF)
        by_input = residual.weight.detach()[:, :, 0] * gain * HALF
        self.register_buffer("residual", by_input, persistent=False)
        # Both branches of the sum get a bias; the residual's joins the other.
        self.second.bias += cast(Tensor, residual.bias).detach() * HALF - by_input @ mean
        self.activation = stage.activation

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, rows, steps / stride) for x of shape (n, in_width, rows, steps)."""
        y = self.second(_activated(self.activation, self.first(x)))
        picked = x[..., :: self.first.conv.stride[1]].permute(0, 2, 3, 1)
        y = linear(picked, self.residual, plus=y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return _activated(self.activation, y)


def _statistics(norm: nn.Module, conv: RowConv) -> tuple[Tensor, Tensor]:
    """Return mean and reciprocal spread of each input channel; 0 and 1 where nothing is normalised."""
    if isinstance(norm, nn.BatchNorm2d):
        mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
        return mean.detach().clone(), (variance.detach() + norm.eps).rsqrt()
    weight = conv.weight.detach()
    return weight.new_zeros(weight.shape[1]), weight.new_ones(weight.shape[1])


def _beyond(conv: RowConv) -> tuple[list[slice], list[slice]]:
    """Return which taps of the first outputs, and of the last, lie on the padding."""
    taps, stride, padding = conv.kernel_size[0], conv.stride[0], int(conv.padding[0])
    before = [slice(0, padding - step * stride) for step in range(-(-padding // stride))]
    # The last output stands a stride before the end, which the number of steps is a multiple of.
    reach = [padding - (step + 1) * stride + 1 for step in range(padding // stride)]
    after = [slice(taps - count, taps) for count in reversed(reach)]
    return before, after


def _excess(taken: Tensor, beyond: list[slice]) -> Tensor:
    """Return what those taps took off, shape (1, out, 1, len(beyond))."""
    return (
        taken.new_zeros(1, len(taken), 1, len(beyond))
        if not beyond
        else torch.stack([taken[:, :, taps].sum(dim=(1, 2)) for taps in beyond], dim=-1)[None, :, None]
    )


class FoldedUpStage(nn.Module):
    """An `UpStage` whose sum of two branches needs no factor."""

    skip: Tensor | None

    def __init__(self, stage: UpStage) -> None:
        super().__init__()
        factor = 1.0 if stage.skip is None else HALF
        self.up = FoldedConv(stage.up, factor=factor)
        self.register_buffer("skip", None if stage.skip is None else stage.skip.weight.detach()[:, :, 0] * factor)
        if stage.skip is not None:
            self.up.bias += cast(Tensor, stage.skip.bias).detach() * factor
        self.conv = FoldedConv(stage.conv)
        self.activation = stage.activation

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Return (n, width, rows, steps · stride); `skip` has that length, None where the stage has none."""
        y: Tensor = self.up(x)
        if self.skip is not None and skip is not None:
            y = linear(skip.permute(0, 2, 3, 1), self.skip, plus=y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return _activated(self.activation, self.conv(_activated(self.activation, y)))


def _activated(activation: nn.Module, x: Tensor) -> Tensor:
    """Apply an activation to what nobody else needs any more."""
    if isinstance(activation, nn.SiLU):
        return F.silu(x, inplace=True)
    return cast(Tensor, activation(x))
