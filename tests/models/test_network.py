"""What holds for every variant, on v3-lite and on a narrow network with V3's switches."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from brainscan_models.config import NetworkConfig
from brainscan_models.decoder import PacedHead
from brainscan_models.network import ABLATIONS, Network
from brainscan_models.registry import V3, V3_HYBRID, V3_LITE, build
from tests.models.choices import Run, assert_equal_but_for_flips

NARROW_V3 = dataclasses.replace(
    V3,
    encoder=dataclasses.replace(V3.encoder, widths=(8, 12, 16, 24)),
    bottleneck=dataclasses.replace(V3.bottleneck, layers=2, d_model=24, headdim=8),
    nodes=dataclasses.replace(V3.nodes, layers=2, d_model=16, headdim=4),
    decoder=dataclasses.replace(V3.decoder, widths=(24, 16, 12, 8)),
)
WHOLE_HYBRID = dataclasses.replace(
    V3_HYBRID,
    bottleneck=dataclasses.replace(V3_HYBRID.bottleneck, layers=1),
    nodes=dataclasses.replace(V3_HYBRID.nodes, layers=1),
    edges=V3_LITE.edges,
    graph=dataclasses.replace(V3_LITE.graph, ties="fade"),
)
"""What ships has neither streams nor a graph: here is the mixer beside them."""
CONFIGS = {"v3-lite": V3_LITE, "narrow-v3": NARROW_V3, "whole-hybrid": WHOLE_HYBRID}


@pytest.fixture(params=CONFIGS)
def network(request: pytest.FixtureRequest) -> Network:
    torch.manual_seed(0)
    return build(CONFIGS[request.param]).eval()


def windows(batch: int, samples: int = 2048, seed: int = 1) -> Tensor:
    return torch.randn(batch, 19, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("samples", [256, 2048, 15_360])
def test_a_logit_a_sample(network: Network, samples: int) -> None:
    with torch.inference_mode():
        logits, electrodes, _ = network.locate(windows(2, samples))
        assert torch.equal(network(windows(2, samples)), logits)
    assert logits.shape == (2, samples)
    assert logits.dtype == torch.float32
    assert electrodes.shape == (2, 19, samples // network.config.decoded_stride)


@pytest.mark.parametrize("shape", [(19, 2048), (1, 18, 2048), (1, 19, 2049), (1, 19, 0)])
def test_a_wrong_shape_is_refused(network: Network, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="eeg must be"):
        network(torch.zeros(shape))


def odd_windows() -> dict[str, Tensor]:
    eeg = windows(1, seed=5)[0]
    spike, holes, infinite, fallen = (eeg.clone() for _ in range(4))
    spike[3, 700] = 1e6
    holes[2, 500:900] = float("nan")
    holes[:, 1500:1600] = float("nan")
    infinite[4, 10] = float("inf")
    fallen[7] = 0.0
    return {
        "zeros": torch.zeros_like(eeg),
        "constant": torch.full_like(eeg, 3.0),
        "equal electrodes": eeg[:1].expand(19, -1).clone(),
        "spike": spike,
        "holes": holes,
        "infinite": infinite,
        "all holes": torch.full_like(eeg, float("nan")),
        "fallen electrode": fallen,
    }


@pytest.mark.parametrize("name", odd_windows())
def test_odd_windows_give_finite_logits_and_gradients(network: Network, name: str) -> None:
    network.train()
    network(odd_windows()[name].unsqueeze(0)).sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters())
    network.eval()
    with torch.inference_mode():
        assert bool(network(odd_windows()[name].unsqueeze(0)).isfinite().all())


def test_a_hole_counts_as_silence(network: Network) -> None:
    holes = odd_windows()["holes"].unsqueeze(0)
    with torch.inference_mode():
        assert torch.equal(network(holes), network(holes.nan_to_num(0.0)))


@pytest.mark.isa
def test_a_window_alone_equals_itself_in_a_batch(network: Network) -> None:
    batch = torch.stack([*odd_windows().values()])
    assert_equal_but_for_flips(network, Run.one_by_one(network, batch), Run.of(network, batch))


@pytest.mark.isa
def test_threads_change_nothing(network: Network) -> None:
    threads = torch.get_num_threads()
    before = Run.of(network, windows(2))
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert_equal_but_for_flips(network, Run.of(network, windows(2)), before)
    finally:
        torch.set_num_threads(threads)


def test_a_reloaded_network_gives_the_same(network: Network) -> None:
    with torch.inference_mode():
        fresh, state = build(network.config).eval(), network.state_dict()
        fresh.load_state_dict(state, strict=True)
        before = network(windows(1))
        assert torch.equal(fresh(windows(1)), before)
        again = build(network.config).eval()
        again.load_state_dict(network.state_dict(), strict=True)
        assert torch.equal(again(windows(1)), before)


def gradient_norms(network: Network, eeg: Tensor, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    logits = network(eeg)
    (logits * torch.randn_like(logits)).sum().backward()
    norms = {}
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        norms[name] = float(parameter.grad.norm())
    return norms


@pytest.mark.parametrize("training", [False, True])
def test_every_parameter_is_live(network: Network, training: bool) -> None:
    """What docs/definitions.md calls alive, in training mode with batch statistics, too."""
    network.double().train(training)
    norms = gradient_norms(network, windows(2).double(), 0)
    median = sorted(norms.values())[len(norms) // 2]
    dead = {name: norm for name, norm in norms.items() if not 1e-6 * median <= norm < float("inf")}
    # The statistics of a paced head's batch take off what is constant before them; at inference these biases act.
    constant = {"bottleneck.layers.0.merge.bias", "decoder.project.bias", "graph.second_norm.bias"}
    assert set(dead) == (constant if training and network.config.paced else set()), dead


def test_every_parameter_moves_the_output(network: Network) -> None:
    network.double()
    eeg = windows(1, max(256, 4 * network.config.stride)).double()
    with torch.inference_mode():
        before = network(eeg)
        for name, parameter in network.named_parameters():
            kept = parameter.clone()
            parameter.mul_(1.05).add_(0.01)
            assert not torch.equal(network(eeg), before), name
            parameter.copy_(kept)


def test_logits_are_clamped(network: Network) -> None:
    with torch.inference_mode():
        assert isinstance(network.head.project, torch.nn.Conv1d)
        network.head.project.weight.mul_(1e6)
        logits = network(windows(1))
    assert float(logits.abs().max()) == 100.0


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_untrained_networks_give_the_prior(config: NetworkConfig) -> None:
    """One network's random features move its logit by about one; their mean over initialisations stays at the prior."""
    logits = []
    for seed in range(24):
        torch.manual_seed(seed)
        with torch.inference_mode():
            logits.append(float(build(config).eval()(windows(1, 1024)).mean()))
    assert sum(logits) / len(logits) == pytest.approx(math.log(0.1 / 0.9), abs=0.5)


