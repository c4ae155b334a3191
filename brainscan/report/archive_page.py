"""The page of a scan: every recording of an archive in one table, to sort and to choose from, made of what a run wrote.

Nothing is read again: an outcome holds all that a row says, whether it is fresh or read back from an earlier run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from brainscan.analysis.outcome import Outcome
from brainscan.provenance import NOTICE
from brainscan.report import words
from brainscan.report.html_parts import json_block, part, policy, template

MOST_ROWS = 20_000
"""A browser still opens so many; where there are more, those without events and remarks are left to the tables."""

_MARK = '<meta name="generator" content="brainscan scan">'


@dataclass(frozen=True, slots=True)
class State:
    """How far a scan is, and what makes its results.

    Parameters
    ----------
    total : int
        Recordings that were found.
    running : bool
        Whether more will come.
    facts : mapping
        Model and settings.
    notes : tuple of str
        What is to be said of the archive as a whole.
    anonymous : bool
        Whether names in it are hashes.
    """

    total: int
    running: bool
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    anonymous: bool = False


def index_page(outcomes: Iterable[Outcome], out: Path, state: State) -> bytes:
    """Return the page.

    Parameters
    ----------
    outcomes : iterable of Outcome
        In the order of the rows; gone through once.
    out : Path
        The folder that the page will lie in: its links are relative to it.
    state : State
    """
    limits = words.Limits.of_model(state.facts)
    rows: list[dict[str, Any]] = []
    left_out = n_events = n = 0
    analysed_s = 0.0
    for outcome in outcomes:
        row = _row(outcome, out, limits)
        n, n_events, analysed_s = n + 1, n_events + len(outcome.events), analysed_s + outcome.analysed_s
        dull = row["status"] == "done" and not row["events"] and row["quality"] == "good"
        if len(rows) >= MOST_ROWS and dull:
            left_out += 1
            continue
        rows.append(row)
    script, style = part("index.js"), part("viewer.css")
    text = template("index.html.j2").render(
        rows=rows,
        n=n,
        n_events=n_events,
        n_with=sum(row["events"] > 0 for row in rows),
        n_flagged=sum(bool(row["flags"]) for row in rows),
        n_failed=sum(row["status"] == "failed" for row in rows),
        n_unread=sum(row["status"] == "unread" for row in rows),
        analysed=words.length(analysed_s),
        left_out=left_out,
        state=state,
        model=str(state.facts.get("model", "")),
        model_sha256=str(state.facts.get("model_sha256", ""))[:12],
        version=str(state.facts.get("brainscan", "")),
        notice=NOTICE,
        mark=_MARK,
        script=script,
        style=style,
        policy=policy(script, style),
        data=json_block({"running": state.running}),
    )
    return text.encode("utf-8", "backslashreplace")


def is_index(path: Path) -> bool:
    """Whether a scan wrote a page."""
    try:
        with path.open("rb") as stream:
            return _MARK.encode() in stream.read(4096)
    except OSError:
        return False


def _row(outcome: Outcome, out: Path, limits: words.Limits) -> dict[str, Any]:
    """Return what the table says of one recording."""
    row: dict[str, Any] = {
        "file": outcome.file,
        "status": "done" if outcome.status == "skipped" else outcome.status,
        "link": "",
        "is_page": False,
        "events": len(outcome.events),
        "ictal_min": "",
        "fullest_min": "",
        "longest_s": "",
        "flags": "",
        "analysed_h": "",
        "quality": "",
        "doubts": 0,
        "remarks": list(outcome.warnings),
    }
    if outcome.error is not None:
        row["remarks"] = [f"{outcome.error.message}. {outcome.error.hint}".strip()]
        return row
    burden = outcome.burden
    page = next((path for path in outcome.outputs if path.suffix in {".html", ".htm"}), None)
    target = page or (outcome.outputs[0] if outcome.outputs else None)
    return {
        **row,
        "link": "" if target is None else _link(target, out),
        "is_page": page is not None,
        "ictal_min": f"{burden.seizure_s / 60.0:.1f}",
        "fullest_min": f"{burden.largest_hour.seizure_s / 60.0:.1f}",
        "longest_s": f"{burden.longest_s:.0f}",
        "flags": ", ".join(flag.name.replace("_", " ") for flag in burden.flags),
        "analysed_h": f"{outcome.analysed_s / 3600.0:.2f}",
        "quality": outcome.quality,
        "doubts": sum(
            bool(words.doubts(event, outcome.unscored, limits, None, outcome.duration_s)) for event in outcome.events
        ),
    }


def _link(path: Path, out: Path) -> str:
    """Return a relative address; names are bytes, whatever their encoding."""
    return quote(os.fsencode(path.relative_to(out).as_posix()))
