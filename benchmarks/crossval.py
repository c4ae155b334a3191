"""Leave children out: what a recipe finds in children, and stays silent on, that its networks never saw.

    python benchmarks/crossval.py --out DIR [--data PATH/TO/eeg] [--folds 2] [--seeds 1] [--set KEY=VALUE]
    python benchmarks/crossval.py --out DIR --report-only [--average 12 --hysteresis 0.75 --shortest 8]

Trains one network a fold and seed on the ``train`` group without the fold's children, and runs it over those children
and over the ``dev`` background, on the cached signals that the training itself uses. Two folds and one seed are a
quick trial, four folds and three seeds the figure of record. Interrupted and started again, it goes on where it was;
every finished fold leaves its network and its logits in DIR.

Printed, for each seed and their mean: seizures found at the lowest threshold from which the background of the five old
development sources has 0, 2 and 5 alarms (each network at its own), alarms in the same children outside their seizures
(post-ictal clips) there, and the ranking of 10 s pieces. ``--hold-background`` leaves each fold's share of the
background subjects out of training, too, and chooses threshold and averages for one fold on the held-out background
and children of the others.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.card import DecisionConfig
from brainscan.decision.average import average
from brainscan.decision.postprocess import events_of_curve
from brainscan.events import RATE_HZ, Probabilities
from brainscan.scoring.pieces import ScoredRecording, cut_pieces
from brainscan.scoring.ranking import auroc
from brainscan_training.cache import Cached
from brainscan_training.config import TrainConfig
from brainscan_training.corpora.item import Item

SEIZURES, SIMULATED = "chbmit", "simulation"
BACKGROUND = ("adhd_children", "eegmat", "eegmmidb", "epoc_epilepsy", "mumtaz_mdd")
KEPT_HZ = 16
"""Rate at which logits are kept: the networks answer at 1 to 8 Hz and are interpolated."""
LEVELS = np.round(np.arange(-6.0, 9.01, 0.1), 2)
"""Thresholds tried, raw logits."""
ALARMS = (0, 2, 5)
DONE = "logits.npz"


@dataclass(frozen=True, slots=True)
class Fold:
    """Who is left out of one training."""

    name: str
    children: frozenset[str]
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settings:
    """What turns logits into events."""

    average_s: float = 12.0
    hysteresis: float = 0.75
    shortest_s: float = 8.0

    def decision(self, level: float) -> DecisionConfig:
        on, off = (1.0 / (1.0 + np.exp(-x)) for x in (level, level - self.hysteresis))
        return DecisionConfig(float(on), float(off), average_s=self.average_s, min_duration_s=self.shortest_s)


def folds_of(items: Sequence[Item], n: int, *, hold_background: bool) -> list[Fold]:
    """Deal children out by their seizures, and the subjects of each other source one by one."""
    seizures: dict[str, int] = defaultdict(int)
    for item in items:
        if item.source == SEIZURES:
            seizures[item.subject] += len(item.seizures)
    groups: list[list[str]] = [[] for _ in range(n)]
    most = -(-len(seizures) // n)
    for child in sorted(seizures, key=lambda c: (-seizures[c], c)):
        free = [g for g in groups if len(g) < most]
        min(free, key=lambda g: sum(seizures[c] for c in g)).append(child)
    others: list[set[str]] = [set() for _ in range(n)]
    if hold_background:
        for source in sorted({i.source for i in items} - {SEIZURES, SIMULATED}):
            # A child's background goes where the child goes.
            subjects = sorted({i.subject for i in items if i.source == source} - set(seizures))
            for k, subject in enumerate(subjects):
                others[k % n].add(subject)
    return [Fold(f"{k}of{n}", frozenset(g), frozenset(o)) for k, (g, o) in enumerate(zip(groups, others, strict=True))]


def train_fold(config: TrainConfig, items: Sequence[Item], cache: Path, run: Path) -> None:
    """Train on some recordings, or go on where it was, and leave ``last.safetensors``."""
    import torch

    from brainscan.model import checkpoint
    from brainscan_training.batches import Stored
    from brainscan_training.export import base_card
    from brainscan_training.journal import Journal, Silent
    from brainscan_training.loop import Loop, Recordings
    from brainscan_training.run import make_fabric
    from brainscan_training.step import Stepper

    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    stored = Stored(tuple(items), cache, config.filter)
    fabric = make_fabric(config)
    network = checkpoint.build(config.network_config().to_mapping(), config.name)
    recordings = Recordings(stored, [], [], base_card(config, stored.load()))
    loop = Loop(fabric, Stepper(fabric, network, config), recordings, config, run)
    journal = Journal(run, loop.progress, Silent())
    loop.go(journal)
    journal.close()


def predict(model: Path, recordings: Iterable[Cached], target: Path) -> None:
    """Keep the raw logits of recordings at `KEPT_HZ`."""
    from brainscan.model import checkpoint
    from brainscan.model.inference import RunConfig, WindowRunner
    from brainscan_training.validate import curves

    loaded = checkpoint.load(str(model))
    runner = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu", threads=1))
    kept = {}
    for recording in recordings:
        for number, curve in enumerate(curves(runner, recording)):
            kept[f"{recording.item.name}|{number}|{curve.start_s}"] = _slow(curve.values)
    with target.with_suffix(".part").open("wb") as stream:
        np.savez(stream, **kept)
    target.with_suffix(".part").rename(target)


def _slow(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    clipped = np.clip(probability.astype(np.float64), 1e-6, 1.0 - 1e-6)
    logit = np.log(clipped) - np.log1p(-clipped)
    step = RATE_HZ // KEPT_HZ
    return logit[step // 2 :: step].astype(np.float32)


def read_logits(path: Path) -> dict[str, list[tuple[float, NDArray[np.float32]]]]:
    """Return start and logits of each segment of each recording."""
    found: dict[str, list[tuple[float, NDArray[np.float32]]]] = defaultdict(list)
    with np.load(path) as stored:
        for key in stored.files:
            name, _, start = key.rsplit("|", 2)
            found[name].append((float(start), stored[key]))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A recording's seizures found and false alarms at each of `LEVELS`."""

    item: Item
    found: NDArray[np.bool_]
    alarms: NDArray[np.int64]
    hours: float


