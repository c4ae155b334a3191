from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from brainscan_models.network import Network
from brainscan_models.registry import VARIANTS
from brainscan_training.optim import AveragedWeights, adamw, rate_at


def test_norms_biases_and_the_scans_own_are_never_decayed() -> None:
    network = Network(VARIANTS["v3-lite"])
    decayed, kept = (set(map(id, group["params"])) for group in adamw(network, 1e-3, 0.1).param_groups)
    for name, parameter in network.named_parameters():
        last = name.rsplit(".", 1)[-1]
        plain = last in {"A_log", "D", "dt_bias", "bias"} or "norm" in name
        assert (id(parameter) in kept) == (plain or parameter.ndim < 2), name
    assert len(decayed | kept) == len(list(network.parameters()))


def test_frozen_parameters_are_in_no_group() -> None:
    module = nn.Linear(3, 2)
    module.bias.requires_grad_(False)
    groups = adamw(module, 1e-3, 0.1).param_groups
    assert [p is module.weight for group in groups for p in group["params"]] == [True]


@given(st.integers(1, 5000), st.floats(0.0, 0.1), st.floats(0.0, 0.5))
def test_rates_rise_then_fall_within_their_bounds(total: int, warm_up: float, floor: float) -> None:
    rates = [rate_at(step, total, warm_up, floor) for step in range(0, total, max(1, total // 50))]
    assert all(0.0 < rate <= 1.0 or floor == 0.0 for rate in rates)
    rising = max(1, round(warm_up * total))
    after = [rate_at(step, total, warm_up, floor) for step in range(rising, total)]
    assert all(a >= b for a, b in itertools.pairwise(after))
    assert rate_at(total, total, warm_up, floor) == pytest.approx(floor if total > rising else 1.0)


def test_average_follows_its_definition_and_copies_buffers() -> None:
    module = nn.BatchNorm1d(2)
    averaged = AveragedWeights(module, 0.9)
    expected = module.weight.detach().clone()
    for step in range(1, 30):
        with torch.no_grad():
            module.weight += float(step)
        module.running_mean = torch.full((2,), float(step))
        averaged.update(module)
        decay = min(0.9, step / (step + 10))
        expected = decay * expected + (1.0 - decay) * module.weight.detach()
    assert torch.allclose(averaged.network.weight, expected)
    assert averaged.network.running_mean is not None
    assert averaged.network.running_mean.tolist() == [29.0, 29.0]
    assert not averaged.network.weight.requires_grad
