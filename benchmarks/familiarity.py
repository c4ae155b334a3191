"""Recordings that are unlike the training background: how many are marked, and does the mark foretell false alarms?

    python benchmarks/familiarity.py [PATH/TO/eeg] [--sources DIR] [--level 0.3]

PATH holds ``index.csv``. Printed for each kind of recording (place and device, first word of the source) are how many are
marked: new subjects of a kind that is known (training subjects are left out by fifths, development subjects are new),
and the whole kind left out of the statistics. With the DIR of ``crossval.py --leave-source-out`` also: over recordings
without seizures of kinds that the networks there were not trained on, the AUROC of the distance, which recordings have
an alarm at ``--level`` and, since these are few, which have at lower ones.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from crossval import DONE, source_folds
from crossval_table import LEVELS, SEIZURES, Settings, judge, read_logits
from numpy.typing import NDArray

from brainscan.errors import InputError
from brainscan.familiarity import UNFAMILIAR, Familiarity
from brainscan.model import checkpoint
from brainscan.scoring.ranking import auroc
from brainscan_training.config import DataConfig
from brainscan_training.corpora.item import Item
from brainscan_training.corpora.layout import gather
from brainscan_training.familiarity import Background, familiarity_of, powers_of, statistics

SETTINGS = Settings(12.0, 0.25, 6.0)
LOWER = (0.0, 1.0, 2.0)
"""So much lower than the level are the others."""
PARTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A recording and the band powers of its windows."""

    item: Item
    powers: NDArray[np.float64]

    @property
    def kind(self) -> str:
        """Place and device."""
        return self.item.source.split("_")[0]

    def distances(self, known: Familiarity) -> list[float]:
        """Return the distance of each window."""
        return [known.distance(powers) for powers in self.powers]

    def marked(self, known: Familiarity, limit: float) -> bool:
        """Whether so many windows lie beyond a limit that the recording is unfamiliar."""
        return float(np.mean(np.array(self.distances(known)) > limit)) >= UNFAMILIAR


def background_of(heard: Sequence[Heard]) -> Background:
    """Return the windows of training recordings without seizures."""
    rows = [
        (p, h.kind, h.item.subject) for h in heard if h.item.split == "train" and not h.item.seizures for p in h.powers
    ]
    powers, kind, subject = zip(*rows, strict=True)
    return Background(np.array(powers), np.array(kind), np.array(subject))


def show_kinds(heard: Sequence[Heard], background: Background, limit: float) -> None:
    """Print how many recordings of each kind are marked."""
    subjects = sorted(set(background.subject.tolist()))
    without = [
        statistics(background.only(~np.isin(background.subject, subjects[part::PARTS]))) for part in range(PARTS)
    ]
    whole = statistics(background)
    print("kind: recordings marked of all, subjects new; the kind left out of the statistics")
    for kind in sorted({h.kind for h in heard}):
        for split in ("train", "dev"):
            for seizures in (False, True):
                group = [h for h in heard if (h.kind, h.item.split, bool(h.item.seizures)) == (kind, split, seizures)]
                if not group:
                    continue
                other = background.only(background.kind != kind)
                left = statistics(other) if len(other.kind) < len(background.kind) else whole
                new = sum(
                    h.marked(
                        without[subjects.index(h.item.subject) % PARTS] if h.item.subject in subjects else whole, limit
                    )
                    for h in group
                )
                out = sum(h.marked(left, limit) for h in group)
                print(
                    f"{kind:10s} {split:5s} {'with seizures' if seizures else '':13s}"
                    f" {new:3d} of {len(group):3d}; left out {out:3d}"
                )


def show_foretold(heard: Sequence[Heard], background: Background, out: Path, level: float) -> None:
    """Print whether the distance tells recordings with alarms from those without."""
    by_name = {h.item.name: h for h in heard}
    distance: list[float] = []
    alarms: list[list[bool]] = []
    levels = [int(np.argmin(np.abs(LEVELS - (level - lower)))) for lower in LOWER]
    for fold in source_folds([h.item for h in heard if h.item.split == "train"]):
        path = out / f"{fold.name}-seed0" / DONE
        if not path.is_file():
            continue
        known = statistics(background.only(~np.isin(background.kind, sorted({s.split("_")[0] for s in fold.sources}))))
        for name, segments in read_logits(path).items():
            if name in by_name and by_name[name].item.source in fold.sources and len(by_name[name].powers):
                distance.append(float(np.median(by_name[name].distances(known))))
                judged = judge(by_name[name].item, segments, SETTINGS)
                alarms.append([bool(judged.alarms[k]) for k in levels])
    for lower, column in zip(LOWER, np.array(alarms).T, strict=True):
        print(
            f"raw logit {level - lower:g}: {column.sum()} of {len(column)} recordings have an alarm; AUROC of their"
            f" distance {auroc(np.array(distance)[column], np.array(distance)[~column]):.2f}"
        )


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "eeg"
    parser.add_argument("root", type=Path, nargs="?", default=shared)
    parser.add_argument("--sources", type=Path)
    parser.add_argument("--level", type=float, default=0.3)
    arguments = parser.parse_args()
    card = checkpoint.read_card(checkpoint.locate(checkpoint.DEFAULT))
    heard = []
    for corpus in gather(DataConfig(paths=(str(arguments.root),)), 0):
        for item in corpus.items:
            try:
                powers = list(powers_of(item.open(), card))
            except InputError as error:
                print(f"{item.name}: {error.message}")
                continue
            if powers:
                heard.append(Heard(item, np.array(powers)))
    background = background_of(heard)
    limit = familiarity_of(background).limit
    print(f"{len(background.kind)} windows of {len(set(background.subject.tolist()))} subjects; limit {limit:g}")
    show_kinds(heard, background, limit)
    if arguments.sources:
        show_foretold(heard, background, arguments.sources, arguments.level)
    return 0


if __name__ == "__main__":
    sys.exit(main())
