"""Whether a run can train here, and how long it would take: what ``--dry-run`` says first."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brainscan.errors import UsageError
from brainscan_models.registry import VARIANTS
from brainscan_training.config import TrainConfig

_V3_LITE_WINDOWS_A_SECOND = 9.1
_WINDOW_S = 60.0
"""Of the shipped ``cpu`` profile, 400 steps; docs/training.md, Time."""

_RECENT = 200


@dataclass(frozen=True, slots=True)
class Device:
    """Where a run would train.

    Parameters
    ----------
    name : str
        ``cpu`` or ``cuda``; what was asked for where there is none.
    problem : str
        Why the run would stop at once on this machine; empty if it would not.
    hint : str
    """

    name: str
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a run would take.

    Parameters
    ----------
    hours : float or None
        None where nobody has measured a rate.
    basis : str
        What the estimate rests on, or why there is none.
    """

    hours: float | None
    basis: str

    @property
    def text(self) -> str:
        """In words: an estimate says that it is one."""
        if self.hours is None:
            return f"unknown: {self.basis}"
        shown = f"{self.hours:.1f} h" if self.hours >= 1.0 else f"{self.hours * 60.0:.0f} min"
        return f"about {shown}, an estimate: {self.basis}"


def device_of(config: TrainConfig) -> Device:
    """Return where a run would train on this machine, and whether it can."""
    import torch

    from brainscan.model.inference import pick_device

    elsewhere = "train where there is one, or --profile cpu; --set device=cpu trains this very run on the processor"
    try:
        name = pick_device(config.device).type
    except UsageError as problem:
        return Device(config.device, problem.message, elsewhere)
    if name == "cuda" and config.processes > (count := torch.cuda.device_count()):
        return Device(name, f"processes={config.processes}, and there are {count} CUDA devices", elsewhere)
    return Device(name)


def require_device(config: TrainConfig) -> str:
    """Return the device's name.

    Raises
    ------
    UsageError
        If the run cannot train here.
    """
    device = device_of(config)
    if device.problem:
        raise UsageError(device.problem, hint=device.hint)
    return device.name


def duration(config: TrainConfig, device: Device, log: Sequence[Mapping[str, Any]] = ()) -> Duration:
    """Estimate how long the steps of a run take that are still to do, without the reading of recordings.

    Parameters
    ----------
    config : TrainConfig
    device : Device
    log : sequence of mapping
        Lines of the run's own ``log.jsonl``, if it has begun.
    """
    steps = [line for line in log if line.get("kind") == "step"]
    left = max(0, config.total_steps - (max(line["step"] for line in steps) + 1 if steps else 0))
    if len(steps) > 1:
        return _as_before(config, steps, left, [line["s"] for line in log if line.get("kind") == "validation"])
    trains_v3_lite = config.network_config() == VARIANTS["v3-lite"] and config.processes == 1
    if device.name != "cpu" or not trains_v3_lite or config.mixed_precision:
        return Duration(None, "nobody has measured this network on this device; the first steps' `s` in log.jsonl tell")
    windows = left * config.batch_size * config.compose.window_s / _WINDOW_S
    return Duration(
        windows / _V3_LITE_WINDOWS_A_SECOND / 3600.0,
        f"{_V3_LITE_WINDOWS_A_SECOND:g} windows of {_WINDOW_S:g} s a second, as measured on two idle cores;"
        " another machine differs, and reading and validation come on top",
    )


def _as_before(
    config: TrainConfig, steps: Sequence[Mapping[str, Any]], left: int, validations_s: Sequence[float]
) -> Duration:
    """Let a run go on as fast as its last steps went."""
    step_s = statistics.median(float(line["s"]) for line in steps[1:][-_RECENT:])  # the first one warms up
    validation_s = statistics.fmean(validations_s) if validations_s else 0.0
    epochs = left / config.steps_per_epoch
    return Duration(
        (left * step_s + epochs * validation_s) / 3600.0,
        f"{left:,} steps are left, and this run's last {len(steps[1:][-_RECENT:])} took {step_s:.2f} s each"
        + ("" if validations_s else "; validation comes on top"),
    )
