"""A model over a corpus: what is kept, what fails, what goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainscan.analysis.job import Job
from brainscan.analysis.lazy_detector import LazyDetector
from brainscan.analysis.options import AnalysisOptions
from brainscan.detector import Detector
from brainscan.errors import ModelError
from brainscan.evaluate.by_model import ModelConfig, hypothesis_of, run_model, task_of
from brainscan.evaluate.corpus import Case
from brainscan.model.run_config import RunConfig
from tests.brainscan.evaluate.conftest import BURST_S, case_of, write_edf, write_truth
from tests.stand_ins import LoudnessRunner, quick, save_tiny


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    """Return two good recordings, one that is damaged and one whose annotation is."""
    found = []
    for seed, name in enumerate(("a", "b", "damaged", "misread")):
        path = write_edf(tmp_path / "corpus" / f"{name}.edf", seed=seed)
        write_truth(path.with_suffix(".csv_bi"), BURST_S)
        found.append(case_of(name, path=path))
    found[2].path.write_bytes(b"0       " + b"x" * 100)
    found[3].reference.write_text("# version = csv_v1.0.0\nnonsense\n", encoding="utf-8")
    return found


@pytest.fixture
def config(tmp_path: Path) -> ModelConfig:
    """Return how to run a tiny model in this process."""
    save_tiny(tmp_path / "tiny.safetensors")
    options = AnalysisOptions(str(tmp_path / "tiny.safetensors"), run=RunConfig("cpu", threads=1))
    return ModelConfig(options, tmp_path / "cache")


def test_what_fails_stops_nothing(cases: list[Case], config: ModelConfig) -> None:
    heard: list[tuple[str, int, int]] = []
    hypotheses = run_model(cases, config, lambda *course: heard.append(course))
    assert list(hypotheses.by_name) == ["a.edf", "b.edf"]
    assert [failure.file for failure in hypotheses.failures] == ["damaged.edf", "misread.edf"]
    assert hypotheses.n_cached == 0
    assert sorted(heard, key=lambda course: course[1]) == heard
    assert {course[0] for course in heard} == {case.name for case in cases}


def test_what_was_done_is_not_done_again(
    cases: list[Case], config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was ended after one recording goes on with the other, and a third run loads no model."""
    assert run_model(cases[:1], config).n_cached == 0
    assert run_model(cases[:2], config).n_cached == 1

    def never(*_: object, **__: object) -> None:
        raise AssertionError("everything is kept")

    monkeypatch.setattr(Detector, "from_pretrained", never)
    again = run_model(cases[:2], config)
    assert again.n_cached == 2
    assert list(again.by_name) == ["a.edf", "b.edf"]


def test_a_recording_gives_events_at_every_threshold(cases: list[Case]) -> None:
    model = LazyDetector.ready(Detector(LoudnessRunner(), quick()))
    outcome = Job(AnalysisOptions(), model).run(task_of(cases[0]))
    assert outcome.detection is not None
    assert (outcome.outputs, outcome.detection.sha256) == ((), "")
    hypothesis = hypothesis_of(outcome.detection, model.decision)
    (event,) = hypothesis.events
    assert (event.onset_s, event.offset_s) == pytest.approx(BURST_S, abs=1.5)
    assert hypothesis.analysed == ((0.0, 60.0),)
    assert any(k > 90 for k in hypothesis.sweep.index.tolist())
    assert sum(len(curve.values) for curve in hypothesis.curves) == 60 * 256


def test_what_is_wrong_with_the_model_is_no_recordings_failure(
    cases: list[Case], config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ModelError("its weights are damaged")

    monkeypatch.setattr(Detector, "from_pretrained", broken)
    with pytest.raises(ModelError, match="its weights are damaged"):
        run_model(cases, config)


def test_no_network_is_loaded_for_what_cannot_be_used(
    cases: list[Case], config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Detector, "from_pretrained", None)
    assert [failure.file for failure in run_model(cases[2:], config).failures] == ["damaged.edf", "misread.edf"]
