"""One training step: a batch in parts through the network, gradients added up, weights moved, or skipped whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from brainscan.model.allocator import keep_freed_memory
from brainscan.model.amplitude import centring_matrix
from brainscan.model.inference import scaled
from brainscan_models.network import LOGIT_LIMIT, Located, Network
from brainscan_training.batches import Batch
from brainscan_training.config import PARTS, TrainConfig
from brainscan_training.losses import balance, detection_terms, electrode_terms, per_second, targets
from brainscan_training.optim import AveragedWeights, adamw
from brainscan_training.teachers import Teachers

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_ELECTRODES = 19


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did.

    Parameters
    ----------
    loss, detection, electrodes : float
        Over the whole batch and all processes.
    norm : float
        Of the gradient, before it was clipped.
    clamped : float
        Share of the logits at their limit.
    finite : bool
        False: nothing was changed by it.
    """

    loss: float
    detection: float
    electrodes: float
    norm: float
    clamped: float
    finite: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Totals:
    """What the sums of a batch are divided by, over all processes."""

    detection: Tensor
    electrodes: Tensor


class Stepper:
    """A network with its optimiser and average, one step at a time.

    Parameters
    ----------
    fabric : Fabric
        Device, precision, processes.
    network : Network
    config : TrainConfig
    frozen : tuple of str
        Parts of the network that stay as they are.
    """

    def __init__(self, fabric: Fabric, network: Network, config: TrainConfig, frozen: tuple[str, ...] = ()) -> None:
        self._fabric = fabric
        self._config = config
        self._frozen = [module for part in frozen if isinstance(module := getattr(network, part), nn.Module)]
        for module in self._frozen:
            module.requires_grad_(False)
        network.recompute(config.recompute)
        if fabric.device.type == "cpu":
            keep_freed_memory()
        self.optimiser = adamw(network, config.learning_rate, config.weight_decay)
        self._module, self._stepping = fabric.setup(network, self.optimiser)
        self._module.mark_forward_method("locate")
        self.network = network
        self.averaged: AveragedWeights[Any] = AveragedWeights(network, config.ema)
        self._centring = torch.from_numpy(centring_matrix(config.amplitude)).to(fabric.device)
        self._teachers = Teachers.load(config.distil.teachers, config.card(), fabric.device)

    def step(self, batch: Batch, number: int, rate: float) -> StepResult:
        """Take one step at a learning rate.

        Parameters
        ----------
        batch : Batch
            This process' share of the step's windows.
        number : int
            Decides the random draws inside the network.
        rate : float
        """
        self._begin(number)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        before = [buffer.clone() for buffer in self.network.buffers()]
        batch = batch.to(self._fabric.device)
        totals = self._totals(batch)
        parts = list(batch.parts(self._config.micro_batch))
        sums = torch.zeros(4, device=self._fabric.device)
        self._stepping.zero_grad()
        for k, part in enumerate(parts):
            with self._fabric.no_backward_sync(self._module, enabled=k + 1 < len(parts)):
                loss, detection, electrodes, clamped = self._forward(part, totals)
                # Processes' gradients are averaged, these are parts of a sum.
                self._fabric.backward(loss * self._fabric.world_size)
            sums += torch.stack((loss.detach(), detection.detach(), electrodes.detach(), clamped))
        clip = self._config.gradient_clip
        norm = cast(
            "Tensor",
            self._fabric.clip_gradients(self._module, self._stepping, max_norm=clip, error_if_nonfinite=False),
        ).item()
        loss_sum, detection_sum, electrodes_sum, clamped_sum = self._reduced(sums).tolist()
        finite = math.isfinite(norm) and math.isfinite(loss_sum)
        if finite:
            self._stepping.step()
            self.averaged.update(self.network)
        else:
            self._undo(before)
        clamped_share = clamped_sum / (len(parts) * self._fabric.world_size)
        return StepResult(loss_sum, detection_sum, electrodes_sum, norm, clamped_share, finite)

    def loss_again(self, batch: Batch, number: int) -> Tensor:
        """Return the loss of a batch that was not finite, for whoever looks for the cause."""
        self._begin(number)
        batch = batch.to(self._fabric.device)
        return self._forward(batch, self._totals(batch), plain=True)[0]

    def _begin(self, number: int) -> None:
        # Signs of eigenvectors and dropout depend on the step alone, so that nothing random needs to be saved.
        torch.manual_seed((self._config.seed << 32) + (number << 8) + self._fabric.global_rank)
        self.network.train()
        for module in self._frozen:
            module.eval()

    def _forward(self, part: Batch, totals: _Totals, *, plain: bool = False) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        config = self._config.loss
        module = self.network if plain else self._module
        # Fabric wraps `forward` only: other methods of a module on one process do not pass its autocast.
        with self._fabric.autocast():
            eeg = scaled(part.uv, self._config.amplitude, self._centring)
            located: Located = module.locate(eeg)
            taught = self._teachers.probabilities(eeg) if self._teachers else None
        logits = located.logits.float()
        detection, _ = detection_terms(
            per_second(logits),
            part.ictal,
            targets(part.ictal, config.smoothing, taught, self._config.distil.share),
            part.weight,
            focus=config.focus,
            alpha=config.alpha,
        )
        electrodes, _ = electrode_terms(located.electrodes.float(), part.electrodes, part.ictal)
        detection, electrodes = detection / totals.detection, electrodes / totals.electrodes
        clamped = (logits.detach().abs() >= LOGIT_LIMIT).float().mean()
        return detection + config.electrodes * electrodes, detection, electrodes, clamped

    def _totals(self, batch: Batch) -> _Totals:
        known = torch.isfinite(batch.electrodes).all(dim=1)
        sums = torch.stack(
            (
                (batch.weight * balance(batch.ictal, self._config.loss.alpha)).sum(),
                batch.ictal[known].sum() * _ELECTRODES,
            )
        )
        detection, electrodes = self._reduced(sums).clamp(min=1.0)
        return _Totals(detection, electrodes)

    def _reduced(self, sums: Tensor) -> Tensor:
        if self._fabric.world_size == 1:
            return sums
        return cast("Tensor", self._fabric.all_reduce(sums, reduce_op="sum"))

    def _undo(self, buffers: list[Tensor]) -> None:
        """Put back what the forward pass changed (running statistics), and forget the gradients."""
        for buffer, old in zip(self.network.buffers(), buffers, strict=True):
            buffer.copy_(old)
        self._stepping.zero_grad()


def frozen_parts(network: Network, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the named parts that this network has."""
    return tuple(name for name in PARTS if name in names and getattr(network, name) is not None)
