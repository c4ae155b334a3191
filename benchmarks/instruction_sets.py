"""This processor as a plainer one: ``python benchmarks/instruction_sets.py [--sets avx2 sse4] -- COMMAND ...``.

Runs a command once under each instruction set below this machine's own that PyTorch, oneDNN, MKL, OpenBLAS and the
compiled kernels can be held to by variables of the environment, which only ever lower what they would choose. Where the
processor has no lower one (or is no x86) nothing is run. What ONNX Runtime uses cannot be chosen.

Not every library heeds each variable on every processor: MKL_ENABLE_INSTRUCTIONS does nothing on AMD, MKL_CBWR does.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from types import MappingProxyType

INSTRUCTION_SETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "avx2": {
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
            "MKL_CBWR": "AVX2",
            "OPENBLAS_CORETYPE": "Haswell",
            "NUMBA_CPU_NAME": "haswell",
            "NUMBA_CPU_FEATURES": "",
        },
        "sse4": {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
            "MKL_CBWR": "COMPATIBLE",
            "OPENBLAS_CORETYPE": "Nehalem",
            "NUMBA_CPU_NAME": "nehalem",
            "NUMBA_CPU_FEATURES": "",
        },
    }
)
"""Most able first; within a set the variables go together, as they would on such a processor."""

_NEEDED = {"avx2": "avx2", "sse4": "sse4.2"}


def lower_sets() -> tuple[str, ...]:
    """Return the names of the sets that this processor has."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return ()
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return tuple(name for name in INSTRUCTION_SETS if features.get(_NEEDED[name], False))


def environment(name: str) -> dict[str, str]:
    """Return the environment of a process that is held to a set."""
    return {**os.environ, **INSTRUCTION_SETS[name]}


def main() -> int:
    """Run the command under each set; the exit code is the worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=sorted(INSTRUCTION_SETS), help="default: all that there are")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    worst = 0
    for name in lower_sets():
        if arguments.sets and name not in arguments.sets:
            continue
        print(f"== {name}: {' '.join(f'{key}={value}' for key, value in INSTRUCTION_SETS[name].items())}", flush=True)
        began = time.perf_counter()
        code = subprocess.run(arguments.command, env=environment(name), check=False).returncode
        print(f"== {name}: exit code {code}, {time.perf_counter() - began:.0f} s", flush=True)
        worst = max(worst, abs(code))
    return worst


if __name__ == "__main__":
    sys.exit(main())
