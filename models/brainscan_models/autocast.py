"""Regions that autocast leaves alone."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def without_autocast(device_type: str) -> AbstractContextManager[None]:
    """Return a context in which no autocast changes a dtype.

    Nothing is entered where none is on: to an exporter each such region is a graph of its own, dear to trace.
    """
    return torch.autocast(device_type, enabled=False) if torch.is_autocast_enabled(device_type) else nullcontext()
