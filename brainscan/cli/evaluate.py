"""``brainscan evaluate``: a detector against annotations."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.cli.spread import spread
from brainscan.errors import PartialFailureError, UsageError

if TYPE_CHECKING:
    from brainscan.evaluate.by_model import ModelConfig
    from brainscan.evaluate.job import EvaluationJob, Results

_FEW_HINTS = 3


@spread
def evaluate(
    corpus: Annotated[Path, typer.Argument(metavar="[CORPUS]", help="Folder of recordings and annotations.")] = Path(),
    fa: Annotated[str, typer.Option("--fa", metavar="LIST", help="False alarms per 24 h to aim at.")] = "1,5,10",
    annotations: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the annotations lie, if not beside the recordings.")
    ] = None,
    group: Annotated[list[str], typer.Option("--group", help="Only this group or split; repeatable.")] = [],
    source: Annotated[list[str], typer.Option("--source", help="Only this source of index.csv; repeatable.")] = [],
    exclude: Annotated[
        list[str], typer.Option("--exclude", metavar="PATTERN", help="Leave recordings out by name; repeatable.")
    ] = [],
    scorer: Annotated[str, typer.Option(help="ovlp (NEDC), szcore or taes.")] = "ovlp",
    fit_on: Annotated[
        Path | None,
        typer.Option("--fit-on", metavar="CORPUS|RUN", help="Take the thresholds from here, and apply them frozen."),
    ] = None,
    compare: Annotated[
        str, typer.Option(metavar="MODEL|DIR", help="Compare with another model, or another folder of hypotheses.")
    ] = "",
    hypotheses: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Evaluate another detector's probability or event files instead of a model."),
    ] = None,
    pieces: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Also rank pieces of this length within each source (10).")
    ] = None,
    model: options.Model = "default",
    channels: options.Channels = options.Channels(),
    running: options.Running = options.Running(),
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Write metrics.json, events.csv, tables and the report here."
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Keep outputs here; default: below -o, else your cache folder."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite results that brainscan did not write.")] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Evaluate a detector on a corpus: operating points with intervals.

    Every recording needs an annotation of the same name (or a list that names it); one without is an error unless
    it is excluded. For each target the threshold is the lowest from which every higher one keeps the rate too.
    Outputs are kept, so that another scorer or target takes seconds; a killed run goes on where it was.

    Examples
    --------
    brainscan evaluate corpus/ --fa 1,5,10 -o results/
    brainscan evaluate corpus/ --group dev --pieces 10 --json
    brainscan evaluate test/ --fit-on dev/ --scorer szcore
    brainscan evaluate corpus/ --hypotheses other_detector/ --compare third_detector/
    """
    console.set_quiet(quiet)
    if output is not None and str(output) == "-":
        raise UsageError("-o takes a folder", hint="--json prints the figures on stdout")
    from brainscan.evaluate.corpus import CorpusConfig
    from brainscan.evaluate.files import check_folder
    from brainscan.evaluate.job import EvaluationJob

    if hypotheses is not None and model != "default":
        raise UsageError(
            "--hypotheses and --model both say what to evaluate", hint="give one; --compare takes the other"
        )
    chosen_scorer, targets = scorer_of(scorer), targets_of(fa)
    if output is not None:
        check_folder(output, force=force)
    with ExitStack() as stack:
        kept = cache_folder(cache, output, stack)
        job = EvaluationJob(
            corpus=CorpusConfig(corpus, annotations, tuple(group), tuple(source), tuple(exclude), output),
            model=model_config(model, channels, kept, running),
            hypotheses=hypotheses,
            scorer=chosen_scorer,
            targets=targets,
            fit_on=fit_on,
            compare=compare,
            pieces_s=pieces,
        )
        result = run_with_progress(job)
        if output is not None:
            _write(output, result, kept)
    _finish(result, as_json=as_json, quiet=quiet)


def model_config(model: str, channels: options.Channels, cache: Path, running: options.Running) -> ModelConfig:
    """Return which model runs how.

    Raises
    ------
    UsageError
        If the channel map cannot be read.
    ModelError, MissingExtraError
        If the model has to be exported to ONNX first, and cannot be.
    """
    from brainscan.analysis.lazy_detector import announce_export
    from brainscan.analysis.options import AnalysisOptions
    from brainscan.evaluate.by_model import ModelConfig

    mapping, run = channels.mapping(), running.config()
    announce_export(model, run.backend, console.message)
    chosen = AnalysisOptions(model=model, channel_map=mapping, max_missing=channels.max_missing, run=run)
    return ModelConfig(chosen, cache)


def scorer_of(name: str) -> Any:
    """Return the scorer of a name, or say which there are."""
    from brainscan.evaluate.counts import SCORERS

    if name not in SCORERS:
        raise UsageError(f"no such scorer: {name}", hint=f"--scorer takes {', '.join(SCORERS)}")
    return name


def targets_of(text: str) -> tuple[float, ...]:
    """Return the false-alarm targets that a user gave, the strictest first."""
    from brainscan.scoring.operating_points import parse_targets

    try:
        return tuple(sorted(parse_targets(text)))
    except ValueError as problem:
        raise UsageError(str(problem), hint="--fa takes numbers such as 1,5,10") from None


def cache_folder(cache: Path | None, output: Path | None, stack: ExitStack) -> Path:
    """Return where outputs are kept: as asked, below the results, or among the user's caches if that can be."""
    from brainscan.errors import OutputError
    from brainscan.evaluate.cache import default_folder
    from brainscan.io.atomic import make_folder

    if cache is not None:
        return cache
    if output is not None:
        return output / "cache"
    folder = default_folder()
    try:
        make_folder(folder)
        usable = os.access(folder, os.W_OK)
    except OutputError:
        usable = False
    if usable:
        return folder
    console.warning(f"{folder} cannot be written, so nothing is kept for a second run; --cache DIR names another place")
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="brainscan-")))


def run_with_progress(job: EvaluationJob) -> Results:
    """Run a job with a bar on the terminal."""
    from brainscan.evaluate.job import run

    with console.progress() as bar:
        task = bar.add_task("recordings", total=None)

        def done(name: str, number: int, total: int) -> None:
            bar.update(task, description=name, completed=number, total=total)

        return run(job, done)


def _write(output: Path, result: Results, kept: Path) -> None:
    """Write figures, tables and the report."""
    from brainscan.evaluate.files import REPORT, write_results

    if not write_results(output, result.metrics, result.evaluation, kept):
        console.message(f"{REPORT} needs the extra 'report': pip install \"brainscan[report]\"")
    console.message(f"results in {output}")


def _finish(result: Results, *, as_json: bool, quiet: bool) -> None:
    """Print figures, and raise what the exit code follows from."""
    from brainscan.cli.figures import show

    failures = result.metrics["failures"]
    error = None
    if failures:
        n_all = len(failures) + result.metrics["recordings"]
        ways_out = dict.fromkeys(failure["hint"] for failure in failures if failure["hint"])
        error = PartialFailureError(
            f"{len(failures)} of {n_all} recordings failed; the figures are those of the others",
            hint="; ".join([*list(ways_out)[:_FEW_HINTS], "or leave such recordings out with --exclude"]),
        )
    if not as_json:
        console.warnings(result.metrics["warnings"])
    if as_json:
        document = dict(result.metrics) if error is None else {**result.metrics, "error": error.as_mapping()}
        console.print_json(document)
    elif not quiet:
        show(result.metrics)
    if error is not None:
        error.reported = True
        raise error
