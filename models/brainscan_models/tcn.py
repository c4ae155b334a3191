"""The convolutional encoder: residual stages of weight-normalised convolutions, each slower than the last."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from brainscan_models.config import Activation, EncoderConfig
from brainscan_models.linear import linear

HALF = math.sqrt(0.5)
"""Weight of each of two summed branches, so that the sum spreads as each does."""

_ACTIVATIONS: dict[Activation, tuple[type[nn.Module], float]] = {
    # The gain is 1 / sqrt(E[f(u)^2]) for u of unit normal distribution (He et al. 2015, for other f).
    "relu": (nn.ReLU, math.sqrt(2.0)),
    "gelu": (nn.GELU, 1.5335),
    "silu": (nn.SiLU, 1.6765),
}


def activation(name: Activation) -> nn.Module:
    """Return the activation of that name."""
    return _ACTIVATIONS[name][0]()


def activation_gain(name: Activation) -> float:
    """Return the factor by which weights after that activation grow to keep the spread."""
    return _ACTIVATIONS[name][1]


def he_init(layer: nn.Conv1d | nn.ConvTranspose1d | nn.Linear, gain: float) -> None:
    """Draw weights that keep the spread of the input, given the gain of its activation; biases start at 0.

    Parameters
    ----------
    layer : Conv1d, ConvTranspose1d or Linear
        Not yet weight-normalised: what is written into a normalised weight is lost.
    gain : float
        1 for an input of unit spread, else `activation_gain`.
    """
    fan_in = layer.weight[0].numel()
    if isinstance(layer, nn.ConvTranspose1d):
        # An output sample sees kernel / stride taps of every input channel.
        fan_in = layer.in_channels * layer.kernel_size[0] // layer.stride[0]
    nn.init.normal_(layer.weight, std=gain / math.sqrt(max(fan_in, 1)))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class RowConv(nn.Conv1d):
    """A `Conv1d` over (n, channels, rows, steps): each row for itself, all with the same weights.

    Rows are electrodes behind a shared encoder, else there is one. Kept channels-last, a row is what the
    streams and the fast convolutions read; as `Conv1d` on n · rows short signals the same takes many times
    longer on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, out_channels, rows, steps / stride)."""
        if self.kernel_size[0] == 1:
            # Reads every stride-th step only: sliced first, it is a plain product over the channels.
            picked = x[..., :: self.stride[0]].permute(0, 2, 3, 1)
            return linear(picked, self.weight.squeeze(2), self.bias).permute(0, 3, 1, 2)
        return F.conv2d(
            x,
            self.weight.unsqueeze(2),
            self.bias,
            stride=(1, self.stride[0]),
            padding=(0, int(self.padding[0])),
            dilation=(1, self.dilation[0]),
        )


class RowConvTranspose(nn.ConvTranspose1d):
    """A `ConvTranspose1d` over (n, channels, rows, steps), as `RowConv`."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return (n, out_channels, rows, steps · stride)."""
        if output_size is not None:
            raise ValueError("the output's length follows from the stride")
        return F.conv_transpose2d(
            x,
            self.weight.unsqueeze(2),
            self.bias,
            stride=(1, self.stride[0]),
            padding=(0, int(self.padding[0])),
        )


def channel_dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Zero whole channels of single rows of x, shape (n, channels, rows, steps)."""
    if not training or share == 0.0:
        return x
    return x * F.dropout(x.new_ones(*x.shape[:3], 1), share)


class ResidualStage(nn.Module):
    """Two convolutions and a strided 1×1 residual; the stage's output is the sum, activated.

    Batch statistics stand only before the stage, never between a convolution and its bias' first use: each
    gain and bias keeps an effect in training, too.
    """

    def __init__(self, in_width: int, config: EncoderConfig, stage: int) -> None:
        super().__init__()
        width, stride, dilation = config.widths[stage], config.strides[stage], config.dilations[stage]
        kernel, second_kernel = config.kernels[stage], config.second_kernels[stage]
        inner = activation_gain(config.activation)
        # The first stage sees EEG, and a standardised input has unit spread.
        outer = 1.0 if stage == 0 or config.norm == "batch" else inner
        first = RowConv(in_width, width, kernel, stride=stride, padding=kernel // 2)
        second = RowConv(width, width, second_kernel, padding=dilation * (second_kernel // 2), dilation=dilation)
        self.residual = RowConv(in_width, width, 1, stride=stride)
        for layer, gain in ((first, outer), (second, inner), (self.residual, outer)):
            he_init(layer, gain)
        self.norm = _norm(in_width, config, stage)
        self.first = weight_norm(first)
        self.second = weight_norm(second)
        self.activation = activation(config.activation)
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, rows, steps / stride) for x of shape (n, in_width, rows, steps)."""
        x = self.norm(x)
        # With one input channel the memory format is not to be told from the input.
        y: Tensor = self.first(x).contiguous(memory_format=torch.channels_last)
        y = self.second(self.activation(y))
        return channel_dropout(self.activation((y + self.residual(x)) * HALF), self.dropout, self.training)


class PlainStage(nn.Module):
    """One strided convolution of the standardised input, activated: a stage for encoders of few parameters."""

    def __init__(self, in_width: int, config: EncoderConfig, stage: int) -> None:
        super().__init__()
        kernel, stride = config.kernels[stage], config.strides[stage]
        first = RowConv(in_width, config.widths[stage], kernel, stride=stride, padding=kernel // 2)
        he_init(first, 1.0 if stage == 0 or config.norm == "batch" else activation_gain(config.activation))
        self.norm = _norm(in_width, config, stage)
        self.first = weight_norm(first)
        self.activation = activation(config.activation)
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, rows, steps / stride) for x of shape (n, in_width, rows, steps)."""
        y: Tensor = self.first(self.norm(x)).contiguous(memory_format=torch.channels_last)
        return channel_dropout(self.activation(y), self.dropout, self.training)


def _norm(in_width: int, config: EncoderConfig, stage: int) -> nn.Module:
    """Return what standardises a stage's input."""
    if config.norm != "batch":
        return nn.Identity()
    norm = nn.BatchNorm2d(in_width, affine=False)
    if stage:
        # Before any statistics are known: what an activation of unit spread gives.
        nn.init.constant_(cast(Tensor, norm.running_var), activation_gain(config.activation) ** -2)
    return norm


class Encoder(nn.Module):
    """The stages, and a 1×1 convolution to the features.

    Parameters
    ----------
    in_width : int
        Electrodes that the first convolution sees: all, or 1 where the encoder is shared.
    config : EncoderConfig
    """

    def __init__(self, in_width: int, config: EncoderConfig) -> None:
        super().__init__()
        inputs = (in_width, *config.widths)
        self.stages = nn.ModuleList(
            (ResidualStage if second else PlainStage)(inputs[stage], config, stage)
            for stage, second in enumerate(config.second_kernels)
        )
        self.project = RowConv(config.widths[-1], config.widths[-1], 1)
        he_init(self.project, activation_gain(config.activation))

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Encode a batch of windows.

        Parameters
        ----------
        x : Tensor, shape (n, in_width, rows, n_samples)

        Returns
        -------
        features : Tensor, shape (n, widths[-1], rows, n_samples / stride), channels-last
        stages : tuple of Tensor
            What each stage but the last gave, finest first: the decoder's skips.
        """
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        features: Tensor = self.project(x)
        return features, tuple(outputs[:-1])
