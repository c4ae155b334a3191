"""The quality rows of judged recordings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brainscan.errors import UsageError
from brainscan.evaluate.counts import Judged
from brainscan.evaluate.evaluation import as_scored, quality_rows
from brainscan.events import RATE_HZ, Probabilities
from tests.brainscan.evaluate.conftest import case_of, judged


def with_curve(subject: str, *, right: bool = True) -> Judged:
    """Return a minute with a seizure from 20 to 40 s and a curve that is high there, or everywhere else."""
    values = np.full(60 * RATE_HZ, 0.1, dtype=np.float32)
    values[20 * RATE_HZ : 40 * RATE_HZ] = 0.9
    curve = Probabilities(0.0, values if right else (1.0 - values).astype(np.float32))
    return judged([(20.0, 40.0)], [(22.0, 38.0, 0.9)], 60.0, case=case_of(subject), curves=(curve,))


def test_a_right_curve_ranks_everything_and_a_wrong_one_nothing() -> None:
    for right, auroc in ((True, 1.0), (False, 0.0)):
        rows = quality_rows([with_curve("a", right=right), with_curve("b", right=right)], 10.0, 0.5)
        row = rows["ranking"]["s"]
        assert (row["auroc"], row["n_pieces"], row["n_ictal"], row["n_subjects"]) == (auroc, 12, 4, 2)
    assert rows["piece_s"] == 10.0


def test_the_time_around_offsets_is_left_out_of_the_second_ranking() -> None:
    rows = quality_rows([with_curve("a"), with_curve("b")], 5.0, 0.5)
    assert rows["ranking"]["s"]["n_pieces"] > rows["ranking_without_offsets"]["s"]["n_pieces"]


def test_events_are_counted_as_elsewhere_and_everything_is_plain() -> None:
    rows = quality_rows([with_curve("a"), with_curve("b")], 10.0, 0.5)
    events = rows["events"]["s"]
    assert (events["found"], events["n_seizures"], events["false_alarms"]) == (2, 2, 0)
    assert events["hours"] == pytest.approx(120.0 / 3600.0)
    json.dumps(rows)


def test_a_recording_keeps_whose_and_where_it_is() -> None:
    (scored,) = as_scored([with_curve("a")])
    assert (scored.source, scored.subject, scored.annotations, scored.scored) == (
        "s",
        "a",
        ((20.0, 40.0),),
        ((0.0, 60.0),),
    )


def test_events_alone_or_pieces_without_length_are_refused() -> None:
    with pytest.raises(UsageError, match="needs probabilities"):
        quality_rows([judged([], [])], 10.0, 0.5)
    for length_s in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="positive length"):
            quality_rows([with_curve("a")], length_s, 0.5)
