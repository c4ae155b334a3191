"""Figures of the report as drawings."""

from __future__ import annotations

import base64
import re
from itertools import combinations
from typing import Any

import pytest

from brainscan.report import pictures

pytest.importorskip("matplotlib")

CURVE = {"false_alarms": [90, 8, 0], "detected": [4, 2, 0], "seizures": 4, "hours": 48.0}


def point(name: str, **changes: Any) -> dict[str, Any]:
    return {
        **{"name": name, "reachable": True, "fa_per_24h": 4.0, "fa_per_24h_ci95": [1.0, 9.0]},
        **{"sensitivity": 0.5, "sensitivity_ci95": None},
        **changes,
    }


def drawing(address: str) -> str:
    return base64.b64decode(address.split(",")[1]).decode("utf-8")


def test_points_that_coincide_have_labels_that_do_not() -> None:
    svg = drawing(pictures.froc(CURVE, [point("fa1"), point("fa5"), point("default")]))
    places = []
    for name in ("fa1", "fa5", "default"):
        # Text is drawn as outlines below a comment that names it.
        (place,) = re.findall(rf"<!-- {name} -->\s*<g [^>]*translate\(([\d.]+) ([\d.]+)\)", svg)
        places.append([float(value) for value in place])
    assert all(abs(a[1] - b[1]) > 9.0 for a, b in combinations(places, 2))


def test_points_are_told_apart_by_shape() -> None:
    one = drawing(pictures.froc(CURVE, [point("fa1"), point("fa1")]))
    assert len(set(re.findall(r'<path id="(m\w+)"', one))) > len(
        set(re.findall(r'<path id="(m\w+)"', drawing(pictures.froc(CURVE, [point("fa1")]))))
    )


def test_what_is_unreachable_is_not_drawn() -> None:
    assert "<!-- fa1 -->" not in drawing(pictures.froc(CURVE, [point("fa1", reachable=False)]))


def test_without_data_there_is_no_picture() -> None:
    assert pictures.froc({**CURVE, "seizures": 0}, []) == ""
    assert pictures.froc({**CURVE, "hours": 0.0}, []) == ""
    assert pictures.reliability([]) == ""
    assert pictures.latencies([]) == ""


def test_seizures_are_counted_in_whole_numbers() -> None:
    _, counts = drawing(pictures.latencies([2.0, 2.0])).split("<!-- latency (s) -->")
    assert re.findall(r"<!-- ([\d.]+) -->", counts) == ["0", "1", "2"]


def test_one_value_is_enough_for_a_histogram() -> None:
    assert "seizures found" in drawing(pictures.latencies([2.0]))
