"""Which runner a model and a backend come to."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainscan.detector import Detector
from brainscan.errors import MissingExtraError, ModelError, OutputError, UsageError
from brainscan.model import checkpoint
from brainscan.model import runner as runners
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.model.onnx_folder import BEFORE, card_of
from brainscan.model.onnx_runner import OnnxRunner
from brainscan.model.runner import fastest, graphs_of, kept_export, must_export, open_runner, place_of, prepare
from brainscan_models.config import NetworkConfig
from tests.stand_ins import Exported, noise, save_small, save_tiny

QuickExport = Callable[[], int]
ONNX = RunConfig(device="cpu", backend="onnx")


def test_a_checkpoint_runs_on_torch_unless_asked(exported: Exported) -> None:
    assert isinstance(open_runner(str(exported.checkpoint)), WindowRunner)


@pytest.mark.parametrize("backend", ["auto", "onnx"])
def test_an_export_runs_on_onnx_runtime(exported: Exported, backend: str) -> None:
    assert isinstance(open_runner(str(exported.folder), RunConfig(backend=backend)), OnnxRunner)


@pytest.mark.parametrize("backend", ["torch", "native"])
def test_an_export_runs_on_nothing_else(exported: Exported, backend: str) -> None:
    with pytest.raises(UsageError, match="does not run on the backend"):
        open_runner(str(exported.folder), RunConfig(backend=backend))


def test_a_checkpoint_is_exported_once(exported: Exported, quick_export: QuickExport) -> None:
    name = str(exported.checkpoint)
    assert must_export(name, "onnx")
    window = [noise(8.0).astype(np.float32)]
    first = open_runner(name, ONNX).probabilities(window)
    assert not must_export(name, "onnx")
    np.testing.assert_array_equal(open_runner(name, ONNX).probabilities(window), first)
    assert quick_export() == 1


def test_nothing_need_be_exported_for_other_backends_and_exports(exported: Exported) -> None:
    assert not must_export(str(exported.checkpoint), "auto")
    assert not must_export(str(exported.folder), "onnx")


def test_a_kept_export_that_is_damaged_is_made_again(exported: Exported, quick_export: QuickExport) -> None:
    prepare(str(exported.checkpoint), "onnx")
    kept = place_of(str(exported.checkpoint))
    (kept / BEFORE).write_bytes(b"damaged")
    assert kept_export(str(exported.checkpoint)) == kept
    assert quick_export() == 2
    assert card_of(str(kept)) == card_of(str(exported.checkpoint))


def test_other_weights_are_kept_elsewhere(exported: Exported, tmp_path: Path) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    assert place_of(str(tmp_path / "tiny.safetensors")) != place_of(str(exported.checkpoint))


def test_where_nothing_can_be_kept_it_is_exported_for_the_run(
    exported: Exported, quick_export: QuickExport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(runners, "user_cache", lambda name: tmp_path / "file" / name)
    assert len(open_runner(str(exported.checkpoint), ONNX).logits([noise(8.0).astype(np.float32)])) == 1
    assert quick_export() == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_what_a_quicker_process_made_is_taken(
    exported: Exported, quick_export: QuickExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(exported.checkpoint)
    make = runners._export

    def beaten(name_or_path: str, folder: Path) -> Path:
        make(name_or_path, folder)
        raise OutputError("cannot be written (directory not empty)")

    monkeypatch.setattr(runners, "_export", beaten)
    assert kept_export(name) == place_of(name)


def test_prepare_leaves_other_backends_alone(exported: Exported, quick_export: QuickExport) -> None:
    prepare(str(exported.checkpoint), "auto")
    prepare(str(exported.folder), "onnx")
    assert quick_export() == 0


@pytest.mark.parametrize(("absent", "extra"), [("torch", "torch"), ("onnxscript", "onnx")])
def test_what_exports_and_is_not_there_is_named(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, absent: str, extra: str
) -> None:
    _hide(monkeypatch, absent)
    for attempt in (lambda: open_runner(str(exported.checkpoint), ONNX), lambda: must_export(_name(exported), "onnx")):
        with pytest.raises(MissingExtraError, match=f"needs the extra '{extra}'"):
            attempt()
    assert isinstance(open_runner(str(exported.folder), ONNX), OnnxRunner)


def _name(exported: Exported) -> str:
    return str(exported.checkpoint)


def _hide(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == absent else find(name))


def test_a_checkpoint_without_graphs_needs_torch(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "torch")
    with pytest.raises(MissingExtraError, match=r"small\.safetensors.*'torch'"):
        open_runner(str(exported.checkpoint))


def _with_graphs(exported: Exported, folder: Path) -> Path:
    """Return a checkpoint beside which its export lies."""
    shutil.copy(exported.checkpoint, folder / "model.safetensors")
    shutil.copytree(exported.folder, folder / "model.onnx")
    return folder / "model.safetensors"


def test_graphs_beside_a_checkpoint_compute_it(exported: Exported, tmp_path: Path) -> None:
    path = _with_graphs(exported, tmp_path)
    card = card_of(str(path))
    assert graphs_of(path, card) == tmp_path / "model.onnx"
    assert not must_export(str(path), "onnx")
    runner = open_runner(str(path), ONNX)
    assert isinstance(runner, OnnxRunner)
    assert runner.source == path


def test_a_copy_that_decides_otherwise_is_computed_by_the_same_graphs(exported: Exported, tmp_path: Path) -> None:
    path = _with_graphs(exported, tmp_path)
    before = checkpoint.verify(path)
    card = replace(before.card, decision=before.card.decision.with_thresholds(0.9, 0.8))
    checkpoint.save_with(path, before, card)
    runner = open_runner(str(path), ONNX)
    assert runner.card.decision.enter == 0.9
    assert graphs_of(path, runner.card) == tmp_path / "model.onnx"


@pytest.mark.parametrize("change", ["weights", "shift", "graphs"])
def test_graphs_of_another_network_are_not_taken(exported: Exported, tmp_path: Path, change: str) -> None:
    path = _with_graphs(exported, tmp_path)
    before = checkpoint.verify(path)
    if change == "weights":
        save_small(path, seed=1)
    elif change == "shift":
        checkpoint.save_with(path, before, replace(before.card, logit_shift=0.5))
    else:
        (tmp_path / "model.onnx" / BEFORE).write_bytes(b"damaged")
    assert graphs_of(path, card_of(str(path))) is None


def test_the_fastest(exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scans are the compiled kernels', a GPU is torch's, convolutions alone are ONNX Runtime's."""
    monkeypatch.setattr(runners, "_sees_gpu", lambda: False)
    scanning, plain = _with_graphs(exported, tmp_path), checkpoint.locate("default")
    # With other weights the default may have scans: then it is torch's too.
    usual = "torch" if NetworkConfig.from_mapping(card_of("default").variant).scans else "onnx"
    assert [fastest(path, RunConfig()) for path in (scanning, plain, exported.checkpoint)] == ["torch", usual, "torch"]
    assert fastest(plain, RunConfig(device="cuda")) == "torch"
    assert fastest(plain, RunConfig(precision="bfloat16")) == "torch"
    monkeypatch.setattr(runners, "_sees_gpu", lambda: True)
    assert fastest(plain, RunConfig()) == "torch"
    assert fastest(plain, RunConfig(device="cpu")) == usual
    _hide(monkeypatch, "torch")
    assert [fastest(path, RunConfig()) for path in (scanning, plain, exported.checkpoint)] == ["onnx", "onnx", "torch"]


