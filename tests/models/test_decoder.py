from __future__ import annotations

import dataclasses

import pytest
import torch

from brainscan_models.config import DecoderConfig, EncoderConfig, HeadConfig
from brainscan_models.decoder import Decoder, MixHead, PacedHead, PoolHead, mean_of_largest, pool_electrodes
from brainscan_models.registry import V3, V3_LITE


@pytest.mark.parametrize("strides", [(2, 2), (4, 2), (1, 3), (5, 4)])
def test_stages_undo_the_strides(strides: tuple[int, int]) -> None:
    encoder = EncoderConfig(widths=(6, 8), kernels=(5, 5), second_kernels=(3, 3), strides=strides, dilations=(1, 1))
    skips = (torch.randn(2, 6, 3, 10 * strides[1]),)
    whole = Decoder(8, 3, encoder, DecoderConfig(widths=(5, 4)))
    assert whole(torch.randn(2, 8, 3, 10), skips).shape == (2, 3, 3, 10 * strides[0] * strides[1])
    half = Decoder(8, 3, encoder, DecoderConfig(widths=(5,)))
    assert half(torch.randn(2, 8, 3, 10), skips).shape == (2, 3, 3, 10 * strides[1])


def test_the_second_half_does_not_reach_the_first() -> None:
    torch.manual_seed(0)
    encoder = dataclasses.replace(V3.encoder, widths=(8, 12, 16, 20))
    decoder = Decoder(20, 19, encoder, DecoderConfig(widths=(16, 12, 10, 8))).eval()
    skips = tuple(torch.randn(1, width, 1, 128 >> i) for i, width in enumerate((8, 12, 16)))
    features = torch.randn(1, 20, 1, 16)
    changed = features.clone()
    changed[..., 8:] += 10.0
    far = tuple(torch.cat((s[..., : s.shape[-1] // 2], s[..., s.shape[-1] // 2 :] + 10.0), -1) for s in skips)
    moved = (decoder(changed, far) - decoder(features, skips)).abs().amax(dim=1)[0, 0] > 0
    # Transposed convolutions and k 5 at five rates reach less than 4 coarse steps of 16 samples.
    assert not bool(moved[: 128 - 4 * 16].any())
    assert bool(moved[128:].all())


def test_pooling_knows_no_electrode_by_name() -> None:
    torch.manual_seed(0)
    decoded = torch.randn(2, 3, 19, 10)
    pooled = pool_electrodes(decoded, 4)
    torch.testing.assert_close(pool_electrodes(decoded[:, :, torch.randperm(19)], 4), pooled)
    assert pooled.shape == (2, 9, 10)
    torch.testing.assert_close(pooled[:, :3], decoded.mean(2))
    torch.testing.assert_close(pooled[:, 3:6], decoded.sort(dim=2).values[:, :, -4:].mean(2))
    torch.testing.assert_close(pooled[:, 6:], decoded.std(dim=2, correction=0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [1, 4, 19])
def test_the_mean_of_the_largest_is_that_of_a_sort(count: int) -> None:
    torch.manual_seed(0)
    values = torch.randn(2, 3, 19, 7, dtype=torch.float64, requires_grad=True)
    expected = values.sort(dim=2, descending=True).values[:, :, :count].mean(dim=2)
    torch.testing.assert_close(mean_of_largest(values, count), expected)
    torch.testing.assert_close(mean_of_largest(values.detach(), count), expected.detach())
    assert torch.autograd.gradcheck(lambda x: mean_of_largest(x, count), values[:1, :1, :, :2])


def test_equal_electrodes_share_the_gradient_of_the_largest() -> None:
    values = torch.tensor([3.0, 1.0, 1.0, 1.0, 0.0]).reshape(1, 1, 5, 1).requires_grad_()
    mean_of_largest(values, 2).sum().backward()
    assert values.grad is not None
    assert values.grad.flatten().tolist() == pytest.approx([0.5, 0.5 / 3, 0.5 / 3, 0.5 / 3, 0.0])


def test_pooling_equal_electrodes_has_a_finite_gradient() -> None:
    decoded = torch.ones(1, 2, 19, 4, requires_grad=True)
    pool_electrodes(decoded, 4).sum().backward()
    assert decoded.grad is not None
    assert bool(decoded.grad.isfinite().all())


@pytest.mark.parametrize("prior", [0.02, 0.1, 0.5])
def test_silent_electrodes_give_the_prior(prior: float) -> None:
    mix = MixHead(19, prior)(torch.zeros(1, 1, 19, 8))
    pool = PoolHead(6, HeadConfig(pool="pool", prior=prior, dilations=(1, 2)))(torch.zeros(1, 6, 19, 8))
    assert mix.shape == pool.shape == (1, 8)
    assert torch.sigmoid(mix).tolist()[0] == pytest.approx([prior] * 8, rel=1e-5)
    assert torch.sigmoid(pool).tolist()[0] == pytest.approx([prior] * 8, rel=0.05)


def test_the_head_reaches_as_far_as_its_dilations() -> None:
    torch.manual_seed(0)
    head = PoolHead(4, dataclasses.replace(V3_LITE.head, dilations=(1, 4)))
    decoded = torch.randn(1, 4, 19, 41)
    changed = decoded.clone()
    changed[..., 20] += 1.0
    moved = (head(changed) - head(decoded)).abs()[0] > 1e-7
    assert moved.nonzero().flatten().tolist() == [15, 16, 17, 19, 20, 21, 23, 24, 25]


def test_a_paced_head_gives_one_logit_for_every_few_steps_of_both_branches() -> None:
    torch.manual_seed(0)
    head = PacedHead(3, 5, HeadConfig(pool="pool", hidden=8, dilations=(1,), pace=4)).eval()
    decoded, trunk = torch.randn(2, 3, 19, 32), torch.randn(2, 32, 5)
    head.requires_grad_(False)
    whole = head(decoded, trunk)
    assert whole.shape == (2, 8)
    for changed in ((decoded + 1.0, trunk), (decoded, trunk + 1.0)):
        assert float((head(*changed) - whole).abs().min()) > 1e-5
    later = trunk.clone()
    later[:, 20] += 1.0
    moved = (head(decoded, later) - whole).abs()[0] > 1e-7
    assert moved.nonzero().flatten().tolist() == [4, 5, 6]
