"""What reading costs: ``python benchmarks/reading.py``.

An hour of 19 channels at 256 Hz is decoded and taken through filter and windows (processor seconds); a night of 64
channels at 2,048 Hz, as a sparse file with one busy minute, goes through everything but the network (peak memory).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from brainscan.electrodes import ELECTRODES
from brainscan.io import open_plan, read
from brainscan.survey import survey

RECORD_S = 1
UNIT_BYTES = 2


def header(labels: list[str], rate_hz: int, n_records: int) -> bytes:
    """Return an EDF header: 0.1 µV a digital step, records of a second."""
    n = len(labels)

    def column(value: object, width: int) -> bytes:
        return str(value).ljust(width).encode("ascii") * n

    main = [("0", 8), ("X X X X", 80), ("Startdate X X X X", 80), ("01.01.20", 8), ("22.00.00", 8)]
    main += [(str(256 * (n + 1)), 8), ("", 44), (str(n_records), 8), (str(RECORD_S), 8), (str(n), 4)]
    head = b"".join(value.ljust(width).encode("ascii") for value, width in main)
    names = b"".join(label.ljust(16).encode("ascii") for label in labels)
    rest = (("", 80), ("uV", 8), (-3276.8, 8), (3276.7, 8), (-32768, 8), (32767, 8), ("", 80), (rate_hz, 8), ("", 32))
    return head + names + b"".join(column(value, width) for value, width in rest)


def write_hour(path: Path, rate_hz: int = 256) -> None:
    """Write an hour of noise in 19 channels."""
    rng = np.random.default_rng(0)
    with path.open("wb") as stream:
        stream.write(header(list(ELECTRODES), rate_hz, 3600))
        for _ in range(3600):
            stream.write(rng.integers(-400, 400, 19 * rate_hz, dtype=np.int16).tobytes())


def write_night(path: Path, hours: float, rate_hz: int = 2048, n_channels: int = 64) -> None:
    """Write a sparse night: a minute of noise, then nothing but zeros that take no room on the disk."""
    labels = [*ELECTRODES, *(f"X{i}" for i in range(1, n_channels - 18))]
    n_records = round(hours * 3600)
    rng = np.random.default_rng(0)
    with path.open("wb") as stream:
        stream.write(header(labels, rate_hz, n_records))
        for _ in range(60):
            stream.write(rng.integers(-400, 400, n_channels * rate_hz, dtype=np.int16).tobytes())
        stream.truncate(256 * (n_channels + 1) + n_records * n_channels * rate_hz * UNIT_BYTES)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="What reading costs.")
    parser.add_argument("--night-hours", type=float, default=24.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.edf"
        write_hour(path)
        begin = time.process_time()
        recording = read(path)
        plan = open_plan(recording)
        opened = time.process_time()
        for at_s in range(0, 3600, 60):
            recording.read(plan.channels, at_s, at_s + 60)
        decoded = time.process_time()
        survey(recording)
        surveyed = time.process_time()
        print("one hour, 19 channels at 256 Hz, processor seconds:")
        print(f"  open and plan             {opened - begin:.3f}")
        print(f"  decode, blocks of 60 s    {decoded - opened:.3f}")
        print(f"  read, filter, windows     {surveyed - decoded:.3f}")
        path = Path(folder) / "night.edf"
        write_night(path, arguments.night_hours)
        begin, wall = time.process_time(), time.perf_counter()
        detection = survey(read(path))
        print(f"{arguments.night_hours:g} hours, 64 channels at 2048 Hz ({path.stat().st_size / 1e9:.1f} GB, sparse):")
        print(f"  scored {detection.analysed_s:.0f} s of {detection.duration_s:.0f} s (the rest is flat)")
        print(f"  processor {time.process_time() - begin:.0f} s, wall {time.perf_counter() - wall:.0f} s")
        print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
