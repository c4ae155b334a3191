"""``brainscan evaluate``: a detector against annotations."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainscan.cli import console, options
from brainscan.errors import PartialFailureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brainscan.evaluate.corpus import Corpus
    from brainscan.evaluate.evaluation import DetectorFacts, Evaluation
    from brainscan.evaluate.judged import Judged
    from brainscan.evaluate.points import Point
    from brainscan.evaluate.run import Outputs
    from brainscan.scoring.intervals import Interval
    from brainscan.scoring.pieces import RankRow

METRICS = "metrics.json"


def evaluate(
    corpus: Annotated[Path, typer.Argument(metavar="[CORPUS]", help="Folder of recordings.")] = Path(),
    fa: Annotated[str, typer.Option("--fa", metavar="K,...", help="Targets: false alarms per 24 h.")] = "1,5,10",
    annotations: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the annotations lie, if not beside the recordings.")
    ] = None,
    scorer: Annotated[str, typer.Option(help="ovlp (NEDC, label seiz), szcore (event score) or taes.")] = "ovlp",
    hypotheses: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Evaluate these probability or event files, not a model.")
    ] = None,
    pieces: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Also rank pieces of this length within each source.")
    ] = None,
    group: Annotated[list[str], typer.Option(help="Only this group of index.csv; may be repeated.")] = [],
    source: Annotated[list[str], typer.Option(help="Only this source of index.csv; may be repeated.")] = [],
    exclude: Annotated[
        list[str], typer.Option(metavar="PATTERN", help="Leave these recordings out; may be repeated.")
    ] = [],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for metrics.json.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where outputs are kept between runs.")] = None,
    model: options.Model = "default",
    channel_map: options.ChannelMap = "",
    max_missing: options.MaxMissing = 3,
    device: options.Device = "auto",
    threads: options.Threads = 0,
    batch_size: options.BatchSize = 8,
    force: Annotated[bool, typer.Option("--force", help="Detect again what the cache holds.")] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Evaluate a model, or other people's detections, against annotations.

    Every recording below CORPUS needs an annotation of its name. Events are pooled over all of them; an operating
    point for k false alarms per 24 h is the lowest threshold from which every higher one keeps that rate. A rate that
    rests on less than 24 h is told as a count with its interval. What was detected once is not detected again.
    Research use, not a medical device.

    Examples
    --------
    brainscan evaluate corpus/ --fa 1,5,10
    brainscan evaluate corpus/ --group dev --max-missing 9 --pieces 10 -o results/
    brainscan evaluate corpus/ --hypotheses theirs/ --scorer szcore --json > theirs.json
    """
    console.set_quiet(quiet)
    from brainscan.evaluate.corpus import CorpusConfig, read_corpus
    from brainscan.evaluate.evaluation import EvaluationConfig
    from brainscan.evaluate.evaluation import evaluate as figures
    from brainscan.evaluate.judged import SCORERS, judge
    from brainscan.io.atomic import make_folder, write_text
    from brainscan.mapping import finite, to_mapping
    from brainscan.scoring.operating_points import parse_targets

    try:
        targets = parse_targets(fa)
    except ValueError as problem:
        raise UsageError(str(problem), hint="--fa takes numbers such as 1,5,10") from None
    chosen = next((name for name in SCORERS if name == scorer), None)
    if chosen is None:
        raise UsageError(f"no such scorer: {scorer}", hint=f"--scorer takes {', '.join(SCORERS)}")
    if pieces is not None and not pieces > 0:
        raise UsageError("--pieces takes a length in seconds", hint="--pieces 10")
    found = read_corpus(CorpusConfig(corpus, annotations, tuple(group), tuple(source), tuple(exclude), output))
    for text in found.warnings:
        console.warning(text)
    run = _Run(model, channel_map, max_missing, device, threads, batch_size)
    outputs, facts = run.outputs(found, hypotheses, cache, again=force)
    recordings, failures = judge(found.cases, outputs)
    config = EvaluationConfig(corpus.resolve().name, chosen, targets)
    result = figures(recordings, failures, facts, config)
    for failure in result.failures:
        print(f"error: {failure.file}: {failure.message}", file=sys.stderr)
    document = result.as_mapping()
    rows = _ranking(recordings, pieces) if pieces is not None else {}
    if pieces is not None:
        document["pieces"] = {"length_s": pieces, "sources": {name: to_mapping(row) for name, row in rows.items()}}
    if output is not None:
        make_folder(output)
        write_text(output / METRICS, json.dumps(finite(document), indent=2, ensure_ascii=False) + "\n")
    _finish(result, document, rows, as_json=as_json, quiet=quiet)


