"""``brainscan simulate``: recordings with known seizures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LONGEST_S = 31 * 86_400
"""Nobody records longer in one piece; a slip of the exponent would fill the disk."""


def simulate(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.edf", help="EDF file to write.")],
    duration: Annotated[float, typer.Option(help="Length in whole seconds.")] = 600.0,
    seizures: Annotated[int, typer.Option(min=0, help="Number of seizures.")] = 1,
    seed: Annotated[
        int, typer.Option(min=0, help="Decides everything else; the same seed, the same file.")
    ] = 3_000_000,
    annotations: Annotated[
        Path | None, typer.Option(metavar="FILE.csv_bi", help="Where to write the true seizures (CSV_bi).")
    ] = None,
    rate: Annotated[int, typer.Option(min=100, max=4096, help="Samples per second.")] = 256,
    artifacts: Annotated[float, typer.Option(min=0.0, help="Factor on the number of artifacts.")] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Write a 19-channel recording with known seizures as EDF.

    Backgrounds, seizures and artifacts come from sources in a model of the head. Seeds below 1,000,000 are kept
    for training, from 3,000,000 on for tests.

    Examples
    --------
    brainscan simulate -o sim.edf --duration 3600 --seizures 3 --seed 3000003 --annotations sim_truth.csv_bi
    brainscan simulate -o night.edf --duration 86400 --seizures 12 --seed 3000002 --rate 512
    """
    from brainscan.cli.console import count, message, progress, set_quiet
    from brainscan.electrodes import ELECTRODES
    from brainscan.errors import OutputError, UsageError
    from brainscan.io.atomic import make_folder, write_text
    from brainscan.io.csv_bi import format_csv_bi
    from brainscan.io.edf_writer import EdfHeader, electrode_labels, is_simulated, write_edf
    from brainscan.io.guard import protect, same_file
    from brainscan.simulate import PAGE_S, SimulationConfig
    from brainscan.simulate import simulate as plan

    set_quiet(quiet)
    if not (0 < duration <= LONGEST_S and duration == int(duration)):
        raise UsageError(
            f"--duration must be whole seconds, up to {LONGEST_S // 86_400} days (got {duration:g})",
            hint="a night is 28800",
        )
    if annotations is not None and same_file(annotations, output):
        raise UsageError("recording and annotations would be the same file")
    for path in (output, annotations):
        if path is not None and not is_simulated(path):
            protect(path)
        if path is not None and path.exists() and not force:
            raise OutputError("exists already", file=str(path), hint="--force overwrites it")
    try:
        simulation = plan(SimulationConfig(int(duration), seizures, seed, rate_hz=rate, artifacts=artifacts))
    except ValueError as problem:
        raise UsageError(str(problem), hint="fewer seizures or a longer recording") from problem
    for path in (output, annotations):
        if path is not None:
            make_folder(path.parent)

    with progress() as bar:
        blocks = bar.track(simulation.blocks(PAGE_S), total=-(-int(duration) // PAGE_S), description="simulating")
        write_edf(output, EdfHeader(electrode_labels(ELECTRODES), rate), blocks)
    if annotations is not None:
        note = f"simulated truth, seed {seed}"
        write_text(annotations, format_csv_bi(simulation.annotations(), duration, output.name, (note,)))
    message(f"{output}: {duration:g} s, {count(len(simulation.truth), 'seizure')} (seed {seed})")
