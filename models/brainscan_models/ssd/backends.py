"""Which forms of the scan there are, which can run here, and which one a call gets."""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch

from brainscan_models.ssd.mamba_ssm import import_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

BACKENDS: tuple[str, ...] = ("auto", "reference", "chunked", "native", "mamba_ssm")
"""What a caller may ask for; ``auto`` is the fastest that the data's device and this machine allow."""

_default = "auto"
_override: ContextVar[str | None] = ContextVar("ssd_backend", default=None)


@dataclass(frozen=True, slots=True)
class BackendReport:
    """Whether a backend can run here, for people."""

    name: str
    usable: bool
    detail: str
    """What it runs on, or why it cannot run."""


def set_backend(name: str) -> None:
    """Make `name` the backend of this process, for calls that name none.

    Raises
    ------
    ValueError
        If there is no such backend.
    """
    global _default
    _default = _known(name)


@contextlib.contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Use the backend `name` inside a ``with`` block, in this thread only.

    Raises
    ------
    ValueError
        If there is no such backend.
    """
    token = _override.set(_known(name))
    try:
        yield
    finally:
        _override.reset(token)


def available() -> tuple[BackendReport, ...]:
    """Say of each backend whether it can run here; imports what it reports on."""
    native, kernels = _native_missing(True), _mamba_ssm_missing()
    return (
        BackendReport("reference", True, "PyTorch, any device, step by step"),
        BackendReport("chunked", True, "PyTorch, any device"),
        BackendReport("native", native is None, native or f"CPU, compiled by numba {version('numba')}"),
        BackendReport("mamba_ssm", kernels is None, kernels or f"CUDA, mamba_ssm {version('mamba_ssm')}"),
    )


def choose(data: Tensor, backend: str | None = None, *, ready: bool = True) -> str:
    """Name the backend that a call on `data` runs with.

    Parameters
    ----------
    data : Tensor
        The call's largest argument.
    backend : str, optional
        What the caller asks for; None: what `use_backend`, then `set_backend` say.
    ready : bool
        Whether it must be ready to compute: kernels are compiled, unless they were, and a slow form is warned of.
        Otherwise it is enough that what compiles them is installed.

    Returns
    -------
    str
        One of `BACKENDS`, not ``auto``.

    Raises
    ------
    ValueError
        If there is no such backend, or it cannot run on this device or machine.
    """
    name = (_override.get() or _default) if backend is None else _known(backend)
    if name == "auto":
        return _fastest(data, ready)
    if name == "native":
        _demand(name, "cpu", data, _native_missing(ready))
    if name == "mamba_ssm":
        _demand(name, "cuda", data, _mamba_ssm_missing())
    return name


def _known(name: str) -> str:
    if name not in BACKENDS:
        raise ValueError(f"backend needs to be one of {', '.join(BACKENDS)}, got {name!r}")
    return name


def _demand(name: str, device: str, data: Tensor, missing: str | None) -> None:
    if data.device.type != device:
        raise ValueError(f"backend {name} needs data on a {device} device, got {data.device}")
    if missing is not None:
        raise ValueError(f"backend {name} cannot run here: {missing}")


def _fastest(data: Tensor, ready: bool) -> str:
    # Exporters and compilers need operations that they can look into.
    if torch.compiler.is_compiling():
        return "chunked"
    if data.device.type == "cuda":
        if (missing := _mamba_ssm_missing()) is None:
            return "mamba_ssm"
        slow = (f"the GPU kernels of mamba_ssm cannot be used ({missing})", "brainscan[gpu]")
    elif data.device.type == "cpu":
        if (missing := _native_missing(ready)) is None:
            return "native"
        slow = (f"the compiled CPU kernels cannot be used ({missing})", "numba")
    else:
        return "chunked"
    if ready:
        _warn_slow(*slow)
    return "chunked"


@cache
def _warn_slow(cause: str, package: str) -> None:
    """Warn, once: a slow path is never taken in silence."""
    warnings.warn(
        f"{cause}: the scan runs in plain PyTorch, several times slower. hint: pip install '{package}'",
        RuntimeWarning,
        stacklevel=5,
    )


@cache
def _native_missing(ready: bool) -> str | None:
    """Say why the compiled kernels cannot run; None: they can, or (not `ready`) what compiles them is there."""
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed"
    if not ready:
        return None
    try:
        importlib.import_module("brainscan_models.ssd.native").prepare()
    except (ImportError, RuntimeError, OSError) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


@cache
def _mamba_ssm_missing() -> str | None:
    """Say why `mamba_ssm`'s kernels cannot run; None: they can."""
    if not torch.cuda.is_available():
        return "no CUDA device"
    if importlib.util.find_spec("mamba_ssm") is None:
        return "mamba_ssm is not installed"
    return import_error()
