"""When a loss or a gradient is not finite: how much of it a run bears, and who did it first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from brainscan.errors import ModelError

RECENT = 100
"""Steps over which the share of skipped ones is taken."""


class NotFiniteError(ModelError):
    """Too many steps were not finite; the run was stopped."""


def too_many(recent: tuple[int, ...], share: float) -> bool:
    """Whether more of the last `RECENT` steps were skipped than a run bears."""
    return len(recent) > share * RECENT


def first_fault(network: nn.Module, loss_of: Callable[[], Tensor]) -> str:
    """Run a batch again and say where the first value that is not finite came up.

    Parameters
    ----------
    network : nn.Module
    loss_of : callable
        Runs the network on the batch and returns the loss.

    Returns
    -------
    str
        A layer's output, a gradient at a layer's output, or that the repetition was clean.
    """
    found: list[str] = []
    with _watched(network, found), torch.enable_grad():
        loss = loss_of()
        if not found and not bool(torch.isfinite(loss)):
            found.append("the loss itself")
        if not found:
            loss.backward()  # type: ignore[no-untyped-call]
    network.zero_grad()
    return found[0] if found else "nowhere when it was run again"


@contextmanager
def _watched(network: nn.Module, found: list[str]) -> Iterator[None]:
    """Note the first module whose output, then the first whose output's gradient, is not finite."""

    def watch(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def after(module: nn.Module, _inputs: Any, output: Any) -> None:
            for tensor in _tensors(output):
                if not found and not bool(torch.isfinite(tensor).all()):
                    found.append(f"the output of {name} ({type(module).__name__})")
                if tensor.requires_grad:
                    tensor.register_hook(lambda gradient: note(gradient, name, module))  # type: ignore[no-untyped-call]

        return after

    def note(gradient: Tensor, name: str, module: nn.Module) -> None:
        if not found and not bool(torch.isfinite(gradient).all()):
            found.append(f"the gradient at the output of {name} ({type(module).__name__})")

    # What lies inside a module is run, and noted, before it.
    handles = [module.register_forward_hook(watch(name)) for name, module in network.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, tuple | list):
        for part in output:
            yield from _tensors(part)
