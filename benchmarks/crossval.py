"""Leave children out: what a recipe finds in children, and stays silent on, that its networks never saw.

    python benchmarks/crossval.py --out DIR [--data PATH/TO/eeg] [--folds 2] [--seeds 1] [--set KEY=VALUE]
    python benchmarks/crossval.py --out DIR --report-only [--average 12 --hysteresis 0.75 --shortest 8]

Trains one network a fold and seed on the ``train`` group without the fold's children, and runs it over those children
and over the ``dev`` background, on the cached signals that the training itself uses. Two folds and one seed are a
quick trial, four folds and three seeds the figure of record. Interrupted and started again, it goes on where it was;
every finished fold leaves its network and its logits in DIR.

Printed, for each seed and their mean: seizures found at the lowest threshold from which the background of the five old
development sources has 0, 2 and 5 alarms (each network at its own), alarms in the same children outside their seizures
(post-ictal clips) there, the ranking of 10 s pieces, and what is found where those clips have 5, 10 and 20 alarms.
``--hold-background`` leaves each fold's share of the background subjects out of training, too, and chooses threshold
and averages for one fold on the held-out background and children of the others. ``--leave-source-out`` leaves one kind
of background out of each training instead (a place and device; those of less than half an hour together), and prints
its alarms there at ``--level``.

``--after SECONDS --more LOGITS`` asks more of what begins soon after an event, and ``--in-time`` puts the clips of one
recording back where they were cut out of it before events are sought, so that what follows a seizure is heard after it.

``--reading-of DIR`` (again and again) trains second readings of the electrodes alone on the frozen encoders of other
trials' networks of the same folds and seeds side by side (`brainscan_training.second_reading`) instead of networks;
``--second DIR --less LOGITS`` reports with them: the larger of the networks' logit and of the second reading's, less so
many logits, counts.

``--with DIR`` (again and again) reports the mean of the logits of this trial's networks and of others', of the same
folds and seeds. In ``distil.teachers`` the words ``{fold}`` and ``{seed}`` stand for those of the training, so that
whoever is left out of it is left out of its teachers, too.
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
from functools import partial
from pathlib import Path

import numpy as np
from crossval_table import (
    ALARMS,
    KEPT_HZ,
    SEIZURES,
    SIMULATED,
    Logits,
    Settings,
    at_level,
    at_post_ictal,
    by_source,
    held_out,
    in_time,
    judge,
    larger,
    mean_logits,
    read_logits,
    row_of,
    scored,
    without_source,
)
from numpy.typing import NDArray

from brainscan.card import PostictalConfig
from brainscan.events import RATE_HZ
from brainscan_training.cache import Cached
from brainscan_training.config import TrainConfig
from brainscan_training.corpora.item import Item

DONE = "logits.npz"
CHECKPOINT = Path("checkpoints", "last.safetensors")
_FEW_S = 1800.0
"""Kinds of background with less than that are left out together."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Who is left out of one training."""

    name: str
    children: frozenset[str]
    others: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    def leaves(self, item: Item) -> bool:
        """Whether its network is not trained on a recording."""
        return item.subject in self.children | self.others or item.source in self.sources


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


def source_folds(items: Sequence[Item]) -> list[Fold]:
    """Leave out one kind of background each: a place and device (first word of the source); small ones together."""
    seconds: dict[str, float] = defaultdict(float)
    sources: dict[str, set[str]] = defaultdict(set)
    for item in items:
        kind = item.source.split("_")[0]
        if kind not in (SEIZURES, SIMULATED):
            seconds[kind] += item.open().duration_s
            sources[kind].add(item.source)
    few = [kind for kind in sources if seconds[kind] < _FEW_S]
    groups = {kind: names for kind, names in sources.items() if kind not in few}
    groups |= {"few": set().union(*(sources[kind] for kind in few))} if few else {}
    return [Fold(f"no-{name}", frozenset(), sources=frozenset(names)) for name, names in sorted(groups.items())]


