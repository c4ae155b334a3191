"""Make the bundled sample and its truth again: ``python make_sample.py [FOLDER]`` (default: this folder).

Five simulated minutes with a tonic-clonic and a focal seizure, blinks, muscle and movement. No patient was recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from brainscan.electrodes import ELECTRODES
from brainscan.io.atomic import write_text
from brainscan.io.csv_bi import format_csv_bi
from brainscan.io.edf_writer import EdfHeader, electrode_labels, write_edf
from brainscan.simulate import PAGE_S, SimulationConfig, simulate

CONFIG = SimulationConfig(duration_s=300, n_seizures=2, seed=3_000_040, artifacts=1.5, generalised=0.5, snr=(2.5, 4.5))


def make(folder: Path) -> None:
    """Write ``sample.edf`` and ``sample_truth.csv_bi``, the same bytes every time."""
    simulation = simulate(CONFIG)
    header = EdfHeader(electrode_labels(ELECTRODES), CONFIG.rate_hz)
    write_edf(folder / "sample.edf", header, simulation.blocks(PAGE_S))
    note = f"simulated truth, seed {CONFIG.seed}"
    text = format_csv_bi(simulation.annotations(), CONFIG.duration_s, "sample.edf", (note,))
    write_text(folder / "sample_truth.csv_bi", text)


def main(arguments: Sequence[str]) -> int:
    """Write into the folder that is named, else beside this script."""
    make(Path(arguments[0]) if arguments else Path(__file__).parent)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
