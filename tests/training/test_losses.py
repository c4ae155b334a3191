from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from brainscan.events import RATE_HZ
from brainscan_training.losses import balance, detection_terms, electrode_terms, per_second, targets


def drawn(seed: int, n: int = 3, seconds: int = 7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2.0 * torch.randn(n, seconds, generator=generator)
    ictal = (torch.rand(n, seconds, generator=generator) < 0.4).float()
    return logits, ictal, (torch.rand(n, seconds, generator=generator) < 0.8).float()


def test_focal_loss_is_its_definition() -> None:
    """Lin et al., ICCV 2017, eq. 5, one second at a time."""
    logits, ictal, weight = drawn(1)
    alpha, gamma, total, weights = 0.3, 2.0, 0.0, 0.0
    for x, y, w in zip(logits.flatten().tolist(), ictal.flatten().tolist(), weight.flatten().tolist(), strict=True):
        p = 1.0 / (1.0 + math.exp(-x))
        p_t, alpha_t = (p, alpha) if y else (1.0 - p, 1.0 - alpha)
        total += w * 2.0 * alpha_t * (1.0 - p_t) ** gamma * -math.log(p_t)
        weights += w * 2.0 * alpha_t
    sums = detection_terms(logits, ictal, ictal, weight, focus=gamma, alpha=alpha)
    assert [s.item() for s in sums] == pytest.approx([total, weights], rel=1e-5)


@given(st.integers(0, 1000), st.floats(0.0, 3.0), st.floats(0.1, 0.9), st.integers(1, 2))
def test_parts_of_a_batch_add_up(seed: int, focus: float, alpha: float, cut: int) -> None:
    logits, ictal, weight = drawn(seed)
    whole = detection_terms(logits, ictal, ictal, weight, focus=focus, alpha=alpha)
    terms = [
        detection_terms(logits[part], ictal[part], ictal[part], weight[part], focus=focus, alpha=alpha)
        for part in (slice(0, cut), slice(cut, None))
    ]
    for one, parts in zip(whole, zip(*terms, strict=True), strict=True):
        assert torch.isclose(one, torch.stack(parts).sum(), rtol=1e-4)


def test_seconds_without_weight_do_not_count() -> None:
    logits, ictal, weight = drawn(2)
    moved = torch.where(weight > 0, logits, logits + 50.0)
    assert detection_terms(logits, ictal, ictal, weight) == detection_terms(moved, ictal, ictal, weight)


def test_nothing_to_learn_from_is_no_loss() -> None:
    logits, ictal, _ = drawn(3)
    assert [s.item() for s in detection_terms(logits, ictal, ictal, torch.zeros_like(ictal))] == [0.0, 0.0]


def test_targets_are_smoothed_labels_and_what_teachers_say() -> None:
    ictal, taught = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.1]])
    assert targets(ictal, 0.2, None, 0.7).tolist() == [pytest.approx([0.1, 0.9])]
    assert targets(ictal, 0.2, taught, 0.25).tolist() == [pytest.approx([0.2, 0.7])]
    assert targets(ictal, 0.2, taught, 1.0).tolist() == [pytest.approx([0.5, 0.1])]


def test_balance_of_a_half_is_neutral() -> None:
    assert balance(torch.tensor([0.0, 1.0]), 0.5).tolist() == [1.0, 1.0]


def test_per_second_is_the_mean_of_its_samples() -> None:
    logits = torch.arange(2.0 * 3 * RATE_HZ).reshape(2, -1)
    assert torch.equal(per_second(logits), logits.reshape(2, 3, RATE_HZ).mean(2))


def test_electrodes_are_told_in_ictal_seconds_only() -> None:
    electrodes = torch.zeros(1, 19)
    electrodes[0, 4] = 1.0
    ictal = torch.tensor([[0.0, 1.0]])
    right = torch.full((1, 19, 2), -20.0)
    right[0, 4] = 20.0
    right[:, :, 0] = 7.0  # not ictal
    assert [s.item() for s in electrode_terms(right, electrodes, ictal)] == [pytest.approx(0.0, abs=1e-4), 19.0]
    assert electrode_terms(-right, electrodes, ictal)[0].item() == pytest.approx(19 * 20.0)


def test_unknown_electrodes_teach_nothing() -> None:
    evidence = torch.randn(2, 19, 4, requires_grad=True)
    loss, values = electrode_terms(evidence, torch.full((2, 19), float("nan")), torch.ones(2, 4))
    loss.backward()
    assert (loss.item(), values.item()) == (0.0, 0.0)
    assert evidence.grad is not None
    assert not evidence.grad.any()