def train_fold(config: TrainConfig, items: Sequence[Item], cache: Path, run: Path, read: Sequence[Path] = ()) -> None:
    """Train on some recordings, or go on where it was, and leave ``last.safetensors``.

    Where there are networks to be `read`, it is a second reading of theirs that is trained.
    """
    import torch

    from brainscan.model import checkpoint
    from brainscan_training.batches import Stored
    from brainscan_training.export import base_card
    from brainscan_training.journal import Journal, Silent
    from brainscan_training.loop import Loop, Recordings
    from brainscan_training.run import make_fabric
    from brainscan_training.second_reading import begun
    from brainscan_training.side_by_side import side_by_side
    from brainscan_training.step import Stepper

    run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.threads or torch.get_num_threads())  # two spin for each other where cores are shared
    torch.manual_seed(config.seed)
    stored = Stored(tuple(items), cache, config.filter)
    fabric = make_fabric(config)
    if read:
        network = begun(side_by_side([checkpoint.load(str(path)).network for path in read]))
        config = replace(config, network=network.config.to_mapping())
    else:
        network = checkpoint.build(config.network_config().to_mapping(), config.name)
    recordings = Recordings(stored, [], [], base_card(config, stored.load()))
    stepper = Stepper(fabric, network, config, ("encoder", "decoder") if read else ())
    loop = Loop(fabric, stepper, recordings, config, run)
    journal = Journal(run, loop.progress, Silent())
    loop.go(journal)
    journal.close()


def taught(config: TrainConfig, fold: str, seed: int) -> TrainConfig:
    """Return a training with its seed and with teachers of its own fold and seed."""
    named = (path.replace("{fold}", fold) for path in config.distil.teachers)
    teachers = tuple(path.replace("{seed}", str(seed)) for path in named)
    return replace(config, seed=seed, distil=replace(config.distil, teachers=teachers))


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


@dataclass(frozen=True, slots=True)
class Trials:
    """Whose networks are reported: the mean of several trials', and second readings of theirs."""

    outs: tuple[Path, ...]
    second: Path | None
    less: float

    def logits(self, run: str) -> Logits | None:
        """Return the logits of one fold and seed; None where it is not finished."""
        paths = [out / run / DONE for out in self.outs]
        second = [] if self.second is None else [self.second / run / DONE]
        if not all(path.is_file() for path in (*paths, *second)):
            return None
        mean = mean_logits(paths)
        return larger(mean, read_logits(second[0]), self.less) if second else mean


def report(
    trials: Trials,
    items: dict[str, Item],
    folds: Sequence[Fold],
    seeds: int,
    settings: Settings,
    level: float,
    *,
    together: bool,
) -> None:
    """Print the table of what is finished."""
    rows = []
    for seed in range(seeds):
        found = [trials.logits(f"{fold.name}-seed{seed}") for fold in folds]
        finished = [own for own in found if own is not None]
        if len(finished) < len(folds):
            continue
        judged, ranked = [], []
        for fold, own in zip(folds, finished, strict=True):
            left = {n for n, i in items.items() if i.source != SEIZURES or i.subject in fold.children}
            logits = {name: segments for name, segments in own.items() if name in left}
            whole, put = in_time(items, logits) if together else (items, logits)
            judged.append({name: judge(whole[name], segments, settings) for name, segments in put.items()})
            ranked += [scored(items[name], segments) for name, segments in logits.items()]
        rows.append(row_of(judged, ranked))
        row = rows[-1]
        counts = "  ".join(
            f"{n} alarms: {f} of {row.seizures} ({p} post-ictal)"
            for n, f, p in zip(ALARMS, row.found, row.post_ictal, strict=True)
        )
        print(f"seed {seed}: {counts}  AUROC {row.auroc:.3f} / {row.within:.3f}  levels {row.levels}")
        print("   " + "  ".join(f"{child} {text}" for child, text in row.by_child.items()))
        print(
            "\n".join(
                filter(None, (by_source(ranked), held_out(judged), at_level(judged, level), at_post_ictal(judged)))
            )
        )
    if rows:
        means = "  ".join(
            f"{n} alarms: {np.mean([r.found[i] for r in rows]):.1f} ({np.mean([r.post_ictal[i] for r in rows]):.1f})"
            for i, n in enumerate(ALARMS)
        )
        print(
            f"mean of {len(rows)}: {means}  AUROC {np.mean([r.auroc for r in rows]):.3f} /"
            f" {np.mean([r.within for r in rows]):.3f}"
        )


