"""The shipped model on an input that every machine can make, against numbers stored beside the weights.

``python -m brainscan.model.selftest`` stores the numbers anew; it belongs to every change of the weights.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import N_ELECTRODES, POSITIONS
from brainscan.errors import ModelError
from brainscan.events import RATE_HZ
from brainscan.io.atomic import write_text
from brainscan.model import checkpoint
from brainscan.model.run_config import RunConfig

if TYPE_CHECKING:
    from brainscan.model.inference import WindowRunner
    from brainscan.model.side_by_side import SideBySide

FloatArray = NDArray[np.float32]

NUMBERS = "selftest.json"
TOLERANCE = 0.01
"""Logits of other processors, thread counts and kernels lie within this; so do not those of other weights."""

_DURATION_S = 60
_ICTAL_S = (24.0, 44.0)
_SINES = 48


@dataclass(frozen=True, slots=True)
class SelfTest:
    """How the self-test ended.

    Parameters
    ----------
    passed : bool
    detail : str
        One line: what was compared, or what is wrong.
    worst : float
        Largest difference of a logit; NaN where none was computed.
    seconds : float
    """

    passed: bool
    detail: str
    worst: float = float("nan")
    seconds: float = 0.0


def known_window() -> FloatArray:
    """Return one minute of EEG-like waves with a spreading rhythm, shape (19, 15360), µV.

    It is made of sines only, so that no random generator's version matters.
    """
    at_s = np.arange(_DURATION_S * RATE_HZ) / RATE_HZ
    position = np.array(POSITIONS)
    waves = np.zeros((N_ELECTRODES, len(at_s)))
    for k in range(_SINES):
        frequency_hz = 0.8 * 1.085**k
        phase = 2.0 * np.pi * ((k * 0.61803398875) % 1.0)
        # Each wave travels over the head in a direction of its own, so that no two electrodes are alike.
        lag = position @ np.array([np.cos(2.4 * k), np.sin(2.4 * k), np.cos(1.1 * k)])
        waves += 14.0 / frequency_hz**0.6 * np.sin(2.0 * np.pi * frequency_hz * at_s + phase + 2.0 * lag[:, None])
    start_s, stop_s = _ICTAL_S
    elapsed_s = np.clip(at_s - start_s, 0.0, stop_s - start_s)
    swell = np.sin(np.pi * elapsed_s / (stop_s - start_s)) ** 2
    cycles = 5.0 * elapsed_s - 0.04 * elapsed_s**2  # from 5 Hz down to 3.4 Hz
    field = np.exp(-((position - position[5]) ** 2).sum(axis=1) / 0.8)  # around T3
    waves += field[:, None] * swell * 90.0 * (np.sin(2.0 * np.pi * cycles) + 0.4 * np.sin(4.0 * np.pi * cycles))
    waves -= waves.mean(axis=0)
    return waves.astype(np.float32)


def numbers(runner: SideBySide, model_sha256: str) -> dict[str, Any]:
    """Return what is stored of a model: its checksum, and the mean logit of each second of the test window."""
    logits = runner.logits([known_window()])[0].reshape(_DURATION_S, RATE_HZ).mean(axis=1)
    return {"model_sha256": model_sha256, "logits": [round(float(value), 4) for value in logits]}


def compare(runner: SideBySide, model_sha256: str, stored: Mapping[str, Any]) -> SelfTest:
    """Run the test window through a model and compare; a single changed weight fails.

    Parameters
    ----------
    runner : SideBySide
    model_sha256 : str
        Of the bytes that the runner came from.
    stored : mapping
        As `numbers` gave it.
    """
    began = time.perf_counter()
    found = numbers(runner, model_sha256)
    seconds = time.perf_counter() - began
    worst = float(np.abs(np.array(found["logits"]) - np.array(stored["logits"])).max())
    if not worst <= TOLERANCE:  # NaN fails too
        detail = f"logits differ from the stored ones by up to {worst:.3g} (allowed: {TOLERANCE:g})"
    elif found["model_sha256"] != stored["model_sha256"]:
        detail = "the weights or the card are not those that the stored numbers belong to"
    else:
        return SelfTest(True, f"logits within {worst:.2g} of the stored ones", worst, seconds)
    return SelfTest(False, detail, worst, seconds)


def read_numbers() -> Mapping[str, Any]:
    """Return the stored numbers of the shipped model.

    Raises
    ------
    ModelError
        If they are absent or damaged.
    """
    place = resources.files("brainscan.model") / "weights" / NUMBERS
    try:
        stored = json.loads(place.read_text(encoding="utf-8"))
        if len(stored["logits"]) != _DURATION_S or not isinstance(stored["model_sha256"], str):
            raise ValueError("fields are missing")
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise ModelError(
            f"the self-test's numbers cannot be read ({type(problem).__name__})",
            file=NUMBERS,
            hint="reinstall brainscan",
        ) from problem
    return dict(stored)


def run() -> SelfTest:
    """Test the shipped model on what `detect` would run it; what keeps it from loading is a failed test, no error."""
    from brainscan.model.runner import open_runner

    try:
        # The card's checksum holds for the tensors once they are verified.
        model_sha256 = checkpoint.verify(checkpoint.locate(checkpoint.DEFAULT)).card.sha256
        return compare(open_runner(checkpoint.DEFAULT, RunConfig(device="cpu")), model_sha256, read_numbers())
    except ModelError as error:
        return SelfTest(False, f"{error.file}: {error.message}" if error.file else error.message)


def store() -> Path:
    """Write the numbers of the shipped weights, as PyTorch computes them, beside them and return the file."""
    runner = open_in_torch(checkpoint.DEFAULT)
    path = checkpoint.locate(checkpoint.DEFAULT).parent / NUMBERS
    write_text(path, json.dumps(numbers(runner, runner.card.sha256), indent=1) + "\n")
    return path


def open_in_torch(name_or_path: str) -> WindowRunner:
    """Return a runner on PyTorch, whose numbers are those that others are held to."""
    from brainscan.model.inference import WindowRunner

    loaded = checkpoint.load(name_or_path)
    return WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu"))


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("usage: python -m brainscan.model.selftest: stores the numbers of the shipped weights anew")
    store()
