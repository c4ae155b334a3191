"""From windows to probabilities: scaling, batches, devices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from brainscan.card import AmplitudeConfig, Card
from brainscan.electrodes import ELECTRODES, MIRROR
from brainscan.errors import UsageError
from brainscan.model.inference import GROUPS, RunConfig, WindowRunner, centring_matrix, pick_device, pick_scan, scaled
from brainscan_models.network import Network
from brainscan_models.registry import build
from tests.stand_ins import TINY, noise

CARD = Card(name="x", variant=TINY.to_mapping())


@pytest.fixture(scope="module")
def network() -> Network:
    """Return a small network with fixed weights."""
    torch.manual_seed(3)
    return build(TINY)


def _windows(n: int) -> list[np.ndarray]:
    return [noise(4.0, seed=seed).astype(np.float32) for seed in range(n)]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8])
def test_batch_size_never_changes_probabilities(network: Network, batch_size: int) -> None:
    alone = WindowRunner(network, CARD, RunConfig(device="cpu", batch_size=1)).probabilities(_windows(5))
    found = WindowRunner(network, CARD, RunConfig(device="cpu", batch_size=batch_size)).probabilities(_windows(5))
    assert [f.shape for f in found] == [(1024,)] * 5
    np.testing.assert_allclose(found, alone, atol=1e-5)


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


def test_threads_are_set_only_when_asked(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    WindowRunner(network, CARD, RunConfig(device="cpu"))
    WindowRunner(network, CARD, RunConfig(device="cpu", threads=3))
    assert asked == [3]


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


@pytest.mark.parametrize("name", ["cuda", "chunked", "ONNX", ""])
def test_unknown_backend(network: Network, name: str) -> None:
    with pytest.raises(UsageError, match="no such backend"):
        WindowRunner(network, CARD, RunConfig(device="cpu", backend=name))


def test_compiled_kernels_that_cannot_run_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brainscan_models.ssd.backends._native_missing", lambda: "numba is not installed")
    with pytest.raises(UsageError, match="numba is not installed") as caught:
        pick_scan("native", torch.device("cpu"))
    assert "doctor" in caught.value.hint
    with pytest.raises(UsageError, match="cpu device"):
        pick_scan("native", torch.device("meta"))
