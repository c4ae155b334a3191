from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from brainscan.card import AmplitudeConfig, Card
from brainscan.model import checkpoint
from brainscan_models.config import DecoderConfig, EncoderConfig, GraphConfig, HeadConfig, NetworkConfig, StreamConfig
from brainscan_models.network import Network
from brainscan_models.registry import V3_HYBRID, V3_HYBRID_PAIR
from brainscan_training.side_by_side import main, side_by_side, widened

_NO_STREAM = StreamConfig(layers=0, d_model=6, d_state=4, headdim=4)
DESIGN = NetworkConfig(
    n_electrodes=19,
    encoder=EncoderConfig(
        widths=(4, 6),
        kernels=(9, 5),
        second_kernels=(0, 0),
        strides=(8, 4),
        dilations=(1, 1),
        shared=True,
        norm="batch",
        activation="silu",
    ),
    mixer=EncoderConfig(
        widths=(5, 8), kernels=(9, 5), second_kernels=(0, 0), strides=(8, 4), dilations=(1, 1), norm="batch"
    ),
    bottleneck=replace(_NO_STREAM, d_model=8),
    nodes=_NO_STREAM,
    edges=None,
    graph=None,
    decoder=DecoderConfig(widths=(), channels=3),
    head=HeadConfig(pool="pool", hidden=4, dilations=(1, 2), pace=2, dropout=0.2),
)


def trained(seed: int, design: NetworkConfig = DESIGN) -> Network:
    """Return a network with weights and statistics as a training might leave them, but for the input's mean."""
    torch.manual_seed(seed)
    network = Network(design)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network((1.0 + seed) * torch.randn(2, 19, 640))
        for name, tensor in network.state_dict().items():
            if name.endswith("stages.0.norm.running_mean"):
                tensor.zero_()
            elif "norm" not in name:
                tensor.add_(0.1 * torch.randn_like(tensor))
    return network.eval()


@settings(max_examples=10)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=4))
def test_the_logit_is_the_mean_of_theirs(seeds: list[int]) -> None:
    networks = [trained(seed) for seed in seeds]
    joined = side_by_side(networks)
    eeg = 3.0 * torch.randn(2, 19, 1280)
    with torch.no_grad():
        expected = torch.stack([network(eeg) for network in networks]).mean(dim=0)
        torch.testing.assert_close(joined(eeg), expected, rtol=1e-4, atol=1e-5)
    assert not torch.equal(expected, networks[0](eeg)) or len(set(seeds)) == 1


def test_a_mean_of_the_input_is_taken_off_all_but_at_the_ends() -> None:
    networks = [trained(seed) for seed in (1, 2)]
    with torch.no_grad():
        for network, mean in zip(networks, (0.5, -0.2), strict=True):
            network.encoder.stages[0].norm.running_mean.fill_(mean)
        eeg = torch.randn(1, 19, 5120)
        difference = side_by_side(networks)(eeg) - torch.stack([network(eeg) for network in networks]).mean(dim=0)
    assert difference[0, 1280:-1280].abs().max() < 1e-5
    assert difference[0].abs().max() > 1e-5


def test_what_the_head_joins_is_theirs_in_turn() -> None:
    networks = [trained(seed) for seed in (1, 2)]
    eeg = torch.randn(1, 19, 640)
    with torch.no_grad():
        expected = torch.cat([network.locate(eeg).features for network in networks], dim=1)
        torch.testing.assert_close(side_by_side(networks).locate(eeg).features, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "design",
    [
        replace(DESIGN, mixer=None, bottleneck=_NO_STREAM),
        replace(DESIGN, nodes=replace(_NO_STREAM, layers=1)),
        replace(
            DESIGN,
            edges=StreamConfig(layers=0, d_model=4, d_state=4, headdim=4, norm="after"),
            graph=GraphConfig(hidden=4, eigenvectors=2),
        ),
        replace(DESIGN, encoder=replace(DESIGN.encoder, second_kernels=(0, 3))),
        replace(DESIGN, encoder=replace(DESIGN.encoder, norm="none")),
        replace(
            DESIGN,
            decoder=DecoderConfig(widths=(4,), channels=3),
            mixer=replace(DESIGN.mixer, strides=(4, 2)) if DESIGN.mixer else None,
        ),
    ],
    ids=["no mixer", "streams", "graph", "residual stages", "no statistics", "decoder"],
)
def test_designs_whose_parts_would_mix_are_refused(design: NetworkConfig) -> None:
    with pytest.raises(ValueError, match=r"can$"):
        widened(design, 2)


def test_the_pair_is_two_of_the_hybrid() -> None:
    assert widened(V3_HYBRID, 2) == V3_HYBRID_PAIR


def test_designs_that_differ_are_refused() -> None:
    other = replace(DESIGN, head=replace(DESIGN.head, hidden=8))
    with pytest.raises(ValueError, match="same design"):
        side_by_side([trained(1), trained(1, other)])


def test_the_command_joins_checkpoints_or_says_why_not(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{name}.safetensors") for name in ("one", "two", "joined", "loud")]
    one, two, target, loud = paths
    card = Card(name="one", variant=DESIGN.to_mapping(), logit_shift=1.0, logit_scale=3.0)
    networks = [trained(seed) for seed in (1, 2)]
    checkpoint.save(Path(one), networks[0], card)
    checkpoint.save(Path(two), networks[1], replace(card, name="two", logit_shift=-1.0))
    checkpoint.save(Path(loud), networks[1], replace(card, amplitude=AmplitudeConfig(scale_uv=1.0)))
    assert main([one, two, target]) == ""
    loaded = checkpoint.load(target)
    assert (loaded.card.name, loaded.card.logit_shift, loaded.card.logit_scale) == ("one", 0.0, 1.0)
    eeg = torch.randn(1, 19, 640)
    with torch.no_grad():
        expected = torch.stack([network(eeg) for network in networks]).mean(dim=0)
        torch.testing.assert_close(loaded.network(eeg), expected, rtol=1e-4, atol=1e-5)
    assert "usage" in main([one, target])
    assert "amplitudes" in main([one, loud, target])
    assert "no such model" in main([one, str(tmp_path / "absent.safetensors"), target])
