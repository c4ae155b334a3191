"""What `crossval.py` prints: recordings judged at every threshold, and the tables of those that a network never saw."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.card import Card, DecisionConfig, PostictalConfig
from brainscan.decision.average import average
from brainscan.decision.postprocess import events_of_curve
from brainscan.events import RATE_HZ, Probabilities
from brainscan.scoring.pieces import ScoredRecording, cut_pieces
from brainscan.scoring.ranking import auroc
from brainscan_training.corpora.item import Item
from brainscan_training.placing import placed

SEIZURES, SIMULATED = "chbmit", "simulation"
BACKGROUND = ("adhd_children", "eegmat", "eegmmidb", "epoc_epilepsy", "mumtaz_mdd")
KEPT_HZ = 16
"""Rate at which logits are kept: the networks answer at 1 to 8 Hz and are interpolated."""
LEVELS = np.round(np.arange(-6.0, 9.01, 0.1), 2)
"""Thresholds tried, raw logits."""
ALARMS = (0, 2, 5)
POST_ICTAL = (5, 10, 20)
_NO_MORE = PostictalConfig()


@dataclass(frozen=True, slots=True)
class Settings:
    """What turns logits into events."""

    average_s: float = 12.0
    hysteresis: float = 0.75
    shortest_s: float = 8.0
    postictal: PostictalConfig = _NO_MORE

    def decision(self, level: float) -> DecisionConfig:
        on, off = (1.0 / (1.0 + np.exp(-x)) for x in (level, level - self.hysteresis))
        return DecisionConfig(
            float(on),
            float(off),
            average_s=self.average_s,
            min_duration_s=self.shortest_s,
            postictal=self.postictal,
        )


Logits = Mapping[str, list[tuple[float, NDArray[np.float32]]]]
"""Start and logits of each segment, by the recording's name."""

_CLIP = re.compile(r"(?P<before>.+)_t(?:(?P<at>[0-9]+)|X_(?P<tag>\w+))_(?P<kind>sz|post)\.edf")
_AFTER_ONSET_S = 60
"""Post-ictal clips begin so long after their seizure."""


def read_logits(path: Path) -> Logits:
    """Return start and logits of each segment of each recording."""
    found: dict[str, list[tuple[float, NDArray[np.float32]]]] = defaultdict(list)
    with np.load(path) as stored:
        for key in stored.files:
            name, _, start = key.rsplit("|", 2)
            found[name].append((float(start), stored[key]))
    return found


def mean_logits(paths: Sequence[Path]) -> Logits:
    """Return the mean of several networks' logits, of what all of them were run over; names are the first one's."""
    first, *others = [read_logits(path) for path in paths]
    named = [{_in_corpus(name): segments for name, segments in found.items()} for found in others]
    if [len(found) for found in named] != [len(found) for found in others]:
        raise SystemExit("two corpora of a trial have a recording of the same name: their logits cannot be told apart")
    means = {}
    for name, own in first.items():
        if all(_in_corpus(name) in found for found in named):
            by_segment = zip(own, *(found[_in_corpus(name)] for found in named), strict=True)
            means[name] = [(parts[0][0], np.mean([logits for _, logits in parts], axis=0)) for parts in by_segment]
    return means


def larger(logits: Logits, second: Logits, less: float) -> Logits:
    """Return the larger of two networks' logits at each moment, with so much taken off the second's."""
    named = {_in_corpus(name): segments for name, segments in second.items()}
    return {
        name: [(start_s, np.maximum(own, other - less)) for (start_s, own), (_, other) in zip(a, b, strict=True)]
        for name, a in logits.items()
        if (b := named.get(_in_corpus(name))) is not None
    }


def _in_corpus(name: str) -> str:
    """Return a recording's name without the number of its corpus, which it has where a training has several."""
    number, colon, rest = name.partition(":")
    return rest if colon and number.isdigit() else name


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
    hours = sum(np.count_nonzero(~np.isnan(logits)) for _, logits in segments) / KEPT_HZ / 3600.0
    return Judged(item, found, alarms, hours)


