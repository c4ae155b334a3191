"""How fast the simulator is, and how near its EEG comes to recordings: ``python benchmarks/simulator.py [--hours 24]``.

Needs the development recordings (``$BRAINSCAN_SHARED`` or ``../shared``) for the comparison; only `eeg/train` is
looked at. Band amplitudes are RMS in µV after the pipeline's reference, median over 4 s pieces, mean over the
electrodes; correlations are over 1 to 30 Hz, mean over pairs of near (< 0.8 rad), middle and far (> 1.7 rad)
electrodes.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES, POSITIONS
from brainscan.io.edf_writer import EdfHeader, electrode_labels, write_edf
from brainscan.simulate import PAGE_S, SimulationConfig, background_piece, seizure_piece, simulate
from brainscan.simulate.background import Age, State

Array = NDArray[np.float64]

BANDS = {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0)}
PIECE_S = 4.0
MEASURES = (*BANDS, "near", "middle", "far")

# What each group of recordings is compared with.
GROUPS: Mapping[str, Callable[[str, str], bool]] = {
    "eyes open, task": lambda source, kind: (
        source in ("eegmat", "mumtaz_mdd", "eegmmidb", "adhd_children", "eegle_bi2012") and "closed" not in kind
    ),
    "eyes closed": lambda source, kind: source in ("eegmat", "mumtaz_mdd") and "closed" in kind,
    "post-ictal": lambda source, kind: source == "chbmit" and "post" in kind,
    "seizure": lambda source, kind: source == "chbmit" and kind.endswith("seizure"),
}


AGES: Mapping[str, Age] = {"eyes open, task": "any", "eyes closed": "adult", "post-ictal": "child", "seizure": "child"}
STATES: Mapping[str, State] = {"eyes open, task": "open", "eyes closed": "closed"}


def measure(uv: Array, rate_hz: float) -> Array:
    """Return `MEASURES` of a piece of shape (n_electrodes, n_samples) in the order of `ELECTRODES` (NaN: absent)."""
    n = round(PIECE_S * rate_hz)
    n_pieces = uv.shape[1] // n
    pieces = uv[:, : n_pieces * n].reshape(len(uv), n_pieces, n)
    window = np.hanning(n)
    power = np.abs(np.fft.rfft((pieces - pieces.mean(axis=2, keepdims=True)) * window, axis=2)) ** 2
    density = np.median(power, axis=1) * 2 / (rate_hz * np.sum(window**2))
    frequency = np.fft.rfftfreq(n, 1 / rate_hz)
    amplitudes = [
        np.nanmean(np.sqrt(density[:, (frequency >= low) & (frequency < high)].sum(axis=1) * frequency[1]))
        for low, high in BANDS.values()
    ]
    return np.array([*amplitudes, *_correlations(uv, rate_hz)])


def _correlations(uv: Array, rate_hz: float) -> list[float]:
    spectrum = np.fft.rfft(uv, axis=1)
    frequency = np.fft.rfftfreq(uv.shape[1], 1 / rate_hz)
    spectrum[:, (frequency < 1.0) | (frequency > 30.0)] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.corrcoef(np.fft.irfft(spectrum, uv.shape[1], axis=1))
    positions = np.array(POSITIONS)
    angle = np.arccos(np.clip(positions @ positions.T, -1.0, 1.0))
    pairs = np.triu(np.ones_like(angle), 1) > 0
    near, far = pairs & (angle < 0.8), pairs & (angle > 1.7)
    return [float(np.nanmean(correlation[where])) for where in (near, pairs & ~near & ~far, far)]


def of_recordings(shared: Path) -> dict[str, list[Array]]:
    """Return the measures of each training recording, by group."""
    from brainscan.io.plan import open_plan
    from brainscan.io.reading import read
    from brainscan.signal.montage import operator

    measured = defaultdict(list)
    with (shared / "eeg" / "index.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["group"] == "train"]
    for row in rows:
        group = next((name for name, fits in GROUPS.items() if fits(row["source"], row["kind"])), None)
        if group is None or float(row["duration_s"]) < 2 * PIECE_S:
            continue
        recording = read(shared / "eeg" / row["file"])
        plan = open_plan(recording, max_missing=9)
        uv = np.stack(recording.read(plan.channels, 0.0, recording.duration_s).uv)
        electrodes = operator(plan).matrix @ np.nan_to_num(uv - np.nanmean(uv, axis=1, keepdims=True))
        electrodes[[ELECTRODES.index(name) for name in plan.missing]] = np.nan
        measured[group].append(measure(electrodes, float(recording.channels[plan.channels[0]].rate_hz)))
    return measured


def of_simulations(n: int) -> dict[str, list[Array]]:
    """Return the measures of `n` simulated pieces a group."""
    measured = defaultdict(list)
    for seed in range(n):
        rng = np.random.default_rng(seed)
        for group, state in STATES.items():
            uv = background_piece(rng, 60.0, 256, state, AGES[group]).astype(np.float64)
            measured[group].append(measure(uv - uv.mean(axis=0), 256))
        simulation = simulate(SimulationConfig(200, 1, seed, age=AGES["seizure"]))
        seizure = simulation.truth[0]
        onset, offset = (round(at_s * 256) for at_s in (seizure.onset_s, seizure.offset_s))
        for group, first, last in (("seizure", onset, offset), ("post-ictal", offset, offset + 40 * 256)):
            uv = simulation.samples(first, min(last, simulation.n_samples)).astype(np.float64)
            if uv.shape[1] > 2 * PIECE_S * 256:
                measured[group].append(measure(uv - uv.mean(axis=0), 256))
    return measured


def compare(shared: Path, n: int) -> None:
    """Print quantiles of recordings beside those of simulations."""
    real, simulated = of_recordings(shared), of_simulations(n)
    print(f"{'5 % / 50 % / 95 %':36s}" + "".join(f"{name:>25s}" for name in MEASURES))
    for group in GROUPS:
        low, high = np.nanpercentile(real[group], (0, 100), axis=0)
        for name, values in (("recorded", real[group]), ("simulated", simulated[group])):
            quantiles = np.nanpercentile(values, (5, 50, 95), axis=0)
            cells = "".join(f"{' / '.join(f'{value:.3g}' for value in column):>25s}" for column in quantiles.T)
            print(f"{group + ', ' + name + f' ({len(values)})':36s}{cells}")
        inside = np.mean((simulated[group] >= low) & (simulated[group] <= high), axis=0)
        print(f"{'  simulated within the range':36s}" + "".join(f"{share:>25.0%}" for share in inside))


def speed(hours: float) -> None:
    """Print how long a recording takes from seed to file, and one piece for training."""
    seconds = round(hours * 3600)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "simulated.edf"
        began = time.perf_counter()
        simulation = simulate(SimulationConfig(seconds, max(round(hours / 2), 1), 3_000_000))
        write_edf(path, EdfHeader(electrode_labels(ELECTRODES), 256), simulation.blocks(PAGE_S))
        took = time.perf_counter() - began
        size = path.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{hours:g} h at 256 Hz to EDF ({size / 1e6:.0f} MB): {took:.1f} s, {seconds / took:.0f} x real time")
    print(f"peak memory {peak:.0f} MiB")
    rng = np.random.default_rng(0)
    for name, make in (
        ("seizure_piece", lambda: seizure_piece(rng, 30.0, 128)),
        ("background_piece", lambda: background_piece(rng, 30.0, 128)),
    ):
        began = time.perf_counter()
        for _ in range(50):
            make()
        print(f"{name} of 30 s at 128 Hz: {(time.perf_counter() - began) / 50 * 1e3:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0, help="length of the recording that is timed")
    parser.add_argument("--pieces", type=int, default=100, help="simulated pieces a group")
    arguments = parser.parse_args()
    speed(arguments.hours)
    shared = Path(os.environ.get("BRAINSCAN_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (shared / "eeg").is_dir():
        print("no recordings to compare with (set BRAINSCAN_SHARED)")
        return
    compare(shared, arguments.pieces)


if __name__ == "__main__":
    main()
