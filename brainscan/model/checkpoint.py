"""A checkpoint is data with a card: safetensors, the card as JSON in its metadata. Never pickle.

Loading verifies the format version, the card against the network, names and shapes, and the SHA-256 over the
sorted tensors and the card; everything that fails is a `ModelError`. Only what makes a network of it needs torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainscan.card import Card
from brainscan.errors import ModelError
from brainscan.io.atomic import atomic_write
from brainscan.mapping import to_mapping
from brainscan.model import names
from brainscan.model.extras import need
from brainscan.model.names import DEFAULT as DEFAULT
from brainscan.model.names import NAMES as NAMES
from brainscan.model.tensors import StoredTensor, TensorFile, digest, read_metadata

if TYPE_CHECKING:
    from torch import Tensor

    from brainscan_models.network import Network

FOLDER_WEIGHTS = "model.safetensors"
FOLDER_CARD = "config.json"

_COMPUTING = ("variant", "rate_hz", "window", "amplitude", "logit_shift", "logit_scale")
"""What of a card the way from µV to logits depends on; the rest decides about these."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network with its weights, and its card."""

    network: Network
    card: Card


def locate(name_or_path: str) -> Path:
    """Return the file of a model: a shipped name, a .safetensors file, or a folder in the hub's layout.

    Raises
    ------
    ModelError
        If there is no such model, with what to do.
    """
    if name_or_path in names.SHIPPED:
        path = Path(str(resources.files("brainscan.model") / "weights" / names.SHIPPED[name_or_path]))
        if not path.is_file():
            raise ModelError(
                f"the weights of '{name_or_path}' are not installed",
                hint="reinstall brainscan, or give a file with --model PATH",
            )
        return path
    if name_or_path == names.UNTRAINED:
        raise ModelError(
            "the weights of 'v3' (31 M parameters) are not shipped",
            hint="train them with `brainscan train --profile a100 --data PATH` and give the file with --model PATH",
        )
    path = Path(name_or_path)
    if path.is_dir():
        path = path / FOLDER_WEIGHTS
    if not path.is_file():
        raise ModelError(
            f"no such model: {name_or_path}",
            hint=f"--model takes {names.ALL}, a file or a folder that holds model.safetensors",
        )
    return path


def read_card(path: Path) -> Card:
    """Read the card of a checkpoint without its tensors (and without torch).

    Raises
    ------
    ModelError
        If the file cannot be read or holds no valid card.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[Card, dict[str, Any]]:
    """Return a checkpoint's card, and the same as the file has it, which may be of an older version."""
    try:
        metadata = read_metadata(path)
        if "card" not in metadata:
            raise ValueError("it holds no card")
        return Card.from_json(metadata["card"]), json.loads(metadata["card"])
    except (OSError, ValueError, TypeError) as problem:
        raise ModelError(f"not a brainscan model ({problem})", file=path.name, hint=_HINT) from problem


@dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """A checkpoint whose bytes are those that its card was written for.

    Parameters
    ----------
    card : Card
    file : TensorFile
    """

    card: Card
    file: TensorFile

    @property
    def computing_sha256(self) -> str:
        """As the function."""
        return computing_sha256(self.file.tensors, self.card)


def verify(path: Path) -> Verified:
    """Read a checkpoint and compare its checksum with the card's, without torch.

    Raises
    ------
    ModelError
        If it is damaged, of another version, or edited.
    """
    card, stored = _read(path)
    try:
        file = TensorFile.read(path)
        found = digest(file.tensors, {**stored, "sha256": ""})
    except (OSError, ValueError) as problem:
        raise ModelError(f"cannot be read ({problem})", file=path.name, hint=_HINT) from problem
    if found != card.sha256:
        raise ModelError("the checksum differs from the card's (damaged or edited)", file=path.name, hint=_HINT)
    return Verified(card, file)


