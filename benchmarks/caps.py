"""What is left with fewer electrodes: the quality rows of common caps, the 19 beside them.

    python benchmarks/caps.py [PATH/TO/eeg] [--model default] [--hours 3] [--write]
    make caps

Electrodes are taken away from the recordings of the ``dev`` group of ``index.csv`` and from simulated hours (seeds that
nothing else uses): from the 19 of each recording follow the channels that the cap would have recorded, and these go
through the whole detector. AUROC: 10 s pieces, mean within the children with seizures. Found and false alarms: events
at the card's own decision. All caps see the same recordings: those of devices that lack some of the 19 are left out.

``--write`` puts the figures into configs/cards/default.yaml, onto the shipped card and into docs/limits.md.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from fractions import Fraction
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from brainscan.caps import ALL, CAPS, Cap, CapFigures
from brainscan.detector import DetectOptions, Detector
from brainscan.electrodes import ELECTRODES, INDEX, N_ELECTRODES
from brainscan.errors import InputError
from brainscan.io import open_plan
from brainscan.mapping import to_mapping
from brainscan.model import checkpoint
from brainscan.model.run_config import RunConfig
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan.scoring import pieces
from brainscan.scoring.pieces import ScoredRecording
from brainscan.signal import montage
from brainscan.simulate import PAGE_S, SimulationConfig, simulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.quality import BACKGROUND, judged_rows, with_truth

_REPOSITORY = Path(__file__).resolve().parents[1]
CARD = _REPOSITORY / "configs" / "cards" / "default.yaml"
PAGE = _REPOSITORY / "docs" / "limits.md"
CHILDREN = "chbmit"
SOURCES = (CHILDREN, "icu_iiic", "adhd_children", "eegmat", "eegmmidb", "mumtaz_mdd")
SIMULATION = "simulation"
FIRST_SEED = 4_000_000
N_SEIZURES = 4
_MOST_MISSING = N_ELECTRODES - montage.MIN_USABLE

EVERYTHING = Cap(ALL, "all 19", ELECTRODES)


def wearing(recording: Recording, cap: Cap) -> Recording | None:
    """Return what a cap would have recorded; None where the recording lacks one of its electrodes."""
    plan = open_plan(recording, max_missing=_MOST_MISSING)
    if set(cap.electrodes) & set(plan.missing):
        return None
    operator = montage.operator(plan).matrix
    rows = [operator[INDEX[e]] for e in cap.electrodes]
    labels = list(cap.electrodes)
    if cap.pairs:
        rows = [operator[INDEX[a]] - operator[INDEX[b]] for a, b in cap.pairs]
        labels = [f"{a}-{b}" for a, b in cap.pairs]
    matrix = np.stack(rows)
    (rate_hz,) = {recording.channels[channel].rate_hz for channel in plan.channels}

    def read(channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        uv = np.stack(recording.read(plan.channels, start_s, stop_s, segment).uv)
        made = matrix[list(channels)] @ uv
        return Samples(tuple(made), tuple(np.zeros(made.shape, dtype=np.bool_)))

    return replace(
        recording, channels=tuple(Channel(label, rate_hz) for label in labels), reader=read, age_years=None, warnings=()
    )


def simulated(seed: int) -> tuple[Recording, ScoredRecording]:
    """Return a simulated hour, and its truth still without a hypothesis."""
    simulation = simulate(SimulationConfig(3600, N_SEIZURES, seed, rate_hz=256))
    uv = np.concatenate([block.astype(np.float32) for block in simulation.blocks(PAGE_S)], axis=1)
    truth = tuple((event.onset_s, event.offset_s) for event in simulation.annotations() if event.label == "seiz")
    name = f"sim-{seed}"
    return _of_array(name, uv), ScoredRecording(SIMULATION, name, "", 3600.0, ((0.0, 3600.0),), truth, ())


def _of_array(name: str, uv: NDArray[np.float32]) -> Recording:
    def read(channels: Sequence[int], _segment: Segment, start_s: float, stop_s: float) -> Samples:
        part = uv[list(channels), round(start_s * 256) : round(stop_s * 256)].astype(np.float64)
        return Samples(tuple(part), tuple(np.zeros(part.shape, dtype=np.bool_)))

    whole = Segment(0.0, uv.shape[1] / 256)
    channels = tuple(Channel(electrode, Fraction(256)) for electrode in ELECTRODES)
    return Recording(name, "array", None, whole.duration_s, (whole,), channels, read)


def judged(detector: Detector, recording: Recording, truth: ScoredRecording, cap: Cap) -> ScoredRecording | None:
    """Let the detector see a recording through a cap."""
    seen = recording if cap.name == ALL else wearing(recording, cap)
    if seen is None:
        return None
    # As `detect` treats a cap that it knows: no electrode beyond those that it never had may be missing.
    missing = N_ELECTRODES - len(cap.electrodes)
    options = DetectOptions(max_missing=missing or 9, keep_probabilities=True)
    try:
        found = detector.detect(seen, options)
    except InputError:  # nothing of it can be scored: nothing is found, and nothing counts as listened to
        return replace(truth, scored=())
    return replace(truth, probabilities=found.probabilities, events=found.events)


def figures_of(real: Sequence[ScoredRecording], made: Sequence[ScoredRecording], enter: float) -> CapFigures:
    """Return the figures of one cap."""
    ranks = pieces.rank_rows([r for r in real if r.source == CHILDREN], np.random.default_rng(0))
    rows = pieces.event_rows(real, enter)
    background = [row for source, row in rows.items() if source in BACKGROUND]
    simulation = pieces.event_rows(made, enter).get(SIMULATION)
    return CapFigures(
        auroc=round(ranks[CHILDREN].mean_within_subject, 3),
        found=sum(row.found for row in rows.values()),
        seizures=sum(row.n_seizures for row in rows.values()),
        false_alarms=sum(row.false_alarms for row in background),
        hours=round(sum(row.hours for row in background), 2),
        simulated_found=simulation.found if simulation else 0,
        simulated_seizures=simulation.n_seizures if simulation else 0,
        simulated_false_alarms=simulation.false_alarms if simulation else 0,
        simulated_hours=round(simulation.hours, 2) if simulation else 0.0,
    )


def _through_all(model: str, recording: Recording, truth: ScoredRecording) -> dict[str, ScoredRecording]:
    """Let the detector see a recording through every cap, the 19 first."""
    detector = _detector(model)
    rows = {cap.name: judged(detector, recording, truth, cap) for cap in (EVERYTHING, *CAPS)}
    return {name: row for name, row in rows.items() if row is not None}


def _real(model: str, root: Path, row: Mapping[str, str]) -> dict[str, ScoredRecording]:
    return _through_all(model, *with_truth(root, row))


def _made(model: str, seed: int) -> dict[str, ScoredRecording]:
    return _through_all(model, *simulated(seed))


@cache
def _detector(model: str) -> Detector:
    return Detector.from_pretrained(model, run=RunConfig(device="cpu", threads=1))


def measured(model: str, root: Path, hours: int, workers: int) -> dict[str, CapFigures]:
    """Return the figures of every cap, the 19 first."""
    real: dict[str, list[ScoredRecording]] = {cap.name: [] for cap in (EVERYTHING, *CAPS)}
    made: dict[str, list[ScoredRecording]] = {name: [] for name in real}
    rows = [row for row in judged_rows(root, "dev") if row["source"] in SOURCES]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_real, model, root, row) for row in rows]
        jobs += [pool.submit(_made, model, FIRST_SEED + i) for i in range(hours)]
        for number, job in enumerate(jobs):
            print(f"\r{number}/{len(jobs)}", end="", file=sys.stderr, flush=True)
            for name, row in job.result().items():
                (made if row.source == SIMULATION else real)[name].append(row)
    print("\r", end="", file=sys.stderr)
    enter = _detector(model).decision.enter
    return {name: figures_of(real[name], made[name], enter) for name in real}


def table(found: Mapping[str, CapFigures]) -> str:
    """Return the figures as the documentation shows them."""
    lines = [
        "| cap | electrodes | AUROC within children | found | false alarms | simulated: found | false alarms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for cap in (EVERYTHING, *CAPS):
        own = found[cap.name]
        lines.append(
            f"| {cap.words} | {len(cap.electrodes)} | {own.auroc:.3f} | {own.found} of {own.seizures} |"
            f" {own.false_alarms} in {own.hours:.2f} h | {own.simulated_found} of {own.simulated_seizures} |"
            f" {own.simulated_false_alarms} in {own.simulated_hours:.0f} h |"
        )
    return "\n".join(lines)


def write(found: dict[str, CapFigures], weights: str) -> None:
    """Put figures into the card's facts, onto the shipped card, and into the documentation."""
    block = yaml.safe_dump(
        {"caps_weights": weights, "caps": {name: to_mapping(f) for name, f in found.items()}},
        sort_keys=False,
        default_flow_style=None,
        width=118,
    )
    facts = CARD.read_text(encoding="utf-8")
    kept = re.sub(r"# Measured and written by.*\Z", "", facts, flags=re.DOTALL).rstrip("\n")
    CARD.write_text(f"{kept}\n# Measured and written by `make caps`, on these very weights.\n{block}", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "brainscan.model.recard", str(CARD)], check=True)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(r"\| cap \|.*?\n\n", f"{table(found)}\n\n", page, flags=re.DOTALL), encoding="utf-8")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", _REPOSITORY.parent / "shared")) / "eeg"
    parser.add_argument("root", type=Path, nargs="?", default=shared)
    parser.add_argument("--model", default="default")
    parser.add_argument("--hours", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    model = checkpoint.verify(checkpoint.locate(arguments.model))
    print(f"model {model.card.name} {model.card.sha256[:12]}, dev of {arguments.root.name}")
    found = measured(arguments.model, arguments.root, arguments.hours, arguments.workers)
    print(table(found))
    if arguments.write:
        write(found, checkpoint.computing_sha256(model.file.tensors, model.card))
    return 0


if __name__ == "__main__":
    sys.exit(main())
