"""A whole run: corpora, cache, training on one or several processes, export."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.documents import spelled
from brainscan.errors import BrainscanError
from brainscan.io.atomic import make_folder, write_text
from brainscan.mapping import finite
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner, pick_device
from brainscan_training.asked import CONFIG, keep_settings
from brainscan_training.compare import PatientRow, as_mappings, by_patient
from brainscan_training.config import TrainConfig
from brainscan_training.corpora.layout import gather
from brainscan_training.init import resolved
from brainscan_training.journal import Journal, Watcher
from brainscan_training.outlook import require_device
from brainscan_training.prepare import Prepared, cache_folder, prepare
from brainscan_training.profiles import write_config

if TYPE_CHECKING:
    from lightning.fabric import Fabric

    from brainscan.card import Card
    from brainscan_training.cache import Cached
    from brainscan_training.corpora.item import Corpus
    from brainscan_training.loop import Loop, Recordings
    from brainscan_training.state import Progress

MODEL = "model.safetensors"
REPORT = "report.json"
UNUSABLE = "unusable.json"
_BEFORE = "before.json"


@dataclass(frozen=True, slots=True)
class Job:
    """What each process of a run is told; plain values, since it may be another process.

    Parameters
    ----------
    config : mapping
    prepared : Prepared
    run : Path
        The run's folder.
    make_watcher : callable
        Makes whoever looks on.
    """

    config: dict[str, Any]
    prepared: Prepared
    run: Path
    make_watcher: Callable[[], Watcher]


def train(config: TrainConfig, run: Path, make_watcher: Callable[[], Watcher], settings: Sequence[str] = ()) -> Path:
    """Train, or go on where the run's states are, and export.

    Parameters
    ----------
    config : TrainConfig
    run : Path
        The run's folder.
    make_watcher : callable
        Makes whoever looks on; each process makes its own.
    settings : sequence of str
        ``KEY=VALUE`` that made this configuration out of a profile or of the run's; written down beside it.

    Returns
    -------
    Path
        The exported checkpoint.

    Raises
    ------
    BrainscanError
        For data, checkpoints, devices and outputs that cannot be used, and for a run that diverged.
    """
    require_device(config)  # before a corpus is read
    corpora = gather(config.data, config.seed)
    config, _ = resolved(config)
    fabric = make_fabric(config)
    make_folder(run)
    if config.distil.teachers:  # whether they can teach is known before hours are spent on recordings
        from brainscan_training.teachers import Teachers, keep_teachers

        Teachers.load(config.distil.teachers, config.card(), fabric.device)
        keep_teachers(config.distil.teachers, run)
    write_config(run / CONFIG, config)
    keep_settings(run, settings)
    watcher = make_watcher()
    prepared = _prepared(config, corpora, run, watcher)
    watcher.close()
    job = Job(config.to_mapping(), prepared, run, make_watcher)
    error = fabric.launch(partial(work, job=job))
    if error is not None:
        raise error
    return run / MODEL


def fill_cache(config: TrainConfig, run: Path, make_watcher: Callable[[], Watcher]) -> Prepared:
    """Preprocess the recordings of a run, and stop: on a machine without its device, or before it is paid for.

    Interrupted and started again, it goes on where it was. What a run needs beside its recordings is not made: the
    same call of `train` begins it.

    Parameters
    ----------
    config, run, make_watcher
        As in `train`.

    Raises
    ------
    BrainscanError
        For data, checkpoints and outputs that cannot be used.
    """
    corpora = gather(config.data, config.seed)
    config, _ = resolved(config)
    make_folder(run)
    watcher = make_watcher()
    try:
        return _prepared(config, corpora, run, watcher)
    finally:
        watcher.close()


def _prepared(config: TrainConfig, corpora: tuple[Corpus, ...], run: Path, watcher: Watcher) -> Prepared:
    """Bring the recordings into the cache; what cannot be used is said, and listed in the run's folder."""
    for text in (text for corpus in corpora for text in corpus.warnings):
        watcher.message(f"warning: {text}")
    prepared = prepare(config, corpora, cache_folder(config, run), watcher)
    write_text(run / UNUSABLE, json.dumps([[one.name, one.reason] for one in prepared.unusable], indent=1))
    if prepared.unusable:
        first = prepared.unusable[0]
        watcher.message(
            f"{len(prepared.unusable)} recordings cannot be used (listed in {UNUSABLE});"
            f" the first: {first.name}: {first.reason}"
        )
    return prepared


