"""A model over the cases of a corpus: in parallel, from the cache where it has them, whatever single files do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from brainscan.analysis.job import Job
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.analysis.task import Task
from brainscan.card import Card, DecisionConfig
from brainscan.corpora.references import read_reference
from brainscan.detection import Detection
from brainscan.errors import Failure, InputError
from brainscan.evaluate.cache import Cache
from brainscan.evaluate.corpus import Case
from brainscan.evaluate.hypothesis import Hypotheses, Hypothesis, Progress, unheard
from brainscan.evaluate.sweep import sweep
from brainscan.events import complement
from brainscan.examine import DetectOptions, provenance
from brainscan.recording import Recording

# A further process loads torch and the model first; below so many bytes of recordings (about two hours of 19
# channels at 256 Hz) a core it costs more than it gives.
_BYTES_A_WORKER = 64 << 20


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Which model runs how.

    Parameters
    ----------
    options : AnalysisOptions
        Whole recordings, by the card's own decision. The threads of its `run` are those of all processes together;
        0: as many as there are.
    cache : Path
        Folder of the cache.
    """

    options: AnalysisOptions
    cache: Path

    def card(self) -> Card:
        """Return the model's card, without loading the network.

        Raises
        ------
        ModelError
            If there is no such model.
        """
        from brainscan.model.onnx_folder import card_of

        return card_of(self.options.model)


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


def task_of(case: Case) -> Task:
    """Return what there is to analyse about a case: it writes nothing, and an annotation that is no use ends it.

    The cache knows the checksum of the recording.
    """

    def annotated(recording: Recording) -> None:
        read_reference(case.reference, case.path.name, recording.duration_s, recording.start)

    return Task(case.path, (), case.path.name, require=annotated, keep_curves=True, checksum=False)


def hypothesis_of(detection: Detection, decision: DecisionConfig) -> Hypothesis:
    """Return a detection, with its curves, as the hypothesis that is scored."""
    return Hypothesis(
        duration_s=detection.duration_s,
        start=detection.start,
        analysed=complement(detection.unscored, 0.0, detection.duration_s),
        sweep=sweep(detection.probabilities, decision),
        events=detection.events,
        curves=detection.probabilities,
        warnings=detection.warnings,
    )


def _settings(card: Card, config: ModelConfig) -> dict[str, Any]:
    chosen = config.options
    facts = provenance(
        card, card.decision, DetectOptions(channel_map=chosen.channel_map, max_missing=chosen.max_missing)
    )
    settings = {name: value for name, value in facts.items() if name not in {"brainscan", "model", "localisation"}}
    # Backends agree; who asks for one by name wants to see what that one does.
    named = {"backend": (chosen.run.backend, "auto"), "precision": (chosen.run.precision, "float32")}
    return {**settings, **{name: chosen for name, (chosen, usual) in named.items() if chosen != usual}}


def _held(cases: Sequence[Case], cache: Cache) -> dict[str, Hypothesis]:
    loaded = ((case.name, cache.load(case.path)) for case in cases)
    return {name: hypothesis for name, hypothesis in loaded if hypothesis is not None}


def _computed(cases: Sequence[Case], config: ModelConfig, cache: Cache) -> Iterator[tuple[Case, Failure | None]]:
    """Yield each case once its hypothesis is in the cache, or its failure, in whatever order they end."""
    if not cases:
        return
    run = config.options.run
    threads = run.threads or os.cpu_count() or 1
    n_bytes = sum(map(_n_bytes, cases))
    n_workers = min(threads, len(cases), 1 + n_bytes // _BYTES_A_WORKER)
    if n_workers == 1 or run.device == "cuda":
        worker = _Worker.of(config, cache, run.threads)
        for case in cases:
            yield case, worker.keep(case)
        return
    if run.backend == "onnx":
        from brainscan.model.runner import prepare

        prepare(config.options.model, run.backend)
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
    job: Job
    cache: Cache

    @classmethod
    def of(cls, config: ModelConfig, cache: Cache, threads: int) -> _Worker:
        options = replace(config.options, run=replace(config.options.run, threads=threads))
        return cls(Job(options, LazyDetector.open(options)), cache)

    def keep(self, case: Case) -> Failure | None:
        """Detect in one case and keep the hypothesis; return what went wrong."""
        outcome = self.job.run(task_of(case))
        if outcome.error is not None:
            return Failure(case.name, outcome.error)
        assert outcome.detection is not None
        self.cache.store(case.path, hypothesis_of(outcome.detection, self.job.model.decision))
        return None


_given: tuple[ModelConfig, Cache, int] | None = None
_worker: _Worker | None = None


def _start(*given: Any) -> None:
    """Make a process ready; an interrupt is the parent's to handle."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _given
    _given = given


def _keep(case: Case) -> Failure | None:
    global _worker
    if _worker is None:  # here, as an exception where a process starts would only break the pool
        assert _given is not None
        _worker = _Worker.of(*_given)
    return _worker.keep(case)
