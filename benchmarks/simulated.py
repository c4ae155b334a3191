"""Sensitivity at false-alarm targets, latency and offset error on simulated recordings of seeds that nothing else uses.

    python benchmarks/simulated.py [--hours 100] [--model default]

Thresholds are fitted on recordings of calibration seeds (from 2,000,000) and applied frozen to as many of test seeds
(from 3,000,000): rows 3 and 4 of the quality rows. Each recording is an hour of another simulated subject with four
seizures. Recordings and outputs are kept in the git-ignored folder .cache/ (40 MB an hour); a run that was ended goes
on where it was. What simulation cannot tell: how the detector fares on real seizures and real artifacts.

The points in the shipped card come from the same recordings:

    brainscan calibrate default .cache/benchmarks/simulated/simulated-seeds-2000000-2000099 --no-map -o NEW.safetensors
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from brainscan.analysis.options import AnalysisOptions
from brainscan.electrodes import ELECTRODES
from brainscan.evaluate.by_model import ModelConfig
from brainscan.evaluate.corpus import CorpusConfig
from brainscan.evaluate.evaluation import Evaluation
from brainscan.evaluate.job import EvaluationJob, run
from brainscan.evaluate.points import Point
from brainscan.evaluate.rows import SeizureRow, quartiles
from brainscan.io.atomic import write_text
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.edf_writer import EdfHeader, electrode_labels, write_edf
from brainscan.simulate import PAGE_S, PATTERNS, SimulatedSeizure, Simulation, SimulationConfig, simulate

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks" / "simulated"
FIRST_SEED = {"calibration": 2_000_000, "test": 3_000_000}
RATE_HZ = 256
DURATION_S = 3600
N_SEIZURES = 4
SNR_BINS = ((0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.5), (4.5, float("inf")))


@dataclass(frozen=True, slots=True)
class Row:
    """A seizure as it truly is, and what became of it."""

    truth: SimulatedSeizure
    found: SeizureRow


def planned(seed: int) -> Simulation:
    """Return the recording of a seed."""
    return simulate(SimulationConfig(DURATION_S, N_SEIZURES, seed, rate_hz=RATE_HZ))


def write_recording(folder: Path, seed: int) -> None:
    """Write a recording, then its truth, whose presence says that both are whole."""
    path = folder / f"sim-{seed}.edf"
    truth = path.with_suffix(".csv_bi")
    if truth.exists():
        return
    simulation = planned(seed)
    write_edf(path, EdfHeader(electrode_labels(ELECTRODES), RATE_HZ), simulation.blocks(PAGE_S))
    note = f"simulated truth, seed {seed}"
    write_text(truth, format_csv_bi(simulation.annotations(), DURATION_S, path.name, (note,)))


def write_corpus(folder: Path, part: str, hours: int) -> Path:
    """Write what is missing of one part."""
    seeds = range(FIRST_SEED[part], FIRST_SEED[part] + hours)
    place = folder / f"simulated-seeds-{seeds[0]}-{seeds[-1]}"  # a card that is calibrated on it names it so
    place.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for number, _ in enumerate(pool.map(partial(write_recording, place), seeds), 1):
            print(f"\rsimulating {part} {number}/{hours}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return place


def rows_of(evaluation: Evaluation, point: Point) -> Iterator[Row]:
    """Yield each seizure with what the plan of its recording says about it."""
    rows = iter(evaluation.rows(point).seizures)
    for recording in evaluation.recordings:
        truth = planned(int(recording.case.path.stem.removeprefix("sim-"))).truth
        for seizure in truth:
            found = next(rows)
            assert found.recording is recording
            assert abs(found.seizure.onset_s - seizure.onset_s) < 0.01
            yield Row(seizure, found)


def groups(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Yield the rows of each type, pattern and signal-to-background ratio."""
    yield "all", list(rows)
    for kind in ("focal", "generalised"):
        yield kind, [row for row in rows if row.truth.type == kind]
    for pattern in PATTERNS:
        yield f"  {pattern}", [row for row in rows if row.truth.pattern == pattern]
    for low, high in SNR_BINS:
        yield f"SNR {low:g} to {high:g}", [row for row in rows if low <= row.truth.snr < high]


def show_points(points: Iterable[Point]) -> None:
    """Print row 3."""
    print("row 3: thresholds fitted on calibration seeds, applied frozen to test seeds")
    print(f"{'point':8s} {'on':>6s} {'fitted FA/24h':>13s} {'FA/24h (95 %)':>22s} {'alarms':>6s}  sensitivity (95 %)")
    for point in points:
        op, name = point.op, point.name
        if not op.reachable:
            print(f"{name:8s} unreachable on the calibration seeds")
            continue
        fitted = "-" if point.fitted is None else f"{point.fitted['fa_per_24h']:.2f}"
        rate = f"{op.fa_per_24h:.2f} ({point.fa_ci95.low:.2f} to {point.fa_ci95.high:.2f})"
        found = f"{op.sensitivity:.3f} ({point.sensitivity_ci95.low:.3f} to {point.sensitivity_ci95.high:.3f})"
        print(
            f"{name:8s} {op.threshold:6g} {fitted:>13s} {rate:>22s} {op.false_alarms:>6g}"
            f"  {found}, {op.detected:g} of {point.targets}"
        )


def show_timing(evaluation: Evaluation, point: Point) -> None:
    """Print row 4 at one point."""
    print(f"\nrow 4 at {point.name} (on {point.op.threshold:g}): median (quartiles), seconds")
    print(f"{'seizures':20s} {'found':>12s} {'share':>6s} {'onset latency':>24s} {'offset error':>24s}")
    for name, rows in groups(list(rows_of(evaluation, point))):
        hits = [row.found for row in rows if row.found.found]
        share = f"{len(hits) / len(rows):.2f}" if rows else "-"
        print(
            f"{name:20s} {f'{len(hits)} of {len(rows)}':>12s} {share:>6s}"
            f" {_spread([hit.latency_s for hit in hits]):>24s} {_spread([hit.offset_error_s for hit in hits]):>24s}"
        )


def _spread(values: Sequence[float]) -> str:
    found = quartiles(values)
    return "-" if found is None else f"{found[1]:.1f} ({found[0]:.1f} to {found[2]:.1f})"


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=100, help="of each part, one hour a recording")
    parser.add_argument("--model", default="default")
    parser.add_argument("--folder", type=Path, default=CACHE)
    arguments = parser.parse_args()
    places = {part: write_corpus(arguments.folder, part, arguments.hours) for part in FIRST_SEED}
    model = ModelConfig(AnalysisOptions(arguments.model), arguments.folder / "outputs")
    began = time.perf_counter()

    def done(name: str, number: int, total: int) -> None:
        print(f"\r{number}/{total} {name}", end="", file=sys.stderr)

    job = EvaluationJob(CorpusConfig(places["test"]), model, fit_on=places["calibration"])
    evaluation = run(job, done).evaluation
    print(file=sys.stderr)
    base, detector = evaluation.base, evaluation.detector
    print(f"model {detector.name} {detector.sha256[:12]}: {base.seizures} seizures in {base.hours:.1f} h of")
    print(f"{base.patients} simulated subjects; {time.perf_counter() - began:.0f} s with what was kept")
    points = (*evaluation.points, evaluation.default)
    show_points(points)
    for point in points:
        if point.op.reachable:
            show_timing(evaluation, point)
    return 0


if __name__ == "__main__":
    sys.exit(main())
