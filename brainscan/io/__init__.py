"""The only rooms that open files. The public names load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainscan.io.mne_raw import from_raw
    from brainscan.io.plan import open_plan
    from brainscan.io.reading import read

_HOMES = {
    "from_raw": "brainscan.io.mne_raw",
    "open_plan": "brainscan.io.plan",
    "read": "brainscan.io.reading",
}

__all__ = ["from_raw", "open_plan", "read"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'brainscan.io' has no attribute {name!r}")
