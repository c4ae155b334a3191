"""An export runs as the checkpoint does."""

from __future__ import annotations

import os

import numpy as np
import pytest
from numpy.typing import NDArray

from brainscan.errors import ModelError, UsageError
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner
from brainscan.model.onnx_folder import BEFORE, read_export
from brainscan.model.onnx_runner import Graphs, OnnxRunner, pick_providers
from brainscan.model.ort import silent_runtime
from brainscan.model.side_by_side import Computed
from brainscan.session import BackgroundRunner
from tests.stand_ins import Exported, noise, with_bursts

FloatArray = NDArray[np.float32]


def _windows() -> list[FloatArray]:
    """Return noise, a rhythm, silence, spikes, holes, and a flat electrode."""
    uv = [noise(8.0, seed=seed) for seed in range(6)]
    uv[1] = with_bursts(uv[1], 256.0, [(2.0, 6.0)])
    uv[2] *= 0.0
    uv[3][::4, ::300] = 1e6
    uv[4][2, 100:900] = np.nan
    uv[5][7] = 0.0
    return [each.astype(np.float32) for each in uv]


@pytest.fixture(scope="module")
def runner(exported: Exported) -> OnnxRunner:
    return OnnxRunner(exported.folder, RunConfig(device="cpu", threads=1, backend="onnx"))


def test_logits_and_probabilities_are_those_of_torch(exported: Exported, runner: OnnxRunner) -> None:
    loaded = checkpoint.load(str(exported.checkpoint))
    torch_runner = WindowRunner(loaded.network, loaded.card, RunConfig(device="cpu", threads=1))
    wanted = torch_runner.logits(_windows())
    assert np.ptp(wanted) > 0.05  # else any constant would do
    np.testing.assert_allclose(runner.logits(_windows()), wanted, atol=1e-3)
    np.testing.assert_allclose(runner.probabilities(_windows()), torch_runner.probabilities(_windows()), atol=3e-4)


@pytest.mark.parametrize(("threads", "batch_size"), [(2, 1), (3, 4), (0, 8)])
def test_threads_and_batches_change_no_bit(
    exported: Exported, runner: OnnxRunner, threads: int, batch_size: int
) -> None:
    other = OnnxRunner(exported.folder, RunConfig("cpu", batch_size=batch_size, threads=threads, backend="onnx"))
    np.testing.assert_array_equal(other.logits(_windows()), runner.logits(_windows()))


@pytest.mark.parametrize("batch_size", [1, 4])
def test_what_is_in_a_batch_changes_no_bit_of_a_window(exported: Exported, runner: OnnxRunner, batch_size: int) -> None:
    other = OnnxRunner(exported.folder, RunConfig("cpu", batch_size=batch_size, threads=2, backend="onnx"))
    windows = _windows()
    alone = [runner.probabilities([window])[0] for window in windows]
    np.testing.assert_array_equal(other.probabilities(windows), alone)
    np.testing.assert_array_equal(other.probabilities(windows[::-1]), alone[::-1])


@pytest.mark.parametrize("batch", [1, 3, 5])
def test_graphs_take_any_batch(exported: Exported, runner: OnnxRunner, batch: int) -> None:
    graphs = Graphs(exported.folder, read_export(exported.folder)[0].pe, 1, ("CPUExecutionProvider",))
    features = graphs.before(np.stack(_windows()[:batch]))
    logits = graphs.after(features, graphs.pe(features)).logits
    np.testing.assert_allclose(logits, runner.logits(_windows()[:batch]), atol=1e-4)


def test_it_is_a_runner(exported: Exported, runner: OnnxRunner) -> None:
    assert isinstance(runner, BackgroundRunner)
    assert runner.card == checkpoint.read_card(exported.checkpoint)
    assert (runner.backend, runner.batch_size) == ("onnx", RunConfig().batch_size)
    assert runner.probabilities([]) == []


def test_probabilities_never_leave_their_range(runner: OnnxRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = Computed(np.array([[-200.0, 0.0, 200.0]], dtype=np.float32), np.zeros((1, 0), dtype=np.float32))
    monkeypatch.setattr(runner, "_compute", lambda windows: computed)
    np.testing.assert_allclose(runner.probabilities(_windows()[:1]), [[0.0, 0.5, 1.0]], atol=1e-30)


def test_providers_follow_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    cpu, cuda = "CPUExecutionProvider", "CUDAExecutionProvider"
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [cpu])
    assert pick_providers("auto") == pick_providers("cpu") == (cpu,)
    with pytest.raises(UsageError, match="no CUDA"):
        pick_providers("cuda")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [cuda, cpu])
    assert pick_providers("auto") == pick_providers("cuda") == (cuda, cpu)
    assert pick_providers("cpu") == (cpu,)
    with pytest.raises(UsageError, match="no such device"):
        pick_providers("tpu")


@pytest.mark.parametrize(("told", "calls"), [(None, 1), ("1", 1), ("0", 0)])
def test_onnx_runtime_reports_nothing_unless_the_user_lets_it(
    monkeypatch: pytest.MonkeyPatch, told: str | None, calls: int
) -> None:
    import onnxruntime

    silenced = []
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: silenced.append(True))
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", told or "")
    if told is None:
        monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    assert silent_runtime() is onnxruntime
    assert len(silenced) == calls
    assert os.environ["ORT_DISABLE_TELEMETRY"] == (told or "1")


def test_what_onnx_runtime_cannot_load_is_a_model_error(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    def refuse(path: str, *_: object, **__: object) -> None:
        raise RuntimeError(f"Unsupported model IR version in {BEFORE}\nand a second line")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    with pytest.raises(ModelError, match=r"cannot load it \(Unsupported model IR version") as caught:
        OnnxRunner(exported.folder)
    assert "second line" not in caught.value.message
