"""`brainscan stream` on a recording while it is written: is it in time, equal to `detect`, and flat in memory?

    python benchmarks/streaming.py [--only follow|pipe|lsl|memory] [--speed 25] [--hours 2] [--night 24]

A simulated recording with 44 seizures, of which the default finds more than 20, and a gap of ten minutes is written
second by second, so many times faster than real time, with a pause and a torn record, its header not knowing its
length; `stream --follow` runs beside as a process of its own. For every event that is closed: how much had been read by
then, and how much written, counted from its offset (at 25 times real time, a second in which the machine is busy with
others is 25 s of writing). Then the same samples go through a pipe and through Lab Streaming Layer. For memory a night
is followed that is written as fast as the disk takes it. The exit code says whether everything was equal, within the
time that the stream states, and of 20 events at least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainscan import read
from brainscan.detector import Detector
from brainscan.electrodes import ELECTRODES
from brainscan.io.edf_layout import FixedFields, SignalFields, annotation_signal, edf_header
from brainscan.model.run_config import RunConfig
from brainscan.recording import Recording, Samples, Segment
from brainscan.simulate import Simulation, SimulationConfig, simulate

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks" / "streaming"
RATE_HZ = 256
N_SEIZURES = 44
FEWEST_EVENTS = 20
FIRST_SEED = 3_800_000
GAP_S = 600.0
QUIET_END_S = 150.0
UV_PER_COUNT = 0.1
COUNT_AT = 236
TIME_BYTES = 40
NEAR_S = 0.05


@dataclass(frozen=True, slots=True)
class Made:
    """A recording in pieces: header, records of a second, and how much of it lies before the gap."""

    header: bytes
    records: list[bytes]
    n_before: int


def simulation_of(hours: float) -> Simulation:
    """Return a simulation whose end is free of seizures, so that all of them can be told before it is over."""
    duration_s = round(hours * 3600)
    for seed in range(FIRST_SEED, FIRST_SEED + 1000):
        simulation = simulate(SimulationConfig(duration_s, N_SEIZURES, seed, rate_hz=RATE_HZ))
        if simulation.truth[-1].offset_s < duration_s - QUIET_END_S:
            return simulation
    raise SystemExit("no seed leaves the end free")


def quiet_s(simulation: Simulation) -> int:
    """Return a second in the longest stretch without a seizure: a gap there cuts none."""
    ends = [0.0, *(seizure.offset_s for seizure in simulation.truth)]
    starts = [*(seizure.onset_s for seizure in simulation.truth), float(simulation.config.duration_s)]
    quarter_s = simulation.config.duration_s / 4
    inner = [(b - a, a, b) for a, b in zip(ends, starts, strict=True) if quarter_s < a and b < 3 * quarter_s]
    _, first_s, last_s = max(inner)
    return round((first_s + last_s) / 2)


def made(simulation: Simulation) -> Made:
    """Return the recording as an EDF+D with a gap near its middle."""
    top, gap_at = 32767, quiet_s(simulation)
    signals = [
        SignalFields(
            f"EEG {name}",
            unit="uV",
            physical_min=f"-{top * UV_PER_COUNT:.1f}",
            physical_max=f"{top * UV_PER_COUNT:.1f}",
            digital_min=str(-top),
            digital_max=str(top),
            samples=str(RATE_HZ),
        )
        for name in ELECTRODES
    ]
    fixed = FixedFields(simulation.recording().start, "1", -1, reserved="EDF+D")
    header = edf_header(fixed, [*signals, annotation_signal(TIME_BYTES // 2)])
    records = []
    for second, block in enumerate(simulation.blocks(1.0)):
        counts = np.clip(np.rint(block / UV_PER_COUNT), -top, top).astype("<i2")
        onset_s = second + (GAP_S if second >= gap_at else 0.0)
        records.append(counts.tobytes() + f"+{onset_s:g}\x14\x14\0".encode().ljust(TIME_BYTES, b"\0"))
    return Made(header, records, gap_at)


class Writer(threading.Thread):
    """Writes a recording second by second, with a pause and a torn record."""

    def __init__(self, path: Path, recording: Made, speed: float) -> None:
        super().__init__(daemon=True)
        self.written_s = 0.0  # seconds of samples
        self.done_at: float | None = None
        self._path, self._recording, self._speed = path, recording, speed
        path.write_bytes(recording.header)

    def run(self) -> None:
        began = time.monotonic()
        records = self._recording.records
        with self._path.open("ab") as stream:
            for second, record in enumerate(records):
                if second == len(records) // 4:
                    time.sleep(5.0)
                    began += 5.0
                half = len(record) // 3 if second == len(records) // 3 else len(record)
                stream.write(record[:half])
                stream.flush()
                if half < len(record):
                    time.sleep(2.0)
                    began += 2.0
                    stream.write(record[half:])
                    stream.flush()
                self.written_s = second + 1.0
                time.sleep(max(began + (second + 1) / self._speed - time.monotonic(), 0.0))
        self.done_at = time.monotonic()
        with self._path.open("r+b") as stream:
            stream.seek(COUNT_AT)
            stream.write(str(len(records)).ljust(8).encode())


def streamed(arguments: list[str], stdin: Any = None) -> Iterator[tuple[float, dict[str, Any]]]:
    """Run `brainscan stream --json` and yield its lines with the moments at which they came."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    fixed = ["--json", "--force", "--threads", "1", "--max-lag", "0"]  # a busy machine shall be late, not leave out
    command = [sys.executable, "-m", "brainscan", "stream", *arguments, *fixed]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=stdin, env=environment, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    for line in process.stdout:
        yield time.monotonic(), json.loads(line)
    if process.wait():
        raise SystemExit(f"stream ended with {process.returncode}")


