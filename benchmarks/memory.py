"""A night of 24 hours through ``brainscan detect``: peak memory, time, events beside the true ones.

    python benchmarks/memory.py [--hours 24] [--rate 256] [--model default]

The recording is simulated once (minutes) and kept in the git-ignored folder .cache/. The command runs as a process of
its own; the limit of 1.5 GB resident is that of the specification and decides the exit code.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from brainscan.io.csv_bi import read_csv_bi

LIMIT_GB = 1.5
SEED = 3_000_000
_CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"


@dataclass(frozen=True, slots=True)
class Measured:
    """One process."""

    wall_s: float
    processor_s: float
    resident_gb: float


def measure(arguments: list[str]) -> Measured:
    """Run ``brainscan`` with arguments as a process and return what it took."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "brainscan", *arguments])
    # Not RUSAGE_CHILDREN: that is the maximum over every process so far.
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"brainscan {arguments[0]} ended with {process.returncode}")
    in_bytes = usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
    return Measured(wall_s, usage.ru_utime + usage.ru_stime, in_bytes / 1e9)


def simulated(hours: float, rate_hz: int, seizures: int = 0) -> tuple[Path, Path]:
    """Return recording and truth, made if they are not there yet; by default with a seizure every two hours."""
    stem = f"night-{hours:g}h-{rate_hz}hz{f'-{seizures}' if seizures else ''}"
    recording, truth = _CACHE / f"{stem}.edf", _CACHE / f"{stem}_truth.csv_bi"
    if not (recording.exists() and truth.exists()):
        _CACHE.mkdir(parents=True, exist_ok=True)
        arguments = ["simulate", "-o", str(recording), "--annotations", str(truth), "--force", "--seed", str(SEED)]
        arguments += ["--duration", str(hours * 3600), "--seizures", str(seizures or max(round(hours / 2), 1))]
        made = measure([*arguments, "--rate", str(rate_hz)])
        print(f"simulated {hours:g} h in {made.wall_s:.0f} s")
    return recording, truth


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--rate", type=int, default=256)
    parser.add_argument("--model", default="default")
    arguments = parser.parse_args()
    recording, truth_file = simulated(arguments.hours, arguments.rate)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "night.json"
        command = ["detect", str(recording), "--format", "json", "-o", str(target), "--model", arguments.model, "-q"]
        took = measure(command)
        events = json.loads(target.read_text(encoding="utf-8"))["events"]
    truth = read_csv_bi(truth_file).seizures
    found = sum(any(e["onset_s"] < stop and start < e["offset_s"] for e in events) for start, stop in truth)
    false = sum(not any(e["onset_s"] < stop and start < e["offset_s"] for start, stop in truth) for e in events)
    print(f"recording      {arguments.hours:g} h, {arguments.rate} Hz, {recording.stat().st_size / 1e9:.2f} GB")
    print(f"wall time      {took.wall_s:.1f} s, {took.wall_s / arguments.hours:.2f} s an hour of EEG")
    print(f"processor time {took.processor_s:.1f} s")
    print(f"peak resident  {took.resident_gb:.2f} GB (limit {LIMIT_GB} GB)")
    print(f"events         {len(events)}: {found} of {len(truth)} seizures found, {false} false")
    return 0 if took.resident_gb < LIMIT_GB else 1


if __name__ == "__main__":
    sys.exit(main())
