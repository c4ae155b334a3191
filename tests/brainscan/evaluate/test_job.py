"""One evaluation from folders to figures, without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from brainscan.analysis.options import AnalysisOptions
from brainscan.errors import UsageError
from brainscan.evaluate.by_model import ModelConfig
from brainscan.evaluate.corpus import CorpusConfig
from brainscan.evaluate.files import METRICS, write_results
from brainscan.evaluate.job import EvaluationJob, run
from tests.brainscan.evaluate.conftest import write_edf, write_truth


@pytest.fixture
def job(tmp_path: Path) -> EvaluationJob:
    """Return a job on two patients and another detector's events: one seizure found, one alarm."""
    for name, truth, found in (("p1/a", [(20.0, 35.0)], [(22.0, 30.0)]), ("p2/b", [], [(5.0, 15.0)])):
        write_edf(tmp_path / "corpus" / f"{name}.edf")
        write_truth(tmp_path / "corpus" / f"{name}.csv_bi", *truth)
        write_truth(tmp_path / "theirs" / f"{name}.csv_bi", *found)
    corpus = CorpusConfig(tmp_path / "corpus")
    model = ModelConfig(AnalysisOptions(), tmp_path / "cache")
    return EvaluationJob(corpus, model, hypotheses=tmp_path / "theirs", targets=(1.0,))


def test_figures_name_what_they_are_of(job: EvaluationJob) -> None:
    heard: list[tuple[str, int, int]] = []
    result = run(job, lambda *course: heard.append(course))
    assert heard == [("p1/a.edf", 1, 2), ("p2/b.edf", 2, 2)]
    assert result.n_cached == 0
    metrics = result.metrics
    assert (metrics["corpus"], metrics["detector"]["name"], metrics["excluded"]) == ("corpus", "theirs", 0)
    assert (metrics["default"]["detected"], metrics["default"]["false_alarms"]) == (1, 1)
    assert not {"pieces", "comparison"} & set(metrics)


def test_what_is_left_out_is_counted(job: EvaluationJob) -> None:
    metrics = run(replace(job, corpus=replace(job.corpus, exclude=("p2/*",)))).metrics
    assert (metrics["recordings"], metrics["excluded"], metrics["patients"]) == (1, 1, 1)


def test_thresholds_of_an_earlier_result_are_frozen(job: EvaluationJob, tmp_path: Path) -> None:
    earlier = run(job)
    folder = tmp_path / "results"
    folder.mkdir()
    write_results(folder, earlier.metrics, earlier.evaluation)
    assert (folder / METRICS).exists()
    (point,) = run(replace(job, fit_on=folder)).metrics["operating_points"]
    assert point["fitted_on"]["corpus"] == "corpus"
    with pytest.raises(UsageError, match="scorer"):
        run(replace(job, fit_on=folder, scorer="taes"))


def test_a_corpus_to_fit_on_needs_a_model(job: EvaluationJob, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="earlier evaluation"):
        run(replace(job, fit_on=tmp_path / "corpus"))
    with pytest.raises(UsageError, match="no folder"):
        run(replace(job, fit_on=tmp_path / "absent"))


def test_two_folders_of_hypotheses_are_compared(job: EvaluationJob, tmp_path: Path) -> None:
    for name in ("p1/a", "p2/b"):
        write_truth(tmp_path / "blind" / f"{name}.csv_bi")
    comparison = run(replace(job, compare=str(tmp_path / "blind"))).metrics["comparison"]
    assert comparison["detector"]["name"] == "blind"
    assert comparison["recordings"] == 2
