"""What the base install takes on each Python that this machine has.

    python benchmarks/pythons.py [PYTHON ...]     default: python3.11 to python3.14, on the path and in pyenv's folder

Each goes through `.ci/wheel-test`: the wheel alone in an empty environment outside the checkout, from wheels of the
versions that constraints.txt names, without PyTorch; `detect` of the sample, `info`, `doctor`, `scan`, `score`, and the
exit code for a file that is absent. Printed: how much larger the environment becomes, and the seconds from nothing to
the first table of events, downloads from whichever package index pip uses among them.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MINORS = range(11, 15)
_PYENV = Path.home() / ".pyenv" / "versions"
_TOLD = re.compile(r"wheel-test: Python (\S+): (\d+) MB beside the (\d+) MB .*?, (\d+) s from nothing")


def interpreters() -> Iterator[str]:
    """Yield one interpreter of each Python that is supported, where there is one."""
    for minor in MINORS:
        own = sorted(_PYENV.glob(f"3.{minor}.*/bin/python"))
        found = str(own[-1]) if own else shutil.which(f"python3.{minor}")
        if found is None:
            print(f"no Python 3.{minor} on this machine", file=sys.stderr)
        else:
            yield found


def row(interpreter: str) -> tuple[str, bool]:
    """Return a line of the table, and whether everything worked."""
    command = ["bash", str(REPOSITORY / ".ci" / "wheel-test"), sys.executable, interpreter]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    told = _TOLD.search(ran.stdout)
    if ran.returncode != 0 or told is None:
        said = (ran.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return f"| {Path(interpreter).name} | | | no: {said} |", False
    version, added, empty, seconds = told.groups()
    return f"| {version} | {added} beside {empty} | {seconds} | yes |", True


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="*")
    arguments = parser.parse_args()
    print("| Python | MB | s to the first table | works |\n|---|---:|---:|---|", flush=True)
    works = True
    for interpreter in arguments.python or interpreters():
        line, worked = row(interpreter)
        works &= worked
        print(line, flush=True)
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main())
