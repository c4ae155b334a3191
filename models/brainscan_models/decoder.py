"""Back to the input rate, and from electrodes to one logit a sample."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from brainscan_models.config import Activation, DecoderConfig, EncoderConfig, HeadConfig
from brainscan_models.inventory import up_kernel
from brainscan_models.tcn import HALF, RowConv, RowConvTranspose, activation, activation_gain, channel_dropout, he_init


class UpStage(nn.Module):
    """A transposed convolution, plus the encoder's features of that rate, and a convolution."""

    def __init__(self, widths: tuple[int, int, int], stride: int, kernel: int, name: Activation) -> None:
        super().__init__()
        in_width, skip_width, width = widths
        taps = up_kernel(stride)
        self.up = RowConvTranspose(in_width, width, taps, stride=stride, padding=(taps - stride) // 2)
        self.skip = RowConv(skip_width, width, 1) if skip_width else None
        self.conv = RowConv(width, width, kernel, padding=kernel // 2)
        self.activation = activation(name)
        gain = activation_gain(name)
        he_init(self.up, gain)
        he_init(self.conv, gain)
        if self.skip is not None:
            he_init(self.skip, gain)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Return (n, width, rows, steps · stride); `skip` has that length, None where the stage has none."""
        y: Tensor = self.up(x)
        if self.skip is not None:
            y = (y + self.skip(skip)) * HALF
        out: Tensor = self.activation(self.conv(self.activation(y)))
        return out


class Decoder(nn.Module):
    """Stages that undo the encoder's strides, coarsest first, then a 1×1 convolution.

    Parameters
    ----------
    in_width, out_width : int
        Channels that come in and go out, for all electrodes together or, behind a shared encoder, for one.
    encoder : EncoderConfig
        Whose strides are undone and whose stages are the skips.
    config : DecoderConfig
    """

    def __init__(self, in_width: int, out_width: int, encoder: EncoderConfig, config: DecoderConfig) -> None:
        super().__init__()
        skips = (0, *encoder.widths[:-1])
        inputs = (in_width, *config.widths)
        self.stages = nn.ModuleList(
            UpStage((inputs[i], skips[-1 - i], width), encoder.strides[-1 - i], config.kernel, encoder.activation)
            for i, width in enumerate(config.widths)
        )
        self.project = RowConv(inputs[-1], out_width, 1)
        he_init(self.project, activation_gain(encoder.activation) if config.widths else 1.0)
        self.dropout = config.dropout

    def forward(self, x: Tensor, skips: tuple[Tensor, ...]) -> Tensor:
        """Decode features.

        Parameters
        ----------
        x : Tensor, shape (n, in_width, rows, n_steps)
        skips : tuple of Tensor
            As the encoder returns them, finest first.

        Returns
        -------
        Tensor, shape (n, out_width, rows, n_steps · strides undone)
        """
        for i, stage in enumerate(self.stages):
            x = stage(x, skips[-1 - i] if i < len(skips) else None)
            x = channel_dropout(x, self.dropout, self.training)
        out: Tensor = self.project(x)
        return out


class MixHead(nn.Module):
    """A 1×1 convolution over the electrodes' evidence."""

    def __init__(self, n_electrodes: int, prior: float) -> None:
        super().__init__()
        self.project = nn.Conv1d(n_electrodes, 1, 1)
        # Every electrode speaks for a seizure, none more than another at the start.
        nn.init.constant_(self.project.weight, 1.0 / n_electrodes)
        _set_prior(self.project, prior)

    def forward(self, decoded: Tensor) -> Tensor:
        """Return logits (batch, n_steps) for decoded (batch, 1, n_electrodes, n_steps)."""
        out: Tensor = self.project(decoded.squeeze(1)).squeeze(1)
        return out


class PoolHead(nn.Module):
    """Pool each channel over the electrodes, then convolve over time."""

    def __init__(self, channels: int, config: HeadConfig) -> None:
        super().__init__()
        widths = (3 * channels, *([config.hidden] * len(config.dilations)))
        self.convs = nn.ModuleList(
            nn.Conv1d(widths[i], widths[i + 1], config.kernel, padding=d * (config.kernel // 2), dilation=d)
            for i, d in enumerate(config.dilations)
        )
        for i, conv in enumerate(self.convs):
            he_init(conv, activation_gain("silu") if i else 1.0)  # type: ignore[arg-type]
        self.project = nn.Conv1d(widths[-1], 1, 1)
        nn.init.normal_(self.project.weight, std=0.5 / math.sqrt(widths[-1]))
        _set_prior(self.project, config.prior)
        self.largest, self.dropout = config.largest, config.dropout

    def forward(self, decoded: Tensor) -> Tensor:
        """Return logits (batch, n_steps) for decoded (batch, channels, n_electrodes, n_steps)."""
        x = pool_electrodes(decoded, self.largest)
        for conv in self.convs:
            x = F.silu(conv(x))
            if self.dropout:
                x = F.dropout1d(x, self.dropout, self.training)
        out: Tensor = self.project(x).squeeze(1)
        return out


class PacedHead(nn.Module):
    """Pooled electrodes and the mixed trunk, each averaged and maximised over `pace` steps, joined, then convolved.

    A second reading of the pooled electrodes alone, where there is one, has its own weights for all of that, and the
    larger logit counts: what electrodes have in common speaks for a seizure also where their mixture is of a kind
    that training never showed.

    Parameters
    ----------
    channels : int
        Of each electrode.
    trunk : int
        Width of the mixed features; 0 where there are none.
    config : HeadConfig
    """

    def __init__(self, channels: int, trunk: int, config: HeadConfig) -> None:
        super().__init__()
        joined = 2 * (3 * channels + trunk)
        self.norm = nn.BatchNorm1d(joined, affine=False)
        self.join = nn.Conv1d(joined, config.hidden, 1)
        he_init(self.join, 1.0)
        self.convs = nn.ModuleList(
            nn.Conv1d(config.hidden, config.hidden, config.kernel, padding=d * (config.kernel // 2), dilation=d)
            for d in config.dilations
        )
        for conv in self.convs:
            he_init(conv, activation_gain("silu"))  # type: ignore[arg-type]
        self.project = nn.Conv1d(config.hidden, 1, 1)
        nn.init.normal_(self.project.weight, std=0.5 / math.sqrt(config.hidden))
        _set_prior(self.project, config.prior)
        self.largest, self.dropout, self.pace = config.largest, config.dropout, config.pace
        self.second: PacedHead | None = None
        if config.second:
            self.second = PacedHead(channels, 0, replace(config, hidden=config.second, second=0))

    def forward(self, decoded: Tensor, trunk: Tensor) -> Tensor:
        """Return logits, one for every `pace` steps.

        Parameters
        ----------
        decoded : Tensor, shape (batch, channels, n_electrodes, n_steps)
        trunk : Tensor, shape (batch, n_steps, width)

        Returns
        -------
        Tensor, shape (batch, n_steps / pace)
        """
        return self.read(decoded, trunk)[0]

    def read(self, decoded: Tensor, trunk: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits, and what all is joined to (batch, hidden, n_steps / pace); parameters as in `forward`."""
        pooled = pool_electrodes(decoded, self.largest)
        joined = self._joined(torch.cat((pooled, trunk.transpose(1, 2)), dim=1))
        logits = self._decided(joined)
        if self.second is not None:
            logits = torch.maximum(logits, self.second._decided(self.second._joined(pooled)))
        return logits, joined

    def _joined(self, x: Tensor) -> Tensor:
        pieces = x.reshape(*x.shape[:2], x.shape[2] // self.pace, self.pace)
        return F.silu(self.join(self.norm(torch.cat((pieces.mean(dim=3), pieces.amax(dim=3)), dim=1))))

    def _decided(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            if self.dropout:
                x = F.dropout(x, self.dropout, self.training)
            x = x + F.silu(conv(x))
        if self.dropout:
            x = F.dropout(x, self.dropout, self.training)
        out: Tensor = self.project(x).squeeze(1)
        return out


def pool_electrodes(decoded: Tensor, largest: int) -> Tensor:
    """Return mean, mean of the largest and spread over the electrodes.

    Parameters
    ----------
    decoded : Tensor, shape (batch, channels, n_electrodes, n_steps)
    largest : int
        How many electrodes the second takes.

    Returns
    -------
    Tensor, shape (batch, 3 · channels, n_steps)
    """
    mean = decoded.mean(dim=2)
    top = mean_of_largest(decoded, largest)
    # The floor keeps the root's gradient finite where all electrodes agree.
    spread = (decoded - mean.unsqueeze(2)).square().mean(dim=2).add(1e-6).sqrt()
    return torch.cat((mean, top, spread), dim=1)


class _MeanOfLargest(torch.autograd.Function):
    """Forward by comparisons alone; backward shares what falls to the smallest chosen among its equals."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, count: int) -> Tensor:
        largest = _largest(values, count)
        ctx.save_for_backward(values, largest[-1])
        ctx.count = count
        return _mean(largest)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        values, smallest = ctx.saved_tensors
        above, equal = values > smallest.unsqueeze(2), values == smallest.unsqueeze(2)
        left = (ctx.count - above.sum(dim=2)) / equal.sum(dim=2)
        share = (above + equal * left.unsqueeze(2)) / ctx.count
        return upstream.unsqueeze(2) * share.to(upstream.dtype), None


def mean_of_largest(values: Tensor, count: int) -> Tensor:
    """Return the mean of the `count` largest over the electrodes.

    Parameters
    ----------
    values : Tensor, shape (batch, channels, n_electrodes, n_steps)
    count : int
        1..n_electrodes.

    Returns
    -------
    Tensor, shape (batch, channels, n_steps)
    """
    if torch.is_grad_enabled() and values.requires_grad:
        return cast(Tensor, _MeanOfLargest.apply(values, count))  # type: ignore[no-untyped-call]
    return _mean(_largest(values, count))


def _largest(values: Tensor, count: int) -> list[Tensor]:
    """Return the largest over the electrodes, in falling order.

    Whole slabs are compared at once: `topk` sorts 19 numbers at a time, ten times slower on a CPU.
    """
    largest: list[Tensor] = []
    for value in values.unbind(dim=2):
        rest = value
        for place, kept in enumerate(largest):
            largest[place], rest = torch.maximum(kept, rest), torch.minimum(kept, rest)
        if len(largest) < count:
            largest.append(rest)
    return largest


def _mean(values: list[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total / len(values)


def _set_prior(layer: nn.Conv1d, prior: float) -> None:
    if layer.bias is not None:
        nn.init.constant_(layer.bias, math.log(prior / (1.0 - prior)))
