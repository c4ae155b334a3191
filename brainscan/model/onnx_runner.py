"""An exported model, run by ONNX Runtime: graph, eigenvectors in NumPy, graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import N_ELECTRODES
from brainscan.errors import ModelError, UsageError
from brainscan.model import checkpoint
from brainscan.model.laplacian import held_pe
from brainscan.model.onnx_folder import AFTER, BEFORE, PeStep, read_export
from brainscan.model.ort import ERRORS_ONLY, silent_runtime
from brainscan.model.run_config import RunConfig, ensure_known
from brainscan.model.side_by_side import Computed, SideBySide
from brainscan.model.workers import usual_threads

FloatArray = NDArray[np.float32]


class Graphs:
    """The two graphs of an export, open.

    Parameters
    ----------
    folder : Path
    step : PeStep
    threads : int
        CPU threads; 0: as many as ONNX Runtime thinks fit.
    providers : sequence of str
        ONNX Runtime's execution providers, in the order of preference.
    """

    def __init__(self, folder: Path, step: PeStep, threads: int, providers: Sequence[str]) -> None:
        runtime = silent_runtime()
        options = runtime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        options.intra_op_num_threads = threads
        # Waiting threads shall not burn the cores on which the next block is read and filtered.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._step = step
        try:
            self._before, self._after = (
                runtime.InferenceSession(str(folder / name), options, providers=list(providers))
                for name in (BEFORE, AFTER)
            )
        except Exception as problem:  # ONNX Runtime's exceptions have no other base in common
            reason = str(problem).splitlines()[0]
            raise ModelError(f"ONNX Runtime cannot load it ({reason})", file=folder.name) from problem

    def before(self, uv: FloatArray) -> dict[str, FloatArray]:
        """Return what the first graph makes of windows in µV, shape (batch, 19, n_samples), by name."""
        return _run(self._before, {"uv": uv})

    def pe(self, features: Mapping[str, FloatArray]) -> FloatArray:
        """Return the eigenvectors between the graphs, shape (batch, n_steps, 19, eigenvectors)."""
        adjacency = features.get("adjacency")
        if adjacency is None:  # a network without a graph
            return np.zeros((len(features["nodes"]), 0, N_ELECTRODES, 0), dtype=np.float32)
        return held_pe(adjacency, self._step.eigenvectors, self._step.every, self._step.ties)

    def after(self, features: Mapping[str, FloatArray], pe: FloatArray) -> Computed:
        """Return the answer to what the first graph gave."""
        found = _run(self._after, {**features, "pe": pe})
        none = np.zeros((len(found["logits"]), 0), dtype=np.float32)
        return Computed(found["logits"], found.get("features", none))


class OnnxRunner(SideBySide):
    """An export, ready for windows: a `brainscan.session.Runner`.

    Parameters
    ----------
    folder : Path
        Of the export.
    config : RunConfig, optional
    source : Path, optional
        The checkpoint that these graphs compute, whose card holds; by default the export's own does.

    Attributes
    ----------
    source : Path or None

    Raises
    ------
    ModelError
        If the export is damaged.
    UsageError
        If the device cannot be used.
    """

    backend = "onnx"
    precision = "float32"

    def __init__(self, folder: Path, config: RunConfig | None = None, source: Path | None = None) -> None:
        self.config = config or RunConfig(backend="onnx")
        manifest, exported = read_export(folder)
        self.source = source
        self.card = checkpoint.read_card(source) if source else exported
        providers = pick_providers(self.config.device)
        threads = self.config.threads or usual_threads()
        super().__init__(self.config.batch_size, threads, on_cpu=len(providers) == 1)
        self.graphs = Graphs(folder, manifest.pe, 1, providers)

    def _compute(self, windows: Sequence[FloatArray]) -> Computed:
        features = self.graphs.before(np.stack(windows))
        return self.graphs.after(features, self.graphs.pe(features))


def pick_providers(device: str) -> tuple[str, ...]:
    """Return ONNX Runtime's providers for a device: ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    UsageError
        If the device is unknown, or CUDA is asked for and this ONNX Runtime has none.
    """
    cpu, cuda = "CPUExecutionProvider", "CUDAExecutionProvider"
    ensure_known("device", device)
    has_cuda = cuda in silent_runtime().get_available_providers()
    if device == "cuda" and not has_cuda:
        raise UsageError("this ONNX Runtime has no CUDA", hint="pip install onnxruntime-gpu; or --device cpu")
    return (cuda, cpu) if has_cuda and device != "cpu" else (cpu,)


def _run(session: Any, inputs: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    names = {value.name for value in session.get_inputs()}
    outputs = [value.name for value in session.get_outputs()]
    given = {name: value for name, value in inputs.items() if name in names}
    return dict(zip(outputs, session.run(outputs, given), strict=True))
