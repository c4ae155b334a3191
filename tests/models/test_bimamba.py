from __future__ import annotations

import dataclasses
import math
from typing import Literal

import pytest
import torch

from brainscan_models import bimamba
from brainscan_models.bimamba import BiMamba2, Mamba2, Stream
from brainscan_models.config import StreamConfig
from brainscan_models.registry import V3, V3_LITE

SMALL = StreamConfig(layers=2, d_model=12, d_state=4, headdim=6)


def published_shapes(d_model: int, d_state: int, headdim: int) -> dict[str, tuple[int, ...]]:
    """Return what `mamba_ssm.modules.mamba2.Mamba2(d_model, d_state, headdim=…)` calls its parameters."""
    d_inner = 2 * d_model
    heads, convolved = d_inner // headdim, d_inner + 2 * d_state
    return {
        "dt_bias": (heads,),
        "A_log": (heads,),
        "D": (heads,),
        "in_proj.weight": (2 * d_inner + 2 * d_state + heads, d_model),
        "conv1d.weight": (convolved, 1, 4),
        "conv1d.bias": (convolved,),
        "norm.weight": (d_inner,),
        "out_proj.weight": (d_model, d_inner),
    }


@pytest.mark.parametrize("config", [V3.bottleneck, V3.nodes, V3.edges, V3_LITE.nodes])
def test_a_published_state_dict_loads_strictly(config: StreamConfig) -> None:
    shapes = published_shapes(config.d_model, config.d_state, config.headdim)
    state = {name: torch.randn(shape) for name, shape in shapes.items()}
    module = Mamba2(config)
    module.load_state_dict(state, strict=True)
    for name, value in module.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_steps_and_decays_start_in_their_ranges() -> None:
    torch.manual_seed(0)
    module = Mamba2(StreamConfig(layers=1, d_model=512, d_state=4, headdim=1, dt_min=0.01, dt_max=0.5))
    dt = torch.nn.functional.softplus(module.dt_bias.detach())
    assert 0.0099 < float(dt.min()) < 0.012
    assert 0.45 < float(dt.max()) < 0.505
    # Log-uniform: half of the heads lie below the geometric mean.
    assert float((dt < math.sqrt(0.01 * 0.5)).float().mean()) == pytest.approx(0.5, abs=0.05)
    decay = module.A_log.detach().exp()
    assert 1.0 <= float(decay.min()) <= float(decay.max()) <= 16.0


def test_the_backward_direction_is_the_forward_one_on_reversed_time() -> None:
    torch.manual_seed(0)
    ahead, back = Mamba2(SMALL), Mamba2(SMALL, reverse=True)
    back.load_state_dict(ahead.state_dict())
    x = torch.randn(3, 17, 12)
    torch.testing.assert_close(back(x), ahead(x.flip(1)).flip(1))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_direction_sees_only_its_past(reverse: bool) -> None:
    torch.manual_seed(0)
    module = Mamba2(SMALL, reverse=reverse)
    x = torch.randn(1, 20, 12)
    changed = x.clone()
    changed[:, 10] += 1.0
    moved = (module(changed) - module(x)).abs().amax(dim=-1)[0] > 1e-7
    seen = moved[:11] if reverse else moved[10:]
    unseen = moved[11:] if reverse else moved[:10]
    assert bool(seen.all())
    assert not bool(unseen.any())


def test_a_layer_looks_both_ways() -> None:
    torch.manual_seed(0)
    layer = BiMamba2(SMALL)
    x = torch.randn(1, 20, 12)
    changed = x.clone()
    changed[:, 10] += torch.randn(12)
    moved = (layer(changed) - layer(x)).abs().amax(dim=-1)[0]
    assert bool((moved > 1e-7).all())


@pytest.mark.isa
def test_sequences_do_not_meet() -> None:
    torch.manual_seed(0)
    stream = Stream(SMALL)
    x = torch.randn(5, 20, 12)
    torch.testing.assert_close(stream(x)[2:3], stream(x[2:3]), rtol=1e-5, atol=1e-5)


def test_a_norm_after_the_layer_lets_it_see_the_scale() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 20, 12)
    added = {}
    for norm in ("before", "after"):
        torch.manual_seed(1)
        layer = BiMamba2(StreamConfig(layers=1, d_model=12, d_state=4, headdim=6, norm=norm))  # type: ignore[arg-type]
        with torch.inference_mode():
            added[norm] = float(((layer(2 * x) - 2 * x) - (layer(x) - x)).abs().amax())
    assert added["before"] < 1e-3
    assert added["after"] > 0.05


@pytest.mark.parametrize("norm", ["before", "after"])
def test_maps_multiplied_first_give_the_same_and_the_same_gradients(
    norm: Literal["before", "after"], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = BiMamba2(dataclasses.replace(SMALL, norm=norm)).double()
    x = torch.randn(3, 17, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    results = []
    for rows in (1, 1_000_000):
        monkeypatch.setattr(bimamba, "_FOLD_FROM", rows)
        y = layer(x)
        results.append([y, *torch.autograd.grad(y.square().sum(), list(layer.parameters()))])
    for folded, apart in zip(*results, strict=True):
        torch.testing.assert_close(folded, apart)


def test_recomputing_changes_no_gradient() -> None:
    gradients = []
    for recompute in (False, True):
        torch.manual_seed(0)
        stream = Stream(SMALL)
        stream.recompute = recompute
        x = torch.randn(2, 20, 12, requires_grad=True)
        stream(x).square().sum().backward()
        gradients.append([x.grad, *(p.grad for p in stream.parameters())])
    for kept, again in zip(*gradients, strict=True):
        torch.testing.assert_close(kept, again)


@pytest.mark.isa
def test_few_sequences_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    stream = Stream(SMALL)
    x = torch.randn(7, 20, 12)
    with torch.inference_mode():
        whole = stream(x)
        monkeypatch.setattr("brainscan_models.bimamba._CACHED_VALUES", 2000)
        torch.testing.assert_close(stream(x), whole, rtol=1e-5, atol=1e-5)