@dataclass(frozen=True, slots=True)
class _Run:
    """Which model runs how."""

    model: str
    channel_map: str
    max_missing: int
    device: str
    threads: int
    batch_size: int

    def outputs(
        self, corpus: Corpus, hypotheses: Path | None, cache: Path | None, *, again: bool
    ) -> tuple[Outputs, DetectorFacts]:
        """Return what the model, or the hypotheses, say about each recording, and which detector that is."""
        from brainscan.detector import provenance
        from brainscan.evaluate.cache import default_folder
        from brainscan.evaluate.evaluation import DetectorFacts
        from brainscan.evaluate.hypotheses import run_hypotheses
        from brainscan.evaluate.run import Listener, ModelConfig, run_model

        with console.progress() as bar:
            task = bar.add_task("recordings", total=len(corpus.cases))
            listener = Listener(lambda name, number, total: bar.update(task, completed=number, total=total))
            if hypotheses is not None:
                return run_hypotheses(corpus.cases, hypotheses, listener), DetectorFacts(hypotheses.resolve().name)
            if self.batch_size < 1 or self.threads < 0:
                raise UsageError("--batch-size must be at least 1 and --threads not negative")
            config = ModelConfig(
                self.model,
                options.detect_options(self.channel_map, self.max_missing),
                cache or default_folder(),
                self.device,
                self.threads,
                self.batch_size,
                again,
            )
            card = config.card()
            on, off = card.decision.enter, card.decision.leave
            settings = provenance(card, card.decision, config.options)
            facts = DetectorFacts(card.name, card.sha256, on, off, card.confidence_map, settings)
            return run_model(corpus.cases, config, listener), facts


def _finish(
    result: Evaluation, document: dict[str, Any], rows: Mapping[str, RankRow], *, as_json: bool, quiet: bool
) -> None:
    """Print the tables or the JSON document, and raise what the exit code follows from."""
    error = None
    if result.failures:
        n_all = len(result.failures) + len(result.recordings)
        error = PartialFailureError(f"{len(result.failures)} of {n_all} recordings failed; the others are evaluated")
        error.reported = True
    if as_json:
        console.print_json(document if error is None else {"error": error.as_mapping(), **document})
    elif not quiet:
        _show(result)
        if rows:
            _show_ranking(rows)
    if error is not None:
        raise error


def _show(result: Evaluation) -> None:
    """Print the operating points, and what they rest on."""
    base = result.base
    title = (
        f"{result.config.scorer.upper()}: {len(result.recordings)} recordings, {base.hours:.2f} h,"
        f" {base.patients} patients, {base.seizures} seizures"
    )
    points = (*result.points, result.default)
    header = ("point", "threshold", "found", "sensitivity", "95 %", "false alarms")
    console.stdout_table(header, [_row(point) for point in points], title=title)
    if not result.default.is_rate:
        print("less than 24 h: false alarms are counts with the interval of the rate, not rates")


def _row(point: Point) -> tuple[str, ...]:
    op = point.op
    if not op.reachable:
        return (point.name, "unreachable", "-", "-", "-", "-")
    found = f"{_number(op.detected)} of {_number(point.targets)}"
    sensitivity = "-" if math.isnan(op.sensitivity) else f"{op.sensitivity:.3f}"
    low, high = point.fa_ci95.low, point.fa_ci95.high
    alarms = f"{_number(op.false_alarms)} in {point.base.hours:.2f} h ({low:.1f} to {high:.1f} per 24 h)"
    if point.is_rate:
        alarms = f"{op.fa_per_24h:.2f} per 24 h ({low:.2f} to {high:.2f}; {_number(op.false_alarms)} in all)"
    return (point.name, f"{op.threshold:g}", found, sensitivity, _interval(point.sensitivity_ci95), alarms)


def _ranking(recordings: Sequence[Judged], piece_s: float) -> Mapping[str, RankRow]:
    """Return the first quality row within each source; recordings without curves are in none."""
    import numpy as np

    from brainscan.scoring.pieces import ScoredRecording, rank_rows

    scored = [
        ScoredRecording(
            source=recording.case.source,
            subject=recording.case.subject,
            kind=recording.case.kind,
            duration_s=recording.output.duration_s,
            scored=recording.judged,
            annotations=tuple((s.onset_s, s.offset_s) for s in recording.seizures),
            probabilities=recording.output.curves,
            events=recording.output.events,
        )
        for recording in recordings
        if recording.output.curves
    ]
    return rank_rows(scored, np.random.default_rng(0), piece_s=piece_s)


def _show_ranking(rows: Mapping[str, RankRow]) -> None:
    table = [
        (
            name or "-",
            _share(row.auroc),
            _interval(row.auroc_ci95),
            _share(row.mean_within_subject),
            _share(row.rank_share),
            _share(row.p95_negative),
            row.n_pieces,
            row.n_ictal,
            row.n_subjects,
            row.n_seizures,
        )
        for name, row in rows.items()
    ]
    header = ("source", "AUROC", "95 %", "within", "rank", "p95", "pieces", "ictal", "subjects", "seizures")
    console.stdout_table(header, table)


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(interval: Interval) -> str:
    return "-" if math.isnan(interval.low) else f"{interval.low:.3f} to {interval.high:.3f}"


def _number(value: float) -> str:
    """Return a count; TAES counts fractions."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"