@pytest.mark.parametrize("part", sorted(ABLATIONS))
def test_each_part_can_be_taken_out(network: Network, part: str) -> None:
    with torch.inference_mode():
        whole = network(windows(1))
        network.ablate = frozenset({part})
        assert float((network(windows(1)) - whole).abs().max()) > 1e-4
        network.ablate = frozenset()
        assert torch.equal(network(windows(1)), whole)


def test_without_edges_every_electrode_is_alone(network: Network) -> None:
    network.ablate = frozenset({"edges"})
    with torch.inference_mode():
        graph = network.before_pe(windows(1)).adjacency
    assert torch.equal(graph, torch.eye(19).expand_as(graph))


def test_an_unknown_part_is_refused(network: Network) -> None:
    with pytest.raises(ValueError, match="edge_stream"):
        network.ablate = frozenset({"edge_stream"})


def test_eigenvectors_are_held_between_decompositions(network: Network) -> None:
    with torch.inference_mode():
        graph = network.before_pe(windows(1, 15_360)).adjacency
        network.pe_every = 1
        every = network.pe(graph)
        network.pe_every = 7
        held = network.pe(graph)
    steps = torch.arange(graph.shape[1])
    assert torch.equal(held, every[:, steps - steps % 7])


def test_signs_are_random_in_training_only(network: Network) -> None:
    with torch.inference_mode():
        graph = network.before_pe(windows(2)).adjacency
        fixed = network.pe(graph)
        assert torch.equal(network.pe(graph), fixed)
        network.train()
        torch.manual_seed(0)
        drawn = network.pe(graph)
    assert torch.equal(drawn.abs(), fixed.abs())
    flipped = (drawn != fixed).any(dim=2)
    # One sign a window and eigenvector, the same at every step.
    assert torch.equal(flipped, flipped[:, :1].expand_as(flipped))
    assert 0 < int(flipped[:, 0].sum()) < flipped[:, 0].numel()


def test_a_slow_graph_is_held_over_its_node_steps() -> None:
    torch.manual_seed(0)
    network = build(V3_LITE).eval()
    with torch.inference_mode():
        features = network.before_pe(windows(1))
    stride = V3_LITE.graph.stride
    assert features.nodes.shape[2] == stride * features.adjacency.shape[1]


