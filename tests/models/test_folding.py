"""The twin for inference computes what the network computes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from brainscan_models.config import (
    DecoderConfig,
    EncoderConfig,
    GraphConfig,
    HeadConfig,
    NetworkConfig,
    StreamConfig,
)
from brainscan_models.folding import folded
from brainscan_models.network import Network

_STREAM = StreamConfig(layers=1, d_model=8, d_state=4, headdim=4)
_EDGES = StreamConfig(layers=1, d_model=4, d_state=4, headdim=4, norm="after")

SHARED = NetworkConfig(
    n_electrodes=5,
    encoder=EncoderConfig(
        widths=(4, 6, 8),
        kernels=(25, 7, 5),
        second_kernels=(3, 3, 5),
        strides=(8, 2, 1),
        dilations=(1, 2, 1),
        shared=True,
        norm="batch",
        activation="silu",
    ),
    bottleneck=_STREAM,
    nodes=_STREAM,
    edges=_EDGES,
    graph=GraphConfig(hidden=4, eigenvectors=2, pe_every=2, stride=2),
    decoder=DecoderConfig(widths=(6, 5), kernel=3, channels=2),
    head=HeadConfig(pool="pool", hidden=4, dilations=(1, 2)),
)
HYBRID = replace(
    SHARED,
    encoder=replace(SHARED.encoder, second_kernels=(0, 3, 0)),
    mixer=EncoderConfig(
        widths=(6, 8), kernels=(9, 5), second_kernels=(0, 0), strides=(4, 4), dilations=(1, 1), norm="batch"
    ),
    edges=None,
    graph=None,
    decoder=DecoderConfig(widths=(), channels=3),
    head=HeadConfig(pool="pool", hidden=4, dilations=(1, 2), pace=2, second=3),
)
MIXED = NetworkConfig(
    n_electrodes=5,
    encoder=EncoderConfig(widths=(6, 8), kernels=(7, 7), second_kernels=(7, 7), strides=(2, 2), dilations=(1, 2)),
    bottleneck=_STREAM,
    nodes=_STREAM,
    edges=_EDGES,
    graph=GraphConfig(hidden=4, eigenvectors=2),
    decoder=DecoderConfig(widths=(8, 6)),
)


@pytest.fixture(params=[SHARED, MIXED, HYBRID], ids=["shared", "mixed", "hybrid"])
def network(request: pytest.FixtureRequest) -> Network:
    """Return a network whose every statistic, gain and bias has an effect."""
    torch.manual_seed(5)
    made = Network(request.param).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_()
                module.running_var.uniform_(0.3, 3.0)
    return made.eval()


def _eeg(network: Network, multiple: int) -> Tensor:
    return 3.0 * torch.randn(2, 5, network.config.stride * multiple, dtype=torch.float64)


@pytest.mark.parametrize("multiple", [1, 2, 3, 8])
def test_equal_to_rounding_up_to_the_edges(network: Network, multiple: int) -> None:
    eeg = _eeg(network, multiple)
    with torch.inference_mode():
        expected, found = network.locate(eeg), folded(network).locate(eeg)
    torch.testing.assert_close(found.logits, expected.logits, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found.electrodes, expected.electrodes, rtol=1e-9, atol=1e-9)


@pytest.mark.isa
def test_equal_in_float32(network: Network) -> None:
    network.float()
    eeg = _eeg(network, 16).float()
    with torch.inference_mode():
        torch.testing.assert_close(folded(network)(eeg), network(eeg), rtol=1e-5, atol=1e-5)


def test_input_and_network_stay_as_they_are(network: Network) -> None:
    eeg = _eeg(network, 4)
    before, state = eeg.clone(), {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.inference_mode():
        expected = network(eeg)
        folded(network)(eeg)
        torch.testing.assert_close(network(eeg), expected, rtol=0, atol=0)
    assert torch.equal(eeg, before)
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())


def test_weights_are_those_of_the_moment(network: Network) -> None:
    eeg, twin = _eeg(network, 4), folded(network)
    with torch.no_grad():
        before = twin(eeg)
        for parameter in network.encoder.stages.parameters():
            parameter.mul_(1.5)
        assert torch.equal(twin(eeg), before)
        torch.testing.assert_close(folded(network)(eeg), network(eeg), rtol=1e-9, atol=1e-9)
        assert not torch.allclose(twin(eeg), network(eeg))


def test_a_network_in_training_cannot_be_folded(network: Network) -> None:
    with pytest.raises(ValueError, match="evaluation"):
        folded(network.train())
