from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from brainscan_models.network import Network
from brainscan_models.registry import build
from brainscan_training import faults
from brainscan_training.batches import Batch
from brainscan_training.config import TrainConfig
from brainscan_training.run import make_fabric
from brainscan_training.step import Stepper, frozen_parts

Changed = Callable[..., TrainConfig]

# What would make parts differ from the whole: statistics of a batch, random signs of eigenvectors.
EXACT = ("network.encoder.norm=none", "network.graph.eigenvectors=0")


def batch_of(n: int, *, seed: int = 0, seconds: int = 10) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    electrodes = torch.full((n, 19), float("nan"))
    electrodes[0] = (torch.arange(19) < 6).float()
    return Batch(
        uv=40.0 * torch.randn(n, 19, seconds * 256, generator=generator),
        ictal=(torch.rand(n, seconds, generator=generator) < 0.5).float(),
        weight=(torch.rand(n, seconds, generator=generator) < 0.7).float(),
        electrodes=electrodes,
        origins=tuple((f"window {k}",) for k in range(n)),
    )


def stepper(config: TrainConfig, frozen: tuple[str, ...] = ()) -> Stepper:
    torch.manual_seed(config.seed)
    return Stepper(make_fabric(config), build(config.network_config()), config, frozen)


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def poisoned(network: Network) -> None:
    with torch.no_grad():
        network.nodes.layers[0].ahead.out_proj.weight[0, 0] = float("nan")


def test_micro_batches_add_up_to_the_batch(smoke: Changed) -> None:
    whole = stepper(smoke("batch_size=4", "loss.electrodes=0.5", *EXACT))
    parts = stepper(smoke("batch_size=4", "micro_batch_size=1", "loss.electrodes=0.5", *EXACT))
    for number in range(3):
        one, other = (s.step(batch_of(4, seed=number), number, 1e-3) for s in (whole, parts))
        assert one.loss == pytest.approx(other.loss, rel=1e-4)
        assert one.electrodes == pytest.approx(other.electrodes, rel=1e-4)
        assert one.norm == pytest.approx(other.norm, rel=1e-3)
    for name, tensor in weights(whole.network).items():
        assert torch.allclose(tensor, parts.network.state_dict()[name], atol=2e-4), name


def test_a_step_moves_weights_average_and_loss(smoke: Changed) -> None:
    trained = stepper(smoke("ema=0.5"))
    before, averaged = weights(trained.network), weights(trained.averaged.network)
    results = [trained.step(batch_of(4), number, 3e-3) for number in range(12)]
    assert results[-1].loss < results[0].loss
    assert all(r.finite and math.isfinite(r.norm) and r.clamped == 0.0 for r in results)
    names = [name for name, _ in trained.network.named_parameters()]
    assert all(not torch.equal(before[name], trained.network.state_dict()[name]) for name in names)
    assert all(not torch.equal(averaged[name], trained.averaged.network.state_dict()[name]) for name in names)


def test_a_step_that_is_not_finite_changes_nothing(smoke: Changed) -> None:
    trained = stepper(smoke())
    trained.step(batch_of(4), 0, 1e-3)
    poisoned(trained.network)
    before, averaged = weights(trained.network), weights(trained.averaged.network)
    moments = {id(p): s["exp_avg"].clone() for p, s in trained.optimiser.state.items()}
    result = trained.step(batch_of(4, seed=1), 1, 1e-3)
    assert not result.finite
    assert not math.isfinite(result.loss)
    for name, tensor in weights(trained.network).items():
        assert torch.equal(tensor.nan_to_num(7.0), before[name].nan_to_num(7.0)), name  # running statistics too
    assert all(torch.equal(t, averaged[n]) for n, t in weights(trained.averaged.network).items())
    assert all(torch.equal(s["exp_avg"], moments[id(p)]) for p, s in trained.optimiser.state.items())
    assert trained.averaged.steps == 1


def test_the_first_layer_that_is_not_finite_is_named(smoke: Changed) -> None:
    trained = stepper(smoke())
    clean = faults.first_fault(trained.network, lambda: trained.loss_again(batch_of(4), 0))
    assert "nowhere" in clean
    poisoned(trained.network)
    found = faults.first_fault(trained.network, lambda: trained.loss_again(batch_of(4), 0))
    assert found == "the output of nodes.layers.0 (BiMamba2)"


def test_a_gradient_that_is_not_finite_is_named() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    x = torch.ones(1, 2)

    def loss() -> torch.Tensor:
        value = network(x).sum() - network(x).sum().detach()
        return value.sqrt()  # zero: finite, its gradient is not

    assert faults.first_fault(network, loss) == "the gradient at the output of 2 (Linear)"


def test_skipped_steps_are_borne_up_to_a_share() -> None:
    assert not faults.too_many((1, 2, 3, 4, 5), 0.05)
    assert faults.too_many((1, 2, 3, 4, 5, 6), 0.05)
    assert faults.too_many((1,), 0.0)


def test_frozen_parts_stay_and_the_others_move(smoke: Changed) -> None:
    config = smoke()
    network = build(config.network_config())
    frozen = frozen_parts(network, ("encoder", "to_nodes", "graph"))
    assert frozen == ("encoder", "graph")  # a shared encoder has no map to nodes
    trained = stepper(config, frozen)
    before = weights(trained.network)
    trained.step(batch_of(4), 0, 1e-2)
    moved = {name.partition(".")[0] for name, t in weights(trained.network).items() if not torch.equal(t, before[name])}
    assert not moved & set(frozen)  # neither weights nor running statistics
    assert {"nodes", "decoder", "head"} <= moved


def test_draws_inside_the_network_depend_on_the_step_alone(smoke: Changed) -> None:
    config = smoke("network.encoder.dropout=0.3")
    first, second = stepper(config), stepper(config)
    torch.manual_seed(99)
    second_result = second.step(batch_of(4), 7, 1e-3)
    assert first.step(batch_of(4), 7, 1e-3) == second_result
    assert stepper(config).step(batch_of(4), 8, 1e-3).loss != second_result.loss


def test_mixed_precision_is_near_and_not_equal(smoke: Changed) -> None:
    full, mixed = (stepper(smoke(f"mixed_precision={flag}")) for flag in ("false", "true"))
    one, other = full.step(batch_of(4), 0, 1e-3), mixed.step(batch_of(4), 0, 1e-3)
    assert other.loss == pytest.approx(one.loss, rel=0.02)
    assert other.loss != one.loss


def test_parts_of_a_batch_are_the_batch() -> None:
    batch = batch_of(5)
    parts = list(batch.parts(2))
    assert [len(p.uv) for p in parts] == [2, 2, 1]
    assert torch.equal(torch.cat([p.ictal for p in parts]), batch.ictal)
    assert sum((p.origins for p in parts), ()) == batch.origins
    assert replace(batch).to(torch.device("cpu")).origins == batch.origins
