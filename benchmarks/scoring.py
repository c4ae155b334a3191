"""How long scoring takes: ``brainscan score`` as a process, from event files on disk to figures.

    python benchmarks/scoring.py [--recordings 1000] [--hours 24] [--events 50]

The files are generated: detections are jittered copies of the seizures, one in four dropped, as many spurious ones
added. Targets: 30 recordings in less than 1 s with start-up, 1,000 recordings of 24 h in less than 10 s.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from brainscan.events import Annotation
from brainscan.io.csv_bi import format_csv_bi

Interval = tuple[float, float]


def seizures(rng: random.Random, n_events: int, duration_s: float) -> list[Interval]:
    """Draw about `n_events` disjoint seizures of 5 to 90 s."""
    slot_s = duration_s / max(1, n_events)
    starts = [(k + 0.5 * rng.random()) * slot_s for k in range(n_events)]
    return [(start, start + min(rng.uniform(5.0, 90.0), 0.45 * slot_s)) for start in starts]


def detections(rng: random.Random, truth: list[Interval], duration_s: float) -> list[Interval]:
    """Return what a mediocre detector makes of them."""
    found = [(max(0.0, a + rng.uniform(-3, 3)), b + rng.uniform(-2, 5)) for a, b in truth if rng.random() > 0.25]
    found += seizures(rng, len(truth) // 4, duration_s)
    disjoint: list[Interval] = []
    for start, stop in sorted(found):
        if stop > start and (not disjoint or start >= disjoint[-1][1]):
            disjoint.append((start, min(stop, duration_s)))
    return disjoint


def write(folder: Path, n_recordings: int, hours: float, n_events: int) -> None:
    """Write pairs of event files and their lists."""
    rng, duration_s = random.Random(1), hours * 3600.0
    for side in ("ref", "hyp"):
        (folder / side).mkdir(parents=True)
        names = "".join(f"{side}/{k:05d}.csv_bi\n" for k in range(n_recordings))
        (folder / f"{side}.list").write_text(names, encoding="utf-8")
    for k in range(n_recordings):
        truth = seizures(rng, n_events, duration_s)
        for side, events in (("ref", truth), ("hyp", detections(rng, truth, duration_s))):
            text = format_csv_bi([Annotation(a, b, "seiz") for a, b in events], duration_s, f"{k:05d}")
            (folder / side / f"{k:05d}.csv_bi").write_text(text, encoding="ascii")


def timed(folder: Path, repeats: int) -> tuple[float, int]:
    """Return the best wall time of some runs, and the number of reference seizures that were scored."""
    command = [sys.executable, "-m", "brainscan", "score", "ref.list", "hyp.list", "--json"]
    best, done = float("inf"), ""
    for _ in range(repeats):
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        best = min(best, time.perf_counter() - begin)
    return best, json.loads(done)["nedc"]["ovlp"]["labels"]["seiz"]["targets"]


def main() -> None:
    """Print one line a job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--events", type=int, default=50, help="seizures a recording")
    options = parser.parse_args()
    jobs = ((30, 1.0, 3, 3, 1.0), (options.recordings, options.hours, options.events, 1, 10.0))
    print(f"{'recordings':>10}  {'hours each':>10}  {'seizures':>8}  {'seconds':>7}  {'target':>6}")
    for n_recordings, hours, n_events, repeats, target_s in jobs:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "corpus"
            write(folder, n_recordings, hours, n_events)
            seconds, n_seizures = timed(folder, repeats)
        print(f"{n_recordings:>10}  {hours:>10g}  {n_seizures:>8}  {seconds:>7.2f}  {target_s:>6g}")


if __name__ == "__main__":
    main()
