"""Strict conversion between dataclasses and mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from brainscan.mapping import from_mapping, to_mapping


@dataclass(frozen=True, slots=True)
class Inner:
    rate_hz: float = 1.0
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    inner: Inner = Inner()
    widths: tuple[int, ...] = (1, 2)
    pair: tuple[float, float] = (0.0, 1.0)
    limit: float | None = None
    flag: bool = False
    table: Mapping[str, Inner] | None = None
    anything: Any = None


def test_round_trip() -> None:
    value = Outer("x", Inner(2.0, "b"), (3,), (1.0, 2.0), 4.0, True, {"k": Inner()}, [1, {"a": None}])
    assert from_mapping(Outer, to_mapping(value)) == value


def test_absent_keys_take_defaults_and_integers_pass_for_floats() -> None:
    assert from_mapping(Outer, {"name": "x", "inner": {"rate_hz": 3}}) == Outer("x", Inner(3.0))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "x", "widhts": [1]}, r"unknown key 'widhts'; did you mean 'widths'\?"),
        ({"name": "x", "zzz": 1}, "unknown key 'zzz'; known keys: name, inner"),
        ({"name": "x", "inner": {"rate": 1.0}}, r"unknown key 'inner.rate'; did you mean 'rate_hz'\?"),
        ({"inner": {}}, "missing key 'name'"),
        ({"name": 3}, "name must be str, got 3"),
        ({"name": "x", "inner": {"kind": "c"}}, "inner.kind must be one of 'a', 'b', got 'c'"),
        ({"name": "x", "inner": 3}, "inner must be a mapping, got int"),
        ({"name": "x", "widths": 3}, "widths must be a list, got 3"),
        ({"name": "x", "widths": [1, True]}, r"widths\[1\] must be int, got True"),
        ({"name": "x", "widths": [1.5]}, r"widths\[0\] must be int, got 1.5"),
        ({"name": "x", "pair": [1.0]}, "pair must have 2 entries, got 1"),
        ({"name": "x", "limit": "much"}, "limit must be float, got 'much'"),
        ({"name": "x", "limit": True}, "limit must be float, got True"),
        ({"name": "x", "flag": 1}, "flag must be bool, got 1"),
        ({"name": "x", "table": {"k": {"rate_hz": "x"}}}, "table.k.rate_hz must be float"),
        ({"name": "x", "table": [1]}, "table must be a mapping"),
    ],
)
def test_what_does_not_fit_is_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_mapping(Outer, data)


def test_prefix_stands_before_keys() -> None:
    with pytest.raises(ValueError, match=r"unknown key 'card.nmae'"):
        from_mapping(Outer, {"nmae": "x"}, where="card")
