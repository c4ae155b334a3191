"""Compiling with Numba: typed decorators, and a cache on disk only where this user may have one."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

import llvmlite
import numba

Function = TypeVar("Function", bound=Callable[..., Any])
Arguments = ParamSpec("Arguments")

# The kernels allocate nothing and own nothing. With Numba's run-time library switched off, naming an array
# costs no atomic reference count; those took half of the time.
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False}


def compiled(function: Function) -> Function:
    """Compile `function` with the first of its callers that is called."""
    return cast("Function", numba.njit(**_OPTIONS)(function))


def inlined(function: Function) -> Function:
    """Compile `function` into each of its callers: for what is called at every time step."""
    return cast("Function", numba.njit(**_OPTIONS, forceinline=True)(function))


class EntryPoint(Generic[Arguments]):
    """A compiled function that Python calls; compiled once per dtype, and read from the cache if possible."""

    def __init__(self, function: Callable[Arguments, None]) -> None:
        self.__doc__ = function.__doc__
        self._function = function
        self._dispatcher = _dispatcher(function)

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        """Run the compiled function."""
        try:
            self._dispatcher(*args, **kwargs)
        except (OSError, EOFError, pickle.UnpicklingError):
            # The kernels do no input or output: this is the cache (disk full, file damaged), which is read
            # and written before the function starts.
            self._dispatcher = numba.njit(**_OPTIONS)(self._function)
            self._dispatcher(*args, **kwargs)


def _dispatcher(function: Callable[..., None]) -> Any:
    dispatcher = numba.njit(**_OPTIONS)(function)
    folder = _kernel_folder()
    if folder is None:
        return dispatcher
    chosen_by_user = numba.config.CACHE_DIR
    try:
        # Numba looks at this when caching is enabled, not later.
        numba.config.CACHE_DIR = chosen_by_user or str(folder)
        dispatcher.enable_caching()
    except (RuntimeError, OSError):
        return numba.njit(**_OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR = chosen_by_user
    return dispatcher


def _kernel_folder() -> Path | None:
    """Make the folder for these very kernels: Numba notices a change in the entry point's file only."""
    folder = cache_folder()
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    try:
        for source in sorted(Path(__file__).parent.glob("*.py")):
            digest.update(source.read_bytes())
        if folder is not None:
            folder = folder / f"kernels-{digest.hexdigest()[:16]}"
            folder.mkdir(exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder


def cache_folder() -> Path | None:
    """Find, and make if need be, the folder in which this user's compiled kernels may lie.

    Returns
    -------
    Path or None
        None where there is no such folder: a read-only or foreign home (a service's account, ``sudo`` with
        another user's HOME). Kernels then are compiled in memory, at every start.
    """
    try:
        folder = _user_cache() / "brainscan"
        existing = folder
        while not existing.exists():
            existing = existing.parent
        if not _is_ours(existing):
            return None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return None
    return folder if _is_ours(folder) and os.access(folder, os.W_OK) else None


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _is_ours(folder: Path) -> bool:
    """Tell whether this user owns the folder: what others can write there would be run as ours."""
    return sys.platform == "win32" or folder.stat().st_uid == os.geteuid()
