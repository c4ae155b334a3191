"""Arguments of the scan and of the mixer in the shapes that the networks use."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest
import torch

from brainscan_models.ssd import mixer, ssd


class Extent(NamedTuple):
    batch: int
    length: int
    heads: int
    headdim: int
    d_state: int


# V3's bottleneck, node and edge stream; v3-lite's node and edge streams; what fits no vector. Of the
# first, V3's 960 steps would take half a gigabyte for the recurrence's gradient.
IN_USE = (
    Extent(1, 240, 16, 64, 16),
    Extent(2, 960, 16, 8, 16),
    Extent(3, 960, 8, 4, 8),
    Extent(2, 240, 12, 8, 16),
    Extent(2, 240, 4, 4, 8),
    Extent(3, 60, 4, 4, 8),
)
ODD = (
    Extent(2, 1, 8, 4, 8),
    Extent(1, 2, 2, 64, 16),
    Extent(2, 33, 3, 5, 3),
    Extent(1, 65, 5, 12, 7),
    Extent(2, 31, 1, 1, 1),
)


@pytest.fixture(params=IN_USE + ODD, ids=lambda extent: "x".join(map(str, extent)))
def extent(request: pytest.FixtureRequest) -> Extent:
    return request.param


def draw_scan(extent: tuple[int, ...], seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Draw x, dt, A, B, C, D in float32."""
    random = torch.Generator().manual_seed(seed)
    batch, length, heads, headdim, d_state = extent

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    dt = torch.rand(batch, length, heads, generator=random) * 0.1 + 1e-3
    A = -1 - 15 * torch.rand(heads, generator=random)
    return (
        *(normal(batch, length, heads, headdim), dt, A),
        *(normal(batch, length, d_state), normal(batch, length, d_state), normal(heads)),
    )


def draw_mixer(extent: tuple[int, ...], seed: int = 0, d_conv: int = 4) -> tuple[torch.Tensor, ...]:
    """Draw zxbcdt and the six parameters in float32, the latter spread as at initialisation."""
    random = torch.Generator().manual_seed(seed)
    batch, length, heads, headdim, d_state = extent
    d_inner = heads * headdim
    channels = d_inner + 2 * d_state

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=random)

    return (
        torch.randn(batch, length, d_inner + channels + heads, generator=random),
        uniform(channels, 1, d_conv) - 0.5,
        uniform(channels) - 0.5,
        -6 + 4 * uniform(heads),
        torch.log(1 + 15 * uniform(heads)),
        0.5 + uniform(heads),
        0.5 + uniform(d_inner),
    )


@pytest.fixture
def scan_arguments() -> Callable[..., tuple[torch.Tensor, ...]]:
    return draw_scan


@pytest.fixture
def mixer_arguments() -> Callable[..., tuple[torch.Tensor, ...]]:
    return draw_mixer


def values_and_gradients(
    function: Callable[..., torch.Tensor], arguments: Iterable[torch.Tensor], dtype: torch.dtype
) -> list[torch.Tensor]:
    """Compute in `dtype`; the gradient that comes in is uneven, so that errors in single steps show."""
    leaves = [argument.to(dtype).requires_grad_() for argument in arguments]
    result = function(*leaves)
    upstream = torch.cos(1.7 * torch.arange(result.numel(), dtype=torch.float64)).reshape(result.shape)
    return [result.detach(), *torch.autograd.grad(result, leaves, upstream.to(dtype))]


@pytest.fixture(scope="session")
def differentiate() -> Callable[..., list[torch.Tensor]]:
    return values_and_gradients


@pytest.fixture(scope="session")
def recurrence() -> Callable[..., list[torch.Tensor]]:
    """Values and gradients of the step-by-step form in float64, each computed once."""

    @functools.cache
    def compute(extent: Extent, reverse: bool | None) -> list[torch.Tensor]:
        if reverse is None:
            scan = functools.partial(ssd, backend="reference")
            return values_and_gradients(scan, draw_scan(extent), torch.float64)
        sizes = {"headdim": extent.headdim, "d_state": extent.d_state, "reverse": reverse}
        whole = functools.partial(mixer, **sizes, backend="reference")
        return values_and_gradients(whole, draw_mixer(extent), torch.float64)

    return compute
