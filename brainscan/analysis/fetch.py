"""A task whose recording is elsewhere becomes one whose recording is here, for as long as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from brainscan.analysis.task import Task
from brainscan.io.remote import RemoteFolder, temporary_folder


@contextmanager
def at_hand(task: Task) -> Iterator[Task]:
    """Yield a task whose path can be opened: itself, or with a copy that goes afterwards.

    Raises
    ------
    InputError
        If the recording cannot be fetched.
    MissingExtraError
        If its address needs a package that is not installed.
    """
    if not task.source:
        yield task
        return
    with temporary_folder() as folder:
        local: Path = RemoteFolder(task.source).fetch(task.path, folder)
        yield replace(task, path=local, source="")
