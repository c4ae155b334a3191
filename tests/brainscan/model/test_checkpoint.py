"""Checkpoints: round trips, and everything that must be refused."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from brainscan.card import Card
from brainscan.errors import BrainscanError, ModelError, OutputError
from brainscan.model import checkpoint
from brainscan_models.registry import build
from tests.stand_ins import TINY, save_tiny

EEG = torch.randn(2, 19, 1024, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a valid checkpoint."""
    file = tmp_path / "tiny.safetensors"
    save_tiny(file)
    return file


def _refused(path: Path | str) -> ModelError:
    with pytest.raises(ModelError) as caught:
        checkpoint.load(str(path))
    assert caught.value.exit_code == 4
    assert caught.value.hint
    return caught.value


def _rewrite(path: Path, change: Any = None, **facts: Any) -> None:
    """Write the checkpoint again with changed tensors or card, checksum as it was."""
    tensors = load_file(path)
    card = {**checkpoint.read_card(path).to_mapping(), **facts}
    if change is not None:
        change(tensors)
    save_file(tensors, path, metadata={"card": json.dumps(card)})


def test_reloaded_model_gives_the_same_output_before_and_after_a_forward_pass(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = build(TINY).eval()
    card = Card(name="x", variant=TINY.to_mapping())
    checkpoint.save(tmp_path / "a.safetensors", network, card)
    before = checkpoint.load(str(tmp_path / "a.safetensors")).network
    with torch.inference_mode():
        expected = network(EEG)
        assert torch.equal(before(EEG), expected)
    checkpoint.save(tmp_path / "b.safetensors", network, card)
    with torch.inference_mode():
        assert torch.equal(checkpoint.load(str(tmp_path / "b.safetensors")).network(EEG), expected)


def test_card_comes_back_with_its_checksum(path: Path) -> None:
    loaded = checkpoint.load(str(path))
    assert loaded.card == checkpoint.read_card(path)
    assert len(loaded.card.sha256) == 64
    assert loaded.card.sha256 == checkpoint.checksum(loaded.network.state_dict(), loaded.card)
    assert not loaded.network.training


def test_checksum_depends_on_tensors_and_card_and_on_nothing_else(path: Path) -> None:
    loaded = checkpoint.load(str(path))
    tensors = loaded.network.state_dict()
    backwards = dict(reversed(tensors.items()))
    assert checkpoint.checksum(backwards, replace(loaded.card, sha256="other")) == loaded.card.sha256
    assert checkpoint.checksum(tensors, replace(loaded.card, name="other")) != loaded.card.sha256
    changed = {**tensors, "head.extra": torch.zeros(1)}
    assert checkpoint.checksum(changed, loaded.card) != loaded.card.sha256


def test_folder_in_the_hub_s_layout(tmp_path: Path) -> None:
    torch.manual_seed(0)
    checkpoint.save_folder(tmp_path / "model", build(TINY), Card(name="x", variant=TINY.to_mapping()))
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]
    card = checkpoint.load(str(tmp_path / "model")).card
    assert Card.from_json((tmp_path / "model" / "config.json").read_text("utf-8")) == card


def test_one_changed_weight_is_refused(path: Path) -> None:
    def nudge(tensors: dict[str, torch.Tensor]) -> None:
        next(t for t in tensors.values() if t.is_floating_point()).view(-1)[0] += 1e-3

    _rewrite(path, nudge)
    assert "checksum" in _refused(path).message


def test_a_changed_threshold_is_refused(path: Path) -> None:
    _rewrite(path, logit_shift=1.0)
    assert "checksum" in _refused(path).message


def _as_version_1(path: Path) -> None:
    """Rewrite a checkpoint as version 1 of the card had it, summed as it was then."""
    tensors, facts = load_file(path), json.loads(checkpoint.read_card(path).to_json())
    facts["format_version"] = 1
    facts["provenance"]["age_years"] = [1.0, 120.0]
    del facts["provenance"]["trained"], facts["provenance"]["tested"]
    facts["sha256"] = checkpoint.checksum(tensors, facts)
    save_file(tensors, path, metadata={"card": json.dumps(facts)})


def test_a_checkpoint_of_version_1_is_read_and_still_verified(path: Path) -> None:
    _as_version_1(path)
    card = checkpoint.load(str(path)).card
    assert (card.format_version, card.provenance.trained) == (2, ())
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["card"])
    save_file(load_file(path), path, metadata={"card": json.dumps({**facts, "logit_shift": 1.0})})
    assert "checksum" in _refused(path).message


def test_a_missing_tensor_is_refused_though_the_checksum_fits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build(TINY)
    card = Card(name="x", variant=TINY.to_mapping())
    tensors = {k: v.contiguous() for k, v in network.state_dict().items()}
    tensors.pop(next(k for k in tensors if k.startswith("head")))
    card = replace(card, sha256=checkpoint.checksum(tensors, card))
    save_file(tensors, tmp_path / "m.safetensors", metadata={"card": card.to_json()})
    assert "do not fit" in _refused(tmp_path / "m.safetensors").message


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"format_version": 99}, "version 99"),
        ({"nmae": "x"}, "unknown key 'nmae'"),
        ({"electrodes": ["Fp1"]}, "19"),
    ],
)
def test_a_card_that_is_not_ours_is_refused(path: Path, facts: dict[str, Any], message: str) -> None:
    _rewrite(path, **facts)
    assert message in _refused(path).message


def test_a_network_that_cannot_be_built_is_refused(tmp_path: Path) -> None:
    card = Card(name="x", variant={"encoder": {"widths": [3]}})
    card = replace(card, sha256=checkpoint.checksum({}, card))
    save_file({}, tmp_path / "m.safetensors", metadata={"card": card.to_json()})
    assert "network is not valid" in _refused(tmp_path / "m.safetensors").message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\0" * 100,
        struct.pack("<Q", 1 << 60) + b"{",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 50) + b'{"__metadata__": {"card": 3}}'.ljust(50),
    ],
    ids=["empty", "json", "zeros", "huge header", "list", "no card", "card is no text"],
)
def test_damaged_files_are_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "m.safetensors"
    file.write_bytes(data)
    _refused(file)


def test_a_file_cut_short_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])
    _refused(path)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    assert "no such model" in _refused(tmp_path / "no.safetensors").message
    assert "no such model" in _refused(tmp_path).message


def test_v3_says_how_to_get_it() -> None:
    error = _refused("v3")
    assert "not shipped" in error.message
    assert "brainscan train" in error.hint


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_tiny(tmp_path / "absent" / "m.safetensors")


def test_no_pickle_is_ever_opened(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    torch.save({"a": torch.zeros(1)}, file)
    with pytest.raises(BrainscanError):
        checkpoint.load(str(file))
