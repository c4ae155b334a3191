"""How long after a seizure's onset `brainscan stream` opens it, for looks at the newest minute of different frequency.

    python benchmarks/latency.py [--hours 1] [--seizures 16] [--chbmit 0] [--shared FOLDER]

Simulated recordings of test seeds, an hour each, are handed on half a second at a time as if they were being recorded.
Of every seizure that `detect` finds: the recorded time from its true onset until its first line, and how many events
were opened provisionally and withdrawn. The processor's time is that of one thread, for looks and for everything else.

With ``--chbmit N``, beside them: clips of development children (chbmit in the shared folder), N a child at most, which
begin with the seizure. The children's post-ictal clips are put before and behind, so the jump between both is in it.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np

import brainscan.live.stream
from brainscan import read
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import BrainscanError
from brainscan.events import Event
from brainscan.live.messages import EventMessage, Message
from brainscan.live.newest import Newest
from brainscan.live.promises import closes_within_s, opens_within_s
from brainscan.live.source import RecordingSource
from brainscan.live.stream import Ears, Stream, StreamConfig
from brainscan.model.run_config import RunConfig
from brainscan.recording import Channel, Recording, Samples, Segment
from brainscan.simulate import SimulationConfig, simulate

FIRST_SEED = 3_700_000
LOOKS_S = (2.5, 5.0, 10.0, 20.0)
STEP_S = 0.5
BESIDE_S = 100.0
MOST_MISSING = 9

Span = tuple[float, float]


class Remembering(Newest):
    """Looks once at each moment of a recording, however many streams ask."""

    seen: ClassVar[dict[float, tuple[Event, ...]]] = {}
    took_s: ClassVar[list[float]] = []

    def events(self, start_s: float, stop_s: float) -> tuple[Event, ...]:
        if stop_s not in self.seen:
            began = time.process_time()
            self.seen[stop_s] = super().events(start_s, stop_s)
            self.took_s.append(time.process_time() - began)
        return self.seen[stop_s]


@dataclass
class Row:
    """What one frequency of looks came to."""

    delays_s: list[float] = field(default_factory=list)
    closed_s: list[float] = field(default_factory=list)
    opened: int = 0
    withdrawn: int = 0
    recorded_s: float = 0.0


def followed(detector: Detector, recording: Recording, truth: Sequence[Span], look_s: float | None, row: Row) -> None:
    """Stream a recording and add to a row what is said of the seizures that are found in the end."""
    said: list[Message] = []
    config = StreamConfig(DetectOptions(max_missing=MOST_MISSING), look_s)
    detection = Stream(detector, RecordingSource(recording, STEP_S, near=True), config, Ears(said.append)).run()
    events = [message for message in said if isinstance(message, EventMessage)]
    row.recorded_s += recording.duration_s
    row.opened += sum(message.kind == "open" for message in events)
    row.withdrawn += sum(message.kind == "withdraw" for message in events)
    row.closed_s += [message.at_s - message.until_s for message in events if message.kind == "close"]
    for onset_s, offset_s in truth:
        if any(event.onset_s < offset_s and onset_s < event.offset_s for event in detection.events):
            first = next(m for m in events if m.onset_s < offset_s and onset_s < m.until_s)
            row.delays_s.append(first.at_s - onset_s)


def simulations(hours: int, n_seizures: int) -> Iterator[tuple[Recording, list[Span]]]:
    """Yield simulated hours and their seizures."""
    for number in range(hours):
        simulation = simulate(SimulationConfig(3600, n_seizures, FIRST_SEED + number))
        recording = simulation.recording()
        uv = simulation.samples(0, simulation.n_samples)
        yield of_array(recording, uv.astype(np.float64)), [(s.onset_s, s.offset_s) for s in simulation.truth]


def of_array(like: Recording, uv: np.ndarray) -> Recording:
    """Return a recording of an array, with the channels of another."""
    rate_hz = like.channels[0].rate_hz
    segment = Segment(0.0, float(uv.shape[1] / rate_hz))

    def reader(channels: Sequence[int], part: Segment, start_s: float, stop_s: float) -> Samples:
        a, b = part.index(start_s, rate_hz), part.index(stop_s, rate_hz)
        return Samples(tuple(uv[c, a:b] for c in channels), tuple(np.zeros(b - a, dtype=np.bool_) for _ in channels))

    channels = tuple(Channel(channel.label, Fraction(rate_hz)) for channel in like.channels)
    return Recording(like.name, "array", like.start, segment.duration_s, (segment,), channels, reader)


def clips(folder: Path, most: int) -> Iterator[tuple[Recording, list[Span]]]:
    """Yield seizures of the development children of CHB-MIT between post-ictal clips of the same child."""
    with (folder / "eeg" / "index.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["group"] == "dev" and row["source"] == "chbmit"]
    for subject in dict.fromkeys(row["subject"] for row in rows):
        own = [folder / "eeg" / row["file"] for row in rows if row["subject"] == subject]
        rest = [read(path) for path in own if "_post" in path.name]
        taken = 0
        for path in own:
            recording = read(path)
            if "_sz" not in path.name or recording.duration_s < 20.0 or taken == most:
                continue
            beside = [samples(other) for other in rest if other.labels == recording.labels]
            if not beside:
                continue
            background = np.concatenate(beside, axis=1)
            n = int(BESIDE_S * recording.channels[0].rate_hz)
            background = np.tile(background, (1, -(-n // background.shape[1])))[:, :n]
            uv = np.concatenate((background, samples(recording), background), axis=1)
            taken += 1
            yield of_array(recording, uv), [(BESIDE_S, BESIDE_S + recording.duration_s)]


def samples(recording: Recording) -> np.ndarray:
    """Return all samples of a clip, without their means."""
    uv = np.stack(recording.read(range(len(recording.channels)), 0.0, recording.duration_s).uv)
    return uv - uv.mean(axis=1, keepdims=True)


def measured(detector: Detector, recordings: Iterator[tuple[Recording, list[Span]]]) -> None:
    """Print the table of some recordings."""
    rows: dict[float | None, Row] = {look_s: Row() for look_s in (*LOOKS_S, None)}
    Remembering.took_s.clear()
    base_s, n_truth = 0.0, 0
    for recording, truth in recordings:
        n_truth += len(truth)
        Remembering.seen.clear()
        for look_s, row in rows.items():
            began = time.process_time()
            try:
                followed(detector, recording, truth, look_s, row)
            except BrainscanError as error:
                print(f"left out: {error}")
                break
            if look_s is None:
                base_s += time.process_time() - began
        print(f"\r{recording.name}", end="", file=sys.stderr)
    print(file=sys.stderr)
    last = rows[None]
    cost_s = statistics.median(Remembering.took_s)
    print(f"{len(last.delays_s)} of {n_truth} seizures found in {last.recorded_s / 3600.0:.2f} h; a look takes")
    print(f"{1000 * cost_s:.0f} ms of one core, everything else {base_s / last.recorded_s * 3600.0:.1f} s an hour")
    print(
        f"{'look every':>10s} {'delay after onset: median, worst':>33s} {'withdrawn an hour':>18s} {'of one core':>12s}"
    )
    for look_s, row in sorted(rows.items(), key=lambda item: item[0] or 1e9):
        share = base_s / last.recorded_s + (cost_s / look_s if look_s else 0.0)
        delays = f"{statistics.median(row.delays_s):.1f} s, {max(row.delays_s):.1f} s" if row.delays_s else "-"
        withdrawn = row.withdrawn / row.recorded_s * 3600.0
        shown = f"{look_s:g} s" if look_s else "never"
        print(f"{shown:>10s} {delays:>33s} {withdrawn:18.1f} {100 * share:10.1f} %")
    if last.closed_s:
        closed_s = sorted(last.closed_s)
        print(f"closed behind the offset: median {statistics.median(closed_s):.1f} s, worst {closed_s[-1]:.1f} s")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=1)
    parser.add_argument("--seizures", type=int, default=16, help="an hour")
    parser.add_argument("--chbmit", type=int, default=0, help="seizures a child at most")
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("BRAINSCAN_SHARED", "../shared")))
    parser.add_argument("--model", default="default")
    arguments = parser.parse_args()
    detector = Detector.from_pretrained(arguments.model, run=RunConfig("cpu", batch_size=1, threads=1))
    brainscan.live.stream.Newest = Remembering  # type: ignore[misc]
    opens_s, closes_s = (f(detector.card, detector.decision) for f in (opens_within_s, closes_within_s))
    print(f"model {detector.card.name}: opens within {opens_s:.1f} s, closes within {closes_s:.1f} s by its card")
    if arguments.hours:
        print(f"\nsimulated, seeds from {FIRST_SEED}")
        measured(detector, simulations(arguments.hours, arguments.seizures))
    if arguments.chbmit:
        print("\nclips of children (chbmit, development) between post-ictal clips of the same child")
        measured(detector, clips(arguments.shared, arguments.chbmit))
    return 0


if __name__ == "__main__":
    sys.exit(main())
