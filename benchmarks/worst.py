"""Pictures of the worst of each kind: missed seizures, false alarms, post-ictal alarms, the highest calm background.

    python benchmarks/worst.py [PATH/TO/eeg] [--out DIR] [--group dev] [--model default] [--n 10]

PATH holds ``index.csv``. Each picture is longitudinal bipolar EEG below the detector's curve; ``index.txt`` in DIR has
a line a picture. Post-ictal are alarms in patients of whom seizures are annotated; calm are recordings of nobody with
an annotated seizure that have no alarm, one picture each, around the highest judged moment of the averaged curve.
Pictures of patients' recordings stay out of the repository.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from brainscan.analysis.options import AnalysisOptions
from brainscan.decision.average import average
from brainscan.errors import InputError
from brainscan.evaluate.by_model import ModelConfig
from brainscan.evaluate.corpus import CorpusConfig
from brainscan.evaluate.counts import Judged
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.job import EvaluationJob, run
from brainscan.evaluate.mistakes import Scene, excerpt, worst_alarms, worst_misses
from brainscan.events import RATE_HZ, mask_of
from brainscan.report.traces import draw

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks" / "worst"
AROUND_S = 5.0
"""Shown as the event, on either side of the highest moment of a calm recording."""
MAX_MISSING = 9


def scenes(evaluation: Evaluation, n: int) -> dict[str, list[Scene]]:
    """Return what to look at, the worst first, by kind."""
    rows = evaluation.rows(evaluation.default)
    with_seizures = {row.recording.case.patient for row in rows.seizures}
    post_ictal = [row for row in rows.alarms if row.recording.case.patient in with_seizures]
    others = [row for row in rows.alarms if row.recording.case.patient not in with_seizures]
    alarmed = {row.recording.case.name for row in rows.alarms}
    calm = [
        recording
        for recording in evaluation.recordings
        if recording.case.patient not in with_seizures and recording.case.name not in alarmed
    ]
    return {
        "missed": worst_misses(rows.seizures, n),
        "alarm": worst_alarms(others, n),
        "post-ictal": worst_alarms(post_ictal, n),
        "calm": highest(calm, float(evaluation.detector.settings["decision"]["average_s"]), n),
    }


def highest(recordings: Iterable[Judged], average_s: float, n: int) -> list[Scene]:
    """Return the highest moments of the averaged curves of some recordings, one each, the highest first."""
    peaks = []
    for recording in recordings:
        for curve in recording.hypothesis.curves:
            inside = [(a - curve.start_s, b - curve.start_s) for a, b in recording.judged]
            values = np.where(mask_of(inside, len(curve.values)), average(curve.values, average_s), np.nan)
            if not np.isnan(values).all():
                at = int(np.nanargmax(values))
                peaks.append((float(values[at]), recording, curve.start_s + at / RATE_HZ))
    best: dict[str, tuple[float, Judged, float]] = {}
    for peak in sorted(peaks, key=lambda peak: -peak[0]):
        best.setdefault(peak[1].case.name, peak)
    return [
        Scene(
            recording, max(0.0, at_s - AROUND_S), at_s + AROUND_S, f"{recording.case.name} at {at_s:.1f} s: {value:.2f}"
        )
        for value, recording, at_s in list(best.values())[:n]
    ]


def main() -> int:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "eeg"
    parser.add_argument("root", type=Path, nargs="?", default=shared)
    parser.add_argument("--out", type=Path, default=CACHE)
    parser.add_argument("--group", default="dev")
    parser.add_argument("--model", default="default")
    parser.add_argument("--n", type=int, default=10, help="of each kind")
    arguments = parser.parse_args()
    options = AnalysisOptions(arguments.model, max_missing=MAX_MISSING)
    with tempfile.TemporaryDirectory() as cache:
        corpus = CorpusConfig(arguments.root, groups=(arguments.group,))
        evaluation = run(EvaluationJob(corpus, ModelConfig(options, Path(cache)))).evaluation
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for kind, found in scenes(evaluation, arguments.n).items():
        for number, scene in enumerate(found, 1):
            name = f"{kind}-{number:02d}.png"
            try:
                (arguments.out / name).write_bytes(draw(excerpt(evaluation, scene)))
            except InputError as error:
                name = error.message
            lines.append(f"{name}: {scene.caption}")
    (arguments.out / "index.txt").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
