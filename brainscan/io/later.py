"""Functions named now and imported when they are called, so that a table of formats costs no reader and no writer."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def later(module: str, name: str, *bound: object) -> Callable[..., Any]:
    """Return a function that imports another and calls it.

    Parameters
    ----------
    module, name : str
        Where the other one is, and what it is called there; a test calls every one of the tables.
    *bound : object
        Arguments that follow those of each call.
    """

    def call(*arguments: object) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, *bound)

    return call