def save_with(path: Path, checkpoint: Verified, card: Card) -> Card:
    """Write the tensors of a checkpoint with another card and return that, checksum filled in; without torch.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    facts = {**card.to_mapping(), "sha256": ""}
    card = replace(card, sha256=digest(checkpoint.file.tensors, facts))
    with atomic_write(path) as stream:
        stream.write(checkpoint.file.with_metadata({"card": card.to_json()}))
    return card


def load(name_or_path: str) -> Checkpoint:
    """Load and verify a model.

    Parameters
    ----------
    name_or_path : str
        A shipped name, a file or a folder.

    Raises
    ------
    ModelError
        If it is absent, damaged, of another version, or does not fit its own network.
    MissingExtraError
        If PyTorch is not installed.
    """
    path = locate(name_or_path)
    need(f"running {path.name} in PyTorch", "torch")
    card = verify(path).card
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError) as problem:
        raise ModelError(f"cannot be read ({problem})", file=path.name, hint=_HINT) from problem
    network = build(card.variant, path.name)
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as problem:
        first = str(problem).splitlines()[-1].strip()
        raise ModelError(f"the weights do not fit the network ({first})", file=path.name, hint=_HINT) from problem
    network.eval()
    return Checkpoint(network, card)


def build(variant: Mapping[str, Any], name: str) -> Network:
    """Build the network that a card describes, with fresh weights.

    Raises
    ------
    ModelError
        If the description is not a valid network.
    """
    from brainscan_models.config import NetworkConfig
    from brainscan_models.registry import build as build_network

    try:
        return build_network(NetworkConfig.from_mapping(variant))
    except ValueError as problem:
        raise ModelError(f"the card's network is not valid ({problem})", file=name, hint=_HINT) from problem


def save(path: Path, network: Network, card: Card) -> Card:
    """Write a checkpoint atomically and return its card, checksum filled in.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from safetensors.torch import save as to_bytes

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    card = replace(card, sha256=checksum(tensors, card))
    data = to_bytes(tensors, metadata={"card": card.to_json()})
    with atomic_write(path) as stream:
        stream.write(data)
    return card


def save_folder(folder: Path, network: Network, card: Card) -> Card:
    """Write a model in the hub's folder layout: ``model.safetensors`` and the card as ``config.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    return _with_card_beside(folder, save(folder / FOLDER_WEIGHTS, network, card))


def copy_folder(folder: Path, path: Path) -> Card:
    """Write a checkpoint as it is in the hub's folder layout; without torch.

    Raises
    ------
    ModelError
        If it is damaged.
    OutputError
        If the folder cannot be written.
    """
    before = verify(path)
    folder.mkdir(parents=True, exist_ok=True)
    return _with_card_beside(folder, save_with(folder / FOLDER_WEIGHTS, before, before.card))


def _with_card_beside(folder: Path, card: Card) -> Card:
    with atomic_write(folder / FOLDER_CARD) as stream:
        stream.write(json.dumps(card.to_mapping(), indent=2, ensure_ascii=False).encode("utf-8"))
    return card


def checksum(tensors: Mapping[str, Tensor], card: Card | Mapping[str, Any]) -> str:
    """Return the SHA-256 over the sorted tensors (name, type, shape, bytes) and the card without its checksum.

    Parameters
    ----------
    tensors : mapping of name to Tensor
    card : Card or mapping
        A mapping where a file's card may be of an older version: what it was written as is what was summed.
    """
    return digest(stored_tensors(tensors), {**to_mapping(card), "sha256": ""})


def computing_sha256(tensors: Iterable[StoredTensor], card: Card) -> str:
    """Return the SHA-256 over the tensors and what of the card logits depend on: equal in calibrated copies."""
    facts = card.to_mapping()
    return digest(tensors, {name: facts[name] for name in _COMPUTING})


def stored_tensors(tensors: Mapping[str, Tensor]) -> Iterator[StoredTensor]:
    """Yield a network's tensors as a file has them."""
    import torch

    for name, tensor in tensors.items():
        raw = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        yield StoredTensor(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), raw)


_HINT = "`brainscan info MODEL` shows what a model file holds; get or train it again"
