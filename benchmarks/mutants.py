"""Whether the tests would notice: ``python benchmarks/mutants.py [--workers N] [NAME ...]``.

mutmut changes the modules that ``[tool.mutmut]`` in pyproject.toml names one small place at a time (``<=`` to ``<``,
a 1 to a 2, an argument left out) and runs their tests on every change. It works in a copy under .cache/mutants, and
what has a verdict there keeps it while the code is the same. Printed: a table by module, and each change that no test
notices, as a difference. A NAME as ``brainscan.decision*`` takes a part; without, all of them are tried.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PLACE = REPOSITORY / ".cache" / "mutants"
COPIED = ("brainscan", "models", "training", "configs", "examples", "tests", "docs", "pyproject.toml", "README.md")

SURVIVED, UNREACHED = 0, (5, 33)
LATE = (24, 36, 152, 255, -24)
"""Exit codes as mutmut keeps them; any other is a test that failed."""


def copy_tree() -> None:
    """Bring the copy up to date; files that are the same keep their time, by which mutmut knows them."""
    for name in COPIED:
        source, target = REPOSITORY / name, PLACE / name
        if source.is_file():
            shutil.copy2(source, target)
        else:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


def mutmut(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the copy; progress goes to stderr."""
    quiet = arguments[0] != "run"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(PLACE / "examples-seen")}
    return subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=PLACE,
        env=environment,
        stdout=subprocess.PIPE if quiet else sys.stderr,
        text=True,
        check=False,
    )


def results() -> Iterator[tuple[str, dict[str, int | None]]]:
    """Yield each mutated module with the exit code by mutant, None for one that was not tried."""
    for path in sorted((PLACE / "mutants").rglob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            yield path.relative_to(PLACE / "mutants").as_posix().removesuffix(".meta"), codes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants by name, with wildcards")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if importlib.util.find_spec("mutmut") is None:
        print("error: mutmut is not installed. hint: make setup", file=sys.stderr)
        return 2
    PLACE.mkdir(parents=True, exist_ok=True)
    copy_tree()
    done = mutmut("run", "--max-children", str(asked.workers), *asked.names)
    if done.returncode:
        return done.returncode
    print("| module | mutants | killed | too slow | survived | by no test | not tried |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    survivors: list[str] = []
    for module, codes in results():
        kinds = Counter(_kind(code) for code in codes.values())
        figures = (kinds[kind] for kind in ("killed", "late", "survived", "unreached", "untried"))
        print(f"| {module} | {len(codes)} | {' | '.join(map(str, figures))} |")
        survivors += [name for name, code in codes.items() if _kind(code) in ("survived", "unreached")]
    for name in survivors:
        print("\n" + mutmut("show", name).stdout.strip())
    return 0


def _kind(code: int | None) -> str:
    if code is None:
        return "untried"
    if code in LATE:
        return "late"
    return {SURVIVED: "survived"}.get(code, "unreached" if code in UNREACHED else "killed")


if __name__ == "__main__":
    sys.exit(main())
