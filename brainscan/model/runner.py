"""Which runner a model and a backend come to: torch with one of its kernels, or ONNX Runtime.

`--backend onnx` exports a checkpoint once and keeps the export among the user's caches.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan._version import __version__
from brainscan.errors import ModelError, OutputError, UsageError
from brainscan.io.user_cache import user_cache
from brainscan.model import checkpoint
from brainscan.model.inference import RunConfig, WindowRunner, pick_device
from brainscan.model.onnx_folder import card_of, is_export, read_export
from brainscan.model.workers import count_of

if TYPE_CHECKING:
    from brainscan.model.onnx_runner import OnnxRunner

ONNX = "onnx"


def open_runner(name_or_path: str, run: RunConfig | None = None) -> WindowRunner | OnnxRunner:
    """Open a model: a shipped one's name, a file, a folder in the hub's layout, or an ONNX export.

    Raises
    ------
    ModelError
        If the model is absent, damaged or does not fit.
    MissingExtraError
        If ONNX Runtime is needed and not installed.
    UsageError
        If device or backend cannot be used.
    """
    run = run or RunConfig()
    folder = Path(name_or_path)
    exported = is_export(folder)
    if exported and run.backend not in {"auto", ONNX}:
        raise UsageError(
            f"an ONNX export does not run on the backend {run.backend}",
            file=folder.name,
            hint="--backend onnx, or give the model that was exported",
        )
    if not exported and run.backend != ONNX:
        loaded = checkpoint.load(name_or_path)
        return WindowRunner(loaded.network, loaded.card, run)
    from brainscan.model.onnx_runner import OnnxRunner, need

    if run.precision not in {"float32", "auto"}:
        raise UsageError(f"the backend onnx does not compute in {run.precision}", hint="--precision float32, or auto")
    need("onnxruntime")
    if exported:
        return OnnxRunner(folder, run)
    kept = kept_export(name_or_path)
    if kept is not None:
        return OnnxRunner(kept, run)
    with tempfile.TemporaryDirectory(prefix="brainscan-") as place:
        # Both graphs are in memory once they are open.
        return OnnxRunner(_export(name_or_path, Path(place) / ONNX), run)


def place_of_work(run: RunConfig, backend: str) -> str:
    """Return where windows are computed, for people: ``cuda``, or ``cpu`` with its threads.

    Parameters
    ----------
    run : RunConfig
        What was asked for.
    backend : str
        What a runner says that it uses.

    Raises
    ------
    UsageError
        If there is no such device.
    """
    if backend == ONNX:
        from brainscan.model.onnx_runner import pick_providers

        on_cpu = len(pick_providers(run.device)) == 1
    else:
        on_cpu = pick_device(run.device).type == "cpu"
    if not on_cpu:
        return "cuda"
    threads = count_of(run.threads)
    return f"cpu ({threads} {'thread' if threads == 1 else 'threads'})"


def kept_export(name_or_path: str) -> Path | None:
    """Return the kept export of a checkpoint, made now if need be; None where nothing can be kept.

    Raises
    ------
    ModelError, MissingExtraError
        If the checkpoint cannot be used or exported.
    """
    folder = place_of(name_or_path)
    if is_export(folder):
        with suppress(ModelError):  # a damaged one is made again
            read_export(folder)
            return folder
    try:
        return _export(name_or_path, folder)
    except OutputError:
        # Another process was quicker, or the folder cannot be written.
        return folder if is_export(folder) and os.access(folder, os.R_OK) else None


def prepare(name_or_path: str, backend: str) -> None:
    """Make what several processes will open, so that not each of them does.

    Raises
    ------
    ModelError, MissingExtraError
        As `open_runner`.
    """
    if backend == ONNX and not is_export(Path(name_or_path)):
        kept_export(name_or_path)


def must_export(name_or_path: str, backend: str) -> bool:
    """Whether `open_runner` will have to export first, which takes its time.

    Raises
    ------
    ModelError, MissingExtraError
        As `open_runner`.
    """
    if backend != ONNX or is_export(Path(name_or_path)):
        return False
    from brainscan.model.onnx_runner import need

    need("onnxruntime")
    return not is_export(place_of(name_or_path))


def place_of(name_or_path: str) -> Path:
    """Return where the export of a checkpoint is kept; another place for each version of what makes it.

    Raises
    ------
    ModelError
        If there is no such checkpoint.
    """
    facts = (card_of(name_or_path).sha256, __version__, metadata.version("torch"))
    return user_cache(ONNX) / hashlib.sha256(repr(facts).encode("utf-8")).hexdigest()[:32]


def _export(name_or_path: str, folder: Path) -> Path:
    from brainscan.model.onnx_export import export

    export(checkpoint.load(name_or_path), folder, force=True)
    return folder
