"""Print what each extra brings along, in which version and under which licence: ``python .ci/licences.py``.

A page of the documentation (``make licences`` writes it). Versions are those of this environment.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from sbom import licence_of, needed

_PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_NOT_USERS = frozenset({"dev", "docs", "all", "gpu"})  # the last is compiled against the machine's own CUDA

_HEAD = """\
# Dependencies and their licences

`make licences` writes this page from what is installed. A package stands where it is first needed: `base` is what
`pip install brainscan` brings, the other names are extras. Tools of development are left out.

| package | version | licence | for |
| --- | --- | --- | --- |"""


def main() -> int:
    """Print the page."""
    project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
    groups = {"base": project["dependencies"], **project["optional-dependencies"]}
    seen: set[str] = set()
    print(_HEAD)
    for group in sorted(set(groups) - _NOT_USERS, key=lambda name: (name != "base", name != "torch", name)):
        wanted = [Requirement(text) for text in groups[group]]
        names = set().union(*(needed(r.name, extra) for r in wanted for extra in {"", *r.extras}))
        for name in sorted(names - seen - {project["name"]}):  # extras name each other through it
            version = metadata.version(name).partition("+")[0]
            print(f"| {name} | {version} | {licence_of(name) or 'see its page'} | {group} |")
        seen |= names
    return 0


if __name__ == "__main__":
    sys.exit(main())
