"""`make test-isa` is only worth something if the libraries heed the variables, and if a failure comes through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "instruction_sets.py"
LEVELS = {"avx2": "AVX2 haswell", "sse4": "DEFAULT nehalem"}
SAY = """
import torch
from brainscan_models.ssd import jit
print(torch.backends.cpu.get_cpu_capability(), jit._processor()[0])
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, str(SCRIPT), *command]
    return subprocess.run(whole, capture_output=True, text=True, encoding="utf-8", check=False)


def sets_here() -> list[str]:
    done = run("--", sys.executable, "-c", "")
    return [line.split()[1].rstrip(":") for line in done.stdout.splitlines() if "exit code" in line]


def test_each_set_below_this_machine_s_is_in_force() -> None:
    names = sets_here()
    if not names:
        pytest.skip("this processor has no lower instruction set")
    done = run("--", sys.executable, "-c", SAY)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if not line.startswith("==")] == [LEVELS[name] for name in names]


def test_a_failure_under_one_set_is_the_exit_code() -> None:
    names = sets_here()
    if not names:
        pytest.skip("this processor has no lower instruction set")
    only_there = f"import os, sys; sys.exit(3 * (os.environ['NUMBA_CPU_NAME'] == {LEVELS[names[0]].split()[1]!r}))"
    assert run("--", sys.executable, "-c", only_there).returncode == 3
    assert run("--sets", names[-1], "--", sys.executable, "-c", "").returncode == 0
