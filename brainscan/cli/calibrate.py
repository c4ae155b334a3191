"""``brainscan calibrate``: operating points and the confidence map into a model's card."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console, options
from brainscan.cli.spread import spread
from brainscan.errors import InputError, OutputError, PartialFailureError
from brainscan.io.guard import protect
from brainscan.model.names import WITH_WEIGHTS

if TYPE_CHECKING:
    from brainscan.card import Card
    from brainscan.evaluate.calibration import Calibration


@spread
def calibrate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"{WITH_WEIGHTS}, a .safetensors file or a folder.")],
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="Annotated recordings, none of them trained on.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="NEW.safetensors", help="The calibrated model.")],
    fa: Annotated[str, typer.Option("--fa", metavar="LIST", help="False alarms per 24 h to aim at.")] = "1,5,10",
    annotations: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the annotations lie, if not beside the recordings.")
    ] = None,
    group: Annotated[list[str], typer.Option("--group", help="Only this group of index.csv; repeatable.")] = [],
    exclude: Annotated[
        list[str], typer.Option("--exclude", metavar="PATTERN", help="Leave recordings out by name; repeatable.")
    ] = [],
    simulated: Annotated[bool, typer.Option("--simulated", help="The recordings are simulated.")] = False,
    confidence_map: Annotated[
        bool, typer.Option("--map/--no-map", help="Also fit the map from mean probability to confidence.")
    ] = True,
    max_missing: options.MaxMissing = 3,
    running: options.Running = options.Running(),
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Keep outputs here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Write operating points and, unless --no-map is given, a confidence map into a copy of a model.

    Points are called fa1 and so on where they rest on 72 h of real background of 20 patients, sim-fa1 where they rest
    on 24 h of simulated background, and on 20 seizures; with less nothing is written (exit code 3). The map needs 20
    true and 20 false events besides, each of 10 patients. The decision itself stays as it is.

    Examples
    --------
    brainscan calibrate default simulated/ -o calibrated.safetensors --simulated
    brainscan calibrate model.safetensors corpus/ --fa 1,5 -o calibrated.safetensors
    """
    console.set_quiet(quiet)
    protect(output)
    if output.exists() and not force:
        raise OutputError("exists", file=str(output), hint="choose another place with -o, or overwrite it with --force")
    from brainscan.cli.evaluate import cache_folder, model_config, run_with_progress, targets_of
    from brainscan.evaluate.calibration import calibrate as fit
    from brainscan.evaluate.corpus import CorpusConfig
    from brainscan.evaluate.job import EvaluationJob
    from brainscan.model import checkpoint

    with ExitStack() as stack:
        kept = cache_folder(cache, None, stack)
        job = EvaluationJob(
            corpus=CorpusConfig(corpus, annotations, tuple(group), (), tuple(exclude)),
            model=model_config(model, options.Channels(max_missing=max_missing), kept, running),
            targets=targets_of(fa),
        )
        result = run_with_progress(job)
    evaluation = result.evaluation
    console.warnings(result.metrics["warnings"])
    for failure in evaluation.failures:
        print(f"error: {failure.message}", file=sys.stderr)
    found = fit(evaluation, simulated=simulated, with_map=confidence_map)
    for note in found.notes:
        console.warning(note)
    if found.too_little or not (found.operating_points or found.confidence_map):
        raise InputError(
            found.too_little or "supports nothing to write into the card",
            kind="empty",
            file=str(corpus),
            hint="give more annotated recordings; `brainscan evaluate` shows what these tell, with intervals"
            if found.too_little
            else "the warnings above say why",
        )
    before = checkpoint.verify(checkpoint.locate(model))
    checkpoint.save_with(output, before, found.applied(before.card))
    if not quiet:
        _show(found, before.card, output)
    if evaluation.failures:
        raise PartialFailureError(f"{len(evaluation.failures)} recordings failed; the others are calibrated on")


def _show(found: Calibration, before: Card, output: Path) -> None:
    """Print what was measured here, apart from what the model had before."""
    from brainscan.cli.figures import alarms_behind, sensitivity

    rows = [
        (name, f"{p.enter:g}", alarms_behind(p), sensitivity(p.sensitivity, p.sensitivity_ci95), p.patients)
        for name, p in found.operating_points.items()
    ]
    header = ("point", "on", "false alarms (95 %)", "sensitivity (95 %)", "patients")
    console.stdout_table(header, rows, title=f"{output}: what was measured here")
    console.message(f"confidence map: {'fitted' if found.confidence_map else 'as it was'}")
    if kept := [name for name in before.operating_points if name not in found.operating_points]:
        console.message(f"not measured here, as the model had them: {', '.join(kept)}")
