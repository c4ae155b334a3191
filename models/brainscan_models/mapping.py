"""Frozen dataclasses from nested mappings, strictly, and back; torch-free."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar

T = TypeVar("T")


# brainscan.mapping does the same for the package above; the networks stand alone, so they bring their own.
def from_mapping(cls: type[T], data: Any, where: str = "") -> T:
    """Build a dataclass; an unknown key, a missing one, a wrong type or value is a `ValueError`."""
    if not isinstance(data, Mapping):
        raise ValueError(f"{where or cls.__name__} must be a mapping, got {data!r}")
    hints = _hints(cls)  # type: ignore[arg-type]  # a class can be hashed
    values = {}
    for key, value in data.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1, cutoff=0.6)
            raise ValueError(
                f"unknown key {path!r}; " + (f"did you mean {near[0]!r}?" if near else f"known: {list(hints)}")
            )
        values[key] = _convert(hints[key], value, path)
    missing = [
        f.name
        for f in dataclasses.fields(cls)  # type: ignore[arg-type]
        if f.name not in values and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"missing key {f'{where}.' if where else ''}{missing[0]}")
    return cls(**values)


def _convert(hint: Any, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_mapping(typing.cast(type, hint), value, path)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:  # a part that may be left out
        return None if value is None else _convert(args[0], value, path)
    if origin is Literal:
        if value not in args:
            raise ValueError(f"{path} must be one of {', '.join(map(repr, args))}, got {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path} must be a list, got {value!r}")
        return tuple(_convert(args[0], entry, f"{path}[{i}]") for i, entry in enumerate(value))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ValueError(f"{path} must be {hint.__name__}, got {value!r}")
    return value


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Return the types of a class' fields: a run reads its network's more than once, and resolving them is the most."""
    return typing.get_type_hints(cls)


def plain(value: Any) -> Any:
    """Return nested dicts, lists and scalars of what `dataclasses.asdict` gives."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return list(value) if isinstance(value, tuple) else value
