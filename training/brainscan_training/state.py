"""What a run must know to go on as if it had never stopped: tensors as safetensors, the rest as JSON beside them.

One file a state, written atomically; nothing is pickled. There is no random state in it: every step draws from
generators that are made of seed and step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from brainscan.errors import InputError
from brainscan.io.atomic import atomic_write, make_folder
from brainscan.mapping import from_mapping, to_mapping
from brainscan_training.compose import HardSpan
from brainscan_training.optim import AveragedWeights

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is.

    Parameters
    ----------
    attempted : int
        Steps begun, skipped ones among them; says what is drawn next.
    applied : int
        Steps that changed the weights; says the learning rate.
    validated : int
        Epochs that were validated.
    n_skipped : int
    recent : tuple of int
        Which of the last steps were skipped.
    best_epoch : int
        -1 before the first validation.
    best : tuple of float
        What epochs are compared by, larger is better.
    hard : tuple of HardSpan
        From the last validation.
    """

    attempted: int = 0
    applied: int = 0
    validated: int = 0
    n_skipped: int = 0
    recent: tuple[int, ...] = ()
    best_epoch: int = -1
    best: tuple[float, ...] = field(default=())
    hard: tuple[HardSpan, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The objects whose tensors are the state."""

    network: nn.Module
    averaged: AveragedWeights[nn.Module]
    optimiser: torch.optim.Optimizer

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor by name, on the CPU."""
        found = {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        found |= {f"averaged/{name}": tensor for name, tensor in self.averaged.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            moments = self.optimiser.state.get(parameter, {})
            found |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS if moment in moments}
        return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in found.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take every tensor back."""
        self.network.load_state_dict(_below(tensors, "network"), strict=True)
        self.averaged.network.load_state_dict(_below(tensors, "averaged"), strict=True)
        moments = {moment: _below(tensors, moment) for moment in _MOMENTS}
        for name, parameter in self.network.named_parameters():
            if name in moments["step"]:
                self.optimiser.state[parameter] = {
                    # The number of steps stays on the CPU, as the optimiser itself has it.
                    moment: moments[moment][name].to("cpu" if moment == "step" else parameter.device)
                    for moment in _MOMENTS
                }


class StateFolder:
    """The states of a run, newest last.

    Parameters
    ----------
    folder : Path
    keep : int
        How many of the latest stay.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep

    def paths(self) -> list[Path]:
        """Return the states, oldest first."""
        return sorted(self._folder.glob("step-*.safetensors"))

    def save(self, progress: Progress, trained: Trained) -> Path:
        """Write a state and remove what is older than the latest few.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        from safetensors.numpy import save as to_bytes

        make_folder(self._folder)
        facts = {"format": _FORMAT, "progress": to_mapping(progress), "averages": trained.averaged.steps}
        path = self._folder / f"step-{progress.attempted:09d}-{progress.validated:04d}.safetensors"
        with atomic_write(path) as stream:
            arrays = {name: tensor.numpy() for name, tensor in trained.tensors().items()}  # quicker than torch's own
            stream.write(to_bytes(arrays, metadata={"state": json.dumps(facts)}))
        for old in self.paths()[: -self._keep]:
            old.unlink(missing_ok=True)
        return path

    def restore(self, trained: Trained) -> tuple[Progress, tuple[str, ...]]:
        """Load the newest sound state; without any, the run begins.

        Returns
        -------
        Progress
        tuple of str
            Warnings about damaged states.

        Raises
        ------
        InputError
            If there are states and none of them can be used.
        """
        warnings: list[str] = []
        for path in reversed(self.paths()):
            try:
                facts, tensors = _read(path)
                progress = from_mapping(Progress, facts["progress"])
                trained.restore(tensors)
            except (OSError, ValueError, KeyError, RuntimeError) as problem:
                first = str(problem).splitlines()[0]
                warnings.append(f"{path.name} cannot be used ({first}); the one before it is taken")
                continue
            trained.averaged.steps = int(facts["averages"])
            return progress, tuple(warnings)
        if warnings:
            raise InputError(
                "none of its states can be used", kind="corrupt", file=str(self._folder), hint="start a new run"
            )
        return Progress(), ()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stream:
            facts = json.loads((stream.metadata() or {})["state"])
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as problem:
        raise ValueError(str(problem)) from problem
    if facts.get("format") != _FORMAT:
        raise ValueError(f"format {facts.get('format')!r} instead of {_FORMAT}")
    return cast("dict[str, Any]", facts), tensors


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return dict(_strip(tensors, f"{prefix}/"))


def _strip(tensors: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), tensor
