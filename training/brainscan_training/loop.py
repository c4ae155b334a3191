"""The run itself: epochs of steps, validation after each, states between, early stopping."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.card import Card
from brainscan.io.atomic import make_folder
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan_training import faults
from brainscan_training.batches import Batch, BatchSource, Recipe, Stored, workers_for
from brainscan_training.cache import Cached
from brainscan_training.compose import HardSpans
from brainscan_training.config import TrainConfig
from brainscan_training.export import filled_card
from brainscan_training.journal import Journal
from brainscan_training.optim import rate_at
from brainscan_training.prepare import not_validated
from brainscan_training.state import Progress, StateFolder, Trained
from brainscan_training.step import Stepper, StepResult
from brainscan_training.validate import Validation, choose, hard_spans, measure, scored_recordings

if TYPE_CHECKING:
    from lightning.fabric import Fabric

CHECKPOINTS = "checkpoints"
BEST = "best.safetensors"
LAST = "last.safetensors"

FORWARD_SHARE = 0.5
"""A window of validation counts so much of a window of training: a forward pass against forward and backward."""


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """What a run works on.

    Parameters
    ----------
    train : Stored
    validation : list of Cached
        Chosen to fit the budget; empty: nothing is validated.
    mined : list of Cached
        Training recordings that hard background may be sought in.
    base : Card
        The card without what only training can tell, training data filled in.
    """

    train: Stored
    validation: list[Cached]
    mined: list[Cached]
    base: Card


class Loop:
    """A run on one process of one or several.

    Parameters
    ----------
    fabric : Fabric
    stepper : Stepper
    recordings : Recordings
    config : TrainConfig
    run : Path
        The run's folder.
    """

    def __init__(
        self, fabric: Fabric, stepper: Stepper, recordings: Recordings, config: TrainConfig, run: Path
    ) -> None:
        self._fabric = fabric
        self._stepper = stepper
        self._recordings = recordings
        self._config = config
        self._run = run
        self._states = StateFolder(run / CHECKPOINTS, config.checkpoints.keep)
        self._trained = Trained(stepper.network, stepper.averaged, stepper.optimiser)
        self.progress, self._warnings = self._states.restore(self._trained)

    def go(self, journal: Journal | None) -> None:
        """Train until the last epoch, or until nothing gets better.

        Parameters
        ----------
        journal : Journal or None
            Of the first process; the others have none.

        Raises
        ------
        NotFiniteError
            If too many steps were not finite.
        """
        config = self._config
        share, rank = config.share, self._fabric.global_rank
        recipe = Recipe(config.seed, range(rank * share, (rank + 1) * share), config.compose, config.augment)
        source = BatchSource(self._recordings.train, recipe, workers_for(config.num_workers, self._fabric.device.type))
        if journal is not None:
            unvalidated = () if self._recordings.validation else (not_validated(config),)
            for warning in (*self._warnings, *unvalidated):
                journal.message(f"warning: {warning}")
        try:
            while not self._finished():
                epoch = self.progress.validated
                self._epoch(source, (epoch + 1) * config.steps_per_epoch, journal)
                self._validate(epoch, journal)
        finally:
            source.close()

    def _finished(self) -> bool:
        progress, patience = self.progress, self._config.validation.patience
        if progress.validated >= self._config.epochs:
            return True
        waited = progress.validated - 1 - progress.best_epoch
        return bool(patience and progress.best and waited >= patience)

    def _epoch(self, source: BatchSource, stop: int, journal: Journal | None) -> None:
        """Take the steps that are left of an epoch."""
        first = self.progress.attempted
        hard = HardSpans(self.progress.hard, self._config.mining.share)
        begun = time.monotonic()
        for batch, waited_s in source.epoch(first, stop, hard):
            number = self.progress.attempted
            factor = rate_at(
                self.progress.applied, self._config.total_steps, self._config.warm_up, self._config.final_rate
            )
            rate = self._config.learning_rate * factor
            result = self._stepper.step(batch, number, rate)
            self._count(result)
            now = time.monotonic()
            if journal is not None:
                journal.step(self._record(number, rate, result) | {"waited_s": waited_s, "s": now - begun})
                journal.progress("training", self.progress.attempted, self._config.total_steps)
            begun = now
            if not result.finite and faults.too_many(self.progress.recent, self._config.max_skipped):
                self._stop(batch, number)
            if self.progress.attempted % self._config.checkpoints.every == 0:
                self._save()

    def _count(self, result: StepResult) -> None:
        number = self.progress.attempted
        recent = tuple(k for k in self.progress.recent if k > number - faults.RECENT)
        self.progress = replace(
            self.progress,
            attempted=number + 1,
            applied=self.progress.applied + result.finite,
            n_skipped=self.progress.n_skipped + (not result.finite),
            recent=recent if result.finite else (*recent, number),
        )

    def _record(self, number: int, rate: float, result: StepResult) -> dict[str, Any]:
        return {
            "step": number,
            "epoch": number // self._config.steps_per_epoch,
            "loss": result.loss,
            "detection": result.detection,
            "electrodes": result.electrodes,
            "learning_rate": rate,
            "norm": result.norm,
            "clipped": result.norm > self._config.gradient_clip,
            "clamped": result.clamped,
            "skipped": not result.finite,
            "n_skipped": self.progress.n_skipped,
        }

    def _stop(self, batch: Batch, number: int) -> None:
        """Raise the report on a run that diverged."""
        where = faults.first_fault(self._stepper.network, lambda: self._stepper.loss_again(batch, number))
        windows = "; ".join(" + ".join(origins) for origins in batch.origins[:4])
        more = f" and {len(batch.origins) - 4} more windows" if len(batch.origins) > 4 else ""
        raise faults.NotFiniteError(
            f"{len(self.progress.recent)} of the last {faults.RECENT} steps were not finite; at step {number}"
            f" the first value that was not was {where}; its batch: {windows}{more}",
            hint="lower learning_rate, or exclude the recording; the states before it are in checkpoints/",
        )

    def _validate(self, epoch: int, journal: Journal | None) -> None:
        """Validate on the first process and save; the others wait and take over what it found."""
        progress = replace(self.progress, validated=epoch + 1)
        if journal is not None:
            if self._recordings.validation:
                progress = self._judge(progress, epoch, journal)
            else:
                self._keep(LAST, filled_card(self._recordings.base, self._config, None, epoch))
            self.progress = progress
            self._save()
        self.progress = self._fabric.broadcast(progress, src=0)

    def _judge(self, progress: Progress, epoch: int, journal: Journal) -> Progress:
        begun = time.monotonic()
        runner = self._runner()
        validation = validate_on(runner, self._recordings.validation, self._config)
        card = filled_card(self._recordings.base, self._config, validation, epoch)
        self._keep(LAST, card)
        better = not progress.best or validation.rank > progress.best
        if better:
            self._keep(BEST, card)
            progress = replace(progress, best=validation.rank, best_epoch=epoch)
        progress = replace(progress, hard=self._mine(runner, validation, epoch))
        journal.validation(
            {
                "step": progress.attempted,
                "epoch": epoch,
                **validation.as_mapping(),
                "best": better,
                "hard_spans": len(progress.hard),
                "s": time.monotonic() - begun,
            },
            validation,
        )
        return progress

    def _mine(self, runner: WindowRunner, validation: Validation, epoch: int) -> tuple[Any, ...]:
        """Return false alarms in training recordings, others each epoch, at the threshold that validation sets."""
        mining = self._config.mining
        if not mining.share or not self._recordings.mined:
            return ()
        budget = int(validation_budget(self._config) * mining.budget)
        chosen = choose(self._recordings.mined, budget, self._config.window, self._config.seed + 1 + epoch)
        threshold = validation.point.threshold if validation.point.reachable else 0.5
        decision = runner.card.decision.with_thresholds(threshold, None)
        alert = WindowRunner(runner.network, replace(runner.card, decision=decision), runner.config)
        return hard_spans(scored_recordings(alert, chosen), [r.item.name for r in chosen])

    def _runner(self) -> WindowRunner:
        config = RunConfig(device=self._fabric.device.type, batch_size=max(self._config.micro_batch, 4))
        return WindowRunner(self._stepper.averaged.network, self._recordings.base, config)

    def _keep(self, name: str, card: Card) -> None:
        folder = self._run / CHECKPOINTS
        make_folder(folder)
        checkpoint.save(folder / name, self._stepper.averaged.network, card)

    def candidates(self) -> tuple[Path, Path]:
        """Return what a finished run may export: the best epoch's checkpoint or the last's first, then the other."""
        best, last = (self._run / CHECKPOINTS / name for name in (BEST, LAST))
        chosen = self._config.validation.keep == "best" and self.progress.best_epoch >= 0
        return (best, last) if chosen else (last, best)

    def _save(self) -> None:
        if self._fabric.global_rank == 0:
            self._states.save(self.progress, self._trained)


def validate_on(runner: WindowRunner, recordings: list[Cached], config: TrainConfig) -> Validation:
    """Return the figures of a network on whole recordings."""
    return measure(scored_recordings(runner, recordings), config.decision, config.validation.fa_per_24h)


def validation_budget(config: TrainConfig) -> int:
    """Return the windows that a validation, mining included, may cost, from the windows of an epoch."""
    seconds = config.steps_per_epoch * config.share * config.compose.window_s
    return int(config.validation.share * seconds / config.window.duration_s / FORWARD_SHARE)
