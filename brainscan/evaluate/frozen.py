"""Thresholds that were fitted on one part of the data, for another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainscan.errors import InputError, UsageError
from brainscan.evaluate.points import name_of
from brainscan.evaluate.results import METRICS
from brainscan.scoring.operating_points import Curve, operating_point


def is_run(path: Path) -> bool:
    """Say whether a folder holds the results of an earlier evaluation."""
    return (path / METRICS).is_file()


def read_run(path: Path) -> dict[str, Any]:
    """Read the figures of an earlier evaluation.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    file = path / METRICS
    try:
        metrics = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InputError(f"cannot be read ({problem})", kind="corrupt", file=str(file)) from None
    parts = {"froc": dict, "scorer": str, "detector": dict}
    if not isinstance(metrics, dict) or any(not isinstance(metrics.get(k), kind) for k, kind in parts.items()):
        raise InputError("is no result of `brainscan evaluate`", kind="header", file=str(file))
    return metrics


def fitted_points(metrics: Mapping[str, Any], targets: Sequence[float]) -> tuple[Mapping[str, Any], ...]:
    """Return the points of an evaluation's FROC curve at some targets, with what they rest on.

    Parameters
    ----------
    metrics : mapping
        As `Evaluation.as_mapping` or a ``metrics.json`` has it.
    targets : sequence of float

    Raises
    ------
    InputError
        If the curve is not whole.
    """
    try:
        froc = metrics["froc"]
        curve = Curve(
            thresholds=np.array(froc["thresholds"], dtype=np.float64),
            detected=np.array(froc["detected"]),
            false_alarms=np.array(froc["false_alarms"]),
            seizures=int(froc["seizures"]),
            scored_s=float(froc["hours"]) * 3600.0,
        )
        facts = {name: metrics[name] for name in ("corpus", "hours", "patients", "seizures")}
    except (KeyError, TypeError, ValueError) as problem:
        raise InputError(f"has no whole FROC curve ({problem})", kind="corrupt", file=METRICS) from None
    points = []
    for target in targets:
        op = operating_point(curve, target)
        points.append(
            {
                **facts,
                "name": name_of(target),
                "target_fa_per_24h": target,
                "reachable": op.reachable,
                "threshold": op.threshold,
                "fa_per_24h": op.fa_per_24h,
                "sensitivity": op.sensitivity,
            }
        )
    return tuple(points)


def require_same(metrics: Mapping[str, Any], scorer: str, sha256: str) -> None:
    """Refuse thresholds of another scorer or another model: the same number means something else there.

    Raises
    ------
    UsageError
    """
    if metrics["scorer"] != scorer:
        raise UsageError(
            f"the thresholds were fitted with the scorer {metrics['scorer']}, not {scorer}",
            hint="use the same --scorer on both",
        )
    other = metrics["detector"].get("sha256", "")
    if other != sha256:
        raise UsageError(
            f"the thresholds were fitted for another detector ({metrics['detector'].get('name', '?')})",
            hint="evaluate this detector on the other part first, or give that part's recordings to --fit-on",
        )
