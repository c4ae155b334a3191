"""Strict conversion between frozen dataclasses and plain mappings (what YAML and JSON hold)."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def from_mapping(cls: type[T], data: Mapping[str, Any], *, where: str = "") -> T:
    """Build a frozen dataclass from a mapping; every key must be known, every value of its type.

    Nested dataclasses, ``tuple[X, ...]``, ``Mapping`` and ``X | None`` are understood. Integers pass for
    floats; nothing else is converted.

    Parameters
    ----------
    cls : type
        A dataclass.
    data : mapping
        Keys are field names. Absent keys take the dataclass' defaults.
    where : str
        Dotted prefix for messages.

    Raises
    ------
    ValueError
        For an unknown key (with the nearest known name), a wrong type, or a missing required key.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{where or cls.__name__} must be a mapping, got {type(data).__name__}")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    hints = _hints(cls)  # type: ignore[arg-type]  # a class can be hashed
    values: dict[str, Any] = {}
    for key, value in data.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1, cutoff=0.6)
            suggestion = f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(fields)}"
            raise ValueError(f"unknown key {path!r}{suggestion}")
        values[key] = _convert(hints[key], value, path)
    missing = [
        name
        for name, f in fields.items()
        if name not in values and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"missing key {(where + '.' if where else '') + missing[0]!r}")
    return cls(**values)


def to_mapping(value: Any) -> Any:
    """Return plain lists, dicts and scalars for a dataclass, as YAML and JSON hold them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_mapping(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_mapping(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_mapping(v) for v in value]
    return value


def require(holds: bool, message: str) -> None:
    """Raise ``ValueError`` with a message unless something holds."""
    if not holds:
        raise ValueError(message)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested mappings with some entries changed; nothing but mappings is descended into."""
    result = dict(base)
    for key, value in changes.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Return the types of a class's fields: a card is read more than once, and resolving them is most of that."""
    return typing.get_type_hints(cls)


def _convert(hint: Any, value: Any, path: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _convert_union(args, value, path)
    if origin is typing.Literal:
        if value not in args:
            raise ValueError(f"{path} must be one of {', '.join(map(repr, args))}, got {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path} must be a list, got {value!r}")
        kinds = [args[0]] * len(value) if len(args) == 2 and args[1] is Ellipsis else list(args)
        if len(kinds) != len(value):
            raise ValueError(f"{path} must have {len(kinds)} entries, got {len(value)}")
        return tuple(_convert(kind, v, f"{path}[{i}]") for i, (kind, v) in enumerate(zip(kinds, value, strict=True)))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ValueError(f"{path} must be a mapping, got {value!r}")
        return {str(k): _convert(args[1], v, f"{path}.{k}") for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_mapping(typing.cast(type, hint), value, where=path)
    return _convert_scalar(hint, value, path)


def _convert_union(args: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and type(None) in args:
        return None
    problems = []
    for arg in args:
        if arg is type(None):
            continue
        try:
            return _convert(arg, value, path)
        except ValueError as problem:
            problems.append(str(problem))
    raise ValueError(problems[0])


def _convert_scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint is int and isinstance(value, bool):
        raise ValueError(f"{path} must be int, got {value!r}")
    if isinstance(value, hint):
        return value
    raise ValueError(f"{path} must be {hint.__name__}, got {value!r}")


def finite(value: Any) -> Any:
    """Replace NaN and infinities by None, tuples by lists, NumPy scalars by Python's own."""
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
