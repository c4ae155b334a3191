"""The optimiser's groups, the learning rate's course, the moving average of weights."""

from __future__ import annotations

import copy
import math
from typing import Generic, TypeVar

import torch
from torch import nn

_NEVER_DECAYED = ("A_log", "D", "dt_bias", "bias")


def adamw(network: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """Return AdamW without decay on norms, biases, ``A_log``, ``D`` and ``dt_bias``."""
    decayed: list[nn.Parameter] = []
    kept: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        plain = name.rsplit(".", 1)[-1] in _NEVER_DECAYED or parameter.ndim < 2
        (kept if plain else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98))


def rate_at(step: int, total: int, warm_up: float = 0.03, floor: float = 0.02) -> float:
    """Return the share of the peak learning rate at a step: linear warm-up, then a cosine down to `floor`."""
    rising = max(1, round(warm_up * total))
    if step < rising:
        return (step + 1) / rising
    progress = (step - rising) / max(1, total - rising)
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


N = TypeVar("N", bound=nn.Module)


class AveragedWeights(Generic[N]):
    """Exponential moving average of a network's parameters; buffers follow the network.

    Parameters
    ----------
    network : nn.Module
    decay : float
        Share of the old average kept at each step; smaller at the beginning, so that the start is forgotten.

    Attributes
    ----------
    steps : int
        Updates so far.
    """

    def __init__(self, network: N, decay: float) -> None:
        self.network: N = copy.deepcopy(network).eval()
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)
        self._decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: N) -> None:
        """Take the network's present weights in."""
        self.steps += 1
        decay = min(self._decay, self.steps / (self.steps + 10))
        for mine, theirs in zip(self.network.parameters(), network.parameters(), strict=True):
            mine.lerp_(theirs, 1.0 - decay)
        for buffer, other in zip(self.network.buffers(), network.buffers(), strict=True):
            buffer.copy_(other)
