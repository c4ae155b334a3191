"""JSON for other programs: one function spells it, and each document names the schema that it keeps to.

The schemas are published in docs/schemas. The tests hold every document that passes here to its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from brainscan.mapping import finite


def spelled(document: Mapping[str, Any], *, indent: int | None = None) -> str:
    """Return a document as JSON, NaN and infinities as null.

    Parameters
    ----------
    document : mapping
        Its ``schema`` names a schema of docs/schemas, without suffix; what changes a field changes the number in it.
    indent : int, optional
        Spaces a level; by default everything stands on one line.

    Raises
    ------
    ValueError
        If it names no schema.
    """
    if not isinstance(document.get("schema"), str):
        raise ValueError("a document for other programs has to name its schema")
    return json.dumps(finite(dict(document)), indent=indent, ensure_ascii=False)
