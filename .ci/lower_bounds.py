"""Print the oldest version of each dependency that pyproject.toml takes, as constraints: ``lower_bounds.py``."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
TOOLS = {"dev", "docs", "gpu", "all"}
"""Extras that no user installs, or that compile against a machine's own CUDA: their versions are not what is tested."""


def lower_bounds(project: Path) -> list[str]:
    """Return lines ``name==version``, in order."""
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = table["optional-dependencies"]
    texts = [*table["dependencies"], *(text for name, group in extras.items() if name not in TOOLS for text in group)]
    found = (re.match(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)", text) for text in texts)
    return sorted({f"{match[1]}=={match[2]}" for match in found if match}, key=str.lower)


if __name__ == "__main__":
    sys.stdout.write("\n".join(lower_bounds(PROJECT)) + "\n")