def report_sources(
    trials: Trials, items: dict[str, Item], folds: Sequence[Fold], seeds: int, settings: Settings, level: float
) -> None:
    """Print what each network does on the kind of background that it never saw."""
    for seed, fold in itertools.product(range(seeds), folds):
        found = trials.logits(f"{fold.name}-seed{seed}")
        if found is None:
            continue
        logits = {n: parts for n, parts in found.items() if n in items and items[n].source in fold.sources}
        for split in ("train", "dev"):
            heard = {n: parts for n, parts in logits.items() if items[n].split == split}
            if heard:
                judged = [judge(items[n], parts, settings) for n, parts in heard.items()]
                ranked = [scored(items[n], parts) for n, parts in heard.items()]
                print(f"seed {seed}, {without_source(f'{fold.name}, {split}', judged, ranked, settings, level)}")


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
    parser.add_argument("--leave-source-out", action="store_true", help="leave kinds of background out, no children")
    parser.add_argument("--report-only", action="store_true")
    parser.add_argument("--with", dest="others", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--reading-of", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--second", type=Path, metavar="DIR")
    parser.add_argument("--less", type=float, default=1.0, metavar="LOGITS", help="taken off the second reading")
    parser.add_argument("--level", type=float, default=0.0, help="a raw logit to report, beside those that are sought")
    parser.add_argument("--average", type=float, default=12.0)
    parser.add_argument("--hysteresis", type=float, default=0.75)
    parser.add_argument("--shortest", type=float, default=8.0)
    parser.add_argument("--after", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--more", type=float, default=1.0, metavar="LOGITS")
    parser.add_argument("--in-time", action="store_true", help="clips of one recording where they were cut out of it")
    arguments = parser.parse_args()
    out, folder = arguments.out, arguments.cache or arguments.out / "cache"
    paths = f"{arguments.data}{', simulation' if arguments.simulation else ''}"
    own = [f"data.paths=[{paths}]", f"data.cache={folder}", "name=crossval", "device=cpu"]
    base = build_config(with_settings(read_profile(arguments.profile), (*arguments.set, *own)))
    corpora = gather(base.data, 0)
    prepared = prepare(base, corpora, folder, Silent())
    everything = {item.name: item for item in (*prepared.train, *prepared.validation)}
    if arguments.leave_source_out:
        folds = source_folds(prepared.train)
    else:
        folds = folds_of(prepared.train, arguments.folds, hold_background=arguments.hold_background)
    postictal = PostictalConfig(arguments.after, arguments.more if arguments.after else 0.0)
    settings = Settings(arguments.average, arguments.hysteresis, arguments.shortest, postictal)
    out.mkdir(parents=True, exist_ok=True)
    jobs = list(itertools.product(range(arguments.seeds), folds))
    todo = [(s, f) for s, f in jobs if not (out / f"{f.name}-seed{s}" / DONE).is_file()]
    if not arguments.report_only:
        (out / "settings.json").write_text(json.dumps([arguments.profile, *arguments.set], indent=1), "utf-8")
        begun = time.monotonic()
        for number, (seed, fold) in enumerate(todo):
            run = out / f"{fold.name}-seed{seed}"
            read = [other / run.name / CHECKPOINT for other in arguments.reading_of]
            kept = [i for i in prepared.train if not fold.leaves(i)]
            train_fold(taught(base, fold.name, seed), kept, folder, run, read)
            heard = [i for i in prepared.train if fold.leaves(i)] + list(prepared.validation)
            recordings = (cache.load(item, folder, base.filter) for item in heard)
            predict(run / CHECKPOINT, recordings, run / DONE)
            took = (time.monotonic() - begun) / 3600.0
            print(
                f"{number + 1} of {len(todo)} trainings, {took:.2f} h, {took / (number + 1) * len(todo):.2f} h in all",
                flush=True,
            )
    dev = {i.name for i in prepared.validation if i.source == SEIZURES}
    told = report_sources if arguments.leave_source_out else partial(report, together=arguments.in_time)
    reported = {name: item for name, item in everything.items() if name not in dev}
    trials = Trials((out, *arguments.others), arguments.second, arguments.less)
    told(trials, reported, folds, arguments.seeds, settings, arguments.level)
    return 0


if __name__ == "__main__":
    sys.exit(main())
