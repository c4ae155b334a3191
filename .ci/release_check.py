"""Say what a release lacks: ``python .ci/release_check.py [TAG]``. Exit code 1 and a line each, or 0.

Without TAG the tag is still to be made (`make release`); with TAG it is there and has to be this version's
(the release workflow, on the tag).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def version_of(folder: Path) -> str:
    """Return the version that the package says it has."""
    text = (folder / "brainscan" / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    return found[1] if found else ""


def missing(folder: Path, tag: str = "") -> Iterator[str]:
    """Yield what keeps a checkout from being released.

    Parameters
    ----------
    folder : Path
        A checkout.
    tag : str
        The tag that is there already; empty if it is still to be made.
    """
    version = version_of(folder)
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        yield f"brainscan/_version.py has {version!r}, which is no version MAJOR.MINOR.PATCH"
    if tag and tag != f"v{version}":
        yield f"the tag is {tag}, brainscan/_version.py has {version}"
    if not tag and _git(folder, "tag", "--list", f"v{version}"):
        yield f"the tag v{version} exists. hint: raise brainscan/_version.py and CITATION.cff"
    if changed := _git(folder, "status", "--porcelain"):
        yield f"the checkout has changes: {', '.join(line[2:].strip() for line in changed.splitlines()[:5])}"
    if (branch := _git(folder, "branch", "--show-current")) != "main" and not tag:
        yield f"the branch is {branch or 'none'}, releases are made from main"
    cited = re.findall(r"^version: (.+)$", (folder / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    if cited != [version]:
        yield f"CITATION.cff has version {', '.join(cited) or 'none'}, brainscan/_version.py has {version}"
    changelog = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(rf"^## \[{re.escape(version)}\] - (.+)$", changelog, re.MULTILINE)
    if heading is None:
        yield f"CHANGELOG.md has no section [{version}]"
    elif not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]):
        yield f"CHANGELOG.md's section [{version}] has no date (YYYY-MM-DD), but {heading[1]!r}"


def main(arguments: Sequence[str]) -> int:
    """Print what is missing."""
    lines = list(missing(REPOSITORY, arguments[0] if arguments else ""))
    for line in lines:
        print(f"error: not ready for a release: {line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
