"""Batch size, block size and thread count change no event: ``python benchmarks/invariance.py [PATH/TO/eeg]``.

Every recording of an indexed folder (default: ``$BRAINSCAN_SHARED/eeg`` or ``../shared/eeg``; left out where it is
absent) and two simulated hours go through the detector once as usual and once for each other way of running it.
Compared are the events at the card's thresholds and at ones so low that at least 50 events exist: same number,
boundaries within 0.25 s; and the probabilities: samples that differ by more than 1e-4 are counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from brainscan import examine as examine_module
from brainscan.card import DecisionConfig
from brainscan.decision.postprocess import find_events
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.events import Event
from brainscan.io import read
from brainscan.model.inference import RunConfig
from brainscan.recording import Recording
from brainscan.simulate import SimulationConfig, simulate

TOLERANCE_S = 0.25
TOLERANCE = 1e-4
ENOUGH_EVENTS = 50
OPTIONS = DetectOptions(max_missing=9, keep_probabilities=True)
SEEDS = (3_000_010, 3_000_011)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of running the detector."""

    name: str
    batch_size: int = 8
    block_s: float = 60.0
    threads: int = 1


USUAL = Way("batch 8, blocks of 60 s, 1 thread")
OTHERS = (
    Way("batch 1", batch_size=1),
    Way("batch 5", batch_size=5),
    Way("blocks of 7.3 s", block_s=7.3),
    Way("blocks of 600 s", block_s=600.0),
    Way("2 threads", threads=2),
)


@dataclass(slots=True)
class Difference:
    """What one way changed, over all recordings."""

    numbers: int = 0
    boundaries: int = 0
    worst_s: float = 0.0
    samples: int = 0
    total: int = 0
    worst: float = 0.0
    files: list[str] = field(default_factory=list)

    def add_events(self, name: str, usual: Sequence[Event], other: Sequence[Event]) -> None:
        """Compare the events of one recording."""
        if len(usual) != len(other):
            self.numbers += 1
            self.files.append(name)
            return
        for a, b in zip(usual, other, strict=True):
            off_s = max(abs(a.onset_s - b.onset_s), abs(a.offset_s - b.offset_s))
            self.worst_s = max(self.worst_s, off_s)
            if off_s > TOLERANCE_S:
                self.boundaries += 1
                self.files.append(name)

    def add_curves(self, usual: Detection, other: Detection) -> None:
        """Compare the probabilities of one recording."""
        for a, b in zip(usual.probabilities, other.probabilities, strict=True):
            off = np.abs(a.values - b.values)
            self.samples += int((off > TOLERANCE).sum()) + int((np.isnan(a.values) != np.isnan(b.values)).sum())
            self.total += len(off)
            self.worst = max(self.worst, float(np.nanmax(off, initial=0.0)))


def recordings(folder: Path) -> Iterator[Recording]:
    """Yield the recordings of the folder, and two simulated hours."""
    for path in sorted(folder.rglob("*.edf")):
        yield read(path)
    for seed in SEEDS:
        yield replace(simulate(SimulationConfig(3600, 6, seed)).recording(), name=f"simulation {seed}")


def run(way: Way, model: str, folder: Path) -> list[Detection]:
    """Detect in every recording."""
    run_config = RunConfig(device="cpu", batch_size=way.batch_size, threads=way.threads)
    detector = Detector.from_pretrained(model, run=run_config)
    examine_module.BLOCK_S = way.block_s
    began = time.perf_counter()
    found = []
    for recording in recordings(folder):
        print(f"\r\033[K{way.name}: {len(found) + 1} {recording.name}", end="", file=sys.stderr)
        found.append(detector.detect(replace(recording, sha256=None), OPTIONS))
    hours = sum(d.analysed_s for d in found) / 3600.0
    took_s = time.perf_counter() - began
    print(f"\r\033[K{way.name}: {len(found)} recordings, {hours:.2f} h, {took_s:.0f} s", flush=True)
    return found


def events_at(detection: Detection, decision: DecisionConfig) -> list[Event]:
    """Return the events of the kept curves at another decision."""
    return [event for curve in detection.probabilities for event in find_events(curve, decision)]


def low_decision(usual: Sequence[Detection], decision: DecisionConfig) -> tuple[DecisionConfig, int]:
    """Return the card's decision at the highest low threshold that gives enough events, and their number."""
    for enter in np.arange(0.5, 0.0, -0.05):
        low = replace(decision, enter=float(enter), leave=max(0.0, float(enter) - 0.08))
        count = sum(len(events_at(d, low)) for d in usual)
        if count >= ENOUGH_EVENTS:
            return low, count
    raise SystemExit(f"no threshold gives {ENOUGH_EVENTS} events on these recordings")


def main() -> int:
    """Print the table."""
    root = Path(__file__).resolve().parents[1]
    shared = Path(os.environ.get("BRAINSCAN_SHARED", root.parent / "shared")) / "eeg"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=shared)
    parser.add_argument("--model", default="default")
    arguments = parser.parse_args()
    usual = run(USUAL, arguments.model, arguments.folder)
    decision = Detector.from_pretrained(arguments.model).decision
    low, count = low_decision(usual, decision)
    at_default = sum(len(d.events) for d in usual)
    print(f"{at_default} events at the defaults (on {decision.enter:g}); {count} at on {low.enter:.2f}\n")
    failed = False
    for way in OTHERS:
        default_events, low_events = Difference(), Difference()
        for a, b in zip(usual, run(way, arguments.model, arguments.folder), strict=True):
            default_events.add_events(a.file, a.events, b.events)
            low_events.add_events(a.file, events_at(a, low), events_at(b, low))
            default_events.add_curves(a, b)
        for name, found in (("defaults", default_events), (f"on {low.enter:.2f}", low_events)):
            print(
                f"  {name}: {found.numbers} recordings with another number of events, {found.boundaries} boundaries"
                f" off by more than {TOLERANCE_S} s (largest {found.worst_s:.4f} s) {' '.join(found.files)}"
            )
            failed |= bool(found.numbers or found.boundaries)
        print(
            f"  probabilities: {default_events.samples} of {default_events.total} samples differ by more than"
            f" {TOLERANCE:g} (largest {default_events.worst:.2g})\n"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
