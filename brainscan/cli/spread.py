"""Groups of options: a command names a group, the command line shows its options one by one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose parameters that are groups stand as the options in them.

    A group is a dataclass whose fields are options as Typer takes them, or groups again. All parameters of the result
    are keywords.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Loudness:
    ...     quiet: bool = False
    >>> @spread
    ... def shout(word: str, loudness: Loudness = Loudness()) -> None:
    ...     print(word.lower() if loudness.quiet else word.upper())
    >>> list(inspect.signature(shout).parameters)
    ['word', 'quiet']
    >>> shout(word="Hey", quiet=True)
    hey
    """
    hints = get_type_hints(command, include_extras=True)
    given = list(inspect.signature(command).parameters.values())

    @functools.wraps(command)
    def run(**values: Any) -> None:
        command(**{p.name: _gathered(hints[p.name], p.name, values) for p in given})

    shown = [parameter for p in given for parameter in _parameters(p.name, hints[p.name], p.default)]
    # Options without a default before the others, as a signature has it.
    shown.sort(key=lambda p: p.default is not inspect.Parameter.empty)
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in shown}
    del run.__wrapped__
    return run


def _parameters(name: str, hint: Any, default: Any) -> Iterator[inspect.Parameter]:
    if not is_dataclass(hint):
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        return
    hints = get_type_hints(hint, include_extras=True)
    for part in fields(hint):
        yield from _parameters(part.name, hints[part.name], _default(part))


def _default(part: Field[Any]) -> Any:
    if part.default_factory is not MISSING:
        return part.default_factory()
    return inspect.Parameter.empty if part.default is MISSING else part.default


def _gathered(hint: Any, name: str, values: Mapping[str, Any]) -> Any:
    if not is_dataclass(hint):
        return values[name]
    hints = get_type_hints(hint, include_extras=True)
    return hint(**{part.name: _gathered(hints[part.name], part.name, values) for part in fields(hint)})  # type: ignore[operator]
