"""A model over the cases of a corpus: in parallel, from the cache where it has them, whatever single files do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from brainscan.card import Card
from brainscan.corpora.references import read_reference
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import BrainscanError, Failure, InputError
from brainscan.evaluate.cache import Cache
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.hypothesis import Hypotheses, Hypothesis, Progress, unheard
from brainscan.evaluate.sweep import sweep
from brainscan.events import complement
from brainscan.examine import provenance
from brainscan.io import read
from brainscan.model.run_config import RunConfig

# A further process loads torch and the model first; below so many bytes of recordings (about two hours of 19
# channels at 256 Hz) a core it costs more than it gives.
_BYTES_A_WORKER = 64 << 20


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Which model runs how.

    Parameters
    ----------
    model : str
        A name, a file or a folder, as `Detector.from_pretrained` takes it.
    options : DetectOptions
    cache : Path
        Folder of the cache.
    run : RunConfig
        Its threads are those of all processes together; 0: as many as there are.
    """

    model: str
    options: DetectOptions
    cache: Path
    run: RunConfig = field(default_factory=RunConfig)

    def card(self) -> Card:
        """Return the model's card, without loading the network.

        Raises
        ------
        ModelError
            If there is no such model.
        """
        from brainscan.model.onnx_folder import card_of

        return card_of(self.model)


def run_model(cases: Sequence[Case], config: ModelConfig, progress: Progress = unheard) -> Hypotheses:
    """Detect in every case that the cache does not hold yet.

    Each hypothesis is kept as soon as it is there, so a killed run goes on where it was.

    Parameters
    ----------
    cases : sequence of Case
    config : ModelConfig
    progress : callable, optional
        See `hypothesis.Progress`.

    Returns
    -------
    Hypotheses
        A recording that cannot be used, or whose annotation cannot, is a failure and stops nothing.

    Raises
    ------
    ModelError, UsageError, OutputError
        If the model, its device or the cache cannot be used.
    """
    card = config.card()
    cache = Cache.open(config.cache, _settings(card, config))
    held = {} if cache.empty else _held(cases, cache)
    for number, name in enumerate(held, 1):
        progress(name, number, len(cases))
    n_cached, failures = len(held), {}
    waiting = [case for case in cases if case.name not in held]
    for number, (case, failure) in enumerate(_computed(waiting, config, cache), n_cached + 1):
        progress(case.name, number, len(cases))
        if failure is not None:
            failures[case.name] = failure
            continue
        hypothesis = cache.load(case.path)
        if hypothesis is None:
            changed = InputError("changed, or its entry in the cache did, while it was evaluated", kind="io")
            failures[case.name] = Failure(case.name, changed)
        else:
            held[case.name] = hypothesis
    ordered = {case.name: held[case.name] for case in cases if case.name in held}
    return Hypotheses(ordered, tuple(failures[case.name] for case in cases if case.name in failures), n_cached)


def compute(case: Case, detector: Detector, options: DetectOptions) -> Hypothesis:
    """Detect in one case.

    Raises
    ------
    BrainscanError
        If the recording or its annotation cannot be used; the latter is looked at first, being cheap.
    """
    recording = read(case.path)
    read_reference(case.reference, case.path.name, recording.duration_s, recording.start)
    unhashed = replace(recording, sha256=None)  # the cache knows the checksum
    detection = detector.detect(unhashed, replace(options, keep_probabilities=True, place=False))
    return Hypothesis(
        duration_s=detection.duration_s,
        start=detection.start,
        analysed=complement(detection.unscored, 0.0, detection.duration_s),
        sweep=sweep(detection.probabilities, detector.decision),
        events=detection.events,
        curves=detection.probabilities,
        warnings=detection.warnings,
    )


def _settings(card: Card, config: ModelConfig) -> dict[str, Any]:
    facts = provenance(card, card.decision, config.options)
    settings = {name: value for name, value in facts.items() if name not in {"brainscan", "model", "localisation"}}
    # Backends agree; who asks for one by name wants to see what that one does.
    named = {"backend": (config.run.backend, "auto"), "precision": (config.run.precision, "float32")}
    return {**settings, **{name: chosen for name, (chosen, usual) in named.items() if chosen != usual}}


def _held(cases: Sequence[Case], cache: Cache) -> dict[str, Hypothesis]:
    loaded = ((case.name, cache.load(case.path)) for case in cases)
    return {name: hypothesis for name, hypothesis in loaded if hypothesis is not None}


def _computed(cases: Sequence[Case], config: ModelConfig, cache: Cache) -> Iterator[tuple[Case, Failure | None]]:
    """Yield each case once its hypothesis is in the cache, or its failure, in whatever order they end."""
    if not cases:
        return
    threads = config.run.threads or os.cpu_count() or 1
    n_bytes = sum(map(_n_bytes, cases))
    n_workers = min(threads, len(cases), 1 + n_bytes // _BYTES_A_WORKER)
    if n_workers == 1 or config.run.device == "cuda":
        worker = _Worker.load(config, cache, config.run.threads)
        for case in cases:
            yield case, worker.keep(case)
        return
    if config.run.backend == "onnx":
        from brainscan.model.runner import prepare

        prepare(config.model, config.run.backend)
    pool = ProcessPoolExecutor(
        max_workers=n_workers,
        mp_context=get_context("spawn"),  # torch's threads do not survive a fork
        initializer=_start,
        initargs=(config, cache, max(1, threads // n_workers)),
    )
    try:
        # The long ones first, so that none is left alone at the end.
        ordered = sorted(cases, key=_n_bytes, reverse=True)
        futures: dict[Future[Failure | None], Case] = {pool.submit(_keep, case): case for case in ordered}
        for future in as_completed(futures):
            yield futures[future], _result(future, futures[future])
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _n_bytes(case: Case) -> int:
    try:
        return case.path.stat().st_size
    except OSError:
        return 0


def _result(future: Future[Failure | None], case: Case) -> Failure | None:
    try:
        return future.result()
    except BrokenProcessPool:
        gone = InputError(
            "a process was ended while it was evaluated (out of memory?)",
            kind="io",
            hint="what is done is kept: run again, with --threads 1",
        )
        return Failure(case.name, gone)


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    detector: Detector
    options: DetectOptions
    cache: Cache

    @classmethod
    def load(cls, config: ModelConfig, cache: Cache, threads: int) -> _Worker:
        detector = Detector.from_pretrained(config.model, run=replace(config.run, threads=threads))
        return cls(detector, config.options, cache)

    def keep(self, case: Case) -> Failure | None:
        """Detect in one case and keep the hypothesis; return what went wrong."""
        try:
            hypothesis = compute(case, self.detector, self.options)
        except BrainscanError as error:
            return Failure(case.name, error)
        self.cache.store(case.path, hypothesis)
        return None


_worker: _Worker | BrainscanError | None = None


def _start(config: ModelConfig, cache: Cache, threads: int) -> None:
    """Make a process ready; an interrupt is the parent's to handle."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _worker
    try:
        _worker = _Worker.load(config, cache, threads)
    except BrainscanError as error:
        _worker = error  # told where it reaches the parent: an exception here would only break the pool


def _keep(case: Case) -> Failure | None:
    assert _worker is not None
    if isinstance(_worker, BrainscanError):
        raise _worker
    return _worker.keep(case)
