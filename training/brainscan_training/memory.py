"""How much memory a step needs, from a trial forward pass on short windows.

What autograd keeps for the backward pass is counted exactly and grows linearly with the windows' length and number;
weights, gradients, moments and the average follow from the number of parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from brainscan.events import RATE_HZ
from brainscan_models.network import Network
from brainscan_models.registry import build
from brainscan_models.ssd.backends import use_backend
from brainscan_training.config import TrainConfig

_FLOAT = 4
_COPIES = 5
"""Weights, gradients, two moments, average."""

_SHORT_SHARE = 32
"""The shorter trial window is so many times shorter than the run's; the longer one is twice as long."""

_TRANSIENT = 1.25
_TRANSIENT_CHUNKED = 0.6
"""What a backward pass allocates besides, as a share of what the widest layer keeps; measured (docs/training.md)."""

_WHOLE = "whole"

_WORK_BYTES = 70_000_000
"""Work buffers and what the allocator holds back, whatever the batch; likewise."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Memory of one process, in bytes.

    Parameters
    ----------
    state : int
        Weights, gradients, moments and average.
    kept : int
        For one window: by autograd, and by the backward pass besides.
    windows : int
        At a time.
    """

    state: int
    kept: int
    windows: int

    @property
    def total(self) -> int:
        """State and windows."""
        return self.state + _WORK_BYTES + self.windows * self.kept

    def with_windows(self, windows: int) -> MemoryEstimate:
        """Return the estimate for another number of windows at a time."""
        return replace(self, windows=windows)


def estimate(config: TrainConfig, backend: str = "auto") -> MemoryEstimate:
    """Estimate the memory of a run's step.

    Parameters
    ----------
    config : TrainConfig
    backend : str
        Form of the scan; they keep different amounts.
    """
    network = build(config.network_config())
    network.recompute(config.recompute)
    samples = config.compose.window_s * RATE_HZ
    stride = network.config.stride
    units = samples // stride
    short = max(1, units // _SHORT_SHARE)
    short, long = short * stride, 2 * short * stride
    transient = _TRANSIENT_CHUNKED if backend == "chunked" else _TRANSIENT
    with use_backend(backend):
        kept = {length: _kept(network, length, config.mixed_precision) for length in (short, long)}
    slopes = {part: (kept[long][part] - kept[short][part]) / (long - short) for part in kept[long]}
    whole = slopes.pop(_WHOLE)
    # With recomputation the widest layer is itself kept while its backward pass runs.
    per_sample = whole + max(slopes.values(), default=0.0) * (transient + config.recompute)
    parameters = sum(p.numel() for p in network.parameters())
    return MemoryEstimate(parameters * _FLOAT * _COPIES, round(per_sample * samples), config.micro_batch)


def _kept(network: Network, samples: int, mixed: bool) -> dict[str, int]:
    """Return the bytes that autograd keeps of one window: of the whole forward pass, and of one layer a stream."""
    eeg = torch.randn(1, network.config.n_electrodes, samples)
    inputs: dict[str, tuple[nn.Module, Tensor]] = {}
    streams = {"bottleneck": network.bottleneck, "nodes": network.nodes}
    if network.edges is not None:
        streams["edges"] = network.edges.stream
    handles = [
        stream.layers[0].register_forward_hook(_remember(inputs, name))
        for name, stream in streams.items()
        if len(stream.layers)
    ]
    network.train()
    try:
        kept = _counted(lambda: network.locate(eeg).logits.float().sum(), network, mixed)
    finally:
        for handle in handles:
            handle.remove()
    layers = {name: _counted(partial(_run, module, x), network, mixed) for name, (module, x) in inputs.items()}
    return {_WHOLE: kept, **layers}


def _run(module: nn.Module, x: Tensor) -> Tensor:
    result: Tensor = module(x).float().sum()
    return result


def _remember(inputs: dict[str, tuple[nn.Module, Tensor]], name: str) -> Callable[..., None]:
    def hook(module: nn.Module, arguments: tuple[Tensor, ...], _output: Any) -> None:
        inputs[name] = (module, arguments[0].detach())

    return hook


def _counted(run: Callable[[], Tensor], network: Network, mixed: bool) -> int:
    """Return the bytes of the distinct storages that a run saves for its backward pass, parameters apart."""
    own = {p.untyped_storage().data_ptr() for p in network.parameters()}
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    context = torch.autocast("cpu", torch.bfloat16) if mixed else nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), context:
        result = run()
    del result
    return sum(seen.values())
