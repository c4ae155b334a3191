"""Thresholds from elsewhere: what they carry along, and when they are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from brainscan.errors import InputError, UsageError
from brainscan.evaluate.files import is_run, read_run
from brainscan.evaluate.points import fitted_points, require_same
from tests.brainscan.evaluate.conftest import figures, judged


def metrics() -> dict[str, Any]:
    """Return the figures of a day with an alarm that is there up to 0.7."""
    day = judged([(100.0, 160.0)], [(110.0, 150.0, 0.9), (500.0, 520.0, 0.7), (900.0, 930.0, 0.4)], 86_400.0)
    return figures(day).as_mapping()


def test_the_points_are_those_that_were_fitted_there() -> None:
    document = metrics()
    points = fitted_points(json.loads(json.dumps(document, default=str)), (1.0, 5.0))
    assert [point["threshold"] for point in points] == pytest.approx([0.41, 0.01])
    assert [point["threshold"] for point in points] == [p["threshold"] for p in document["operating_points"][:2]]
    assert {name: points[0][name] for name in ("corpus", "hours", "patients", "seizures")} == {
        **{"corpus": "corpus", "hours": 24.0, "patients": 1, "seizures": 1}
    }


def test_what_was_unreachable_there_stays_so() -> None:
    hour = figures(judged([(1.0, 9.0)], [(500.0, 520.0, 1.0)])).as_mapping()
    (point,) = fitted_points(hour, (1.0,))
    assert not point["reachable"]


def test_a_curve_with_a_hole_is_refused() -> None:
    broken = metrics()
    del broken["froc"]["detected"]
    with pytest.raises(InputError, match="no whole FROC curve"):
        fitted_points(broken, (1.0,))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "cannot be read"),
        ("[]", "no result"),
        ('{"froc": 1}', "no result"),
        ('{"froc": {}, "scorer": "ovlp", "detector": []}', "no result"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, text: str, what: str) -> None:
    assert not is_run(tmp_path)
    (tmp_path / "metrics.json").write_text(text, encoding="utf-8")
    assert is_run(tmp_path)
    with pytest.raises(InputError, match=what):
        read_run(tmp_path)


def test_another_scorer_or_detector_is_refused() -> None:
    document: dict[str, Any] = {"scorer": "ovlp", "detector": {"name": "v", "sha256": "ab"}}
    require_same(document, "ovlp", "ab")
    with pytest.raises(UsageError, match="scorer ovlp, not taes"):
        require_same(document, "taes", "ab")
    with pytest.raises(UsageError, match=r"another detector \(v\)"):
        require_same(document, "ovlp", "cd")
