"""Which systems the base install has wheels for: no compiler is needed there.

    python benchmarks/wheels.py [--pythons 3.11,3.14] [--systems "Linux x86-64,Windows x86-64"] [--pinned]

Asks pip, without installing anything, for the base install of every system and Python, from wheels alone, and names
the first package that has none. ``--pinned`` takes the versions of constraints.txt instead of whichever fit.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_GLIBC = ("2_28", "2_27", "2_17")
SYSTEMS = {
    "Linux x86-64": (*(f"manylinux_{glibc}_x86_64" for glibc in _GLIBC), "manylinux2014_x86_64"),
    "Linux ARM": (*(f"manylinux_{glibc}_aarch64" for glibc in _GLIBC), "manylinux2014_aarch64"),
    "Windows x86-64": ("win_amd64",),
    "Windows ARM": ("win_arm64",),
    "macOS ARM": ("macosx_14_0_arm64",),
    "macOS Intel": ("macosx_14_0_x86_64",),
}
"""What pip calls each of them."""


def base() -> list[str]:
    """Return what the base install asks for."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["project"]["dependencies"])


def lacking(python: str, platforms: Sequence[str], options: Sequence[str]) -> str:
    """Return what has no wheel for a Python on a system, empty if everything has one."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--implementation", "cp", "--target", folder]
        command += ["--python-version", python, *(f"--platform={platform}" for platform in platforms)]
        asked = subprocess.run([*command, *options, *base()], capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return ""
    named = re.findall(r"No matching distribution found for ([\w.-]+)", asked.stderr)
    return named[-1] if named else (asked.stderr.strip().splitlines() or ["pip says nothing"])[-1]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pythons", default=",".join(PYTHONS))
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--pinned", action="store_true")
    arguments = parser.parse_args()
    pythons = arguments.pythons.split(",")
    options = ["-c", str(REPOSITORY / "constraints.txt")] if arguments.pinned else []
    print(f"| system | {' | '.join(pythons)} |\n|---|{'---|' * len(pythons)}", flush=True)
    for system in arguments.systems.split(","):
        missing = [lacking(python, SYSTEMS[system], options) for python in pythons]
        print(f"| {system} | {' | '.join(f'no: {name}' if name else 'yes' for name in missing)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