def judge(item: Item, segments: list[tuple[float, NDArray[np.float32]]], settings: Settings) -> Judged:
    """Decide a recording at every level, as the product does."""
    seizures = [(a.onset_s, a.offset_s) for a in item.seizures]
    found = np.zeros((len(seizures), len(LEVELS)), dtype=np.bool_)
    alarms = np.zeros(len(LEVELS), dtype=np.int64)
    for start_s, logits in segments:
        plain = np.repeat((1.0 / (1.0 + np.exp(-logits))).astype(np.float32), RATE_HZ // KEPT_HZ)
        curve = average(plain, settings.average_s)
        top = np.nanmax(curve) if np.isfinite(curve).any() else 0.0
        for k, level in enumerate(LEVELS.tolist()):
            decision = settings.decision(level)
            if decision.enter > top:
                break
            for event in events_of_curve(curve, plain, decision, start_s):
                hit = [i for i, (a, b) in enumerate(seizures) if event.onset_s < b and event.offset_s > a]
                found[hit, k] = True
                alarms[k] += not hit
    hours = sum(len(logits) for _, logits in segments) / KEPT_HZ / 3600.0
    return Judged(item, found, alarms, hours)


def level_for(background: Sequence[Judged], alarms: int) -> int:
    """Return the index of the lowest level from which every higher one has at most so many alarms."""
    total = np.sum([j.alarms for j in background], axis=0)
    above = np.flatnonzero(total > alarms)
    return int(above[-1]) + 1 if len(above) else 0


@dataclass(frozen=True, slots=True)
class Row:
    """A seed's figures, summed over the folds."""

    found: tuple[int, ...]
    post_ictal: tuple[int, ...]
    seizures: int
    auroc: float
    within: float
    p95: float
    by_child: dict[str, str]
    levels: tuple[tuple[float, ...], ...]


def row_of(folds: Sequence[dict[str, Judged]], ranked: Sequence[ScoredRecording]) -> Row:
    """Put the folds of one seed together, each at its own network's levels."""
    found, post, levels = [0] * len(ALARMS), [0] * len(ALARMS), []
    by_child: dict[str, list[int]] = defaultdict(lambda: [0] * (len(ALARMS) + 1))
    for judged in folds:
        background = [j for j in judged.values() if j.item.source in BACKGROUND and j.item.split == "dev"]
        children = [j for j in judged.values() if j.item.source == SEIZURES]
        at = [min(level_for(background, n), len(LEVELS) - 1) for n in ALARMS]
        levels.append(tuple(float(LEVELS[k]) for k in at))
        for place, k in enumerate(at):
            found[place] += sum(int(j.found[:, k].sum()) for j in children)
            post[place] += sum(int(j.alarms[k]) for j in children)
            for j in children:
                by_child[j.item.subject][place] += int(j.found[:, k].sum())
        for j in children:
            by_child[j.item.subject][-1] += len(j.found)
    ictal = [r for r in ranked if r.source == SEIZURES]
    pieces = cut_pieces(ictal)
    within = []
    for subject in sorted({r.subject for r in ictal}):
        own = cut_pieces([r for r in ictal if r.subject == subject])
        within.append(auroc(own.score[own.ictal], own.score[~own.ictal]))
    quiet = cut_pieces([r for r in ranked if r.source in BACKGROUND])
    return Row(
        found=tuple(found),
        post_ictal=tuple(post),
        seizures=sum(len(j.found) for fold in folds for j in fold.values() if j.item.source == SEIZURES),
        auroc=auroc(pieces.score[pieces.ictal], pieces.score[~pieces.ictal]),
        within=float(np.nanmean(within)),
        p95=float(np.quantile(quiet.score, 0.95)),
        by_child={child: "/".join(map(str, counts)) for child, counts in sorted(by_child.items())},
        levels=tuple(levels),
    )


def held_out(folds: Sequence[dict[str, Judged]]) -> str:
    """Say what each fold's network does at levels that the other folds' held-out background chose."""
    quiet = [[j for j in fold.values() if j.item.split == "train" and j.item.source != SEIZURES] for fold in folds]
    if not all(quiet):
        return ""
    parts = []
    for n in ALARMS:
        found = alarms = post = 0
        hours = 0.0
        for k, judged in enumerate(folds):
            others = [j for i, group in enumerate(quiet) if i != k for j in group]
            at = min(level_for(others, n), len(LEVELS) - 1)
            children = [j for j in judged.values() if j.item.source == SEIZURES]
            found += sum(int(j.found[:, at].sum()) for j in children)
            post += sum(int(j.alarms[at]) for j in children)
            alarms += sum(int(j.alarms[at]) for j in quiet[k])
            hours += sum(j.hours for j in quiet[k])
        level = LEVELS[min(level_for([j for group in quiet for j in group], n), len(LEVELS) - 1)]
        parts.append(f"{n}: {found} ({post} post-ictal, {alarms} alarms in {hours:.1f} h of others; pooled {level:g})")
    return "   levels from the other folds' held-out background, " + "  ".join(parts)


def at_level(folds: Sequence[dict[str, Judged]], level: float) -> str:
    """Say what every fold's network does at one and the same level."""
    k = int(np.argmin(np.abs(LEVELS - level)))
    everyone = [j for fold in folds for j in fold.values()]
    children = [j for j in everyone if j.item.source == SEIZURES]
    held = [j for j in everyone if j.item.split == "train" and j.item.source not in (SEIZURES, SIMULATED)]
    dev = [j for j in everyone if j.item.split == "dev"]
    parts = [f"found {sum(int(j.found[:, k].sum()) for j in children)}"]
    parts.append(f"{sum(int(j.alarms[k]) for j in children)} post-ictal alarms")
    parts.append(f"{sum(int(j.alarms[k]) for j in held)} alarms in {sum(j.hours for j in held):.1f} h held out")
    for what, group in (
        ("development background", [j for j in dev if j.item.source in BACKGROUND]),
        ("other development recordings", [j for j in dev if j.item.source not in BACKGROUND]),
    ):
        count, hours = (sum(value) / len(folds) for value in ([j.alarms[k] for j in group], [j.hours for j in group]))
        parts.append(f"{count:.1f} in {hours:.1f} h of {what}, a network")
    return f"   at {LEVELS[k]:g}: " + ", ".join(parts)


def by_source(ranked: Sequence[ScoredRecording]) -> str:
    """Return the 95th percentile of the pieces' raw logits in each source without seizures."""
    groups: dict[str, list[ScoredRecording]] = defaultdict(list)
    for recording in ranked:
        if recording.source != SEIZURES:
            groups[recording.source].append(recording)
    values = {name: np.quantile(cut_pieces(group).score, 0.95) for name, group in sorted(groups.items())}
    return "   95th percentile, raw logit: " + "  ".join(f"{k} {np.log(v / (1 - v)):.1f}" for k, v in values.items())


def scored(item: Item, segments: list[tuple[float, NDArray[np.float32]]]) -> ScoredRecording:
    """Return a recording for the ranking of its pieces."""
    step = RATE_HZ // KEPT_HZ
    parts = tuple(Probabilities(s, np.repeat(1.0 / (1.0 + np.exp(-x)), step).astype(np.float32)) for s, x in segments)
    duration_s = max(p.start_s + len(p.values) / RATE_HZ for p in parts)
    annotations = tuple((a.onset_s, min(a.offset_s, duration_s)) for a in item.seizures)
    spans = ((0.0, duration_s),) if item.scored is None else item.scored
    return ScoredRecording(item.source, item.subject, "", duration_s, spans, annotations, parts)


def report(
    out: Path, items: dict[str, Item], folds: Sequence[Fold], seeds: int, settings: Settings, level: float
) -> None:
    """Print the table of what is finished."""
    rows = []
    for seed in range(seeds):
        paths = [out / f"{fold.name}-seed{seed}" / DONE for fold in folds]
        if not all(path.is_file() for path in paths):
            continue
        judged, ranked = [], []
        for fold, path in zip(folds, paths, strict=True):
            left = {n for n, i in items.items() if i.source != SEIZURES or i.subject in fold.children}
            logits = {name: segments for name, segments in read_logits(path).items() if name in left}
            judged.append({name: judge(items[name], segments, settings) for name, segments in logits.items()})
            ranked += [scored(items[name], segments) for name, segments in logits.items()]
        rows.append(row_of(judged, ranked))
        row = rows[-1]
        counts = "  ".join(
            f"{n} alarms: {f} of {row.seizures} ({p} post-ictal)"
            for n, f, p in zip(ALARMS, row.found, row.post_ictal, strict=True)
        )
        print(f"seed {seed}: {counts}  AUROC {row.auroc:.3f} / {row.within:.3f}  levels {row.levels}")
        print("   " + "  ".join(f"{child} {text}" for child, text in row.by_child.items()))
        print("\n".join(filter(None, (by_source(ranked), held_out(judged), at_level(judged, level)))))
    if rows:
        means = "  ".join(
            f"{n} alarms: {np.mean([r.found[i] for r in rows]):.1f} ({np.mean([r.post_ictal[i] for r in rows]):.1f})"
            for i, n in enumerate(ALARMS)
        )
        print(
            f"mean of {len(rows)}: {means}  AUROC {np.mean([r.auroc for r in rows]):.3f} /"
            f" {np.mean([r.within for r in rows]):.3f}"
        )


def main() -> int:
    """Run the benchmark."""
    from brainscan_training import cache
    from brainscan_training.corpora.layout import gather
    from brainscan_training.journal import Silent
    from brainscan_training.prepare import prepare
    from brainscan_training.profiles import build_config, read_profile, with_settings

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "eeg"
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=shared)
    parser.add_argument("--cache", type=Path, help="preprocessed recordings (default: OUT/cache)")
    parser.add_argument("--simulation", action="store_true", help="train on simulated recordings, too")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--profile", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--hold-background", action="store_true")
    parser.add_argument("--report-only", action="store_true")
    parser.add_argument("--level", type=float, default=0.0, help="a raw logit to report, beside those that are sought")
    parser.add_argument("--average", type=float, default=12.0)
    parser.add_argument("--hysteresis", type=float, default=0.75)
    parser.add_argument("--shortest", type=float, default=8.0)
    arguments = parser.parse_args()
    out, folder = arguments.out, arguments.cache or arguments.out / "cache"
    paths = f"{arguments.data}{', simulation' if arguments.simulation else ''}"
    own = [f"data.paths=[{paths}]", f"data.cache={folder}", "name=crossval", "device=cpu"]
    base = build_config(with_settings(read_profile(arguments.profile), (*arguments.set, *own)))
    corpora = gather(base.data, 0)
    prepared = prepare(base, corpora, folder, Silent())
    everything = {item.name: item for item in (*prepared.train, *prepared.validation)}
    folds = folds_of(prepared.train, arguments.folds, hold_background=arguments.hold_background)
    settings = Settings(arguments.average, arguments.hysteresis, arguments.shortest)
    out.mkdir(parents=True, exist_ok=True)
    jobs = list(itertools.product(range(arguments.seeds), folds))
    todo = [(s, f) for s, f in jobs if not (out / f"{f.name}-seed{s}" / DONE).is_file()]
    if not arguments.report_only:
        (out / "settings.json").write_text(json.dumps([arguments.profile, *arguments.set], indent=1), "utf-8")
        begun = time.monotonic()
        for number, (seed, fold) in enumerate(todo):
            run = out / f"{fold.name}-seed{seed}"
            left = fold.children | fold.others
            train_fold(replace(base, seed=seed), [i for i in prepared.train if i.subject not in left], folder, run)
            heard = [i for i in prepared.train if i.subject in left] + list(prepared.validation)
            recordings = (cache.load(item, folder, base.filter) for item in heard)
            predict(run / "checkpoints" / "last.safetensors", recordings, run / DONE)
            took = (time.monotonic() - begun) / 3600.0
            print(
                f"{number + 1} of {len(todo)} trainings, {took:.2f} h, {took / (number + 1) * len(todo):.2f} h in all",
                flush=True,
            )
    dev = {i.name for i in prepared.validation if i.source == SEIZURES}
    report(
        out, {n: i for n, i in everything.items() if n not in dev}, folds, arguments.seeds, settings, arguments.level
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
