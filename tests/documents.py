"""Holds every JSON document that the code under test makes for other programs to the schema that it names.

`brainscan.documents.spelled` is the one way out of such documents; while tests run it spells them through `checked`, in
whatever test and by whatever command they come about. Documents of other processes go through `check`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
from referencing import Registry, Resource

from brainscan import documents

SCHEMAS = Path(__file__).resolve().parents[1] / "docs" / "schemas"


@functools.cache
def validators() -> Mapping[str, jsonschema.Draft202012Validator]:
    """Return the validator of each published schema, by its name."""
    schemas = [json.loads(path.read_bytes()) for path in sorted(SCHEMAS.glob("*.json"))]
    registry: Registry[Any] = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in schemas)
    return {
        schema["$id"].removesuffix(".json"): jsonschema.Draft202012Validator(schema, registry=registry)
        for schema in schemas
    }


def check(document: Any) -> Any:
    """Return a document that keeps to the schema that it names; refuse another."""
    name = document["schema"]
    assert name in validators(), f"docs/schemas has no {name}.json"
    error = jsonschema.exceptions.best_match(validators()[name].iter_errors(document))
    hint = "a changed field needs a schema with a new number"
    assert error is None, f"{name} at {error.json_path}: {error.message}; {hint}"
    return document


def checked(document: Any, **how: Any) -> str:
    """Return what `json.dumps` does, of a document that keeps to its schema."""
    text = json.dumps(document, **how)
    check(json.loads(text))
    return text


def install() -> None:
    """Let every document of this process be checked."""
    documents.json = SimpleNamespace(dumps=checked)  # type: ignore[attr-defined]
