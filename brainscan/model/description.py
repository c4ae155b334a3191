"""What a model is, from its card or its configuration: no weights are read, and no torch."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from brainscan.card import Card
from brainscan.errors import ModelError
from brainscan.model import checkpoint
from brainscan.model.onnx_folder import card_of, is_export

_HEAD = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model, as ``info`` shows it.

    Parameters
    ----------
    card : Card
        Of the checkpoint; where there are no weights, defaults around the variant's configuration.
    variant : str
        Name of the variant, ``custom`` for a configuration without one.
    parts : dict of str to int
        Parameters of each part.
    flops : int
        Operations of one window.
    trained : bool
        Whether weights are there.
    """

    card: Card
    variant: str
    parts: dict[str, int]
    flops: int
    trained: bool

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(self.parts.values())


def is_model(name_or_path: str) -> bool:
    """Whether an argument names a model rather than a recording: by name, suffix, or content."""
    path = Path(name_or_path)
    if path.is_dir():
        return (path / checkpoint.FOLDER_WEIGHTS).is_file() or is_export(path)
    if path.suffix == ".safetensors":
        return True
    if not path.is_file():
        return name_or_path in checkpoint.NAMES
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD.size + 1)
    except OSError:
        return False
    # A safetensors file begins with the length of its JSON header.
    return len(head) > _HEAD.size and head[-1:] == b"{" and _HEAD.unpack(head[:-1])[0] < path.stat().st_size


def describe(name_or_path: str) -> ModelFacts:
    """Return the facts of a model.

    Raises
    ------
    ModelError
        If it is absent or damaged.
    """
    from brainscan_models.config import NetworkConfig
    from brainscan_models.inventory import flops, parameters
    from brainscan_models.registry import VARIANTS

    untrained = name_or_path in VARIANTS and not Path(name_or_path).exists()
    try:
        card, trained = card_of(name_or_path), True
    except ModelError:
        if not untrained:
            raise
        card, trained = Card(name=name_or_path, variant=VARIANTS[name_or_path].to_mapping()), False
    try:
        config = NetworkConfig.from_mapping(card.variant)
    except ValueError as problem:
        raise ModelError(f"the card's network is not valid ({problem})", file=name_or_path) from problem
    variant = next((name for name, known in VARIANTS.items() if known == config), "custom")
    window = card.window.n_samples
    return ModelFacts(card, variant, parameters(config), sum(flops(config, window).values()), trained)
