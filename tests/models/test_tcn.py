from __future__ import annotations

import dataclasses
import itertools
import operator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from brainscan_models.config import EncoderConfig
from brainscan_models.registry import V3, V3_LITE
from brainscan_models.tcn import Encoder, RowConv, RowConvTranspose, activation_gain, he_init

V3_ENCODER, LITE_ENCODER = V3.encoder, V3_LITE.encoder


def reach(config: EncoderConfig) -> int:
    """Return how many input samples to either side an output step sees."""
    samples, step = 0, 1
    for stage, stride in enumerate(config.strides):
        samples += step * (config.kernels[stage] // 2)
        step *= stride
        samples += step * config.dilations[stage] * (config.second_kernels[stage] // 2)
    return samples


def encoder(config: EncoderConfig) -> tuple[Encoder, int]:
    torch.manual_seed(0)
    width = 1 if config.shared else 19
    return Encoder(width, config), width


@pytest.mark.parametrize("config", [V3_ENCODER, LITE_ENCODER], ids=["v3", "v3-lite"])
@pytest.mark.parametrize("samples", [64, 960, 2048])
def test_each_stage_divides_the_length_by_its_stride(config: EncoderConfig, samples: int) -> None:
    network, width = encoder(config)
    encoded, skips = network(torch.zeros(2, width, 1, samples))
    assert encoded.shape == (2, config.widths[-1], 1, samples // config.stride)
    rates = list(itertools.accumulate(config.strides, operator.mul))
    assert [skip.shape[-1] for skip in skips] == [samples // rate for rate in rates[:-1]]


@pytest.mark.parametrize("config", [V3_ENCODER, LITE_ENCODER], ids=["v3", "v3-lite"])
def test_the_second_half_does_not_reach_the_first(config: EncoderConfig) -> None:
    """Nothing is normalised over time, so only the receptive field carries a change."""
    network, width = encoder(config)
    network.eval()
    eeg = torch.randn(2, width, 3, 4096)
    changed = eeg.clone()
    changed[..., 2048:] = 50.0 * torch.randn(2, width, 3, 2048)
    with torch.inference_mode():
        before, after = network(eeg)[0], network(changed)[0]
    first = (2048 - reach(config)) // config.stride
    assert first > 10
    torch.testing.assert_close(after[..., :first], before[..., :first], rtol=0, atol=0)
    assert (after[..., first + 1 :] - before[..., first + 1 :]).abs().amax() > 0.1


@pytest.mark.isa
def test_running_statistics_take_no_notice_of_the_batch_at_inference() -> None:
    network, _ = encoder(LITE_ENCODER)
    network(torch.randn(4, 1, 3, 1024))
    network.eval()
    eeg = torch.randn(3, 1, 3, 1024)
    with torch.inference_mode():
        alone, together = network(eeg[:1])[0], network(torch.cat((eeg[:1], 100 * eeg[1:])))[0][:1]
    torch.testing.assert_close(alone, together, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", [V3_ENCODER, LITE_ENCODER], ids=["v3", "v3-lite"])
@pytest.mark.parametrize("training", [False, True])
def test_every_stage_keeps_the_spread_at_the_start(config: EncoderConfig, training: bool) -> None:
    network, width = encoder(config)
    network.train(training)
    spreads: list[float] = []

    def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        spreads.append(float(output.std()))

    for stage in (*network.stages, network.project):
        stage.register_forward_hook(note)
    with torch.no_grad():
        network(torch.randn(4, width, 1, 4096))
    assert len(spreads) == len(config.widths) + 1
    assert all(0.3 < spread < 2.0 for spread in spreads), spreads


@pytest.mark.parametrize("name", ["relu", "gelu", "silu"])
def test_gains_undo_what_the_activation_takes(name: str) -> None:
    network, _ = encoder(dataclasses.replace(V3_ENCODER, activation=name))  # type: ignore[arg-type]
    torch.manual_seed(0)
    after = network.stages[0].activation(torch.randn(400_000))
    assert float(after.square().mean().rsqrt()) == pytest.approx(activation_gain(name), rel=0.01)  # type: ignore[arg-type]


def test_weights_are_drawn_before_they_are_normalised() -> None:
    network, _ = encoder(V3_ENCODER)
    for stage in network.stages:
        weight = stage.second.weight.detach()
        wanted = activation_gain("gelu") / weight[0].numel() ** 0.5
        assert float(weight.std()) == pytest.approx(wanted, rel=0.05)


def test_a_transposed_convolution_keeps_the_spread() -> None:
    torch.manual_seed(0)
    layer = nn.ConvTranspose1d(64, 64, 8, stride=4, padding=2)
    he_init(layer, 1.0)
    assert float(layer(torch.randn(4, 64, 500)).detach().std()) == pytest.approx(1.0, rel=0.1)


@pytest.mark.isa
def test_a_row_is_a_signal_of_its_own() -> None:
    torch.manual_seed(0)
    down = RowConv(3, 5, 7, stride=2, padding=6, dilation=2)
    up = RowConvTranspose(5, 3, 4, stride=2, padding=1)
    x = torch.randn(2, 3, 4, 40).contiguous(memory_format=torch.channels_last)
    y = down(x)
    z = up(y)
    for row in range(4):
        expected = F.conv1d(x[:, :, row], down.weight, down.bias, stride=2, padding=6, dilation=2)
        torch.testing.assert_close(y[:, :, row], expected)
        torch.testing.assert_close(z[:, :, row], F.conv_transpose1d(expected, up.weight, up.bias, stride=2, padding=1))


@pytest.mark.isa
def test_a_shared_encoder_hears_each_electrode_alone() -> None:
    network, _ = encoder(LITE_ENCODER)
    network.eval()
    eeg = torch.randn(2, 1, 19, 512)
    with torch.inference_mode():
        together, alone = network(eeg)[0], network(eeg[:, :, 7:8])[0]
    torch.testing.assert_close(together[:, :, 7:8], alone, rtol=1e-5, atol=1e-5)


def test_dropout_is_off_at_inference() -> None:
    network, width = encoder(dataclasses.replace(LITE_ENCODER, dropout=0.5))
    eeg = torch.randn(2, width, 2, 512)
    assert not torch.equal(network(eeg)[0], network(eeg)[0])
    network.eval()
    assert torch.equal(network(eeg)[0], network(eeg)[0])