def spans(document: dict[str, Any]) -> list[tuple[float, float]]:
    """Return the events of a result."""
    return [(event["onset_s"], event["offset_s"]) for event in document["events"]]


def follow(recording: Made, speed: float, folder: Path) -> bool:
    """Follow the file while it is written; print delays; return whether all is as it should be."""
    path = folder / "followed.edf"
    writer = Writer(path, recording, speed)
    writer.start()
    while writer.written_s < 1.0:
        time.sleep(0.01)
    read_s, written_s = list[float](), list[float]()
    late, closed, bound, end = 0, list[tuple[float, float]](), 0.0, dict[str, Any]()
    for at, line in streamed([str(path), "--follow", "-o", str(folder / "streamed.csv_bi")]):
        if line["kind"] == "start":
            bound = line["closes_within_s"]
        elif line["kind"] == "close":
            closed.append((line["onset_s"], line["offset_s"]))
            read_s.append(line["at_s"] - line["offset_s"])
            gap_s = GAP_S if line["offset_s"] > recording.n_before else 0.0
            written_s.append(writer.written_s + gap_s - line["offset_s"])
            late += writer.done_at is not None and at > writer.done_at
        elif line["kind"] == "end":
            end = line
    writer.join()
    command = [sys.executable, "-m", "brainscan", "detect", str(path), "-o", str(folder / "detected.csv_bi"), "--force"]
    subprocess.run([*command, "-q"], check=True)
    same = (folder / "streamed.csv_bi").read_bytes() == (folder / "detected.csv_bi").read_bytes()
    print(
        f"followed at {speed:g} times real time: {len(closed)} events closed, {late} of them after the file was whole"
    )
    for what, delays in (("read", read_s), ("written", written_s)):
        print(f"  {what} behind an offset by then: median {statistics.median(delays):.1f} s, worst {max(delays):.1f} s")
    print(f"  stated {bound:.1f} s; table equal to detect's: {'yes' if same else 'NO'}")
    return same and closed == spans(end) and late == 0 and max(read_s) <= bound and len(closed) >= FEWEST_EVENTS


def frames_of(path: Path) -> tuple[np.ndarray, Recording]:
    """Return all samples of the file as frames, NaN in the gap, and the same as a recording."""
    recording = read(path)
    n = round(recording.duration_s * RATE_HZ)
    uv = np.full((n, 19), np.nan, dtype=np.float32)
    for segment in recording.segments:
        part = np.stack(recording.read(range(19), segment.start_s, segment.stop_s, segment).uv)
        first = round(segment.start_s * RATE_HZ)
        uv[first : first + part.shape[1]] = part.T
    whole = Segment(0.0, recording.duration_s)

    def reader(channels: Any, part: Segment, start_s: float, stop_s: float) -> Samples:
        a, b = part.index(start_s, RATE_HZ), part.index(stop_s, RATE_HZ)
        return Samples(
            tuple(uv[a:b, c].astype(float) for c in channels), tuple(np.zeros(b - a, bool) for _ in channels)
        )

    array = Recording("piped", "array", None, recording.duration_s, (whole,), recording.channels, reader)
    return uv, array


def pipe(folder: Path, model: str) -> bool:
    """Send the samples through a pipe as fast as they are taken."""
    uv, array = frames_of(folder / "followed.edf")
    header = {"brainscan": 1, "labels": list(array.labels), "rate_hz": RATE_HZ, "unit": "uV", "name": "piped"}
    raw = folder / "piped.bin"
    raw.write_bytes(json.dumps(header).encode() + b"\n" + uv.astype("<f4").tobytes())
    cat = subprocess.Popen(["cat", str(raw)], stdout=subprocess.PIPE)
    lines = [line for _, line in streamed(["-", "-o", str(folder / "piped.csv_bi")], cat.stdout)]
    cat.wait()
    expected = Detector.from_pretrained(model, run=RunConfig("cpu", threads=1)).detect(array)
    closed = [(line["onset_s"], line["offset_s"]) for line in lines if line["kind"] == "close"]
    same = closed == [(event.onset_s, event.offset_s) for event in expected.events]
    print(
        f"through a pipe: {len(closed)} events closed, equal to detect on the same samples: {'yes' if same else 'NO'}"
    )
    return same and len(closed) >= FEWEST_EVENTS