@pytest.mark.isa
def test_electrodes_of_a_shared_encoder_are_exchangeable() -> None:
    """No weight knows an electrode by name; only ties and the eigenvectors' fixed split go by index."""
    torch.manual_seed(0)
    network = build(V3_LITE).eval()
    network.ablate = frozenset({"pe"})
    order = torch.randperm(19, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        logits, electrodes, _ = network.locate(windows(1))
        moved, moved_electrodes, _ = network.locate(windows(1)[:, order])
    torch.testing.assert_close(moved, logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(moved_electrodes, electrodes[:, order], rtol=0, atol=1e-4)


def test_recomputing_changes_no_gradient(network: Network) -> None:
    network.train()
    norms = []
    for on in (False, True):
        network.zero_grad()
        network.recompute(on)
        norms.append(gradient_norms(network, windows(1), 0))
    assert norms[1] == pytest.approx(norms[0], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("whole", [False, True], ids=["autocast", "weights"])
def test_bfloat16_stays_near(network: Network, whole: bool) -> None:
    eeg = windows(1)
    with torch.inference_mode():
        exact = torch.sigmoid(network(eeg))
        if whole:
            network.bfloat16()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not whole):
            rough = network(eeg)
    assert rough.dtype == torch.float32
    torch.testing.assert_close(torch.sigmoid(rough), exact, rtol=0, atol=0.05)


def test_the_three_steps_are_the_network(network: Network) -> None:
    with torch.inference_mode():
        features = network.before_pe(windows(1))
        located = network.after_pe(features, network.pe(features.adjacency))
        assert torch.equal(located.logits, network(windows(1)))


DROPPED = {
    **V3_LITE.to_mapping(),
    "encoder": {**V3_LITE.to_mapping()["encoder"], "norm": "none", "activation": "gelu", "dropout": 0.2},
    "bottleneck": {**V3_LITE.to_mapping()["bottleneck"], "layers": 0},
    "nodes": {**V3_LITE.to_mapping()["nodes"], "layers": 1, "dropout": 0.2},
    "graph": {"hidden": 24, "eigenvectors": 0, "stride": 2, "dropout": 0.2},
    "decoder": {"widths": [20, 16], "channels": 6, "dropout": 0.2},
    "head": {"pool": "pool", "hidden": 16, "dilations": [1, 2], "dropout": 0.2},
}


def test_dropout_and_left_out_parts() -> None:
    torch.manual_seed(0)
    network = build(NetworkConfig.from_mapping(DROPPED))
    assert not torch.equal(network(windows(1)), network(windows(1)))
    norms = gradient_norms(network, windows(2), 0)
    assert min(norms.values()) > 0.0
    network.eval()
    assert torch.equal(network(windows(1)), network(windows(1)))


def test_without_streams_and_graph_the_encoders_and_the_head_remain() -> None:
    torch.manual_seed(0)
    network = build(V3_HYBRID).eval()
    with torch.inference_mode():
        features = network.before_pe(windows(2))
        assert features.adjacency.shape == (2, 0, 19, 19)
        assert features.trunk.shape == (2, 2048 // 64, 48)
        whole = network.after_pe(features, network.pe(features.adjacency))
        assert torch.equal(whole.logits, network(windows(2)))
    assert {name for name, _ in network.named_parameters() if name.startswith(("nodes", "edges", "graph"))} == set()


def test_the_larger_of_two_readings_counts_and_the_second_hears_no_mixer() -> None:
    torch.manual_seed(0)
    network = build(dataclasses.replace(V3_HYBRID, head=dataclasses.replace(V3_HYBRID.head, second=8))).eval()
    head = network.head
    assert isinstance(head, PacedHead)
    assert head.second is not None
    biases = head.project.bias, head.second.project.bias
    assert all(bias is not None for bias in biases)

    def read(first: float, second: float, *, trunk: float = 1.0) -> Tensor:
        with torch.inference_mode():
            for bias, value in zip(biases, (first, second), strict=True):
                bias.fill_(value)
            features = network.before_pe(windows(1))
            features = features._replace(trunk=trunk * features.trunk)
            return network.after_pe(features, network.pe(features.adjacency)).logits

    alone = read(-90.0, 0.0)
    assert torch.equal(alone, read(-90.0, 0.0, trunk=0.0))
    assert not torch.equal(read(0.0, -90.0), read(0.0, -90.0, trunk=0.0))
    steps = slice(128, None, 256)  # between them, logits are interpolated
    both = torch.maximum(read(0.0, -90.0), alone)
    torch.testing.assert_close(read(0.0, 0.0)[:, steps], both[:, steps], rtol=0.0, atol=5e-3)


def test_both_encoders_of_the_hybrid_are_heard() -> None:
    torch.manual_seed(0)
    network = build(V3_HYBRID).eval()
    with torch.inference_mode():
        features = network.before_pe(windows(1))
        silent = features._replace(trunk=torch.zeros_like(features.trunk))
        deaf = features._replace(nodes=torch.zeros_like(features.nodes))
        pe = network.pe(features.adjacency)
        logits = [network.after_pe(f, pe).logits for f in (features, silent, deaf)]
    assert all(float((logits[0] - other).abs().max()) > 1e-3 for other in logits[1:])