def test_a_checkpoint_on_its_graphs_can_be_saved(exported: Exported, tmp_path: Path) -> None:
    detector = Detector.from_pretrained(_with_graphs(exported, tmp_path), run=ONNX)
    assert detector.backend == "onnx"
    detector.save_pretrained(tmp_path / "out")
    assert checkpoint.load(str(tmp_path / "out")).card == detector.card


def test_an_edited_checkpoint_is_refused_on_its_graphs(exported: Exported, tmp_path: Path) -> None:
    path = _with_graphs(exported, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"small", b"large"))
    with pytest.raises(ModelError, match="checksum"):
        open_runner(str(path), ONNX)


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelError):
        open_runner("v3", ONNX)


def test_an_export_cannot_be_saved_as_a_checkpoint(exported: Exported, tmp_path: Path) -> None:
    detector = Detector.from_pretrained(exported.folder)
    assert detector.backend == "onnx"
    with pytest.raises(UsageError, match="cannot be turned back"):
        detector.save_pretrained(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_card_of_either_is_the_same(exported: Exported) -> None:
    assert card_of(str(exported.folder)) == card_of(str(exported.checkpoint))
    assert card_of("default") == checkpoint.read_card(checkpoint.locate("default"))


@pytest.mark.parametrize("backend", ["native", "onnx"])
def test_where_windows_are_computed(exported: Exported, tmp_path: Path, backend: str) -> None:
    name = str(_with_graphs(exported, tmp_path))
    for threads, said in ((1, "cpu (1 thread)"), (3, "cpu (3 threads)")):
        assert open_runner(name, RunConfig(device="cpu", threads=threads, backend=backend)).place == said
