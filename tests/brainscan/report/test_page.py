"""The report as a document: whole, closed in itself, and safe whatever files are called."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from brainscan.report.page import MAX_ALARMS, Alarm, Contents, Mistake, render

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")


def point(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "reachable": True,
        "threshold": 0.8,
        "fa_per_24h": 4.0,
        "fa_per_24h_ci95": [1.0, 9.0],
        "false_alarms": 8,
        "sensitivity": 0.5,
        "sensitivity_ci95": None,
        "detected": 2,
        "targets": 4,
        "hours": 48.0,
        "rests_on_less_than_24_h": False,
        "fitted_on": None,
    } | changes


def contents(
    *, alarms: tuple[Alarm, ...] = (), latencies_s: tuple[float, ...] = (3.0, -1.0), **changes: Any
) -> Contents:
    group = {"seizures": 4, "found": 2}
    metrics = {
        "brainscan": "1.0",
        "corpus": "corpus",
        "scorer": "ovlp",
        "detector": {"name": "detector", "sha256": "ab" * 32, "on": math.nan, "off": math.nan, "settings": {}},
        "simulated": False,
        "as_given": False,
        "hours": 48.0,
        "patients": 2,
        "seizures": 4,
        "recordings": 3,
        "default": point("default"),
        "operating_points": [point("fa5"), point("fa1", reachable=False, threshold=None)],
        "details": {"default": {"by_type": {"fnsz": group}, "by_duration": {"10 to 30 s": group}}},
        "froc": {"false_alarms": [90, 8, 0], "detected": [4, 2, 0], "seizures": 4, "hours": 48.0},
        "per_patient": [
            {
                **{"source": "s", "subject": "p1", "recordings": 3, "hours": 48.0},
                **{"seizures": 4, "found": 2, "false_alarms": 8},
            }
        ],
        "reliability": [{"from": 0.8, "to": 0.9, "events": 10, "confidence": 0.85, "true_share": 0.2}],
        "failures": [],
    }
    return Contents(metrics | changes, latencies_s, alarms)


class Addresses(HTMLParser):
    """Collect whatever a page would load or lead to, and the tags that it leaves open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = Addresses(render(contents()))
    assert page.open == []
    assert len(page.found) == 3
    for address in page.found:
        head, data = address.split(",")
        assert head == "data:image/svg+xml;base64"
        assert b"</svg>" in base64.b64decode(data)


def test_the_worst_mistakes_are_shown_or_said() -> None:
    page = render(replace(contents(), mistakes=(Mistake("one that is seen", b"PNG"), Mistake("one <that> is gone"))))
    assert page.count('"data:image/png;base64,UE5H"') == 1
    assert "one that is seen</figcaption>" in page
    assert "<p>one &lt;that&gt; is gone</p>" in page
    assert "The worst mistakes" not in render(contents())


def test_the_same_figures_give_the_same_bytes() -> None:
    assert render(contents()) == render(contents())


def test_names_cannot_break_out() -> None:
    alarm = Alarm("<script>x</script>\udcff.edf", 1.0, 2.0, 0.9)
    page = render(contents(alarms=(alarm,), corpus="a & <b>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a &amp; &lt;b&gt;" in page
    page.encode("utf-8")


def test_unreachable_is_said_and_less_than_a_day_is_no_rate() -> None:
    little = {"hours": 1.0, "rests_on_less_than_24_h": True, "fa_per_24h": 77.25}
    page = render(contents(hours=1.0, default=point("default", **little), operating_points=[]))
    assert "too few for a rate" in page
    assert "77.25" not in page
    assert "unreachable" not in page
    assert "unreachable" in render(contents())
    assert "4.00" in render(contents())


def comparison(**changes: Any) -> dict[str, Any]:
    figures = {
        **{"name": "fa5", "first_sensitivity": 0.25, "second_sensitivity": 0.75, "difference": 0.5},
        **{"first_false_alarms": 7, "second_false_alarms": 3, "difference_ci95": [0.125, 0.875], "p_value": 0.04},
    }
    sizes = {"recordings": 3, "patients": 2, "hours": 48.0}
    return {"names": ["ours", "<theirs>"], "as_given": [], "points": [figures], **sizes} | changes


def test_a_comparison_names_both_and_gives_the_interval() -> None:
    page = render(contents(comparison=comparison()))
    for text in ("<h2>ours and &lt;theirs&gt;</h2>", "0.500", "0.125 to 0.875", "<td>7, 3</td>", "48.0 h"):
        assert text in page
    assert "no graded confidence" not in page
    assert "The events of ours have no graded confidence" in render(contents(comparison=comparison(as_given=["ours"])))
    assert "paired bootstrap" not in render(contents())


def test_events_without_confidence_have_no_threshold() -> None:
    page = render(contents(as_given=True))
    assert page.count("<td>as given</td>") == 2
    assert "flatters" not in page


def test_minutes_are_not_no_hours() -> None:
    assert "in 1.0 min</td>" in render(contents(default=point("default", hours=1 / 60)))


def test_without_seizures_there_are_no_pictures_of_them() -> None:
    curve = {"false_alarms": [1, 0], "detected": [0, 0], "seizures": 0, "hours": 48.0}
    nothing = {"default": {"by_type": {}, "by_duration": {}}}
    silent = point("default", sensitivity=math.nan, detected=0, targets=0)
    page = render(
        contents(latencies_s=(), froc=curve, details=nothing, reliability=[], default=silent, operating_points=[])
    )
    assert page.count("No data for this picture.") == 3


def test_a_long_list_of_alarms_is_cut_and_says_so() -> None:
    alarms = tuple(Alarm(f"r{k}.edf", k, k + 1.0, 0.5) for k in range(MAX_ALARMS + 1))
    page = render(contents(alarms=alarms))
    assert f"r{MAX_ALARMS - 1}.edf" in page
    assert f"r{MAX_ALARMS}.edf" not in page
    assert f"{MAX_ALARMS} surest of {MAX_ALARMS + 1}" in page
