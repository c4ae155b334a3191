"""The self-test: stable numbers, and it fails when one weight is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainscan.errors import ModelError
from brainscan.model import checkpoint, names, selftest
from brainscan.model.checkpoint import Checkpoint
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.model.selftest import SelfTest
from tests.stand_ins import save_tiny


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Return the tiny model."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_tiny(path)
    return checkpoint.load(str(path))


def _numbers(model: Checkpoint) -> dict[str, Any]:
    return selftest.numbers(_runner(model), checkpoint.checksum(model.network.state_dict(), model.card))


def _compared(model: Checkpoint, stored: Mapping[str, Any]) -> SelfTest:
    return selftest.compare(_runner(model), checkpoint.checksum(model.network.state_dict(), model.card), stored)


def _runner(model: Checkpoint) -> WindowRunner:
    return WindowRunner(model.network, model.card, RunConfig(device="cpu"))


def test_window_is_eeg_like_and_the_same_every_time() -> None:
    window = selftest.known_window()
    assert window.shape == (19, 15360)
    assert np.array_equal(window, selftest.known_window())
    deviation_uv = window.std(axis=1)
    assert deviation_uv.min() > 10.0
    assert deviation_uv.max() < 100.0
    assert np.linalg.matrix_rank(np.corrcoef(window), tol=1e-3) >= 15  # no two electrodes alike
    assert window[5, 34 * 256 : 36 * 256].std() > 1.5 * window[5, 5 * 256 : 7 * 256].std()


def test_the_same_model_passes(loaded: Checkpoint) -> None:
    result = _compared(loaded, _numbers(loaded))
    assert result.passed
    assert result.worst <= 1e-4


def test_any_changed_weight_fails(loaded: Checkpoint) -> None:
    """One element of a tensor, by the least that a float32 can change."""
    stored = _numbers(loaded)
    names = [name for name, tensor in loaded.network.state_dict().items() if tensor.is_floating_point()]
    for name in names[::8]:
        network = deepcopy(loaded.network)
        with torch.no_grad():
            weights = network.state_dict()[name].view(-1)
            weights[-1] = torch.nextafter(weights[-1], weights[-1] + 1.0)
        assert not _compared(Checkpoint(network, loaded.card), stored).passed, name


def test_a_clearly_changed_weight_shows_in_the_logits(loaded: Checkpoint) -> None:
    stored = _numbers(loaded)
    network = deepcopy(loaded.network)
    with torch.no_grad():
        next(iter(network.head.parameters())).view(-1)[0] += 0.5
    result = _compared(Checkpoint(network, loaded.card), stored)
    assert not result.passed
    assert result.worst > selftest.TOLERANCE
    assert "logits differ" in result.detail


def test_a_model_that_gives_nan_fails(loaded: Checkpoint) -> None:
    stored = {**_numbers(loaded), "logits": [float("nan")] * 60}
    assert not _compared(loaded, stored).passed


@pytest.mark.isa
def test_shipped_weights_pass() -> None:
    result = selftest.run()
    assert result.passed, f"{result.detail}: run `make weights` after a change of the weights"


def test_absent_weights_are_a_failed_test_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "SHIPPED", {"default": "absent.safetensors"})
    result = selftest.run()
    assert not result.passed
    assert "not installed" in result.detail


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"logits": [1.0], "model_sha256": "a"}'])
def test_damaged_numbers_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / selftest.NUMBERS).write_text(text, encoding="utf-8")
    monkeypatch.setattr(selftest.resources, "files", lambda _: tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        selftest.read_numbers()


def test_storing_writes_beside_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: Checkpoint) -> None:
    save_tiny(tmp_path / "tiny.safetensors")
    monkeypatch.setattr(checkpoint, "locate", lambda _: tmp_path / "tiny.safetensors")
    path = selftest.store()
    assert path == tmp_path / selftest.NUMBERS
    assert _compared(loaded, json.loads(path.read_text("utf-8"))).passed
