"""Export a model to ONNX, and hold the export against PyTorch before anyone gets it."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

from brainscan._version import __version__
from brainscan.errors import ModelError, OutputError
from brainscan.io.atomic import atomic_folder, write_text
from brainscan.io.checksums import sha256_of
from brainscan.model.checkpoint import FOLDER_CARD, Checkpoint, computing_sha256, stored_tensors
from brainscan.model.onnx_compare import compare, objection
from brainscan.model.onnx_folder import AFTER, BEFORE, FILES, Manifest, PeStep, is_export, write_manifest
from brainscan.model.onnx_graphs import OPSET, write_graphs
from brainscan.model.onnx_runner import Graphs

_MADE_BY = ("torch", "onnx", "onnxscript", "onnxruntime")
_CPU = ("CPUExecutionProvider",)


def export(loaded: Checkpoint, folder: Path, *, force: bool = False) -> Manifest:
    """Write a model as two ONNX graphs with card and manifest.

    Parameters
    ----------
    loaded : Checkpoint
        In inference mode, on the CPU.
    folder : Path
        Whole and compared with PyTorch when it appears, or not there at all.
    force : bool
        Replace an earlier export there.

    Raises
    ------
    OutputError
        If the folder holds something, or cannot be written.
    ModelError
        If the export and PyTorch differ.
    """
    refuse_to_overwrite(folder, force=force)
    network, card = loaded.network, loaded.card
    step = PeStep.of(network.config, network.pe_every)
    with atomic_folder(folder) as making:
        graphs = write_graphs(network, card, making)
        write_text(making / FOLDER_CARD, json.dumps(card.to_mapping(), indent=2, ensure_ascii=False) + "\n")
        comparison = compare(network, card, Graphs(making, step, 0, _CPU))
        if reason := objection(comparison):
            raise ModelError(
                f"the ONNX export is of no use: {reason}",
                file=card.name,
                hint="nothing was written; please report it with the versions that `brainscan doctor` shows",
            )
        manifest = Manifest(
            model_sha256=card.sha256,
            files={name: sha256_of(making / name) for name in (BEFORE, AFTER, FOLDER_CARD)},
            graphs=graphs,
            pe=step,
            comparison=comparison,
            versions={"brainscan": __version__, **{name: metadata.version(name) for name in _MADE_BY}},
            opset=OPSET,
            computing_sha256=computing_sha256(stored_tensors(network.state_dict()), card),
        )
        write_manifest(making, manifest)
    return manifest


def refuse_to_overwrite(folder: Path, *, force: bool) -> None:
    """Raise unless a folder is free, or an export that may be replaced.

    Raises
    ------
    OutputError
        If something is there; with `force`, if that is more than an export.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError("is a file", file=str(folder), hint="name a folder")
    held = {entry.name for entry in folder.iterdir()}
    if not held:
        return
    if not is_export(folder) or held - FILES:
        raise OutputError("holds other files", file=str(folder), hint="name a new folder")
    if not force:
        raise OutputError("holds an export", file=str(folder), hint="name a new folder, or replace it with --force")
