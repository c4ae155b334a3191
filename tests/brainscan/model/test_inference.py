"""From windows to probabilities: scaling, batches, devices."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from brainscan.card import AmplitudeConfig, Card
from brainscan.electrodes import ELECTRODES, MIRROR
from brainscan.errors import UsageError
from brainscan.model import checkpoint
from brainscan.model.amplitude import GROUPS, centring_matrix
from brainscan.model.inference import (
    RunConfig,
    WindowRunner,
    fast_scaled,
    pick_device,
    pick_scan,
    scaled,
)
from brainscan_models.config import NetworkConfig
from brainscan_models.network import Network
from brainscan_models.registry import build
from brainscan_models.ssd import backends
from tests.stand_ins import MIXED, SMALL, TINY, noise

CARD = Card(name="x", variant=TINY.to_mapping())


@pytest.fixture(scope="module")
def network() -> Network:
    """Return a small network with fixed weights."""
    torch.manual_seed(3)
    return build(TINY)


def _windows(n: int) -> list[np.ndarray]:
    return [noise(4.0, seed=seed).astype(np.float32) for seed in range(n)]


@pytest.mark.isa
@pytest.mark.parametrize("batch_size", [1, 2, 3, 8])
def test_batch_size_never_changes_probabilities(network: Network, batch_size: int) -> None:
    alone = WindowRunner(network, CARD, RunConfig(device="cpu", batch_size=1)).probabilities(_windows(5))
    found = WindowRunner(network, CARD, RunConfig(device="cpu", batch_size=batch_size)).probabilities(_windows(5))
    assert [f.shape for f in found] == [(1024,)] * 5
    np.testing.assert_array_equal(found, alone)


@pytest.mark.isa
@pytest.mark.parametrize("variant", [SMALL, MIXED, None], ids=["v3-lite's parts", "v3's parts", "shipped"])
@pytest.mark.parametrize("backend", ["native", "torch"])
def test_what_is_in_a_batch_changes_no_bit_of_a_window(variant: NetworkConfig | None, backend: str) -> None:
    """Whatever stands beside a window, however many: on a CPU each is computed alone."""
    torch.manual_seed(4)
    loaded = checkpoint.load(checkpoint.DEFAULT) if variant is None else None
    network = build(variant) if variant else loaded.network  # type: ignore[union-attr]
    card = Card(name="x", variant=variant.to_mapping()) if variant else loaded.card  # type: ignore[union-attr]
    uv = [noise(16.0, seed=seed).astype(np.float32) for seed in range(4)]
    odd = [np.zeros_like(uv[0]), 1e6 * uv[0], np.full_like(uv[0], np.nan), np.broadcast_to(uv[0][:1], uv[0].shape)]
    runs = [
        RunConfig(device="cpu", batch_size=size, threads=threads, backend=backend)
        for size, threads in ((1, 1), (3, 2), (8, 1))
    ]
    alone, *others = (WindowRunner(network, card, run) for run in runs)
    expected = [alone.probabilities([each])[0] for each in uv]
    for runner in others:
        for together in ([*uv, *odd], [*odd, *uv[::-1]]):
            found = runner.probabilities(together)
            for wanted, window in zip(expected, uv, strict=True):
                at = next(i for i, each in enumerate(together) if each is window)
                np.testing.assert_array_equal(found[at], wanted)


def test_no_window_no_probability(network: Network) -> None:
    assert WindowRunner(network, CARD, RunConfig(device="cpu")).probabilities([]) == []


def test_shift_and_scale_apply_to_the_logit(network: Network) -> None:
    plain = WindowRunner(network, CARD, RunConfig(device="cpu")).logits(_windows(1))[0]
    shifted = WindowRunner(network, replace(CARD, logit_shift=0.7, logit_scale=2.0), RunConfig(device="cpu"))
    np.testing.assert_allclose(shifted.logits(_windows(1))[0], (plain - 0.7) * 2.0, atol=1e-5)
    expected = 1.0 / (1.0 + np.exp(-(plain - 0.7) * 2.0))
    np.testing.assert_allclose(shifted.probabilities(_windows(1))[0], expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 5.0, 1e6, np.nan, np.inf])
def test_no_input_gives_nan(network: Network, value: float) -> None:
    window = _windows(1)[0]
    window[3, 100:400] = value
    constant = np.full((19, 1024), value, dtype=np.float32)
    for found in WindowRunner(network, CARD, RunConfig(device="cpu")).probabilities([window, constant]):
        assert np.isfinite(found).all()


def test_scale_and_limiter() -> None:
    uv = torch.tensor([[60.0, -120.0, 1e6]]).T.expand(3, 19).T[None].contiguous()
    nothing = torch.eye(19)
    found = scaled(uv, AmplitudeConfig(scale_uv=60.0, gain=2.0), nothing)[0, 0]
    assert found.tolist() == pytest.approx([2.0 * np.arcsinh(x) for x in (1.0, -2.0, 1e6 / 60.0)], rel=1e-5)
    found = scaled(uv, AmplitudeConfig(scale_uv=60.0, gain=2.0, limiter="tanh"), nothing)[0, 0]
    assert found.tolist() == pytest.approx([2.0 * np.tanh(x) for x in (1.0, -2.0, 1e6 / 60.0)], rel=1e-5)


@pytest.mark.parametrize("centre", ["all", "lateral", "hemispheres"])
def test_centring_takes_each_group_s_mean_off_and_does_so_once(centre: str) -> None:
    matrix = centring_matrix(AmplitudeConfig(centre=centre)).astype(np.float64)  # type: ignore[arg-type]
    np.testing.assert_allclose(matrix @ matrix, matrix, atol=1e-6)
    for group in GROUPS[centre]:
        assert matrix[:, [ELECTRODES.index(name) for name in group]].sum(axis=0) == pytest.approx(0.0, abs=1e-6)
    # Left and right are treated alike.
    mirror = list(MIRROR)
    np.testing.assert_allclose(matrix[np.ix_(mirror, mirror)], matrix, atol=1e-7)


@pytest.mark.parametrize("centre", ["lateral", "hemispheres"])
def test_groups_hold_each_electrode_once(centre: str) -> None:
    assert sorted(name for group in GROUPS[centre] for name in group) == sorted(ELECTRODES)


def test_devices() -> None:
    assert pick_device("cpu").type == "cpu"
    assert pick_device("auto").type in {"cpu", "cuda"}
    with pytest.raises(UsageError, match="no such device: tpu"):
        pick_device("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none_is_the_user_s_mistake() -> None:
    with pytest.raises(UsageError, match="no CUDA device"):
        pick_device("cuda")


def test_threads_of_the_process_stay_as_they_are(network: Network) -> None:
    before = torch.get_num_threads()
    WindowRunner(network, CARD, RunConfig(device="cpu", threads=3)).logits(_windows(4))
    assert torch.get_num_threads() == before


@pytest.mark.isa
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(network: Network, threads: int) -> None:
    alone = WindowRunner(network, CARD, RunConfig(device="cpu", threads=1)).logits(_windows(5))
    found = WindowRunner(network, CARD, RunConfig(device="cpu", threads=threads, batch_size=2)).logits(_windows(5))
    np.testing.assert_array_equal(found, alone)


def test_parts_may_be_ablated_at_any_time(network: Network) -> None:
    runner = WindowRunner(network, CARD, RunConfig(device="cpu"))
    whole = runner.logits(_windows(1))[0]
    network.ablate = frozenset({"graph"})
    try:
        with torch.inference_mode():
            centring = torch.from_numpy(centring_matrix(CARD.amplitude))
            expected = network(scaled(torch.from_numpy(_windows(1)[0])[None], CARD.amplitude, centring))[0]
        found = runner.logits(_windows(1))[0]
    finally:
        network.ablate = frozenset()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(found, whole, atol=1e-4)
    np.testing.assert_array_equal(runner.logits(_windows(1))[0], whole)


def test_submitted_windows_give_what_waiting_for_them_gives(network: Network) -> None:
    runner = WindowRunner(network, CARD, RunConfig(device="cpu", threads=2))
    found = [answer.probability for future in runner.submit(_windows(3)) for answer in future.result()]
    np.testing.assert_array_equal(found, runner.probabilities(_windows(3)))


def test_what_fails_in_a_thread_is_raised(network: Network) -> None:
    runner = WindowRunner(network, CARD, RunConfig(device="cpu"))
    with pytest.raises(ValueError, match="multiple"):
        runner.logits([*_windows(2), np.zeros((19, 15361), dtype=np.float32)])


@pytest.mark.isa
@pytest.mark.parametrize("centre", sorted(GROUPS))
@pytest.mark.parametrize("limiter", ["asinh", "tanh"])
def test_fast_amplitude_equals_the_readable_one(centre: str, limiter: str) -> None:
    config = AmplitudeConfig(scale_uv=60.0, gain=2.0, centre=centre, limiter=limiter)  # type: ignore[arg-type]
    centring = torch.from_numpy(centring_matrix(config))
    sizes = torch.logspace(-8, 8, 19 * 400, dtype=torch.float64).float().reshape(400, 19).T.contiguous()
    signs = torch.where(torch.arange(400) % 3 > 0, 1.0, -1.0)
    uv = (sizes * signs)[None]
    torch.testing.assert_close(fast_scaled(uv, config, centring), scaled(uv, config, centring), rtol=1e-6, atol=1e-12)


def test_fast_amplitude_of_extremes() -> None:
    config = AmplitudeConfig(scale_uv=60.0, gain=2.0)
    uv = torch.tensor([0.0, -0.0, 3e38, -3e38, float("nan")])
    found = fast_scaled(uv, config, torch.eye(5))
    assert found[:2].tolist() == [0.0, 0.0]
    assert math.copysign(1.0, float(found[1])) == -1.0
    assert found[2] == -found[3] > 80.0
    assert found[4].isnan()


@pytest.mark.isa
def test_backends_agree(network: Network) -> None:
    found = {
        name: WindowRunner(network, CARD, RunConfig(device="cpu", backend=name)).logits(_windows(2))
        for name in ("auto", "torch", "native")
    }
    np.testing.assert_allclose(found["torch"], found["auto"], atol=1e-4)
    np.testing.assert_array_equal(found["native"], found["auto"])


def test_a_runner_names_what_computes(network: Network) -> None:
    assert WindowRunner(network, CARD, RunConfig(device="cpu")).backend == "native"
    assert WindowRunner(network, CARD, RunConfig(device="cpu", backend="torch")).backend == "torch"


def test_a_network_without_scans_needs_no_kernels(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling one takes seconds, and none would be used."""
    monkeypatch.setattr("brainscan_models.ssd.native.prepare", lambda: 1 / 0)
    backends._native_missing.cache_clear()
    try:
        for name in ("auto", "native"):
            runner = WindowRunner(network, CARD, RunConfig(device="cpu", backend=name))
            assert len(runner.logits(_windows(1))) == 1
            assert runner.backend == "native"
        with pytest.raises(ZeroDivisionError):
            WindowRunner(build(SMALL), CARD, RunConfig(device="cpu", backend="native"))
    finally:
        backends._native_missing.cache_clear()


@pytest.mark.parametrize("name", ["cuda", "chunked", "ONNX", ""])
def test_unknown_backend(name: str) -> None:
    with pytest.raises(UsageError, match="no such backend"):
        RunConfig(device="cpu", backend=name)


def test_a_backend_that_is_not_torch_s(network: Network) -> None:
    with pytest.raises(UsageError, match="no such backend of PyTorch"):
        WindowRunner(network, CARD, RunConfig(device="cpu", backend="onnx"))


def test_compiled_kernels_that_cannot_run_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brainscan_models.ssd.backends._native_missing", lambda ready: "numba is not installed")
    with pytest.raises(UsageError, match="numba is not installed") as caught:
        pick_scan("native", torch.device("cpu"))
    assert "doctor" in caught.value.hint
    with pytest.raises(UsageError, match="cpu device"):
        pick_scan("native", torch.device("meta"))
