"""Backends, precisions and processors give the same results: ``python benchmarks/backends.py [PATH/TO/eeg]``.

Every tenth recording of an indexed folder (``--every 1``: all of them; default folder: ``$BRAINSCAN_SHARED/eeg`` or
``../shared/eeg``, left out where it is absent) and two simulated hours with 20 seizures go through the detector once
with the native kernels in float32 and once in each other way that is offered. Compared are the probabilities, sample
by sample, and the events at the card's thresholds and at ones so low that at least 50 exist: same number, boundaries
within 0.25 s. The backends decide the exit code; bfloat16 is a choice of the user's and is only reported.

``--processors``: instead of other backends, the usual way in processes that are held to the instruction sets below this
machine's own, as a plainer processor would run it (`benchmarks/instruction_sets.py`).

``--v3``: V3 with random weights on three recordings a source and ten simulated minutes, probabilities only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from instruction_sets import environment, lower_sets
from invariance import ENOUGH_EVENTS, OPTIONS, TOLERANCE_S, Difference, events_at
from performance import random_v3

from brainscan.card import DecisionConfig
from brainscan.detection import Detection
from brainscan.detector import Detector
from brainscan.errors import MissingExtraError, UsageError
from brainscan.io import read
from brainscan.model.inference import RunConfig
from brainscan.recording import Recording
from brainscan.simulate import SimulationConfig, simulate

TOLERANCE = 1e-3
LOW = (0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
SEEDS = (3_000_020, 3_000_021)
SEIZURES = 10
A_SOURCE = 3


class Way(NamedTuple):
    """One way of running the network, and whether it has to give the same events."""

    name: str
    settings: dict[str, Any]
    equal: bool = True
    instructions: str | None = None


USUAL = Way("native, float32", {"backend": "native"})
OTHERS = (
    Way("torch (chunked), float32", {"backend": "torch"}),
    Way("onnx, float32", {"backend": "onnx"}),
    Way("native, bfloat16", {"backend": "native", "precision": "bfloat16"}, equal=False),
)


def on_plainer_processors() -> tuple[Way, ...]:
    """Return the usual way under each instruction set below this machine's own."""
    return tuple(Way(f"{USUAL.name}, {name}", USUAL.settings, instructions=name) for name in lower_sets())


def chosen_files(folder: Path, every: int, a_source: int | None) -> list[Path]:
    """Return every n-th recording, or the first of each source (the folder that a recording lies in)."""
    files = sorted(folder.rglob("*.edf"))
    if a_source is None:
        return files[::every]
    seen: Counter[str] = Counter()
    picked = []
    for path in files:
        seen[path.parent.name] += 1
        if seen[path.parent.name] <= a_source:
            picked.append(path)
    return picked


def recordings(files: Sequence[Path], simulated: Sequence[SimulationConfig]) -> Iterator[Recording]:
    for path in files:
        yield replace(read(path), sha256=None)
    for config in simulated:
        yield replace(simulate(config).recording(), name=f"simulation {config.seed}", sha256=None)


def detector_of(way: Way, model: str) -> Detector:
    return Detector.from_pretrained(model, run=RunConfig(device="cpu", **way.settings))


