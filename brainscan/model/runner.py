"""Which runner a model and a backend come to: ONNX Runtime, or torch with one of its kernels.

The default model's graphs come along. `--backend onnx` exports another checkpoint once and keeps the export among the
user's caches.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from brainscan._version import __version__
from brainscan.card import Card
from brainscan.errors import ModelError, OutputError, UsageError
from brainscan.io.user_cache import user_cache
from brainscan.model import checkpoint
from brainscan.model.extras import lacks, need
from brainscan.model.onnx_folder import card_of, is_export, read_export
from brainscan.model.onnx_runner import OnnxRunner
from brainscan.model.run_config import RunConfig
from brainscan_models.config import NetworkConfig

if TYPE_CHECKING:
    from brainscan.model.inference import WindowRunner

ONNX = "onnx"
_GRAPHS = ".onnx"
"""Of the folder beside a checkpoint that holds its export."""


def open_runner(name_or_path: str, run: RunConfig | None = None) -> WindowRunner | OnnxRunner:
    """Open a model: a shipped one's name, a file, a folder in the hub's layout, or an ONNX export.

    Raises
    ------
    ModelError
        If the model is absent, damaged or does not fit.
    MissingExtraError
        If PyTorch, or what exports to ONNX, is needed and not installed.
    UsageError
        If device or backend cannot be used.
    """
    run = run or RunConfig()
    folder = Path(name_or_path)
    if is_export(folder):
        if run.backend not in {"auto", ONNX}:
            raise UsageError(
                f"an ONNX export does not run on the backend {run.backend}",
                file=folder.name,
                hint="--backend onnx, or give the model that was exported",
            )
        return OnnxRunner(folder, _on_onnx(run))
    path = checkpoint.locate(name_or_path)
    if (run.backend if run.backend != "auto" else fastest(path, run)) == ONNX:
        return _open_onnx(path, _on_onnx(run))
    loaded = checkpoint.load(name_or_path)
    from brainscan.model.inference import WindowRunner

    return WindowRunner(loaded.network, loaded.card, run)


def fastest(path: Path, run: RunConfig) -> str:
    """Say what computes a checkpoint soonest here: ``onnx`` or ``torch``.

    A GPU is torch's, and so are scans, for which it has the compiled kernels. Networks of convolutions alone ONNX
    Runtime computes as fast, and is there in a fraction of the time that torch takes to load.

    Parameters
    ----------
    path : Path
        Of a checkpoint.
    run : RunConfig

    Raises
    ------
    ModelError
        If the file is no checkpoint.
    """
    card = checkpoint.read_card(path)
    if run.precision == "bfloat16" or run.device == "cuda" or graphs_of(path, card) is None:
        return "torch"
    if lacks("torch"):
        return ONNX
    scans = NetworkConfig.from_mapping(card.variant).scans
    return "torch" if scans or (run.device == "auto" and _sees_gpu()) else ONNX


def graphs_of(path: Path, card: Card) -> Path | None:
    """Return the export that computes a checkpoint: beside it, or that of a shipped model; None if there is none.

    Parameters
    ----------
    path : Path
        Of the checkpoint; a calibrated copy is computed by the graphs of the original.
    card : Card
        Its card.

    Raises
    ------
    ModelError
        If the checkpoint is damaged.
    """
    shipped = checkpoint.locate(checkpoint.DEFAULT)
    near = [folder for each in (path, shipped) if is_export(folder := each.with_suffix(_GRAPHS))]
    of_same_network = []
    for folder in near:
        with suppress(ModelError):  # a damaged one is none
            manifest, exported = read_export(folder)
            if manifest.computing_sha256 and exported.variant == card.variant:
                of_same_network.append((folder, manifest.computing_sha256))
    if not of_same_network:
        return None
    computing = checkpoint.verify(path).computing_sha256
    return next((folder for folder, of in of_same_network if of == computing), None)


def _on_onnx(run: RunConfig) -> RunConfig:
    if run.precision == "bfloat16":
        raise UsageError("the backend onnx does not compute in bfloat16", hint="--precision float32, or auto")
    return run


def _open_onnx(path: Path, run: RunConfig) -> OnnxRunner:
    if found := graphs_of(path, checkpoint.read_card(path)) or kept_export(str(path)):
        return OnnxRunner(found, run, path)
    with tempfile.TemporaryDirectory(prefix="brainscan-") as place:
        # Both graphs are in memory once they are open.
        return OnnxRunner(_export(str(path), Path(place) / ONNX), run, path)


@cache
def _sees_gpu() -> bool:
    """Whether NVIDIA's driver is there; asking torch would mean loading it."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def kept_export(name_or_path: str) -> Path | None:
    """Return the kept export of a checkpoint, made now if need be; None where nothing can be kept.

    Raises
    ------
    ModelError, MissingExtraError
        If the checkpoint cannot be used or exported.
    """
    need(f"exporting {Path(name_or_path).name} to ONNX", "torch", "onnx")
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
    if _needs_export(name_or_path, backend):
        kept_export(name_or_path)


def must_export(name_or_path: str, backend: str) -> bool:
    """Whether `open_runner` will have to export first, which takes its time.

    Raises
    ------
    ModelError, MissingExtraError
        As `open_runner`.
    """
    if not _needs_export(name_or_path, backend):
        return False
    need(f"exporting {Path(name_or_path).name} to ONNX", "torch", "onnx")
    return not is_export(place_of(name_or_path))


def _needs_export(name_or_path: str, backend: str) -> bool:
    if backend != ONNX or is_export(Path(name_or_path)):
        return False
    path = checkpoint.locate(name_or_path)
    return graphs_of(path, checkpoint.read_card(path)) is None


def place_of(name_or_path: str) -> Path:
    """Return where the export of a checkpoint is kept; another place for each version of what makes it.

    Raises
    ------
    ModelError
        If there is no such checkpoint.
    """
    facts = (card_of(name_or_path).sha256, __version__, metadata.version("torch"))
    return user_cache(ONNX) / hashlib.sha256(repr(facts).encode("utf-8")).hexdigest()[:32]


def export_beside(path: Path) -> Path:
    """Export a checkpoint to the folder beside it where `open_runner` finds its graphs, and return that.

    Raises
    ------
    ModelError, MissingExtraError, OutputError
        If the checkpoint cannot be used or exported, or something else is there.
    """
    return _export(str(path), path.with_suffix(_GRAPHS))


def _export(name_or_path: str, folder: Path) -> Path:
    from brainscan.model.onnx_export import export

    export(checkpoint.load(name_or_path), folder, force=True)
    return folder
