"""``brainscan export``: a model as ONNX graphs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from brainscan.cli import console, options
from brainscan.model.names import WITH_WEIGHTS


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"{WITH_WEIGHTS}, a .safetensors file or a folder.")],
    onnx: Annotated[Path, typer.Option("--onnx", metavar="DIR", help="Folder to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export in DIR.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a model as two ONNX graphs, for ONNX Runtime and others.

    DIR gets before_pe.onnx, after_pe.onnx, the card (config.json) and onnx.json, which says how they belong
    together: between the graphs lies an eigendecomposition, which is no ONNX operator. The export is run beside
    PyTorch first; if they differ nothing is written and the exit code is 4. `brainscan detect --model DIR` runs it.

    Examples
    --------
    brainscan export default --onnx exported/
    brainscan export model.safetensors --onnx exported/ --force
    brainscan detect night.edf --model exported/
    """
    console.set_quiet(quiet)
    from brainscan.model import checkpoint
    from brainscan.model.extras import need

    need("`brainscan export`", "torch", "onnx")
    from brainscan.model.onnx_export import export as run
    from brainscan.model.onnx_export import refuse_to_overwrite

    refuse_to_overwrite(onnx, force=force)
    loaded = checkpoint.load(model)
    console.message("tracing the network (half a minute for the default, several for v3) ...")
    manifest = run(loaded, onnx, force=force)
    if quiet:
        return
    found = manifest.comparison
    choices = f"{found.other_edges + found.other_vectors} of {found.steps} graph steps decided otherwise"
    sys.stdout.write(f"{onnx}: opset {manifest.opset}, logits within {found.logits:.1g} of PyTorch's, {choices}\n")
    rows = [
        (name, (onnx / name).stat().st_size, " ".join(graph.inputs), " ".join(graph.outputs))
        for name, graph in manifest.graphs.items()
    ]
    console.stdout_table(("graph", "bytes", "takes", "gives"), rows)
