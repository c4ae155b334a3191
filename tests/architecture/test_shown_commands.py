"""Blocks of commands and of Python in the documents are run, but for those that say what they need.

``<!-- needs data -->`` on a line before a block keeps it from being run: what is shown there needs recordings, a
corpus, or a model that nobody can make in a test. The unmarked blocks of a page are one session in one empty folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.children import unmeasured

_REPOSITORY = Path(__file__).resolve().parents[2]
_READMES = (_REPOSITORY / "README.md", _REPOSITORY / "examples" / "README.md")
_DOCUMENTS = sorted([*_READMES, *(_REPOSITORY / "docs").glob("*.md")])
_NEEDS = {"data", "a checkout", "an installation"}
_MARK = re.compile(r"^[ ]*<!-- needs (.+) -->$")
_COMMAND = re.compile(r"^[ ]*(?:\$ )?(?:brainscan|python|pip|make|tensorboard) ")


class Block(NamedTuple):
    """A block of code as a document shows it."""

    language: str
    """As its fence says; ``sh`` for an indented block of commands."""
    text: str
    needs: str


def _blocks(text: str) -> Iterator[Block]:
    """Yield fenced blocks, and indented ones that hold commands."""
    lines = text.splitlines()
    needs, i = "", 0
    while i < len(lines):
        line = lines[i]
        if mark := _MARK.match(line):
            needs = mark[1]
        elif fence := re.match(r"^([ ]*)```(\w*)$", line):
            end = next(j for j in range(i + 1, len(lines)) if lines[j].strip() == "```")
            body = "\n".join(inner.removeprefix(fence[1]) for inner in lines[i + 1 : end])
            yield Block(fence[2], body, needs)
            needs, i = "", end
        elif _COMMAND.match(line) and line.startswith("    ") and not (i and lines[i - 1].strip()):
            end = next((j for j in range(i, len(lines)) if not lines[j].strip()), len(lines))
            yield Block("sh", "\n".join(inner.strip() for inner in lines[i:end]), needs)
            needs, i = "", end
        elif line.strip():
            needs = ""
        i += 1


BLOCKS = {
    path.relative_to(_REPOSITORY).as_posix(): tuple(_blocks(path.read_text(encoding="utf-8"))) for path in _DOCUMENTS
}
SESSIONS = {
    name: kept
    for name, blocks in BLOCKS.items()
    if (kept := [block for block in blocks if block.language in {"sh", "python", "text"} and not block.needs])
}


def test_blocks_are_found() -> None:
    assert sum(block.language == "sh" for blocks in BLOCKS.values() for block in blocks) > 20
    assert {"docs/getting-started.md", "docs/scanning.md", "docs/python.md"} <= set(SESSIONS)
    assert {block.needs for blocks in BLOCKS.values() for block in blocks} - {""} <= _NEEDS


def test_python_that_documents_show_is_python() -> None:
    for name, blocks in BLOCKS.items():
        for block in blocks:
            if block.language == "python":
                compile(block.text, name, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SESSIONS))
def test_what_documents_show_runs(name: str, tmp_path: Path) -> None:
    """A page's blocks, one after the other, each line as it stands; a ``text`` block is what the one before it shows.

    The page of the examples is run in their folder.
    """
    room = _REPOSITORY / "examples" if name.startswith("examples/") else tmp_path
    sources = os.pathsep.join(str(_REPOSITORY / place) for place in (".", "models", "training"))
    programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    shown = ""
    for block in SESSIONS[name]:
        if block.language == "text":
            assert [line for line in block.text.splitlines() if line.rstrip() not in shown] == []
            continue
        shell = ["bash", "-euo", "pipefail", "-c"] if block.language == "sh" else [sys.executable, "-c"]
        done = subprocess.run(
            [*shell, block.text],
            cwd=room,
            env={**unmeasured(), "PATH": programs, "PYTHONPATH": sources, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, f"{name}:\n{block.text}\n{done.stderr}"
        shown = done.stdout + done.stderr
