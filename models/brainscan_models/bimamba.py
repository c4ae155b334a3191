"""Bidirectional Mamba-2 streams (Dao & Gu 2024, arXiv:2405.21060): long memory over time, both ways.

The parameters of a direction carry the names and shapes that `mamba_ssm` gives its `Mamba2` (ngroups 1), so
that a state dict of theirs loads strictly and their kernels can run ours.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from brainscan_models.config import StreamConfig
from brainscan_models.linear import Linear, linear
from brainscan_models.ssd import mixer

_DECAY_RANGE = (1.0, 16.0)

_CACHED_VALUES = 1 << 21
"""Projected values (8 MB in float32) that one pass through a stream's layers holds at a time on a CPU."""


_FOLD_FROM = 4
"""Rows per feature from which on a layer's last two linear maps are multiplied with each other first."""


class Mamba2(nn.Module):
    """One direction of a layer: project, convolve and scan, gate, project.

    Parameters
    ----------
    config : StreamConfig
    reverse : bool
        Run from the end of the sequence to its start.
    """

    def __init__(self, config: StreamConfig, *, reverse: bool = False) -> None:
        super().__init__()
        d_inner, heads = config.d_inner, config.heads
        conv_width = d_inner + 2 * config.d_state
        self.headdim, self.d_state, self.reverse = config.headdim, config.d_state, reverse
        self.in_proj = Linear(config.d_model, d_inner + conv_width + heads, bias=False)
        self.conv1d = nn.Conv1d(conv_width, conv_width, config.d_conv, groups=conv_width, padding=config.d_conv - 1)
        low, high = math.log(config.dt_min), math.log(config.dt_max)
        dt = torch.exp(torch.rand(heads) * (high - low) + low)
        # The inverse of softplus, so that the step at a zero projection is dt.
        self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))
        self.A_log = nn.Parameter(torch.log(torch.empty(heads).uniform_(*_DECAY_RANGE)))
        self.D = nn.Parameter(torch.ones(heads))
        self.norm = nn.RMSNorm(d_inner, eps=1e-5)
        self.out_proj = Linear(d_inner, config.d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, n_steps, d_model) for x of that shape."""
        out: Tensor = self.out_proj(self.mix(x))
        return out

    def mix(self, x: Tensor) -> Tensor:
        """Return what the output projection gets: (n, n_steps, d_inner)."""
        return mixer(
            self.in_proj(x),
            self.conv1d.weight,
            cast(Tensor, self.conv1d.bias),
            self.dt_bias,
            self.A_log,
            self.D,
            self.norm.weight,
            headdim=self.headdim,
            d_state=self.d_state,
            reverse=self.reverse,
        )


class BiMamba2(nn.Module):
    """A residual layer: forward and backward Mamba-2 with own weights, merged by a linear map.

    With the LayerNorm before the directions the stack stays even for inputs of any size; with it after, the
    directions see how large the input is.
    """

    def __init__(self, config: StreamConfig) -> None:
        super().__init__()
        self.ahead = Mamba2(config)
        self.back = Mamba2(config, reverse=True)
        self.merge = Linear(2 * config.d_model, config.d_model)
        self.norm = nn.LayerNorm(config.d_model)
        self.norm_first = config.norm == "before"
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, n_steps, d_model) for x of that shape."""
        y: Tensor = self.norm(x) if self.norm_first else x
        if self.norm_first and not self.dropout:
            return self._merged(y, plus=x)
        y = self._merged(y)
        if not self.norm_first:
            y = self.norm(y)
        return x + (F.dropout(y, self.dropout, self.training) if self.dropout else y)

    def _merged(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        """Return what the two directions give together, on top of `plus`."""
        width = x.shape[-1]
        if torch.compiler.is_compiling() or x.shape[:-1].numel() < _FOLD_FROM * width:
            y: Tensor = self.merge(torch.cat((self.ahead(x), self.back(x)), dim=-1))
            return y if plus is None else y + plus
        # Two linear maps in a row are one: for many rows their product costs less than the second map.
        for direction, merge in zip((self.ahead, self.back), torch.split(self.merge.weight, width, dim=1), strict=True):
            bias = self.merge.bias if direction is self.ahead else None
            plus = linear(direction.mix(x), merge @ direction.out_proj.weight, bias, plus)
        return cast(Tensor, plus)


class Stream(nn.Module):
    """A stack of `BiMamba2` layers.

    Attributes
    ----------
    recompute : bool
        In training, keep only each layer's input and run the layer again for its gradients: less memory for
        a third more time.
    """

    def __init__(self, config: StreamConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(BiMamba2(config) for _ in range(config.layers))
        self.projected = 2 * (config.d_inner + config.d_state) + config.heads
        self.recompute = False

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, n_steps, d_model) for x of that shape; each of the n sequences for itself."""
        if x.device.type == "cpu" and not torch.is_grad_enabled():
            # A few sequences through all layers, then the next: what lies between two layers stays in cache.
            few = max(2, _CACHED_VALUES // (x.shape[1] * self.projected))
            if few < len(x):
                return torch.cat([self._run(some) for some in torch.split(x, few)])
        return self._run(x)

    def _run(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            again = self.recompute and self.training
            x = checkpoint(layer, x, use_reentrant=False) if again else layer(x)
        return x
