"""What a run would be, before it is one: ``--dry-run``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brainscan.errors import BrainscanError
from brainscan.io.plan import open_plan
from brainscan.mapping import to_mapping
from brainscan_models.inventory import parameters
from brainscan_training.cache import MAX_MISSING
from brainscan_training.config import TrainConfig
from brainscan_training.corpora.item import Corpus, Item, Unusable
from brainscan_training.optim import rate_at
from brainscan_training.outlook import device_of, duration

_CURVE_POINTS = 11


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """Recordings of one source in one split.

    Parameters
    ----------
    source, split : str
    patients, recordings : int
    hours : float
    seizures : int
    ictal_minutes : float
    """

    source: str
    split: str
    patients: int
    recordings: int
    hours: float
    seizures: int
    ictal_minutes: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What corpora hold, by source and split, what of them cannot be used, and what was guessed."""

    rows: tuple[CorpusRow, ...]
    unusable: tuple[Unusable, ...]
    warnings: tuple[str, ...] = ()


def survey(corpora: Sequence[Corpus], progress: Callable[[int, int], None]) -> Survey:
    """Open every recording and find its electrodes; nothing is preprocessed.

    Parameters
    ----------
    corpora : sequence of Corpus
    progress : callable
        Called with the recordings done and all of them.
    """
    unusable = [one for corpus in corpora for one in corpus.unusable]
    groups: dict[tuple[str, str], list[tuple[Item, float]]] = {}
    items = [item for corpus in corpora for item in corpus.items]
    for number, item in enumerate(items, start=1):
        try:
            recording = item.open()
            open_plan(recording, max_missing=MAX_MISSING)
        except BrainscanError as problem:
            unusable.append(Unusable(item.name, str(problem)))
        else:
            groups.setdefault((item.source, item.split), []).append((item, recording.duration_s))
        progress(number, len(items))
    return Survey(
        tuple(_row(*key, group) for key, group in sorted(groups.items())),
        tuple(unusable),
        tuple(text for corpus in corpora for text in corpus.warnings),
    )


def _row(source: str, split: str, group: Sequence[tuple[Item, float]]) -> CorpusRow:
    seizures = [seizure for item, _ in group for seizure in item.seizures]
    return CorpusRow(
        source=source,
        split=split,
        patients=len({item.subject for item, _ in group}),
        recordings=len(group),
        hours=sum(duration_s for _, duration_s in group) / 3600.0,
        seizures=len(seizures),
        ictal_minutes=sum(s.offset_s - s.onset_s for s in seizures) / 60.0,
    )


def learning_rates(config: TrainConfig) -> list[tuple[int, float]]:
    """Return the learning rate at some steps of a run, the peak's among them."""
    last = config.total_steps - 1
    peak = max(1, round(config.warm_up * config.total_steps))
    steps = sorted({min(peak, last), *(round(k * last / (_CURVE_POINTS - 1)) for k in range(_CURVE_POINTS))})
    factors = (rate_at(step, config.total_steps, config.warm_up, config.final_rate) for step in steps)
    return [(step, config.learning_rate * factor) for step, factor in zip(steps, factors, strict=True)]


def describe(
    config: TrainConfig, corpus: Survey | None = None, log: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return a run as plain values: what follows from it first, the whole configuration last.

    The memory of a GPU run is that of the scan in plain PyTorch, the form that keeps most.

    Parameters
    ----------
    config : TrainConfig
    corpus : Survey, optional
        What its corpora hold.
    log : sequence of mapping
        What a run that has begun wrote down.
    """
    from brainscan_training.batches import workers_for
    from brainscan_training.memory import estimate

    device = device_of(config)
    memory = estimate(config, "auto" if device.name == "cpu" else "chunked")
    table = parameters(config.network_config())
    took = duration(config, device, log)
    return {
        "schema": "plan-1",
        "device": to_mapping(device),
        "duration": {**to_mapping(took), "text": took.text},
        "parameters": sum(table.values()),
        "parameters_by_part": table,
        "steps": config.total_steps,
        "memory_bytes": memory.total,
        "memory": {
            "state_bytes": memory.state,
            "bytes_per_window": memory.kept,
            "windows_at_a_time": memory.windows,
            "by_windows_at_a_time": {str(n): memory.with_windows(n).total for n in (1, 2, 4, 8, 16)},
        },
        "workers": workers_for(config.num_workers, device.name),
        **(to_mapping(corpus) if corpus else {}),
        "learning_rate": [list(pair) for pair in learning_rates(config)],
        "config": config.to_mapping(),
    }