OUTLET = """
import sys, time
import numpy as np
from mne_lsl.lsl import StreamInfo, StreamOutlet, local_clock
from brainscan import read
recording, name, speed = read(sys.argv[1]), sys.argv[2], float(sys.argv[3])
info = StreamInfo(name, "EEG", 19, 256.0, "float32", name)
info.set_channel_names([label.removeprefix("EEG ") for label in recording.labels])
info.set_channel_units("microvolts")
outlet = StreamOutlet(info, chunk_size=256, max_buffered=36000)
assert outlet.wait_for_consumers(120)
start = local_clock()
for segment in recording.segments:
    for second in range(round(segment.duration_s)):
        at_s = segment.start_s + second
        block = np.stack(recording.read(range(19), at_s, at_s + 1.0, segment).uv).T
        outlet.push_chunk(np.ascontiguousarray(block, dtype=np.float32), timestamp=start + at_s + 1 - 1 / 256)
        time.sleep(1 / speed)
time.sleep(30)
"""


def lsl(folder: Path, speed: float) -> bool:
    """Send the samples by Lab Streaming Layer from a process of its own."""
    path, name = folder / "followed.edf", f"brainscan-benchmark-{os.getpid()}"
    outlet = subprocess.Popen([sys.executable, "-c", OUTLET, str(path), name, str(speed)])
    try:
        lines = [line for _, line in streamed(["--lsl", name, "--idle", "15", "-o", str(folder / "lsl.csv_bi")])]
    finally:
        outlet.kill()
        outlet.wait()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "brainscan",
            "detect",
            str(path),
            "--json",
            "--force",
            "-o",
            str(folder / "detected.csv_bi"),
        ],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    expected = spans(json.loads(done.stdout)["results"][0])
    closed = [(line["onset_s"], line["offset_s"]) for line in lines if line["kind"] == "close"]
    far = max(
        (abs(a - b) for x, y in zip(closed, expected, strict=False) for a, b in zip(x, y, strict=True)), default=0.0
    )
    same = len(closed) == len(expected) and far <= NEAR_S
    print(f"by LSL at {speed:g} times real time: {len(closed)} events closed of {len(expected)},")
    print(f"  boundaries within {far:.3f} s")
    return same and len(closed) >= FEWEST_EVENTS


def memory(recording: Made, hours: int, folder: Path, model: str) -> bool:
    """Follow a night that is written as fast as the disk takes it; print the resident memory by the hour."""
    path = folder / "night.edf"
    path.write_bytes(recording.header.replace(b"EDF+D", b"EDF+C"))
    n_records = hours * 3600

    def write() -> None:
        with path.open("ab") as stream:
            for second in range(n_records):
                data = recording.records[second % len(recording.records)][:-TIME_BYTES]
                stream.write(data + f"+{second}\x14\x14\0".encode().ljust(TIME_BYTES, b"\0"))
        with path.open("r+b") as stream:
            stream.seek(COUNT_AT)
            stream.write(str(n_records).ljust(8).encode())

    threading.Thread(target=write, daemon=True).start()
    time.sleep(1.0)
    command = [
        sys.executable,
        "-m",
        "brainscan",
        "stream",
        str(path),
        "--follow",
        "--max-lag",
        "0",
        "--json",
        "--force",
    ]
    command += ["--threads", "1", "--model", model, "-o", str(folder / "night.csv_bi")]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert process.stdout is not None
    held: dict[int, float] = {}
    for line in process.stdout:
        said = json.loads(line)
        if "at_s" in said:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            held[int(said["at_s"] // 3600)] = int(status.partition("VmRSS:")[2].split()[0]) / 1024.0
    if process.wait():
        raise SystemExit(f"stream ended with {process.returncode}")
    print(f"{hours} h followed in {time.perf_counter() - began:.0f} s; resident memory by the hour, MiB:")
    print("  " + ", ".join(f"{hour}: {mib:.0f}" for hour, mib in sorted(held.items())))
    hourly = [mib for _, mib in sorted(held.items())]
    return max(hourly[1:]) - min(hourly[1:]) < 50.0


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["follow", "pipe", "lsl", "memory"])
    parser.add_argument("--speed", type=float, default=25.0)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--night", type=int, default=24)
    parser.add_argument("--model", default="default")
    parser.add_argument("--folder", type=Path, default=CACHE)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    simulation = simulation_of(arguments.hours)
    print(f"simulated, seed {simulation.config.seed}: {arguments.hours:g} h, {len(simulation.truth)} seizures")
    recording = made(simulation)
    wanted = [arguments.only] if arguments.only else ["follow", "pipe", "lsl", "memory"]
    results = []
    for part in wanted:
        if part == "follow":
            results.append(follow(recording, arguments.speed, arguments.folder))
        elif part == "pipe":
            results.append(pipe(arguments.folder, arguments.model))
        elif part == "lsl":
            results.append(lsl(arguments.folder, arguments.speed))
        else:
            results.append(memory(recording, arguments.night, arguments.folder, arguments.model))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
