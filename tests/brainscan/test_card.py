"""The card: strict JSON, and values that cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from brainscan.card import (
    AmplitudeConfig,
    Card,
    DecisionConfig,
    FilterConfig,
    OperatingPoint,
    WindowConfig,
)
from brainscan.cohort import Cohort
from brainscan.electrodes import ELECTRODES
from brainscan.provenance import Provenance

POINT = OperatingPoint(1.0, 0.9, 0.82, 0.7, 300.0, 40, 0.6, (0.5, 0.7), "simulated recordings")


def _card(**changes: Any) -> Card:
    return Card(name="x", variant={"encoder": {"widths": [1, 2]}}, **changes)


def test_json_round_trip_keeps_everything() -> None:
    card = _card(
        filter=FilterConfig(notch_hz=50.0),
        decision=DecisionConfig(enter=0.7, leave=0.6),
        confidence_map=((0.0, 0.1), (1.0, 0.9)),
        operating_points={"sim-fa1": POINT},
        provenance=Provenance(
            training_data=({"name": "a", "licence": "b"},),
            tests={"auroc": 0.9},
            trained=(Cohort("children", "ward", (1.5, 22.0), 12, 3.0, 120),),
            tested=(Cohort("adults"),),
        ),
        sha256="ab",
    )
    assert Card.from_json(card.to_json()) == card
    assert json.loads(card.to_json()) == card.to_mapping()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 3}, "card format version 3; this brainscan reads versions 1 and 2"),
        ({"format_version": 0}, "card format version 0"),
        ({"provenance": {"age_years": [1.0, 120.0]}}, "unknown key 'provenance.age_years'"),
        ({"provenance": {"trained": [{"population": "x", "ages_years": [9, 2]}]}}, "youngest and oldest"),
        ({"provenance": {"tested": [{"ages_years": [2, 9]}]}}, r"missing key 'provenance.tested\[0\].population'"),
        ({"format_version": None}, "card format version None"),
        ({"thresholds": {}}, "unknown key 'thresholds'"),
        ({"decision": {"enter": 0.5, "leve": 0.4}}, r"decision.leve'; did you mean 'leave'\?"),
        ({"decision": {"enter": 0.5, "leave": 0.6}}, "on 0.5 and off 0.6"),
        ({"electrodes": list(ELECTRODES[::-1])}, "not the 19"),
        ({"rate_hz": 200}, "must be 256 Hz"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    text = json.dumps({**_card().to_mapping(), **change})
    with pytest.raises(ValueError, match=message):
        Card.from_json(text)


def test_a_card_of_version_1_is_read_without_the_ages_that_nobody_had_tested() -> None:
    old = _card(provenance=Provenance(seed=3)).to_mapping()
    old["format_version"] = 1
    old["provenance"] = {k: v for k, v in old["provenance"].items() if k not in {"trained", "tested"}}
    old["provenance"]["age_years"] = [1.0, 120.0]
    assert Card.from_json(json.dumps(old)) == _card(provenance=Provenance(seed=3))
    with pytest.raises(ValueError, match=r"provenance\.agee_years"):
        Card.from_json(json.dumps({**old, "provenance": {"agee_years": [1.0, 120.0]}}))


@pytest.mark.parametrize("text", ["", "[]", "3", '{"name": "x"'])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own messages, and ours
        Card.from_json(text)


@pytest.mark.parametrize(
    ("cls", "values"),
    [
        (FilterConfig, {"high_pass_hz": 0.0}),
        (FilterConfig, {"low_pass_hz": 128.0}),
        (FilterConfig, {"low_pass_hz": 0.4}),
        (FilterConfig, {"notch_hz": -50.0}),
        (FilterConfig, {"transition_hz": 0.0}),
        (WindowConfig, {"stride_s": 0}),
        (WindowConfig, {"stride_s": 61}),
        (WindowConfig, {"taper_s": 31.0}),
        (AmplitudeConfig, {"scale_uv": 0.0}),
        (AmplitudeConfig, {"gain": -1.0}),
        (DecisionConfig, {"enter": 1.1}),
        (DecisionConfig, {"leave": -0.1}),
        (DecisionConfig, {"opening": 10}),
        (DecisionConfig, {"closing": 0}),
        (DecisionConfig, {"min_duration_s": -1.0}),
        (DecisionConfig, {"onset_dwell": -1}),
    ],
)
def test_impossible_values_are_refused(cls: type, values: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        cls(**values)


@pytest.mark.parametrize(
    "changes",
    [{"logit_scale": 0.0}, {"confidence_map": ((0.0, 0.0), (0.0, 1.0))}, {"confidence_map": ((0.0, 0.5), (1.0, 0.4))}],
)
def test_impossible_cards_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        _card(**changes)


@pytest.mark.parametrize(
    ("on", "off", "expected"),
    [
        (None, None, (0.86, 0.78)),
        (0.5, None, (0.5, 0.42)),
        (0.05, None, (0.05, 0.0)),
        (0.0, None, (0.0, 0.0)),
        (None, 0.5, (0.86, 0.5)),
        (None, 0.0, (0.86, 0.0)),
        (0.9, 0.9, (0.9, 0.9)),
    ],
)
def test_thresholds_of_the_user(on: float | None, off: float | None, expected: tuple[float, float]) -> None:
    chosen = DecisionConfig().with_thresholds(on, off)
    assert (chosen.enter, chosen.leave) == pytest.approx(expected)


@pytest.mark.parametrize(("on", "off"), [(0.5, 0.6), (None, 0.9), (1.5, None), (0.5, -0.1)])
def test_thresholds_out_of_order_are_refused(on: float | None, off: float | None) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        DecisionConfig().with_thresholds(on, off)


def test_defaults_are_the_published_thresholds() -> None:
    decision = DecisionConfig()
    assert (decision.enter, decision.leave, decision.opening, decision.closing) == (0.86, 0.78, 11, 31)
    assert (decision.merge_gap_s, decision.prolonged_s) == (2.0, 300.0)


BLIND = replace(POINT, sensitivity=0.01, sensitivity_ci95=(0.0025, 0.02))


@pytest.mark.parametrize(
    ("points", "name", "enter", "warned"),
    [
        ({"fa1": POINT}, "fa1", 0.9, False),
        ({"sim-fa1": POINT}, "fa1", 0.9, True),
        ({"sim-fa1": POINT}, "sim-fa1", 0.9, True),
        ({"sim-fa1": BLIND}, "sim-fa1", 0.9, True),  # asked for by its whole name
        ({"sim-fa1": BLIND, "fa1": replace(POINT, enter=0.95)}, "fa1", 0.95, False),
        ({"fa0.5": POINT}, "fa0.5", 0.9, False),
        ({"fa1": replace(POINT, sensitivity=0.3, sensitivity_ci95=(0.1, 0.5))}, "fa1", 0.9, False),
    ],
)
def test_the_point_that_a_name_stands_for(
    points: dict[str, OperatingPoint], name: str, enter: float, warned: bool
) -> None:
    decision, warning = _card(operating_points=points).at_operating_point(name)
    assert decision.enter == enter
    assert ("rests on 300 h of simulation" in warning) == warned


@pytest.mark.parametrize(
    ("points", "name", "said"),
    [
        ({"sim-fa1": BLIND}, "fa1", r"sim-fa1 finds 1% of the seizures \(95 %: 0 to 2 %\) in 300 h of simulated"),
        ({"fa1": BLIND}, "fa1", "fa1 finds 1% of the seizures"),
        ({"fa1": BLIND, "sim-fa1": POINT}, "fa1", "fa1 finds 1%"),  # what real recordings say goes first
        ({"fa5": replace(POINT, sensitivity_ci95=(0.09, 1.0))}, "fa5", "finds 60% .*9 to 100 %"),
        ({"fa5": replace(POINT, sensitivity_ci95=(0.0, 1.0))}, "fa5", "has to find 10% at least, by the lower end"),
    ],
)
def test_a_point_that_finds_next_to_nothing_is_not_offered_by_its_plain_name(
    points: dict[str, OperatingPoint], name: str, said: str
) -> None:
    card = _card(operating_points=points)
    assert name not in card.offered
    with pytest.raises(ValueError, match=said):
        card.at_operating_point(name)


def test_a_point_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        _card(operating_points={"fa5": POINT}).at_operating_point("fa1")


def test_what_is_offered_is_what_plain_names_stand_for() -> None:
    points = {"sim-fa1": BLIND, "sim-fa10": POINT, "sim-fa5": POINT, "fa5": replace(POINT, enter=0.95)}
    card = _card(operating_points={name: replace(p, target_fa_per_24h=float(name[-1])) for name, p in points.items()})
    assert set(card.offered) == {"fa5", "fa10"}
    assert all(card.at_operating_point(name)[0].enter == point.enter for name, point in card.offered.items())


@pytest.mark.parametrize(("hours", "text"), [(100.0, "100 h"), (2.5, "2.5 h"), (1 / 6, "10.0 min")])
def test_what_an_operating_point_rests_on_is_never_no_time(hours: float, text: str) -> None:
    _, warning = _card(operating_points={"sim-fa1": replace(POINT, hours=hours)}).at_operating_point("fa1")
    assert f"rests on {text} of simulation" in warning
