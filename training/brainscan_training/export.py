"""From a trained network to a checkpoint: its card filled in with what it was trained on and what it reached."""

from __future__ import annotations

import itertools
import math
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import brainscan
from brainscan.card import Card
from brainscan.cohort import OPEN_AGE, Cohort
from brainscan.errors import ModelError
from brainscan.io.atomic import write_bytes
from brainscan.mapping import finite
from brainscan.model import checkpoint
from brainscan.provenance import Provenance
from brainscan.scoring.operating_points import off_threshold
from brainscan_training.cache import Cached
from brainscan_training.config import DataConfig, TrainConfig
from brainscan_training.placing import placed
from brainscan_training.validate import Validation

_HELD_OUT = "held out of training; the best epoch was chosen on them"
_LOWEST_OFF = 1e-3
_HIGHEST_ON = 1.0 - 1e-3


def base_card(
    config: TrainConfig, recordings: Sequence[Cached], init: Card | None = None, held_out: Sequence[Cached] = ()
) -> Card:
    """Return the card of a run before its first step: what is trained, on whom, from which code.

    A run that begins from a checkpoint keeps its thresholds, intended use, training data and whom it was trained on;
    its operating points, its confidences and whom it was tested on belong to other weights and go. Whoever its teachers
    were trained on taught it, too.

    Parameters
    ----------
    config : TrainConfig
    recordings, held_out : sequence of Cached
        Of the training split, and what each epoch is validated on.
    init : Card, optional
        Of the checkpoint that training begins from.
    """
    card, own = config.card(), tuple(_sources(recordings, config))
    before = init.provenance if init else Provenance()
    teachers = [checkpoint.read_card(checkpoint.locate(model)) for model in config.distil.teachers]
    told = [f"begun from the checkpoint {init.sha256[:12]}"] if init else []
    told += [f"taught by the checkpoint {teacher.sha256[:12]}" for teacher in teachers]
    provenance = replace(
        before,
        training_data=(*_once(before, *(teacher.provenance for teacher in teachers)), *own),
        commit=commit(),
        seed=config.seed,
        selection="; ".join(told),
        tests={},
        trained=(
            *dict.fromkeys(itertools.chain(before.trained, *(t.provenance.trained for t in teachers))),
            *_cohorts(recordings, config.data, config.data.setting),
        ),
        tested=tuple(_cohorts(held_out, config.data, "; ".join(filter(None, (config.data.setting, _HELD_OUT))))),
    )
    if init:
        card = replace(card, logit_shift=init.logit_shift, logit_scale=init.logit_scale)
    return replace(card, provenance=provenance)


def _once(*earlier: Provenance) -> list[Mapping[str, str]]:
    """Return what earlier networks were trained on, what several share once."""
    found: list[Mapping[str, str]] = []
    for data in itertools.chain.from_iterable(provenance.training_data for provenance in earlier):
        if data not in found:
            found.append(data)
    return found


def filled_card(base: Card, config: TrainConfig, validation: Validation | None, epoch: int) -> Card:
    """Return the card of the averaged weights after an epoch.

    With ``validation.place``, and where validation reaches its false-alarm rate, logit shift and scale put the
    threshold that does at the decision's own thresholds.
    """
    keep = config.validation.keep
    text = f"{keep} of {config.epochs} epochs (epoch {epoch + 1})"
    if validation is None:
        base = replace(base, provenance=replace(base.provenance, tested=()))
        return _described(base, f"{text}, not validated; thresholds are not fitted", {})
    point = validation.point
    tests = {f"validation_{key}": value for key, value in finite(validation.as_mapping()).items()}
    if not (config.validation.place and point.reachable and validation.curve.seizures):
        return _described(base, f"{text}; thresholds are not fitted", tests)
    text = f"{text}, by sensitivity at {config.validation.fa_per_24h:g} FA/24h on held-out recordings, where the"
    on = min(point.threshold, _HIGHEST_ON)
    off = max(off_threshold(on), _LOWEST_OFF)
    raw_on, raw_off = (_logit(p) / base.logit_scale + base.logit_shift for p in (on, off))
    return _described(placed(base, raw_on, raw_off), f"{text} thresholds were fitted too", tests)


