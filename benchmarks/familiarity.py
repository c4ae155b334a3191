"""Recordings that are unlike the training background: how many are marked, and does the distance foretell false alarms?

    python benchmarks/familiarity.py [PATH/TO/eeg] [--simulated 30] [--caps 4] [--train] [--sources DIR] [--level 0.3]

PATH holds ``index.csv``. Printed is how many of its ``dev`` recordings are marked, by kind (place and device, the first
word of the source), and whether the distance, a recording's median over its windows, tells those that alarm: over all
without seizures, those of intensive care alone (no training recording comes from there) and the post-ictal clips. Few
recordings alarm at the level that ships, so that lower ones are told, too. ``--simulated`` does so for simulated
quarters of an hour, each of another subject, with the false alarms of the whole detector.

``--caps N`` takes electrodes away from every N-th of those recordings, as `benchmarks/caps.py` does, and from twelve
simulated recordings of five minutes: a cap that the statistics do not know is not to be marked for being one.

``--train`` repeats the table for training recordings, with their subjects left out of the statistics by fifths, and
with their whole kind left out (of the statistics: the network was trained on it); ``--sources`` takes the DIR of
``crossval.py --leave-source-out``, whose networks were not.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from caps import EVERYTHING, wearing
from crossval import DONE, source_folds
from crossval_table import LEVELS, SEIZURES, Settings, judge, read_logits
from numpy.typing import NDArray

from brainscan.caps import CAPS
from brainscan.decision.average import average
from brainscan.detector import Detector
from brainscan.electrodes import N_ELECTRODES
from brainscan.errors import InputError
from brainscan.examine import DetectOptions
from brainscan.familiarity import UNFAMILIAR, Familiarity
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.recording import Recording
from brainscan.scoring.ranking import auroc
from brainscan.simulate import SimulationConfig, simulate
from brainscan_training.cache import MAX_MISSING
from brainscan_training.config import DataConfig
from brainscan_training.corpora.item import Item
from brainscan_training.corpora.layout import gather
from brainscan_training.familiarity import Background, familiarity_of, features_of, kind_of, statistics

INTENSIVE_CARE = ("icu", "iiic")
FEW_ELECTRODES = "epoc"
"""A headset of fewer electrodes than the 19."""
SETTINGS = Settings(12.0, 0.25, 6.0)
LOWER = (0.0, 1.0, 2.0)
"""So much below the level are the others, raw logits."""
FIRST_SEED = 2_100_000
QUARTER_S = 900
FEW_MINUTES_S, N_SIMULATED = 300, 12
"""Through every cap."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A recording, the features of its windows, and the highest of its averaged raw logits by the default."""

    item: Item
    features: NDArray[np.float32]
    peak: float

    def distance(self, known: Familiarity) -> float:
        """Return the median distance of its windows."""
        return float(np.median([known.distance(features) for features in self.features]))

    def marked(self, known: Familiarity, limit: float) -> bool:
        """Whether so many windows lie beyond a limit that the recording is unfamiliar."""
        return float(np.mean([known.distance(features) > limit for features in self.features])) >= UNFAMILIAR


def hear(runner: WindowRunner, items: Iterable[Item]) -> list[Heard]:
    """Run the default over recordings, leaving out those that cannot be analysed."""
    detector, heard = Detector(runner), []
    options = DetectOptions(max_missing=MAX_MISSING, keep_probabilities=True, place=False)
    for item in items:
        try:
            curves = detector.detect(item.open(), options).probabilities
        except InputError as error:
            print(f"{item.name}: {error.message}")
            continue
        averaged = np.concatenate([average(curve.values, SETTINGS.average_s) for curve in curves])
        top = float(np.clip(np.nanmax(averaged), 1e-6, 1.0 - 1e-6))
        peak = (np.log(top) - np.log1p(-top)) / runner.card.logit_scale + runner.card.logit_shift
        features = features_of(item.open(), runner)
        if len(features):
            heard.append(Heard(item, features, peak))
    return heard


def show_kinds(heard: Sequence[Heard], known: Familiarity) -> None:
    """Print how many recordings without seizures of each kind are marked."""
    for kind in sorted({kind_of(h.item) for h in heard}):
        group = [h for h in heard if kind_of(h.item) == kind]
        print(f"{kind:10s} {sum(h.marked(known, known.limit) for h in group):3d} of {len(group):3d} marked", flush=True)


def show_train(heard: Sequence[Heard], background: Background, limit: float) -> None:
    """Print how many training recordings without seizures of each kind are marked by statistics without them."""
    parts = [statistics(background.without(part)) for part in range(5)]
    for kind in sorted({kind_of(h.item) for h in heard}):
        group = [h for h in heard if kind_of(h.item) == kind]
        other = statistics(background.only(background.kind != kind))
        new = sum(h.marked(parts[background.part(h.item.subject)], limit) for h in group)
        out = sum(h.marked(other, limit) for h in group)
        print(f"train {kind:10s} {new:3d} of {len(group):3d} marked; with the kind left out {out:3d}")


def show(what: str, distance: Sequence[float], peak: Sequence[float], level: float) -> None:
    """Print whether the distance tells which of some recordings reach a level, and lower ones."""
    far, high = np.array(distance), np.array(peak)
    parts = []
    for lower in LOWER:
        alarm = high >= level - lower
        parts.append(f"{level - lower:g}: {alarm.sum()} do, AUROC {auroc(far[alarm], far[~alarm]):.2f}")
    print(f"{what}, {len(far)} recordings that reach a raw logit of {'; '.join(parts)}", flush=True)


