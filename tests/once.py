"""What is dear to make and the same for everybody: once a run, also where several processes share the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of this run that the first process to ask has filled; the others wait, and must not write to it.

    Parameters
    ----------
    factory : pytest.TempPathFactory
    name : str
        One name for one content.
    make : callable
        Fills the (empty) folder that it is given. What it raises is raised, and the next to ask tries again.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, unfinished = base / name, base / f"{name}.unfinished"
    with FileLock(base / f"{name}.lock"):
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
