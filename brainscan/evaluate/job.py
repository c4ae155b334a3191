"""One evaluation from folders to figures: what ``brainscan evaluate`` and ``brainscan calibrate`` do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brainscan.card import Card
from brainscan.errors import UsageError
from brainscan.evaluate.by_model import ModelConfig, run_model
from brainscan.evaluate.by_others import run_hypotheses
from brainscan.evaluate.compare import compare
from brainscan.evaluate.corpus import Corpus, CorpusConfig, read_corpus
from brainscan.evaluate.counts import Scorer, judge
from brainscan.evaluate.evaluation import DetectorFacts, Evaluation, EvaluationConfig, evaluate, quality_rows
from brainscan.evaluate.files import is_run, read_run
from brainscan.evaluate.hypothesis import Hypotheses, Progress, unheard
from brainscan.evaluate.points import fitted_points, require_same
from brainscan.io.links import real_path
from brainscan.mapping import to_mapping
from brainscan.model.checkpoint import FOLDER_WEIGHTS


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """What to evaluate, and how.

    Parameters
    ----------
    corpus : CorpusConfig
    model : ModelConfig
    hypotheses : Path or None
        Folder of another detector's hypothesis, instead of the model.
    scorer : {"ovlp", "szcore", "taes"}
    targets : tuple of float
        False alarms per 24 h.
    fit_on : Path or None
        Another corpus, or the results of an earlier evaluation, whose thresholds are applied frozen.
    compare : str
        Another model, or a folder of hypotheses; empty for none.
    pieces_s : float or None
        Also give the quality rows over pieces of this length.
    """

    corpus: CorpusConfig
    model: ModelConfig
    hypotheses: Path | None = None
    scorer: Scorer = "ovlp"
    targets: tuple[float, ...] = (1.0, 5.0, 10.0)
    fit_on: Path | None = None
    compare: str = ""
    pieces_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What an evaluation gives.

    Parameters
    ----------
    corpus : Corpus
    evaluation : Evaluation
    metrics : dict
        All figures as plain values.
    n_cached : int
        Recordings that came from the cache.
    warnings : tuple of str
        About the corpus and the hypotheses as a whole; also among those of the metrics.
    """

    corpus: Corpus
    evaluation: Evaluation
    metrics: dict[str, Any]
    n_cached: int
    warnings: tuple[str, ...] = ()


def run(job: EvaluationJob, progress: Progress = unheard) -> Results:
    """Do one job.

    Raises
    ------
    InputError
        If the corpus is not whole (see `corpus.read_corpus`), or nothing of it could be evaluated.
    UsageError
        If what was asked for does not go together.
    ModelError, OutputError
        If the model or the cache cannot be used.
    """
    corpus = read_corpus(job.corpus)
    config = EvaluationConfig(_name_of(job.corpus.folder), job.scorer, job.targets)
    if job.fit_on is not None:
        config = replace(config, fitted=_fitted(job, progress))
    evaluation, hypotheses = _evaluation(job, corpus, config, progress)
    metrics = evaluation.as_mapping()
    metrics["excluded"] = corpus.n_excluded
    warnings = [*corpus.warnings, *hypotheses.warnings]
    if job.pieces_s is not None:
        metrics["pieces"] = quality_rows(evaluation.recordings, job.pieces_s, evaluation.detector.on)
    if job.compare:
        other = _other(job, job.compare)
        second, second_outputs = _evaluation(other, corpus, config, progress)
        metrics["comparison"] = compare(evaluation, second, job.targets)
        warnings += [f"{second.detector.name}: {text}" for text in second_outputs.warnings]
    metrics["warnings"] = [*warnings, *metrics["warnings"]]
    return Results(corpus, evaluation, metrics, hypotheses.n_cached, tuple(warnings))


def facts_of(card: Card, model: ModelConfig) -> DetectorFacts:
    """Return what is said about a model."""
    return DetectorFacts(
        name=card.name,
        sha256=card.sha256,
        on=card.decision.enter,
        off=card.decision.leave,
        knots=card.confidence_map,
        settings={
            "decision": to_mapping(card.decision),
            "max_missing": model.options.max_missing,
            "channel_map": dict(model.options.channel_map or {}),
        },
    )


def _evaluation(
    job: EvaluationJob, corpus: Corpus, config: EvaluationConfig, progress: Progress
) -> tuple[Evaluation, Hypotheses]:
    if job.hypotheses is not None:
        facts = DetectorFacts(_name_of(job.hypotheses))
        hypotheses = run_hypotheses(corpus.cases, corpus.recordings, job.hypotheses, progress)
    else:
        facts = facts_of(job.model.card(), job.model)
        hypotheses = run_model(corpus.cases, job.model, progress)
    recordings, failures = judge(corpus.cases, hypotheses)
    return evaluate(recordings, failures, facts, config), hypotheses


def _fitted(job: EvaluationJob, progress: Progress) -> tuple[Any, ...]:
    """Return the points whose thresholds are applied frozen."""
    assert job.fit_on is not None
    if not job.fit_on.is_dir():
        raise UsageError(f"{job.fit_on} is no folder", hint="--fit-on takes a corpus, or the -o of an evaluation")
    if is_run(job.fit_on):
        metrics = read_run(job.fit_on)
        sha256 = "" if job.hypotheses is not None else job.model.card().sha256
        require_same(metrics, job.scorer, sha256)
    else:
        if job.hypotheses is not None:
            raise UsageError(
                "--fit-on with --hypotheses takes the results of an earlier evaluation",
                hint="evaluate the hypotheses of that part first, with -o DIR, and give DIR",
            )
        folder = replace(job.corpus, folder=job.fit_on, annotations=None, groups=(), sources=())
        config = EvaluationConfig(_name_of(job.fit_on), job.scorer, job.targets)
        metrics = _evaluation(job, read_corpus(folder), config, progress)[0].as_mapping()
    return fitted_points(metrics, job.targets)


def _other(job: EvaluationJob, what: str) -> EvaluationJob:
    """Return the job for the second detector: a folder without weights holds hypotheses."""
    path = Path(what)
    if path.is_dir() and not (path / FOLDER_WEIGHTS).is_file():
        return replace(job, hypotheses=path)
    return replace(job, hypotheses=None, model=replace(job.model, options=replace(job.model.options, model=what)))


def _name_of(folder: Path) -> str:
    return real_path(folder).name
