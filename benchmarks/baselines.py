"""What taking a recording's own baseline off does: seizures found and false alarms of long recordings, several ways.

    python benchmarks/baselines.py RECORDING.edf... [--model default] [--on 0.86 0.97]

Beside each recording lies its truth as CSV_bi (``NAME.csv_bi`` or ``NAME_truth.csv_bi``, as `benchmarks/memory.py` and
`benchmarks/simulated.py` write them). The network runs once over each; every row decides anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from brainscan.card import BaselineConfig, DecisionConfig
from brainscan.decision.postprocess import find_events
from brainscan.detector import DetectOptions, Detector
from brainscan.events import Event, Probabilities
from brainscan.io import read
from brainscan.io.csv_bi import read_csv_bi

WAYS = (
    BaselineConfig(),
    *(BaselineConfig(trailing_s) for trailing_s in (900.0, 1800.0, 3600.0)),
    *(BaselineConfig(1800.0, quantile) for quantile in (0.65, 0.8)),
    BaselineConfig(1800.0, quiet=0.15),
    *(BaselineConfig(1800.0, quiet=quiet, most=most) for quiet in (0.015, 0.005) for most in (4.0, 5.0, 7.0)),
)
EARLY_S = 600.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording's curves and the truth."""

    curves: tuple[Probabilities, ...]
    truth: tuple[tuple[float, float], ...]


def heard(detector: Detector, paths: list[Path]) -> Iterator[Heard]:
    """Run the network over each recording."""
    for number, path in enumerate(paths, 1):
        print(f"\r{number}/{len(paths)}", end="", file=sys.stderr)
        beside = (path.with_suffix(".csv_bi"), path.with_name(f"{path.stem}_truth.csv_bi"))
        truth = read_csv_bi(next(place for place in beside if place.exists())).seizures
        detection = detector.detect(read(path), DetectOptions(keep_probabilities=True))
        yield Heard(detection.probabilities, tuple((float(a), float(b)) for a, b in truth))
    print("\r", end="", file=sys.stderr)


def counted(recording: Heard, decision: DecisionConfig) -> tuple[int, int, int]:
    """Return seizures found, false alarms, and those of the first ten minutes."""
    events: list[Event] = [event for curve in recording.curves for event in find_events(curve, decision)]
    found = sum(any(e.onset_s < b and a < e.offset_s for e in events) for a, b in recording.truth)
    false = [e for e in events if not any(e.onset_s < b and a < e.offset_s for a, b in recording.truth)]
    return found, len(false), sum(e.onset_s < EARLY_S for e in false)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--model", default="default")
    parser.add_argument("--on", type=float, nargs="+", help="thresholds (default: the card's)")
    arguments = parser.parse_args()
    detector = Detector.from_pretrained(arguments.model)
    recordings = list(heard(detector, arguments.recordings))
    seizures = sum(len(r.truth) for r in recordings)
    for on in arguments.on or [None]:
        decision = detector.decision.with_thresholds(on, None)
        print(f"{detector.card.name} {detector.card.sha256[:12]}, on {decision.enter:g}, {len(recordings)} recordings")
        for way in WAYS:
            counts = [counted(recording, replace(decision, baseline=way)) for recording in recordings]
            found, false, early = (sum(column) for column in zip(*counts, strict=True))
            name = (
                f"{way.trailing_s / 60.0:.0f} min, quantile {way.quantile:g} above {way.quiet:g}, at most {way.most:g}"
            )
            print(
                f"{name if way.trailing_s else 'none':46s} {found} of {seizures} found, {false} false alarms"
                f" ({early} in the first ten minutes)"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
