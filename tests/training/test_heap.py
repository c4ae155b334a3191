from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import torch
from brainscan_training.heap import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
torch.ones(16 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(12 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc gives memory back so eagerly")
def test_a_large_array_is_not_fetched_from_the_system_again() -> None:
    def faults(mode: str) -> int:
        path = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}\n"
        done = subprocess.run(
            [sys.executable, "-c", path + PROGRAM, mode], capture_output=True, text=True, check=True, timeout=120
        )
        return int(done.stdout)

    # 48 MiB are 12,288 pages.
    assert faults("leave") > 1000
    assert faults("keep") < 100