def show_left_out(heard: Sequence[Heard], out: Path, level: float) -> None:
    """Print the same over kinds that a network was not trained on."""
    by_name = {h.item.name: h for h in heard}
    distance, peak = [], []
    for fold in source_folds([h.item for h in heard if h.item.split == "train"]):
        path, model = (out / f"{fold.name}-seed0" / name for name in (DONE, "checkpoints/last.safetensors"))
        if not path.is_file():
            continue
        loaded = checkpoint.load(str(model))
        runner = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu", threads=1))
        own = [(h.item, features_of(h.item.open(), runner)) for h in heard if h.item.split == "train"]
        known = statistics(Background.of([(i, f) for i, f in own if i.source not in fold.sources]))
        for name, segments in read_logits(path).items():
            if name in by_name and by_name[name].item.source in fold.sources:
                item = by_name[name].item
                alarms = judge(item, segments, SETTINGS).alarms
                peak.append(float(LEVELS[np.flatnonzero(alarms)[-1]]) if alarms.any() else -np.inf)
                distance.append(Heard(item, features_of(item.open(), runner), 0.0).distance(known))
    if distance:
        show("kinds that the network was not trained on", distance, peak, level)


def show_caps(what: str, detector: Detector, recordings: Iterable[Recording]) -> None:
    """Print how many recordings are marked through each cap, all 19 beside them."""
    marked: dict[str, list[bool]] = {}
    for recording in recordings:
        for cap in (EVERYTHING, *CAPS):
            options = DetectOptions(max_missing=(N_ELECTRODES - len(cap.electrodes)) or MAX_MISSING, place=False)
            try:
                seen = wearing(recording, cap)
                found = detector.detect(seen, options).unfamiliar if seen is not None else None
            except InputError as error:
                print(f"{recording.name} through {cap.name}: {error.message}", file=sys.stderr)
                continue
            if found is not None:
                marked.setdefault(cap.name, []).append(found)
    counts = ", ".join(f"{name} {sum(found)} of {len(found)}" for name, found in marked.items())
    print(f"{what}, marked: {counts}", flush=True)


def show_simulated(detector: Detector, n: int) -> None:
    """Print the false alarms of simulated recordings beside their distance."""
    shares, alarms = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + n):
        simulation = simulate(SimulationConfig(QUARTER_S, 1, seed))
        truth = [(a.onset_s, a.offset_s) for a in simulation.annotations()]
        found = detector.detect(simulation.recording(), DetectOptions(place=False))
        shares.append(found.unfamiliar_share or 0.0)
        alarms.append(sum(not any(e.onset_s < b and e.offset_s > a for a, b in truth) for e in found.events))
    share, alarm = np.array(shares), np.array(alarms)
    marked = share >= UNFAMILIAR
    print(
        f"simulated, {n} quarters of an hour: {alarm.sum()} false alarms in {(alarm > 0).sum()}, AUROC of the share"
        f" {auroc(share[alarm > 0], share[alarm == 0]):.2f}; {marked.sum()} marked, with {alarm[marked].sum()} of them"
    )


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "eeg"
    parser.add_argument("root", type=Path, nargs="?", default=shared)
    parser.add_argument("--simulated", type=int, default=30)
    parser.add_argument("--caps", type=int, default=0, metavar="N")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--sources", type=Path)
    parser.add_argument("--level", type=float, default=0.3)
    arguments = parser.parse_args()
    loaded = checkpoint.load(checkpoint.DEFAULT)
    runner = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu", threads=1))
    known = loaded.card.familiarity
    assert known is not None
    items = [item for corpus in gather(DataConfig(paths=(str(arguments.root),)), 0) for item in corpus.items]
    dev = hear(runner, [item for item in items if item.split == "dev" and not item.seizures])
    show_kinds(dev, known)
    for what, group in (
        ("development background", [h for h in dev if h.item.source != SEIZURES]),
        ("intensive care alone", [h for h in dev if kind_of(h.item) in INTENSIVE_CARE]),
        ("post-ictal clips", [h for h in dev if h.item.source == SEIZURES]),
    ):
        show(what, [h.distance(known) for h in group], [h.peak for h in group], arguments.level)
    if arguments.caps:
        whole = [h.item for h in dev if kind_of(h.item) != FEW_ELECTRODES]
        detector = Detector(runner)
        show_caps("without seizures", detector, (item.open() for item in whole[:: arguments.caps]))
        made = (simulate(SimulationConfig(FEW_MINUTES_S, 1, FIRST_SEED + i)).recording() for i in range(N_SIMULATED))
        show_caps("simulated", detector, made)
    if arguments.train or arguments.sources:
        train = hear(runner, [item for item in items if item.split == "train" and not item.seizures])
        background = Background.of([(h.item, h.features) for h in train])
        show_train(train, background, familiarity_of(background).limit)
        if arguments.sources:
            show_left_out((*train, *dev), arguments.sources, arguments.level)
    if arguments.simulated:
        show_simulated(Detector(runner), arguments.simulated)
    return 0


if __name__ == "__main__":
    sys.exit(main())
