"""Reduced precision: where it can be used, and what it changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainscan.errors import UsageError
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.model.precision import bfloat16_missing, pick_precision
from brainscan.model.selftest import known_window

CPU = torch.device("cpu")
needs_bfloat16 = pytest.mark.skipif(bfloat16_missing("cpu") is not None, reason="this processor is not made for it")


def _processor(monkeypatch: pytest.MonkeyPatch, *, has_it: bool) -> None:
    monkeypatch.setattr(
        "brainscan.model.precision.bfloat16_missing", lambda device: None if has_it else f"a {device} without it"
    )


def test_float32_is_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _processor(monkeypatch, has_it=True)
    assert pick_precision("float32", CPU, 512) == torch.float32
    assert RunConfig().precision == "float32"


def test_bfloat16_without_the_instructions_is_the_user_s_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    _processor(monkeypatch, has_it=False)
    with pytest.raises(UsageError, match="a cpu without it") as caught:
        pick_precision("bfloat16", CPU, 512)
    assert caught.value.hint is not None
    assert "--precision float32" in caught.value.hint


@pytest.mark.parametrize(
    ("has_it", "width", "expected"),
    [(True, 512, torch.bfloat16), (True, 48, torch.float32), (False, 512, torch.float32)],
)
def test_auto_takes_what_is_faster(
    monkeypatch: pytest.MonkeyPatch, has_it: bool, width: int, expected: torch.dtype
) -> None:
    _processor(monkeypatch, has_it=has_it)
    assert pick_precision("auto", CPU, width) == expected


@pytest.mark.parametrize("name", ["bf16", "float16", ""])
def test_unknown_precision(name: str) -> None:
    with pytest.raises(UsageError, match="no such precision"):
        pick_precision(name, CPU, 512)


@needs_bfloat16
def test_probabilities_stay_near_those_of_float32() -> None:
    loaded = checkpoint.load(checkpoint.DEFAULT)
    exact = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu")).probabilities([known_window()])[0]
    run = RunConfig(device="cpu", precision="bfloat16")
    found = WindowRunner(loaded.network, loaded.card, run).probabilities([known_window()])[0]
    assert found.dtype == np.float32
    assert 0.0 < np.abs(found - exact).max() < 0.03


@needs_bfloat16
def test_graph_and_eigenvectors_stay_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = checkpoint.load("v3-lite")  # what has a graph
    runner = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu", precision="bfloat16"))
    seen: list[torch.dtype] = []
    pe = runner.folded.pe

    def watched(adjacency: torch.Tensor) -> torch.Tensor:
        vectors = pe(adjacency)
        seen.extend((adjacency.dtype, vectors.dtype))
        return vectors

    monkeypatch.setattr(runner.folded, "pe", watched)
    runner.logits([known_window()])
    assert seen == [torch.float32, torch.float32]
