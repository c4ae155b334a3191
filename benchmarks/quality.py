"""The quality rows of a checkpoint on real recordings: ranking within each source, and events at the defaults.

    python benchmarks/quality.py PATH/TO/eeg [--model default] [--ablate]

PATH holds ``index.csv``; the rows are for its ``dev`` group. Recordings go through the whole detector, from the
file on. Row 1: AUROC of the mean probability of 10 s pieces within each source. Row 2: seizures found and false
alarms at the card's own decision. ``--ablate`` repeats the rows with the output of one part zeroed.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from brainscan.detector import DetectOptions, Detector
from brainscan.io import read
from brainscan.io.csv_bi import read_csv_bi
from brainscan.model.checkpoint import load
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.recording import Recording
from brainscan.scoring import pieces
from brainscan.scoring.intervals import Interval, poisson_upper
from brainscan.scoring.pieces import ScoredRecording

# Development background: what a detector must stay silent on. Intensive-care patterns and post-ictal clips are
# reported apart.
BACKGROUND = ("adhd_children", "eegmat", "eegmmidb", "epoc_epilepsy", "mumtaz_mdd")
PARTS = ("bottleneck", "nodes", "edges", "pe", "graph")
MAX_MISSING = 9


def judged_rows(root: Path, group: str) -> list[dict[str, str]]:
    """Return the rows of one group of an indexed folder, without what experts were split on."""
    with (root / "index.csv").open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["group"] == group and row["scored"] != "none"]


def with_truth(root: Path, row: Mapping[str, str]) -> tuple[Recording, ScoredRecording]:
    """Open the recording of a row; return it, and its truth still without a hypothesis."""
    path = root / row["file"]
    recording = read(path)
    truth = read_csv_bi(path.with_suffix(".csv_bi"))
    spans = ((0.0, recording.duration_s),)
    if row["scored"] != "all":
        spans = tuple(tuple(map(float, part.split("-"))) for part in row["scored"].split(";"))
    return recording, ScoredRecording(
        source=row["source"],
        subject=row["subject"],
        kind=row["kind"],
        duration_s=recording.duration_s,
        scored=spans,
        annotations=tuple((a.onset_s, a.offset_s) for a in truth.annotations if a.label == "seiz"),
        probabilities=(),
    )


def scored(detector: Detector, root: Path, group: str) -> list[ScoredRecording]:
    """Run the detector over one group of an indexed folder."""
    options = DetectOptions(max_missing=MAX_MISSING, keep_probabilities=True)
    results = []
    rows = judged_rows(root, group)
    for number, row in enumerate(rows, 1):
        print(f"\r{number}/{len(rows)}", end="", file=sys.stderr)
        recording, truth = with_truth(root, row)
        detection = detector.detect(recording, options)
        results.append(replace(truth, probabilities=detection.probabilities, events=detection.events))
    print("\r", end="", file=sys.stderr)
    return results


def show_ranking(recordings: Sequence[ScoredRecording], margin_s: float) -> None:
    """Print row 1."""
    print(f"row 1: 10 s pieces, {'without' if margin_s else 'with'} the {pieces.OFFSET_MARGIN_S:g} s around offsets")
    print(f"{'source':16s} {'AUROC':>6s} {'95 %':>13s} {'within':>7s} {'95 %':>13s} {'rank':>6s} {'p95':>5s}  counts")
    rows = pieces.rank_rows(recordings, np.random.default_rng(0), offset_margin_s=margin_s)
    for source, row in sorted(rows.items()):
        print(
            f"{source:16s} {_number(row.auroc):>6s} {_interval(row.auroc_ci95):>13s}"
            f" {_number(row.mean_within_subject):>7s} {_interval(row.mean_within_subject_ci95):>13s}"
            f" {_number(row.rank_share):>6s} {row.p95_negative:5.2f}"
            f"  {row.n_pieces} pieces ({row.n_ictal} ictal), {row.n_subjects} subjects, {row.n_seizures} seizures"
        )


def show_events(recordings: Sequence[ScoredRecording], on: float) -> None:
    """Print row 2."""
    print("row 2: events at the card's decision")
    rows = pieces.event_rows(recordings, on)
    for source, row in sorted(rows.items()):
        print(
            f"{source:16s} found {row.found} of {row.n_seizures}, {row.false_alarms} false alarms in {row.hours:.2f} h"
            f" (< {row.fa_upper_per_24h:.0f} per 24 h with 95 %), {row.background_above_s:.0f} s above threshold"
        )
    background = [row for source, row in rows.items() if source in BACKGROUND]
    alarms, hours = sum(row.false_alarms for row in background), sum(row.hours for row in background)
    print(
        f"all sources: found {sum(r.found for r in rows.values())} of {sum(r.n_seizures for r in rows.values())};"
        f" development background ({', '.join(BACKGROUND)}): {alarms} false alarms in {hours:.2f} h"
        f" (< {poisson_upper(alarms) / hours * 24:.0f} per 24 h with 95 %)"
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(interval: Interval) -> str:
    return "-" if math.isnan(interval.low) else f"{interval.low:.3f}-{interval.high:.3f}"


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "eeg"
    parser.add_argument("root", type=Path, nargs="?", default=shared)
    parser.add_argument("--model", default="default")
    parser.add_argument("--group", default="dev")
    parser.add_argument("--ablate", action="store_true")
    arguments = parser.parse_args()
    checkpoint = load(arguments.model)
    card = checkpoint.card
    detector = Detector(WindowRunner(checkpoint.network, card, RunConfig(device="cpu")))
    print(f"model {card.name} {card.sha256[:12]}, group {arguments.group} of {arguments.root.name}")
    for part in ("", *(PARTS if arguments.ablate else ())):
        checkpoint.network.ablate = frozenset({part} if part else ())
        if part:
            print(f"\nwith the output of '{part}' zeroed")
        recordings = scored(detector, arguments.root, arguments.group)
        show_ranking(recordings, 0.0)
        if not part:
            show_ranking(recordings, pieces.OFFSET_MARGIN_S)
        show_events(recordings, card.decision.enter)
    return 0


if __name__ == "__main__":
    sys.exit(main())
