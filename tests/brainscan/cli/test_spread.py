"""Groups of options stand on the command line one by one."""

from __future__ import annotations

import doctest
import inspect
from dataclasses import dataclass, fields
from typing import Annotated

import pytest
import typer

from brainscan.cli import options, spread
from brainscan.cli.detect import detect
from brainscan.cli.scan import scan


@dataclass(frozen=True)
class Inner:
    """A group within a group."""

    depth: Annotated[int, typer.Option()] = 1


@dataclass(frozen=True)
class Outer:
    """A group."""

    name: Annotated[str, typer.Option()]
    inner: Inner = Inner()


def _names(group: type) -> set[str]:
    found: set[str] = set()
    for part in fields(group):  # type: ignore[arg-type]
        inner = getattr(options, str(part.type), None)
        found |= _names(inner) if isinstance(inner, type) else {part.name}
    return found


@pytest.mark.parametrize("command", [detect, scan])
def test_every_option_of_the_analysis_is_an_option_of_the_command(command: object) -> None:
    assert callable(command)
    assert _names(options.Analysing) <= set(inspect.signature(command).parameters)


def test_the_example_holds() -> None:
    assert doctest.testmod(spread).failed == 0


def test_groups_of_groups_come_together_again() -> None:
    seen: list[Outer] = []

    def command(outer: Outer, times: int = 2) -> None:
        seen.extend([outer] * times)

    spread.spread(command)(name="x", depth=3, times=1)
    assert seen == [Outer("x", Inner(3))]
    assert list(inspect.signature(spread.spread(command)).parameters) == ["name", "depth", "times"]