def in_time(items: Mapping[str, Item], logits: Logits) -> tuple[dict[str, Item], Logits]:
    """Put the clips that were cut out of one recording back where they were, with unscored time between them.

    What follows a seizure is then heard after it, as in a recording that nobody cut. A clip's name tells its second,
    ``_t02996_sz``, or which seizure it belongs to, ``_tX_pR_post``.
    """
    groups: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in logits:
        clip = _CLIP.fullmatch(name)
        if clip is None or items[name].source != SEIZURES:
            groups[name].append((0, name))
        elif clip["at"]:
            groups[clip["before"]].append((int(clip["at"]), name))
        else:
            groups[f"{clip['before']}_{clip['tag']}"].append((_AFTER_ONSET_S * (clip["kind"] == "post"), name))
    whole, put = {}, {}
    for group, clips in groups.items():
        curve: list[NDArray[np.float32]] = []
        first = min(at for at, _ in clips)
        seizures = []
        for at, name in sorted(clips):
            for start_s, values in logits[name]:
                gap = round((at - first + start_s) * KEPT_HZ) - sum(map(len, curve))
                if gap < 0:
                    raise SystemExit(f"{name}: begins before the clip that it follows has ended")
                curve += [np.full(gap, np.nan, dtype=np.float32), values]
            shift = at - first
            seizures += [
                replace(a, onset_s=a.onset_s + shift, offset_s=a.offset_s + shift) for a in items[name].seizures
            ]
        whole[group] = replace(items[clips[0][1]], name=group, seizures=tuple(seizures))
        put[group] = [(0.0, np.concatenate(curve))]
    return whole, put


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
    elsewhere = [[j.found[:, k] for j in fold.values() if len(j.found) and j.item.source != SEIZURES] for fold in folds]
    if all(elsewhere):
        found = ", ".join(str(sum(int(f.sum()) for f in own)) for own in elsewhere)
        parts.append(f"of {sum(map(len, elsewhere[0]))} seizures of other sources {found} by network")
    return f"   at {LEVELS[k]:g}: " + ", ".join(parts)


def at_post_ictal(folds: Sequence[dict[str, Judged]]) -> str:
    """Say what is found at the lowest common level at which the children's post-ictal clips have few alarms."""
    everyone = [j for fold in folds for j in fold.values()]
    children = [j for j in everyone if j.item.source == SEIZURES]
    held = [j for j in everyone if j.item.split == "train" and j.item.source not in (SEIZURES, SIMULATED)]
    parts = []
    for most in POST_ICTAL:
        k = min(level_for(children, most), len(LEVELS) - 1)
        found, others = sum(int(j.found[:, k].sum()) for j in children), sum(int(j.alarms[k]) for j in held)
        parts.append(f"{most}: {found} at {LEVELS[k]:g} ({others} alarms held out)")
    return "   found with so many post-ictal alarms, " + "  ".join(parts)


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


def without_source(
    name: str, judged: Sequence[Judged], ranked: Sequence[ScoredRecording], settings: Settings, level: float
) -> str:
    """Say what a network does, at the level and as its card would read, on a kind of background it never saw."""
    k = int(np.argmin(np.abs(LEVELS - level)))
    hours, alarms = sum(j.hours for j in judged), sum(int(j.alarms[k]) for j in judged)
    loud = sorted((j for j in judged if j.alarms[k]), key=lambda j: -int(j.alarms[k]))
    card = placed(Card("left out", {}), level, level - settings.hysteresis)
    p95 = float(np.quantile(cut_pieces(ranked).score, 0.95))
    read = 1.0 / (1.0 + np.exp(-card.logit_scale * (np.log(p95 / (1.0 - p95)) - card.logit_shift)))
    return (
        f"{name}: {alarms} alarms in {hours:.2f} h ({alarms / hours:.1f} an hour), 95th percentile {read:.2f}"
        f" (raw {np.log(p95 / (1.0 - p95)):.1f}){''.join(f', {j.item.name} {j.alarms[k]}' for j in loud[:6])}"
    )
