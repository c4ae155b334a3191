"""What a checkpoint's card says of itself, written anew from a YAML file; its tensors and decisions stay.

``python -m brainscan.model.recard CARD.yaml [MODEL.safetensors]``: without a model, the shipped weights, and then also
what is made of them (`make weights`): the self-test's numbers and the ONNX graphs. The file holds fields of
`brainscan.provenance.Provenance`, and the card's ``localisation``; what it does not name stays.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from brainscan.card import Card
from brainscan.errors import BrainscanError, UsageError, reason_of
from brainscan.mapping import from_mapping, to_mapping
from brainscan.model import checkpoint, selftest
from brainscan.model.runner import export_beside
from brainscan.provenance import Provenance

_OWN = "localisation"
"""A field of the card itself, beside those of its provenance."""


def recard(path: Path, facts: Mapping[str, Any]) -> Card:
    """Write a checkpoint again with other facts on its card, and return the card with its new checksum.

    Figures of caps that were measured with other weights are left out.

    Parameters
    ----------
    path : Path
    facts : mapping
        Fields of `Provenance` as plain values, and ``localisation``.

    Raises
    ------
    ValueError
        If a field is unknown or of a wrong type.
    ModelError
        If the checkpoint cannot be used.
    OutputError
        If it cannot be written.
    """
    before = checkpoint.verify(path)
    provenance = {name: fact for name, fact in facts.items() if name != _OWN}
    measured_on = provenance.get("caps_weights")
    if measured_on and measured_on != checkpoint.computing_sha256(before.file.tensors, before.card):
        provenance = {**provenance, "caps": {}, "caps_weights": ""}
    changed = from_mapping(Provenance, {**to_mapping(before.card.provenance), **provenance}, where="provenance")
    own = {_OWN: facts[_OWN]} if _OWN in facts else {}
    card = from_mapping(Card, {**before.card.to_mapping(), **own})
    return checkpoint.save_with(path, before, replace(card, provenance=changed))


def read_facts(path: Path) -> dict[str, Any]:
    """Read the facts of a card from YAML.

    Raises
    ------
    UsageError
        If the file cannot be read or holds no mapping.
    """
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UsageError(f"cannot be read ({reason_of(problem)})", file=str(path)) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise UsageError(f"is not valid YAML ({' '.join(str(problem).split())})", file=str(path)) from problem
    if not isinstance(facts, dict):
        raise UsageError(
            "holds no mapping", file=str(path), hint="fields of brainscan.provenance.Provenance, and localisation"
        )
    return facts


def main(arguments: Sequence[str]) -> str:
    """Change the card that the arguments name; return what to say, empty where all went well."""
    if len(arguments) not in (1, 2):
        return "usage: python -m brainscan.model.recard CARD.yaml [MODEL.safetensors]"
    name = arguments[1] if len(arguments) == 2 else checkpoint.DEFAULT
    try:
        facts = read_facts(Path(arguments[0]))
        card = recard(checkpoint.locate(name), facts)
        if facts.get("caps") and not card.provenance.caps:
            print("note: figures of caps left out, measured with other weights: `make caps` measures them again")
        if name == checkpoint.DEFAULT:
            selftest.store()
            export_beside(checkpoint.locate(name))
    except (BrainscanError, ValueError) as problem:
        return f"error: {problem}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
