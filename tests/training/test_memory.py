from __future__ import annotations

from collections.abc import Callable

import pytest

from brainscan_models.inventory import parameters
from brainscan_training.config import TrainConfig
from brainscan_training.memory import estimate

Changed = Callable[..., TrainConfig]
WIDE = ("network.edges.d_model=16", "network.nodes.layers=3")


def test_memory_grows_with_windows_and_their_length(smoke: Changed) -> None:
    short, long = (estimate(smoke(f"compose.window_s={seconds}")) for seconds in (10, 20))
    assert long.kept == pytest.approx(2 * short.kept, rel=0.02)
    assert long.state == short.state
    one, three = (long.with_windows(n).total for n in (1, 3))
    assert three - one == 2 * long.kept


def test_what_saves_memory_saves_it(smoke: Changed) -> None:
    """Recomputation and bfloat16 keep less; the scan in plain PyTorch keeps more than the fused one."""
    plain = estimate(smoke(*WIDE)).kept
    assert estimate(smoke(*WIDE, "recompute=true")).kept < plain
    assert estimate(smoke(*WIDE, "mixed_precision=true")).kept < plain
    assert estimate(smoke(*WIDE), "chunked").kept > plain


def test_state_is_weights_gradients_moments_and_average(smoke: Changed) -> None:
    config = smoke()
    weights = sum(parameters(config.network_config()).values())
    assert estimate(config).state == 5 * 4 * weights