def _described(card: Card, selection: str, tests: dict[str, object]) -> Card:
    before = card.provenance.selection
    text = f"{before}; {selection}" if before else selection
    return replace(card, provenance=replace(card.provenance, selection=text, tests=tests))


def _sources(recordings: Iterable[Cached], config: TrainConfig) -> Iterable[dict[str, str]]:
    groups: dict[tuple[str, str], list[Cached]] = {}
    for recording in recordings:
        groups.setdefault((recording.item.source, recording.item.licence), []).append(recording)
    for (source, licence), group in sorted(groups.items()):
        yield {
            "name": source,
            "licence": licence,
            "recordings": str(len(group)),
            "subjects": str(len({r.item.subject for r in group})),
            "hours": f"{sum(r.n_seconds for r in group) / 3600.0:.2f}",
            "seizures": str(sum(len(r.item.seizures) for r in group)),
        }
    if config.compose.simulated > 0.0:
        share = f"{config.compose.simulated:.0%} of the seizures, drawn for each window"
        yield {"name": "brainscan simulation", "licence": "Apache-2.0", "seizures": share}


def _cohorts(recordings: Iterable[Cached], data: DataConfig, setting: str) -> Iterable[Cohort]:
    """Return the people of a run by source, those with seizures apart; what is simulated is nobody."""
    groups: dict[str, dict[str, list[Cached]]] = {}
    for recording in recordings:
        if recording.item.simulation is None:
            groups.setdefault(recording.item.source, {}).setdefault(recording.item.subject, []).append(recording)
    for source, subjects in sorted(groups.items()):
        people = data.population or f"patients of {source}"
        for with_seizures in (True, False):
            chosen = [own for own in subjects.values() if any(r.item.seizures for r in own) == with_seizures]
            everything = [recording for own in chosen for recording in own]
            ages = [min(r.age_years, OPEN_AGE) for r in everything if r.age_years is not None]
            if everything:
                yield Cohort(
                    population=f"{people}, {'with' if with_seizures else 'without'} seizures",
                    setting=setting,
                    ages_years=data.ages or ((min(ages), max(ages)) if ages else None),
                    subjects=len(chosen),
                    hours=round(sum(r.n_seconds for r in everything) / 3600.0, 2),
                    seizures=sum(len(r.item.seizures) for r in everything),
                )


def export_sound(candidates: Sequence[Path], target: Path, warn: Callable[[str], None]) -> None:
    """Export the first checkpoint that can be loaded.

    Parameters
    ----------
    candidates : sequence of Path
        By preference.
    target : Path
        May be one of them, and then stays as it is.
    warn : callable
        Called with a line if the first is not the one.

    Raises
    ------
    ModelError
        If none of them can be used.
    """
    problems: list[str] = []
    for path in candidates:
        try:
            checkpoint.load(str(path))
            data = path.read_bytes()
        except (ModelError, OSError) as problem:
            problems.append(f"{path.name} {_reason(path, problem)}")
            continue
        if problems:
            then = "stays as it was" if path == target else "is exported instead"
            warn(f"warning: {'; '.join(problems)}; {path.name} {then}")
        if path != target:
            write_bytes(target, data)
        return
    raise ModelError(
        f"holds nothing that can be exported: {'; '.join(problems)}",
        file=str(candidates[0].parent),
        hint="remove the latest step-* file there and resume, which validates and saves again; or train anew with -o",
    )


def _reason(path: Path, problem: ModelError | OSError) -> str:
    if not path.exists():
        return "is missing"
    return f"cannot be used ({problem.message if isinstance(problem, ModelError) else type(problem).__name__})"


def commit() -> str:
    """Return the commit of the checkout that this code runs from, else the version."""
    version = f"brainscan {brainscan.__version__}"
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return version  # installed; a repository further up would be somebody else's
    try:
        command = ["git", "-C", str(root), "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return version
    return done.stdout.strip()


def _logit(probability: float) -> float:
    return math.log(probability) - math.log1p(-probability)
