"""Whether the tests would notice: ``python benchmarks/mutants.py [--workers N] [PART ...]``.

mutmut changes the modules of a part one small place at a time (``<=`` to ``<``, a 1 to a 2, an argument left out) and
runs the part's own tests on every change. It works in a copy under .cache/mutants, and what has a verdict there keeps
it while the code is the same. Printed: a table by module, and each change that no test notices, as a difference. Parts
are nedc, scoring, decision, derivations and tal; without one, each is tried, the cheap ones first. The rest of the
settings is ``[tool.mutmut]`` in pyproject.toml.
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

PARTS: dict[str, tuple[str, ...]] = {
    "tal": ("brainscan/io/tal.py", "tests/brainscan/io/test_tal.py"),
    "derivations": (
        "brainscan/signal/derivations.py",
        "tests/brainscan/signal/test_derivations.py",
        "tests/brainscan/signal/test_montage.py",
    ),
    "decision": ("brainscan/decision/*.py", "tests/brainscan/decision"),
    "scoring": ("brainscan/scoring/[!n]*.py", "tests/brainscan/scoring"),  # a star passes over folders: not nedc
    "nedc": ("brainscan/scoring/nedc/*.py", "tests/brainscan/scoring/test_nedc.py"),
}
"""Name to modules, and the tests that are theirs: mutmut runs all of those several times before it tries anything."""

SURVIVED, UNREACHED = 0, (5, 33)
LATE = (24, 36, 152, 255, -24)
"""Exit codes as mutmut keeps them; any other is a test that failed."""


def copy_tree(place: Path, part: str) -> None:
    """Bring the copy up to date; files that are the same keep their time, by which mutmut knows them."""
    place.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source, target = REPOSITORY / name, place / name
        if source.is_file():
            shutil.copy2(source, target)
        else:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))

    modules, *tests = PARTS[part]
    settings = place / "pyproject.toml"
    chosen = f'[tool.mutmut]\nonly_mutate = ["{modules}"]\npytest_add_cli_args_test_selection = {json.dumps(tests)}'
    settings.write_text(settings.read_text(encoding="utf-8").replace("[tool.mutmut]", chosen), encoding="utf-8")


def mutmut(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the copy; progress goes to stderr."""
    quiet = arguments[0] != "run"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(place / "examples-seen")}
    return subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE if quiet else sys.stderr,
        text=True,
        check=False,
    )


def results(place: Path) -> Iterator[tuple[str, dict[str, int | None]]]:
    """Yield each mutated module with the exit code by mutant, None for one that was not tried."""
    for path in sorted((place / "mutants").rglob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            yield path.relative_to(place / "mutants").as_posix().removesuffix(".meta"), codes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if unknown := [part for part in asked.parts if part not in PARTS]:
        parser.error(f"no such part: {unknown[0]} (there are {', '.join(PARTS)})")
    if importlib.util.find_spec("mutmut") is None:
        print("error: mutmut is not installed. hint: make setup", file=sys.stderr)
        return 2
    print("| module | mutants | killed | too slow | survived | by no test | not tried |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    survivors: list[tuple[Path, str]] = []
    for part in asked.parts or PARTS:
        place = PLACE / part
        copy_tree(place, part)
        done = mutmut(place, "run", "--max-children", str(asked.workers))
        if done.returncode:
            return done.returncode
        for module, codes in results(place):
            kinds = Counter(_kind(code) for code in codes.values())
            figures = (kinds[kind] for kind in ("killed", "late", "survived", "unreached", "untried"))
            print(f"| {module} | {len(codes)} | {' | '.join(map(str, figures))} |", flush=True)
            survivors += [(place, name) for name, code in codes.items() if _kind(code) in ("survived", "unreached")]
    for place, name in survivors:
        print("\n" + mutmut(place, "show", name).stdout.strip())
    return 0


def _kind(code: int | None) -> str:
    if code is None:
        return "untried"
    if code in LATE:
        return "late"
    return {SURVIVED: "survived"}.get(code, "unreached" if code in UNREACHED else "killed")


if __name__ == "__main__":
    sys.exit(main())
