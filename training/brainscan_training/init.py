"""Runs that begin from a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainscan.errors import ModelError
from brainscan_training.config import TrainConfig

if TYPE_CHECKING:
    from brainscan.model.checkpoint import Checkpoint


def resolved(config: TrainConfig) -> tuple[TrainConfig, Checkpoint | None]:
    """Return a run with what its checkpoint decides, and that checkpoint; a run without one stays as it is.

    Raises
    ------
    ModelError
        If the checkpoint cannot be used, or its network cannot take the run's windows.
    """
    if not config.init:
        return config, None
    from brainscan.model import checkpoint

    loaded = checkpoint.load(config.init)
    try:
        return config.for_init(loaded.card), loaded
    except ValueError as problem:
        raise ModelError(f"cannot be tuned like this ({problem})", file=config.init) from problem