def make_fabric(config: TrainConfig) -> Fabric:
    """Return the runtime: device, precision and processes.

    Raises
    ------
    UsageError
        If the device cannot be used.
    """
    from lightning.fabric import Fabric

    for part in ("lightning", "lightning.fabric", "lightning.pytorch"):
        logging.getLogger(part).setLevel(logging.WARNING)  # announcements would stand between our lines
    return Fabric(
        accelerator=require_device(config),
        devices=config.processes,
        strategy="auto" if config.processes == 1 else "ddp_spawn",
        precision="bf16-mixed" if config.mixed_precision else "32-true",
    )


def work(fabric: Fabric, job: Job) -> BrainscanError | None:
    """Do one process' part of a run; an error that a user can cause is returned, since it has to leave a process."""
    try:
        _work(fabric, job)
    except BrainscanError as error:
        return error
    return None


def _work(fabric: Fabric, job: Job) -> None:
    import torch

    from brainscan_training.loop import Loop
    from brainscan_training.step import Stepper, frozen_parts

    config, init = resolved(TrainConfig.from_mapping(job.config))
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(config.seed)
    recordings = _recordings(config, job, init.card if init else None)
    first = fabric.global_rank == 0
    if init and first and _before(job.run) is None:
        rows = _rows(init, recordings.validation, config)
        write_text(job.run / _BEFORE, json.dumps(finite(as_mappings(rows))))
    network = init.network if init else checkpoint.build(config.network_config().to_mapping(), config.card().name)
    frozen = frozen_parts(network, config.fine_tune.freeze) if init else ()
    loop = Loop(fabric, Stepper(fabric, network, config, frozen), recordings, config, job.run)
    begun_at = loop.progress
    journal = Journal(job.run, begun_at, job.make_watcher()) if first else None
    try:
        loop.go(journal)
        try:
            if journal is not None:
                _export(loop, begun_at, job.run / MODEL, journal)
                if init:
                    _report(job.run, _rows(checkpoint.load(str(job.run / MODEL)), recordings.validation, config))
        finally:
            fabric.barrier()  # the others leave with the first: torn down while it works, they abort
    finally:
        if journal is not None:
            journal.close()


def _export(loop: Loop, begun_at: Progress, model: Path, journal: Journal) -> None:
    from brainscan_training.export import export_sound

    # Where nothing was left to do, an earlier export is this run's own.
    earlier = (model,) if loop.progress == begun_at and model.is_file() else ()
    chosen, other = loop.candidates()
    export_sound((chosen, *earlier, other), model, journal.message)


def _recordings(config: TrainConfig, job: Job, init: Card | None) -> Recordings:
    from brainscan_training.batches import Stored
    from brainscan_training.export import base_card
    from brainscan_training.loop import Recordings, validation_budget
    from brainscan_training.validate import choose

    folder = cache_folder(config, job.run)
    stored = Stored(job.prepared.train, folder, config.filter)
    cached = stored.load()
    budget = int(validation_budget(config) * (1.0 - (config.mining.budget if config.mining.share else 0.0)))
    held_out = Stored(job.prepared.validation, folder, config.filter).load()
    validation = choose(held_out, budget, config.window, config.seed)
    return Recordings(
        train=stored,
        validation=validation,
        mined=cached,
        base=base_card(config, cached, init, validation),
    )


def _rows(model: checkpoint.Checkpoint, recordings: list[Cached], config: TrainConfig) -> tuple[PatientRow, ...]:
    """Return what a checkpoint finds in the held-out patients, at its own thresholds."""
    from brainscan_training.validate import scored_recordings

    runner = WindowRunner(model.network, model.card, RunConfig(device=pick_device(config.device).type))
    return by_patient(scored_recordings(runner, recordings))


def _before(run: Path) -> list[Any] | None:
    """Return what was found before the first step; None if that is not known, or no longer."""
    try:
        rows = json.loads((run / _BEFORE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return rows if isinstance(rows, list) and rows else None


def _report(run: Path, after: tuple[PatientRow, ...]) -> None:
    rows = {"before": _before(run), "after": as_mappings(after)}
    write_text(run / REPORT, spelled({"schema": "fine-tuning-1", **rows}, indent=1))
