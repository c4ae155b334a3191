"""Which runner a model and a backend come to."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
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
from brainscan.model.runner import kept_export, must_export, open_runner, place_of, place_of_work, prepare
from tests.stand_ins import Exported, noise, save_tiny

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


def test_without_onnx_runtime_the_extra_is_named(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in (exported.checkpoint, exported.folder):
        with pytest.raises(MissingExtraError):
            open_runner(str(name), ONNX)
    with pytest.raises(MissingExtraError):
        must_export(str(exported.checkpoint), "onnx")


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
def test_where_windows_are_computed(backend: str) -> None:
    if backend == "onnx":
        pytest.importorskip("onnxruntime")
    assert place_of_work(RunConfig(device="cpu", threads=1), backend) == "cpu (1 thread)"
    assert place_of_work(RunConfig(device="cpu", threads=3), backend) == "cpu (3 threads)"
    with pytest.raises(UsageError):
        place_of_work(RunConfig(device="abacus"), backend)
