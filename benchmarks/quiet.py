"""What a quiet stretch of the same child changes: seizures found and false alarms with and without it.

    python benchmarks/quiet.py [PATH/TO/eeg] [--model default] [--simulated 20]

The stretch of each ``dev`` child is made of its clips without a seizure, a minute or more together, without the clip
that is analysed. These clips are post-ictal and not calm: the data hold nothing calmer of these children, so that this
is the hardest use of ``--baseline``. Simulated quarters of an hour, each of another subject with a seizure, are set
against two minutes of themselves at the end that lies farther from the seizure.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from quality import MAX_MISSING, judged_rows, with_truth

from brainscan.decision.average import average
from brainscan.decision.postprocess import events_of_curve
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import UsageError
from brainscan.quiet import SHORTEST_S, Quiet, set_against
from brainscan.scoring.pieces import ScoredRecording
from brainscan.simulate import SimulationConfig, simulate

SOURCE = "chbmit"
FIRST_SEED = 2_200_000
QUARTER_S = 900
STRETCH_S = 120.0


def counts(clip: ScoredRecording, detector: Detector, others: list[ScoredRecording]) -> tuple[int, int, str]:
    """Return seizures found and false alarms of a clip, and what came of the others as a stretch."""
    decision, said = detector.decision, ""
    if others:
        try:
            decision, said = set_against(decision, [curve for other in others for curve in other.probabilities])
        except UsageError as error:
            said = error.message
    events = [
        event
        for curve in clip.probabilities
        for event in events_of_curve(average(curve.values, decision.average_s), curve.values, decision, curve.start_s)
    ]
    found = sum(any(e.onset_s < b and e.offset_s > a for e in events) for a, b in clip.annotations)
    alarms = sum(not any(e.onset_s < b and e.offset_s > a for a, b in clip.annotations) for e in events)
    return found, alarms, said


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "eeg"
    parser.add_argument("root", type=Path, nargs="?", default=shared)
    parser.add_argument("--model", default="default")
    parser.add_argument("--simulated", type=int, default=20)
    arguments = parser.parse_args()
    detector = Detector.from_pretrained(arguments.model)
    options = DetectOptions(max_missing=MAX_MISSING, keep_probabilities=True, place=False)
    clips = []
    for entry in judged_rows(arguments.root, "dev"):
        if entry["source"] == SOURCE:
            recording, truth = with_truth(arguments.root, entry)
            clips.append(replace(truth, probabilities=detector.detect(recording, options).probabilities))
    total = [0, 0, 0, 0, 0]
    for child in sorted({clip.subject for clip in clips}):
        own = [clip for clip in clips if clip.subject == child]
        row = [0, 0, 0, 0, 0]
        reasons = set()
        for clip in own:
            others = [other for other in own if other is not clip and not other.annotations]
            if sum(other.duration_s for other in others) < SHORTEST_S:
                continue
            (a, b, _), (c, d, said) = counts(clip, detector, []), counts(clip, detector, others)
            row = [x + y for x, y in zip(row, (len(clip.annotations), a, c, b, d), strict=True)]
            reasons.add(said)
        total = [x + y for x, y in zip(total, row, strict=True)]
        if reasons:
            print(f"{child}: {_told(row)}; {'; '.join(sorted(reasons))}", flush=True)
    print(f"all children: {_told(total)}", flush=True)
    show_simulated(detector, arguments.simulated)
    return 0


def show_simulated(detector: Detector, n: int) -> None:
    """Print what a quiet stretch of the recording itself changes in simulated ones."""
    total, refused = [0, 0, 0, 0, 0], 0
    for seed in range(FIRST_SEED, FIRST_SEED + n):
        simulation = simulate(SimulationConfig(QUARTER_S, 1, seed))
        truth = [(a.onset_s, a.offset_s) for a in simulation.annotations()]
        start_s = 0.0 if truth[0][0] > QUARTER_S / 2 else QUARTER_S - STRETCH_S
        events = []
        for quiet in (None, Quiet(start_s, start_s + STRETCH_S)):
            try:
                found = detector.detect(simulation.recording(), DetectOptions(place=False, quiet=quiet)).events
            except UsageError:
                refused += 1
            events.append(found)
        hits = [sum(any(e.onset_s < b and e.offset_s > a for e in each) for a, b in truth) for each in events]
        wrong = [sum(not any(e.onset_s < b and e.offset_s > a for a, b in truth) for e in each) for each in events]
        total = [x + y for x, y in zip(total, (len(truth), *hits, *wrong), strict=True)]
    print(f"{n} simulated quarters of an hour: {_told(total)}; {refused} stretches refused")


def _told(row: list[int]) -> str:
    seizures, found, found_with, alarms, alarms_with = row
    return f"found {found} of {seizures} without, {found_with} with; false alarms {alarms} without, {alarms_with} with"


if __name__ == "__main__":
    sys.exit(main())
