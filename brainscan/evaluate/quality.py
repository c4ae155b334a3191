"""The quality rows of docs/definitions.md for judged recordings, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from brainscan.errors import UsageError
from brainscan.evaluate.judged import Judged
from brainscan.evaluate.points import SEED
from brainscan.scoring import pieces
from brainscan.scoring.pieces import ScoredRecording


def as_scored(recordings: Sequence[Judged]) -> list[ScoredRecording]:
    """Return recordings with their curves, as `scoring.pieces` takes them."""
    return [
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
    ]


def quality_rows(recordings: Sequence[Judged], piece_s: float, on: float) -> dict[str, Any]:
    """Return rows 1 (with and without the time around offsets) and 2 within each source.

    Parameters
    ----------
    recordings : sequence of Judged
        With curves.
    piece_s : float
        Length of a piece, seconds.
    on : float
        The on threshold that made the events.

    Raises
    ------
    UsageError
        If a recording has no curve (its detector gave events only), or the length is not positive.
    """
    if not piece_s > 0:
        raise UsageError(
            f"a piece needs a positive length, got {piece_s:g} s", hint="--pieces takes seconds, such as 10"
        )
    without = [recording.case.name for recording in recordings if not recording.output.curves]
    if without:
        raise UsageError(
            f"--pieces needs probabilities, and {len(without)} hypotheses are events only ({without[0]})",
            hint="give .npz files, as `brainscan detect --probabilities` writes them",
        )
    scored = as_scored(recordings)
    margin_s = pieces.OFFSET_MARGIN_S

    def ranked(offset_margin_s: float) -> dict[str, Any]:
        rows = pieces.rank_rows(scored, np.random.default_rng(SEED), piece_s=piece_s, offset_margin_s=offset_margin_s)
        return {source: _plain(row) for source, row in rows.items()}

    return {
        "piece_s": piece_s,
        "offset_margin_s": margin_s,
        "ranking": ranked(0.0),
        "ranking_without_offsets": ranked(margin_s),
        "events": {source: _plain(row) for source, row in pieces.event_rows(scored, on).items()},
    }


def _plain(row: Any) -> dict[str, Any]:
    values: dict[str, Any] = asdict(row)
    return {name: [value["low"], value["high"]] if isinstance(value, dict) else value for name, value in values.items()}
