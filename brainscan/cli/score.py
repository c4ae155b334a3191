"""``brainscan score``: event files against event files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainscan.cli import console, options
from brainscan.errors import PartialFailureError

if TYPE_CHECKING:
    from brainscan.evaluate.score import ScoreReport


def score(
    ref: Annotated[
        Path, typer.Argument(parser=options.named, metavar="REF", help="Reference: a list, a folder or an event file.")
    ],
    hyp: Annotated[Path, typer.Argument(parser=options.named, metavar="HYP", help="Hypothesis: the same kind.")],
    as_json: options.AsJson = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first pair that the official tool would stop on.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No messages, only results and errors.")] = False,
) -> None:
    """Score event files against event files: NEDC v6 (DPALIGN, EPOCH, OVLP, TAES, IRA) and SzCORE.

    Lists hold one path a line and pair by position; folders pair by place, else by a name that is unique; a file
    pairs with a file. The line to quote for NEDC is the label seiz. A pair that cannot be scored is named and left
    out (exit code 6); a missing hypothesis counts as "nothing detected" for SzCORE. Of lists, rows count as they
    stand, as NEDC's own tool has it; of folders and files, events that overlap or leave the recording are joined and
    cut first, as evaluate does, with a warning.

    Examples
    --------
    brainscan score ref.list hyp.list
    brainscan score annotations/ results/ --json > scores.json
    brainscan score night_truth.csv_bi night.csv_bi
    """
    console.set_quiet(quiet)
    from brainscan.evaluate.score import score_files
    from brainscan.io.event_pairs import pair_files

    pairing = pair_files(ref, hyp)
    for name in pairing.unclaimed:
        console.warning(f"{name}: belongs to no reference; not scored")
    for text in pairing.warnings:
        console.warning(text)
    report = score_files(pairing.pairs, strict=strict, as_they_stand=pairing.by_position)
    for text in dict.fromkeys(text for texts in report.remarks.values() for text in texts):
        console.warning(text)
    for name, mending in report.mended.items():
        console.warning(f"{name}: events changed before scoring: {mending}")
    for name, remark in report.odd.items():
        console.warning(f"{name}: taken as it stands, as the official tools do: {remark}")
    for failure in report.szcore_only:
        console.warning(f"{failure.error} (not in the SzCORE figures)")
    error = None
    if report.failures:
        error = PartialFailureError(
            f"{len(report.failures)} of {console.count(report.n_pairs, 'pair')} could not be scored; the others are",
            hint="the lines above say why",
        )
        for failure in report.failures:
            print(f"error: {failure.error}", file=sys.stderr)
    if as_json:
        document = report.as_mapping()
        if pairing.unclaimed:
            document["unclaimed"] = list(pairing.unclaimed)
        document["warnings"] = list(pairing.warnings)
        if error is not None:
            document["error"] = error.as_mapping()
        console.print_json(document)
    else:
        _show(report)
    if error is not None:
        error.reported = True
        raise error


def _show(report: ScoreReport) -> None:
    """Print the figures that are quoted, and the summary lines beside them."""
    from brainscan.evaluate.points import MIN_HOURS
    from brainscan.scoring import szcore

    if report.nedc is not None:
        rows: list[tuple[object, ...]] = []
        for metric in ("ovlp", "taes", "epoch", "dpalign"):
            scores = getattr(report.nedc, metric)
            for name, m in (("seiz", scores.labels["seiz"]), ("bckg", scores.labels["bckg"]), ("both", scores.summary)):
                counts = (_count(value) for value in (m.targets, m.hits, m.misses, m.fp))
                rates = (f"{value:.4f}" for value in (m.sensitivity, m.specificity, m.precision, m.f1, m.fa_per_24h))
                rows.append((metric.upper(), name, *counts, *rates))
        header = ("NEDC", "label", "targets", "hits", "misses", "FP", "sens", "spec", "prec", "F1", "FA/24h")
        hours = report.nedc.ovlp.total_duration_s / 3600
        console.stdout_table(header, rows, title=f"{console.count(len(report.nedc_per_file), 'pair')}, {hours:.2f} h")
        print(f"IRA kappa {report.nedc.ira.multi_class_kappa:.4f}\n")
    lines: list[tuple[object, ...]] = []
    for path, scores in report.szcore.items():
        if not scores:
            continue
        pooled = szcore.pool(scores.values())
        for kind, c in (("event", pooled.event), ("sample", pooled.sample)):
            figures = (f"{value:.4f}" for value in (c.sensitivity, c.precision, c.f1, c.fp_per_24h))
            lines.append((kind, path, c.ref_true, c.tp, c.fp, *figures))
    if lines:
        console.stdout_table(("SzCORE", "path", "ref", "TP", "FP", "sens", "prec", "F1", "FP/24h"), lines)
    if report.nedc is not None and hours < MIN_HOURS:
        print(f"note: {hours:.2f} h do not tell a rate per 24 h: quote the false alarms (FP) and the hours")


def _count(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"