def detect_all(way: Way, model: str, files: Sequence[Path], simulated: Sequence[SimulationConfig]) -> list[Detection]:
    """Detect in every recording, in a process of its own where the instruction set is another."""
    if way.instructions is None:
        return detect_here(way, model, files, simulated)
    # Libraries look at their variables once, when they are loaded.
    with (
        mock.patch.dict(os.environ, environment(way.instructions)),
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        return pool.submit(detect_here, way, model, files, simulated).result()


def detect_here(way: Way, model: str, files: Sequence[Path], simulated: Sequence[SimulationConfig]) -> list[Detection]:
    """Detect in every recording."""
    detector = detector_of(way, model)
    began, worked = time.perf_counter(), time.process_time()
    found = []
    for recording in recordings(files, simulated):
        print(f"\r\033[K{way.name}: {len(found) + 1} {recording.name}", end="", file=sys.stderr)
        found.append(detector.detect(recording, OPTIONS))
    hours = sum(d.analysed_s for d in found) / 3600.0
    took_s, worked_s = time.perf_counter() - began, time.process_time() - worked
    print("\r\033[K", end="", file=sys.stderr, flush=True)
    print(
        f"{way.name}: {len(found)} recordings, {hours:.2f} h, {took_s:.0f} s"
        f" ({worked_s / hours:.1f} s of processor time an hour of EEG)",
        flush=True,
    )
    return found


class Curves(NamedTuple):
    """How far the probabilities of two ways lie apart."""

    total: int
    beyond: int
    worst: float
    median: float

    @classmethod
    def between(cls, usual: Sequence[Detection], other: Sequence[Detection]) -> Curves:
        off = np.concatenate(
            [
                np.abs(np.nan_to_num(p.values, nan=-1.0) - np.nan_to_num(q.values, nan=-1.0))
                for a, b in zip(usual, other, strict=True)
                for p, q in zip(a.probabilities, b.probabilities, strict=True)
            ]
        )
        return cls(len(off), int((off > TOLERANCE).sum()), float(off.max()), float(np.median(off)))

    def __str__(self) -> str:
        return (
            f"largest difference {self.worst:.2g}, median {self.median:.1g}; {self.beyond} of {self.total} samples"
            f" ({self.beyond / self.total:.2%}) differ by more than {TOLERANCE:g}"
        )


def low_decision(usual: Sequence[Detection], decision: DecisionConfig) -> tuple[DecisionConfig, int]:
    """Return the decision at the highest low threshold that gives enough events, else at the one with most."""
    tried = []
    for enter in LOW:
        low = replace(decision, enter=enter, leave=max(0.0, enter - 0.08))
        tried.append((sum(len(events_at(d, low)) for d in usual), low))
        if tried[-1][0] >= ENOUGH_EVENTS:
            return low, tried[-1][0]
    count, low = max(tried, key=lambda pair: pair[0])
    return low, count


def compare(
    others: Sequence[Way], model: str, files: Sequence[Path], simulated: Sequence[SimulationConfig], *, events: bool
) -> bool:
    """Print how every way differs from the usual one, and return whether all that have to agree do."""
    usual = detect_all(USUAL, model, files, simulated)
    decision = detector_of(USUAL, model).decision
    thresholds = []
    if events:
        low, count = low_decision(usual, decision)
        if count < ENOUGH_EVENTS:
            print(f"no threshold gives {ENOUGH_EVENTS} events on so few recordings; --every 1 has enough")
        thresholds = [(f"on {decision.enter:g}", decision), (f"on {low.enter:.2f}", low)]
        print(f"{sum(len(d.events) for d in usual)} events at the defaults, {count} at on {low.enter:.2f}")
    agree = True
    for way in others:
        try:
            other = detect_all(way, model, files, simulated)
        except (UsageError, MissingExtraError) as problem:
            print(f"{way.name}: left out, {problem.message}")
            continue
        print(f"  probabilities: {Curves.between(usual, other)}")
        for name, at in thresholds:
            difference = Difference()
            for a, b in zip(usual, other, strict=True):
                difference.add_events(a.file, events_at(a, at), events_at(b, at))
            print(
                f"  events, {name}: {difference.numbers} recordings with another number, {difference.boundaries}"
                f" boundaries off by more than {TOLERANCE_S} s (largest {difference.worst_s:.4f} s)"
                f" {' '.join(dict.fromkeys(difference.files))}"
            )
            agree &= not (way.equal and (difference.numbers or difference.boundaries))
    return agree


def main() -> int:
    """Print the comparison."""
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "eeg"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=shared)
    parser.add_argument("--model", default="default")
    parser.add_argument("--every", type=int, default=10, help="take every n-th recording")
    parser.add_argument("--minutes", type=int, default=60, help="length of two simulated recordings; 0: none")
    parser.add_argument("--only", default="", metavar="WAY", help="only what begins so: onnx")
    parser.add_argument("--processors", action="store_true", help="lower instruction sets instead of other backends")
    parser.add_argument("--v3", action="store_true", help="V3 with random weights instead, probabilities only")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        print("no folder of recordings: simulated ones only")
    files = chosen_files(arguments.folder, arguments.every, A_SOURCE if arguments.v3 else None)
    offered = on_plainer_processors() if arguments.processors else OTHERS
    others = tuple(way for way in offered if way.name.startswith(arguments.only))
    if arguments.v3:
        simulated = [SimulationConfig(600, 1, SEEDS[0])]
        return 0 if compare(others, str(random_v3()), files, simulated, events=False) else 1
    simulated = [SimulationConfig(60 * arguments.minutes, SEIZURES, seed) for seed in SEEDS if arguments.minutes]
    return 0 if compare(others, arguments.model, files, simulated, events=True) else 1


if __name__ == "__main__":
    sys.exit(main())
