"""V3 at its full size: built once, few passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from brainscan_models.network import Network
from brainscan_models.registry import V3, build
from tests.models.choices import Run, assert_equal_but_for_flips


@pytest.fixture(scope="module")
def v3() -> Network:
    torch.manual_seed(0)
    return build(V3).eval()


def test_a_minute_of_eeg(v3: Network) -> None:
    eeg = torch.randn(1, 19, 15_360, generator=torch.Generator().manual_seed(1))
    eeg[0, 4, 3000:4000] = float("nan")
    with torch.inference_mode():
        located = v3.locate(eeg)
    assert located.logits.shape == (1, 15_360)
    assert located.electrodes.shape == (1, 19, 15_360)
    assert bool(located.logits.isfinite().all())


@pytest.mark.isa
def test_odd_windows_alone_and_in_a_batch(v3: Network) -> None:
    eeg = torch.randn(8, 19, 1024, generator=torch.Generator().manual_seed(2))
    eeg[1], eeg[2] = 0.0, 3.0
    eeg[3, 5, 100] = 1e6
    eeg[4, 2, 200:400] = float("nan")
    eeg[5] = eeg[5, :1]
    assert_equal_but_for_flips(v3, Run.one_by_one(v3, eeg), Run.of(v3, eeg))


def test_every_stage_keeps_the_spread_at_the_start(v3: Network) -> None:
    spreads: dict[str, float] = {}

    def note(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(_module: object, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
            first = output if isinstance(output, Tensor) else output[0]
            spreads[name] = float(first.std())

        return v3.get_submodule(name).register_forward_hook(hook)

    names = [
        name for name, _ in v3.named_modules() if name.count(".") == 2 and name.split(".")[1] in ("stages", "layers")
    ]
    handles = [note(name) for name in (*names, "to_nodes", "from_nodes", "graph", "decoder")]
    with torch.inference_mode():
        v3(torch.randn(1, 19, 2048, generator=torch.Generator().manual_seed(3)))
    for handle in handles:
        handle.remove()
    assert len(spreads) == 4 + 6 + 6 + 4 + 4
    assert {name: spread for name, spread in spreads.items() if not 0.2 < spread < 5.0} == {}


def test_every_parameter_is_live(v3: Network) -> None:
    """docs/definitions.md, alive: float64, 2,048 samples, one backward pass.

    All gradients at once would be a quarter of a gigabyte, and so would a copy of the network.
    """
    norms: dict[str, float] = {}

    def noted(name: str) -> Callable[[Tensor], None]:
        def note(parameter: Tensor) -> None:
            assert parameter.grad is not None
            norms[name] = float(parameter.grad.norm())
            parameter.grad = None

        return note

    names = {name for name, _ in v3.named_parameters()}
    handles = [p.register_post_accumulate_grad_hook(noted(name)) for name, p in v3.double().named_parameters()]
    try:
        eeg = torch.randn(1, 19, 2048, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
        logits = v3(eeg)
        weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
        (logits * weights).sum().backward()
    finally:
        for handle in handles:
            handle.remove()
        v3.float()
    assert set(norms) == names
    median = sorted(norms.values())[len(norms) // 2]
    assert {name: norm for name, norm in norms.items() if not 1e-6 * median <= norm < float("inf")} == {}
