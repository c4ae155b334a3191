"""Where it starts: side and leading electrodes of simulated seizures of test seeds, against where they truly begin.

    python benchmarks/localisation.py [--focal 300] [--generalised 120] [--no-detector]

Each recording is two and a half minutes of another simulated subject with one seizure; focal ones begin at a known
place, half of them reach the other hemisphere, and a third lack one of the three electrodes nearest to the origin. The
place is told twice: of the true interval, and of the event that the default detector finds there. On the same spans,
two simpler rankings of the electrodes: RMS amplitude and line length. Intervals are Wilson's, 95 %.

What it cannot tell: simulated seizures have the fields of a spherical head and no history of surgery, breach or drugs.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context

import numpy as np
from scipy.stats import binomtest

from brainscan.card import FilterConfig
from brainscan.detector import DetectOptions, Detector
from brainscan.electrodes import ELECTRODES, POSITIONS
from brainscan.events import Event, Place
from brainscan.io.plan import open_plan
from brainscan.placing import around, pipeline
from brainscan.recording import Recording, Samples, Segment
from brainscan.signal.place import LATEST, Piece, leading_of, place_of
from brainscan.simulate import SimulationConfig, simulate

FIRST_SEED = 3_500_000
DURATION_S = 150
NEAR_DEG = 40.0
"""As far as neighbours of the 10-20 system are from each other."""
LATERAL = 0.25
"""An origin so far from the midline, in radii of the head, has a side."""
OWN, RANKINGS = "evolving power", ("amplitude", "line length")


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of one event: the place, and the same by simpler rankings."""

    place: Place
    leading: dict[str, tuple[str, ...]]
    sides: dict[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Case:
    """One seizure as it truly is, and what was said of it."""

    seed: int
    origin: tuple[float, float, float] | None
    crosses: bool
    missing: str
    true: Told
    detected: Told | None
    detect_s: float

    @property
    def side(self) -> str:
        """The true side; empty for an origin near the midline."""
        x = 0.0 if self.origin is None else self.origin[0]
        return "" if abs(x) < LATERAL else "right" if x > 0 else "left"

    def nearest(self) -> str:
        """The recorded electrode nearest to the origin."""
        held = [i for i, name in enumerate(ELECTRODES) if name != self.missing]
        return ELECTRODES[max(held, key=lambda i: float(np.dot(POSITIONS[i], self.origin or (0, 0, 1))))]

    def near(self, name: str) -> bool:
        """Whether an electrode lies in the true region."""
        cosine = float(np.dot(POSITIONS[ELECTRODES.index(name)], self.origin or (0, 0, 1)))
        return math.degrees(math.acos(min(cosine, 1.0))) <= NEAR_DEG


def without(recording: Recording, electrode: int) -> Recording:
    """Return a recording that lacks one channel."""

    def read(channels: Sequence[int], segment: Segment, start_s: float, stop_s: float) -> Samples:
        return recording.reader([c + (c >= electrode) for c in channels], segment, start_s, stop_s)

    kept = tuple(channel for i, channel in enumerate(recording.channels) if i != electrode)
    return replace(recording, channels=kept, reader=read)


@lru_cache(maxsize=1)
def detector() -> Detector:
    return Detector.from_pretrained("default")


def told(event: Event, others: Sequence[Event], recording: Recording) -> Told:
    """Say where an event begins, and rank its electrodes by simpler measures over the same span."""
    plan = open_plan(recording)
    began = time.perf_counter()
    before, during = around(event, others, recording, plan, pipeline(FilterConfig(), 3))
    place = place_of(before, during)
    seconds = time.perf_counter() - began
    levels = [max((r for r in span.rise_db if r is not None), default=0.0) for span in place.field[:LATEST]]
    onset = during[next((i for i, level in enumerate(levels) if level >= 10 * math.log10(2)), 0)]
    measures = {"amplitude": _rms, "line length": _line_length}
    values = {name: np.where(onset.recorded, measure(onset), np.nan) for name, measure in measures.items()}
    leading = {OWN: place.leading} | {name: leading_of(v) for name, v in values.items()}
    sides = {OWN: place.side} | {name: _stronger(v) for name, v in values.items()}
    return Told(place, leading, sides, seconds)


def _rms(piece: Piece) -> np.ndarray:
    return np.asarray(np.sqrt((piece.uv.astype(np.float64) ** 2).mean(axis=1)))


def _line_length(piece: Piece) -> np.ndarray:
    return np.asarray(np.abs(np.diff(piece.uv.astype(np.float64), axis=1)).mean(axis=1))


def _stronger(values: np.ndarray) -> str:
    """Return the side of the strongest three by a ranking: it always names one."""
    sides = [np.array([v for v, p in zip(values, POSITIONS, strict=True) if s * p[0] > 0.1]) for s in (-1, 1)]
    left, right = (np.sort(side[np.isfinite(side)])[-3:].mean() for side in sides)
    return "right" if right > left else "left"


def case_of(seed: int, generalised: float, detect: bool, lacking: bool) -> Case:
    """Simulate a seed and tell the place of its seizure."""
    simulation = simulate(SimulationConfig(DURATION_S, 1, seed, generalised=generalised))
    truth, recording = simulation.truth[0], simulation.recording()
    missing = ""
    if lacking and truth.origin is not None:
        order = np.argsort([-float(np.dot(p, truth.origin)) for p in POSITIONS])
        electrode = int(order[seed % 3])
        missing, recording = ELECTRODES[electrode], without(recording, electrode)
    own = Event(truth.onset_s, truth.offset_s, 1.0)
    found, detect_s = None, 0.0
    if detect:
        machine = detector()
        began = time.perf_counter()
        events = machine.detect(recording, DetectOptions(place=False)).events
        detect_s = time.perf_counter() - began
        hits = [e for e in events if e.onset_s < truth.offset_s and e.offset_s > truth.onset_s]
        found = told(hits[0], events, recording) if hits else None
    return Case(seed, truth.origin, truth.crosses, missing, told(own, [own], recording), found, detect_s)


def focal_seeds(count: int) -> list[int]:
    """Return seeds of focal seizures of which half reach the other hemisphere."""
    wanted = {True: count // 2, False: count - count // 2}
    seeds, seed = [], FIRST_SEED
    while any(wanted.values()):
        crosses = simulate(SimulationConfig(DURATION_S, 1, seed, generalised=0.0)).truth[0].crosses
        if wanted[crosses]:
            wanted[crosses] -= 1
            seeds.append(seed)
        seed += 1
    return seeds


def share(hits: int, of: int) -> str:
    """Return a share with its interval."""
    if not of:
        return "-"
    interval = binomtest(hits, of).proportion_ci(0.95, "wilson")
    return f"{hits / of:.3f} ({interval.low:.3f} to {interval.high:.3f}), {hits} of {of}"


def show_focal(title: str, cases: Sequence[Case], said: Callable[[Case], Told | None]) -> None:
    """Print sides and leading electrodes, and the paired comparison."""
    rows = [(case, told) for case in cases if (told := said(case)) is not None]
    print(f"\n{title}: {len(rows)} focal seizures")
    groups: dict[str, Callable[[Case], bool]] = {
        "all": lambda c: True,
        "one hemisphere": lambda c: not c.crosses,
        "reaches the other": lambda c: c.crosses,
        "a near electrode missing": lambda c: bool(c.missing),
    }
    for name, belongs in groups.items():
        held = [(c, t) for c, t in rows if belongs(c)]
        sided = [(c, t) for c, t in held if c.side]
        called = [(c, t) for c, t in sided if t.place.side in {"left", "right"}]
        answers = [sum(t.place.side == answer for _, t in held) for answer in ("uncertain", "bilateral")]
        print(f"  {name}")
        print(
            f"    right side among those called   {share(sum(t.place.side == c.side for c, t in called), len(called))}"
        )
        print(f"    a side called, of lateral ones  {share(len(called), len(sided))}")
        print(f"    uncertain, bilateral            {share(answers[0], len(held))}; {share(answers[1], len(held))}")
        for way in (OWN, *RANKINGS):
            nearest = sum(c.nearest() in t.leading[way] for c, t in held)
            region = sum(any(map(c.near, t.leading[way])) for c, t in held)
            print(f"    {way:15s} nearest electrode among three {share(nearest, len(held))}")
            print(f"    {'':15s} region among three            {share(region, len(held))}")
    for way in RANKINGS:
        compared(
            f"nearest electrode, against {way}",
            [(c.nearest() in t.leading[OWN], c.nearest() in t.leading[way]) for c, t in rows],
        )
        called = [(c, t) for c, t in rows if c.side and t.place.side in {"left", "right"}]
        compared(
            f"side where one is called, against {way}",
            [(t.sides[OWN] == c.side, t.sides[way] == c.side) for c, t in called],
        )


def compared(title: str, pairs: Sequence[tuple[bool, bool]]) -> None:
    """Print an exact sign test of the pairs that differ (McNemar)."""
    better = sum(a and not b for a, b in pairs)
    worse = sum(b and not a for a, b in pairs)
    p = binomtest(better, better + worse).pvalue if better + worse else 1.0
    print(f"  paired, {title}: better in {better}, worse in {worse} of {len(pairs)} (p = {p:.2g})")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--focal", type=int, default=300)
    parser.add_argument("--generalised", type=int, default=120)
    parser.add_argument("--no-detector", action="store_true", help="true intervals alone")
    arguments = parser.parse_args()
    detect = not arguments.no_detector
    seeds = focal_seeds(arguments.focal)
    jobs = [(seed, 0.0, detect, number % 3 == 0) for number, seed in enumerate(seeds)]
    jobs += [(FIRST_SEED + 100_000 + n, 1.0, detect, False) for n in range(arguments.generalised)]
    cases = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for number, case in enumerate(pool.map(case_of, *zip(*jobs, strict=True)), 1):
            cases.append(case)
            print(f"\r{number}/{len(jobs)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    focal, generalised = cases[: len(seeds)], cases[len(seeds) :]
    ways: list[tuple[str, Callable[[Case], Told | None]]] = [("true intervals", lambda case: case.true)]
    if detect:
        ways.append(("events that the default detector finds", lambda case: case.detected))
    for title, said in ways:
        show_focal(title, focal, said)
        sides = [t.place.side for case in generalised if (t := said(case)) is not None]
        one_sided = sum(side in {"left", "right"} for side in sides)
        print(f"  {len(sides)} generalised seizures: not one-sided {share(len(sides) - one_sided, len(sides))}")
    placing = float(np.median([case.true.seconds for case in cases]))
    whole = f"; detecting in {DURATION_S} s: {np.median([c.detect_s for c in cases]):.3f} s" if detect else ""
    print(f"\nplacing an event: {placing:.3f} s, reading (here: simulating) two minutes included{whole}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
