"""An electrode falls off in hour 3 of a simulated night: is it interpolated from then on, and nowhere else?

    python benchmarks/falling_electrode.py [--hours 8] [--seed 3000100]

Prints, hour by hour, in how many windows C3 was interpolated, and the seizures of the remaining night that are
found with the whole set of electrodes and without C3.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brainscan.card import WindowConfig
from brainscan.detector import Detector
from brainscan.electrodes import INDEX
from brainscan.events import RATE_HZ, Event
from brainscan.io.plan import open_plan
from brainscan.recording import Recording, Samples, Segment
from brainscan.signal.windows import PipelineConfig, WindowStream
from brainscan.simulate import SimulatedSeizure, SimulationConfig, simulate

ELECTRODE = "C3"
FALLS_S = 2.5 * 3600.0


def falling(recording: Recording, at_s: float) -> Recording:
    """Return the recording with one electrode constant from a time on."""

    def read(channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        samples = recording.reader(channels, segment, start_s, stop_s)
        uv = list(samples.uv)
        for i, channel in enumerate(channels):
            if channel == INDEX[ELECTRODE]:
                cut = max(round((at_s - start_s) * RATE_HZ), 0)
                uv[i] = np.concatenate((uv[i][:cut], np.full(max(len(uv[i]) - cut, 0), 12.5)))
        return Samples(tuple(uv), samples.railed)

    return replace(recording, reader=read)


def interpolated(recording: Recording, detector: Detector) -> list[tuple[float, tuple[str, ...]]]:
    """Return start and interpolated electrodes of each window."""
    plan = open_plan(recording)
    rates = [recording.channels[c].rate_hz for c in plan.channels]
    card = detector.card
    window = WindowConfig(card.window.duration_s, card.window.duration_s, 0.0)
    stream = WindowStream(plan, rates, PipelineConfig(card.filter, window))
    windows = []
    for start_s in np.arange(0.0, recording.duration_s, 60.0).tolist():
        windows += stream.push(recording.read(plan.channels, start_s, min(start_s + 60.0, recording.duration_s)))
    windows += stream.finish()
    names = tuple(INDEX)
    return [
        (w.start / RATE_HZ, tuple(n for n, how in zip(names, w.how, strict=True) if how != "recorded")) for w in windows
    ]


def found(seizures: Sequence[SimulatedSeizure], events: Sequence[Event]) -> list[bool]:
    """Return for each seizure whether an event overlaps it."""
    return [any(e.onset_s < s.offset_s and e.offset_s > s.onset_s for e in events) for s in seizures]


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=8)
    parser.add_argument("--seizures", type=int, default=16)
    parser.add_argument("--seed", type=int, default=3_000_100)
    arguments = parser.parse_args()
    config = SimulationConfig(
        duration_s=arguments.hours * 3600, n_seizures=arguments.seizures, seed=arguments.seed, snr=(2.0, 6.0)
    )
    simulation = simulate(config)
    whole, broken = simulation.recording(), falling(simulation.recording(), FALLS_S)
    detector = Detector.from_pretrained("default")
    windows = interpolated(broken, detector)
    for hour in range(arguments.hours):
        of_hour = [names for start_s, names in windows if hour * 3600 <= start_s < (hour + 1) * 3600]
        hits = sum(ELECTRODE in names for names in of_hour)
        others = sum(any(name != ELECTRODE for name in names) for names in of_hour)
        print(f"hour {hour + 1}: {ELECTRODE} interpolated in {hits} of {len(of_hour)} windows, others in {others}")
    first = min(start_s for start_s, names in windows if ELECTRODE in names)
    print(f"falls off at {FALLS_S:.0f} s; first window with {ELECTRODE} interpolated starts at {first:.0f} s")
    rest = [s for s in simulation.truth if s.onset_s >= FALLS_S]
    with_it, without = (found(rest, detector.detect(r).events) for r in (whole, broken))
    print(
        f"seizures of the remaining night: {len(rest)}; found with {ELECTRODE} {sum(with_it)}, without {sum(without)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
