"""An exported model on disk: two ONNX graphs, the card, and a manifest that says how they belong together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainscan.card import Card
from brainscan.errors import InputError, ModelError
from brainscan.io.atomic import write_text
from brainscan.io.checksums import sha256_of
from brainscan.mapping import from_mapping, to_mapping
from brainscan.model import checkpoint
from brainscan.model.checkpoint import FOLDER_CARD
from brainscan_models.config import NetworkConfig, Ties

FORMAT_VERSION = 1
BEFORE, AFTER, MANIFEST = "before_pe.onnx", "after_pe.onnx", "onnx.json"
FILES = frozenset({BEFORE, AFTER, FOLDER_CARD, MANIFEST})
"""Everything that an export consists of."""

_VECTORS = (
    "for every `every`-th step of adjacency (held between): the first `eigenvectors` eigenvectors (smallest"
    " eigenvalues first) of {diagonal} - D^-1/2 A D^-1/2 with D the row sums of A; each times {factor}, times sqrt(n)."
)
HOW: Mapping[Ties, str] = {
    "index": _VECTORS.format(
        diagonal="diag(1 + 0.01 * frac(0.6180339887 * [1..n]))",
        factor="the sign that makes its largest entry positive (the first of those within 0.001)",
    ),
    "fade": _VECTORS.format(
        diagonal="I",
        factor="min(1, g / 0.05) with g the distance of its eigenvalue to the nearest other of all n, times"
        " min(1, max(-1, (its largest entry + its smallest entry) / 0.05))",
    ),
}

_HINT = "export it again with `brainscan export MODEL --onnx DIR`"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far the export and PyTorch lie apart.

    Parameters
    ----------
    batches : tuple of int
        Windows of each batch that was compared.
    logits : float
        Largest difference of a logit, from µV to the end, in windows where both chose the same edges and
        eigenvectors.
    after_pe : float
        Largest difference of a logit where both start from the same features: no choice in between.
    features : float
        Largest difference of a value that the first graph gives, relative to the largest of its kind.
    steps : int
        Graph steps compared.
    other_edges, other_vectors : int
        Steps at which rounding decided otherwise which edges are strongest, or sign or order of eigenvectors.
    """

    batches: tuple[int, ...]
    logits: float
    after_pe: float
    features: float
    steps: int
    other_edges: int
    other_vectors: int


@dataclass(frozen=True, slots=True)
class Graph:
    """One ONNX graph: its named inputs and outputs with their shapes, ``batch`` for the axis that is free."""

    inputs: Mapping[str, tuple[str | int, ...]]
    outputs: Mapping[str, tuple[str | int, ...]]


@dataclass(frozen=True, slots=True)
class PeStep:
    """The step between the graphs: which eigenvectors of the adjacency the second takes as ``pe``.

    Parameters
    ----------
    eigenvectors : int
        How many.
    every : int
        Graph steps between two decompositions.
    ties : {"index", "fade"}
        What becomes of vectors whose order or sign is not clear.
    how : str
        For readers of the manifest.
    """

    eigenvectors: int
    every: int
    ties: Ties = "index"
    how: str = HOW["index"]

    @classmethod
    def of(cls, network: NetworkConfig, every: int) -> PeStep:
        """Return the step of a network that decomposes every so many steps."""
        if network.graph is None:
            return cls(0, 1, "index", "nothing: this network has no graph, and the second one takes no pe")
        ties = network.graph.ties
        return cls(network.graph.eigenvectors, every, ties, HOW[ties])


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``onnx.json`` holds.

    Parameters
    ----------
    model_sha256 : str
        Checksum of the card of the checkpoint that was exported.
    files : mapping of name to str
        SHA-256 of the graphs and of the card.
    graphs : mapping of name to Graph
        The first takes windows in µV; the second gives logits, after the card's shift and scale.
    pe : PeStep
        Between the graphs.
    comparison : Comparison
    versions : mapping
        Of what made the export.
    opset, format_version : int
    computing_sha256 : str
        Of the checkpoint (`checkpoint.computing_sha256`): which others these graphs compute too. Empty in exports
        that do not say.
    """

    model_sha256: str
    files: Mapping[str, str]
    graphs: Mapping[str, Graph]
    pe: PeStep
    comparison: Comparison
    versions: Mapping[str, str]
    opset: int
    format_version: int = FORMAT_VERSION
    computing_sha256: str = ""


def is_export(path: Path) -> bool:
    """Whether a path is the folder of an export."""
    return (path / MANIFEST).is_file()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, which marks a folder as an export."""
    write_text(folder / MANIFEST, json.dumps(to_mapping(manifest), indent=2, ensure_ascii=False) + "\n")


def read_export(folder: Path) -> tuple[Manifest, Card]:
    """Read and verify the folder of an export.

    Raises
    ------
    ModelError
        If a file is missing, of another version, or differs from its checksum.
    """
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = data.get("format_version") if isinstance(data, dict) else None
        if version != FORMAT_VERSION:
            raise ValueError(f"export format version {version!r}; this brainscan reads version {FORMAT_VERSION}")
        manifest = from_mapping(Manifest, data)
        if set(manifest.files) != FILES - {MANIFEST}:
            raise ValueError("the manifest does not list its files")
        for name, expected in manifest.files.items():
            if sha256_of(folder / name) != expected:
                raise ValueError(f"{name} differs from its checksum (damaged or edited)")
        card = Card.from_json((folder / FOLDER_CARD).read_text(encoding="utf-8"))
    except (OSError, InputError, ValueError, TypeError) as problem:
        reason = (problem.strerror or "") if isinstance(problem, OSError) else str(problem)
        raise ModelError(f"not a usable ONNX export ({reason})", file=folder.name, hint=_HINT) from problem
    if card.sha256 != manifest.model_sha256:
        raise ModelError("card and graphs belong to different models", file=folder.name, hint=_HINT)
    return manifest, card


def card_of(name_or_path: str) -> Card:
    """Return a model's card, without loading the network.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    if is_export(Path(name_or_path)):
        return read_export(Path(name_or_path))[1]
    return checkpoint.read_card(checkpoint.locate(name_or_path))
