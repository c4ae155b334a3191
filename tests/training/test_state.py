from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from brainscan.errors import InputError
from brainscan_training.compose import HardSpan
from brainscan_training.optim import AveragedWeights, adamw
from brainscan_training.state import Progress, StateFolder, Trained

PROGRESS = Progress(7, 6, 2, 1, (3,), 1, (0.5, 0.75), (HardSpan("a.edf", 1.5, 9.0),))


def trained(seed: int, *, steps: int = 0) -> Trained:
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    network[2].bias.requires_grad_(False)
    averaged: AveragedWeights[nn.Module] = AveragedWeights(network, 0.9)
    objects = Trained(network, averaged, adamw(network, 1e-2, 0.1))
    for step in range(steps):
        go(objects, step)
    return objects


def go(objects: Trained, seed: int) -> float:
    torch.manual_seed(seed)
    objects.optimiser.zero_grad()
    loss = objects.network.train()(torch.randn(8, 3)).square().mean()
    loss.backward()
    objects.optimiser.step()
    objects.averaged.update(objects.network)
    return float(loss.detach())


def test_a_restored_state_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    original = trained(0, steps=3)
    StateFolder(tmp_path, 2).save(PROGRESS, original)
    other = trained(1)
    progress, warnings = StateFolder(tmp_path, 2).restore(other)
    assert (progress, warnings) == (PROGRESS, ())
    assert [go(original, k) for k in range(5)] == [go(other, k) for k in range(5)]
    assert {k: v.tolist() for k, v in original.tensors().items()} == {k: v.tolist() for k, v in other.tensors().items()}
    assert other.averaged.steps == 8


def test_no_state_is_a_beginning(tmp_path: Path) -> None:
    assert StateFolder(tmp_path / "none", 2).restore(trained(0)) == (Progress(), ())


def test_only_the_latest_stay(tmp_path: Path) -> None:
    folder, objects = StateFolder(tmp_path, 2), trained(0)
    for attempted in (1, 2, 10):
        folder.save(Progress(attempted=attempted), objects)
    folder.save(Progress(attempted=10, validated=1), objects)
    assert [p.stem for p in folder.paths()] == ["step-000000010-0000", "step-000000010-0001"]


def test_a_damaged_state_gives_way_to_the_one_before(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path, 3)
    folder.save(Progress(attempted=1), trained(0, steps=1))
    latest = folder.save(Progress(attempted=2), trained(0, steps=2))
    latest.write_bytes(latest.read_bytes()[:-40])
    progress, (warning,) = folder.restore(trained(5))
    assert progress.attempted == 1
    assert latest.name in warning
    folder.paths()[0].write_bytes(b"nothing")
    with pytest.raises(InputError, match="none of its states"):
        folder.restore(trained(5))


def test_a_state_of_another_network_is_not_taken(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path, 3)
    folder.save(Progress(attempted=1), trained(0))
    network = nn.Linear(2, 2)
    with pytest.raises(InputError):
        folder.restore(Trained(network, AveragedWeights(network, 0.9), adamw(network, 1e-2, 0.1)))


def test_states_hold_tensors_and_json_alone(tmp_path: Path) -> None:
    path = StateFolder(tmp_path, 1).save(PROGRESS, trained(0, steps=1))
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    facts = json.loads(header.pop("__metadata__")["state"])
    assert facts["progress"]["attempted"] == 7
    assert {entry["dtype"] for entry in header.values()} <= {"F32", "I64"}
    assert {name.partition("/")[0] for name in header} == {"network", "averaged", "exp_avg", "exp_avg_sq", "step"}
    assert not list(tmp_path.glob(".brainscan-*"))
