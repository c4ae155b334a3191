"""Events on hundredths of a second score alike from a TSV, read by others, and from a CSV_bi, read by us."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from timescoring import scoring
from timescoring.annotations import Annotation as Timed

from brainscan.cli.main import main
from brainscan.events import Annotation
from brainscan.io.annotation_file import AnnotationFile
from brainscan.io.annotations import write_annotations
from brainscan.scoring import szcore

Spans = list[tuple[float, float]]


@st.composite
def events(draw: st.DrawFn) -> Spans:
    """Draw events on hundredths of a second within ten minutes."""
    edges = sorted(draw(st.lists(st.integers(0, 60_000), unique=True, max_size=10)))
    return [(a / 100, b / 100) for a, b in zip(edges[::2], edges[1::2], strict=False)]


def _write(spans: Spans, path: Path, name: str) -> None:
    rows = tuple(Annotation(a, b, "seiz", 0.9) for a, b in spans)
    write_annotations(AnnotationFile(rows, 600.0), path, name, "night.edf")


def _of_tsv(path: Path) -> Timed:
    """Read a table the plain way: its columns are SzCORE's."""
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    spans = [(float(row[0]), float(row[0]) + float(row[1])) for row in rows if row[2] == "sz"]
    rate_hz = szcore.DIRECT_RATE_HZ
    return Timed(spans, rate_hz, round(float(rows[0][6]) * rate_hz))


def _by_epilepsy2bids(path: Path) -> Timed:
    """Read a table as SzCORE's own pipeline does: epilepsy2bids, and a mask of whole seconds."""
    held = pytest.importorskip("epilepsy2bids.annotations").Annotations.loadTsv(str(path))
    return Timed(held.getMask(1), 1)


def _scored(ref: Path, hyp: Path) -> Any:
    """Return the figures by ``timescoring`` in what ``brainscan score`` prints.

    They stand also where NEDC's tool stops at a pair, as it does at some of the shortest events.
    """
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = main(["score", str(ref), str(hyp), "--json"])
    document = json.loads(out.getvalue())
    stopped_at = [error["scorers"] for error in document["errors"]]
    assert (code, stopped_at) in ((0, []), (6, [["nedc"]])), document
    return document["timescoring"]


@given(reference=events(), hypothesis=events())
@example(reference=[(0.01, 0.02)], hypothesis=[(0.01, 0.04)])  # TAES takes the root of a negative number here
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_a_tsv_by_timescoring_equals_a_csv_bi_by_us(tmp_path: Path, reference: Spans, hypothesis: Spans) -> None:
    for side, spans in (("ref", reference), ("hyp", hypothesis)):
        _write(spans, tmp_path / f"{side}.csv_bi", "csv_bi")
        _write(spans, tmp_path / f"{side}.tsv", "tsv")
    ours = _scored(tmp_path / "ref.csv_bi", tmp_path / "hyp.csv_bi")
    tables = tmp_path / "ref.tsv", tmp_path / "hyp.tsv"
    for path, read in (("direct", _of_tsv), ("szcore_mask", _by_epilepsy2bids)):
        theirs = scoring.EventScoring(*map(read, tables)), scoring.SampleScoring(*map(read, tables))
        for kind, counts in zip(("event", "sample"), theirs, strict=True):
            mine = ours[path][kind]["pooled"]
            assert (mine["tp"], mine["fp"], mine["refTrue"]) == (counts.tp, counts.fp, counts.refTrue), (path, kind)
            rates = (counts.sensitivity, counts.precision, counts.f1, counts.fpRate)
            told = [mine[name] for name in ("sensitivity", "precision", "f1", "fpRate")]
            assert told == pytest.approx([None if rate != rate else rate for rate in rates])
