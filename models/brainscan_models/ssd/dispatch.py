"""One `ssd` and one `mixer`; the backend is chosen by device, by what is installed, or by the caller."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

from brainscan_models.ssd.chunked import DEFAULT_CHUNK, ssd_chunked
from brainscan_models.ssd.layout import MixerShape, MixerWeights, check_mixer, check_scan
from brainscan_models.ssd.plain import plain_mixer
from brainscan_models.ssd.reference import ssd_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

BACKENDS: tuple[str, ...] = ("auto", "reference", "chunked")

_default = "auto"
_override: ContextVar[str | None] = ContextVar("ssd_backend", default=None)


def set_backend(name: str) -> None:
    """Make `name` the backend of this process, for calls that name none.

    Raises
    ------
    ValueError
        If there is no such backend.
    """
    global _default
    _default = _checked(name)


@contextlib.contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Use the backend `name` inside a ``with`` block, in this thread only.

    Raises
    ------
    ValueError
        If there is no such backend.
    """
    token = _override.set(_checked(name))
    try:
        yield
    finally:
        _override.reset(token)


def ssd(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    *,
    chunk: int | None = None,
    backend: str | None = None,
) -> Tensor:
    """Run the selective state-space scan; see `ssd_reference` for what it computes.

    Parameters
    ----------
    x, dt, A, B, C, D : Tensor
        As for `ssd_reference`.
    chunk : int, optional
        Steps per chunk of the chunked form; the others take no notice.
    backend : str, optional
        One of `BACKENDS`; None: what `use_backend` or `set_backend` say, else ``auto``.

    Returns
    -------
    Tensor, shape (batch, T, H, P)

    Raises
    ------
    ValueError
        If shapes do not belong together or the backend cannot run here.
    """
    check_scan(x, dt, A, B, C, D)
    if choose(x, backend) == "reference":
        return ssd_reference(x, dt, A, B, C, D)
    return ssd_chunked(x, dt, A, B, C, D, chunk=DEFAULT_CHUNK if chunk is None else chunk)


def mixer(
    zxbcdt: Tensor,
    conv_weight: Tensor,
    conv_bias: Tensor,
    dt_bias: Tensor,
    A_log: Tensor,
    D: Tensor,
    norm_weight: Tensor,
    *,
    headdim: int,
    d_state: int,
    reverse: bool = False,
    backend: str | None = None,
) -> Tensor:
    """Compute everything of a Mamba2 block between its input and its output projection.

    Parameters
    ----------
    zxbcdt : Tensor, shape (batch, T, 2 d_inner + 2 d_state + H)
        Gate, input, B, C and raw step size, in `mamba_ssm`'s order.
    conv_weight, conv_bias, dt_bias, A_log, D, norm_weight : Tensor
        As in `MixerWeights`.
    headdim, d_state : int
        Features per head, size of the state.
    reverse : bool
        Time runs backwards; the result is in the order of the input all the same.
    backend : str, optional
        As for `ssd`.

    Returns
    -------
    Tensor, shape (batch, T, d_inner)

    Raises
    ------
    ValueError
        If shapes do not belong together or the backend cannot run here.
    """
    weights = MixerWeights(conv_weight, conv_bias, dt_bias, A_log, D, norm_weight)
    shape = MixerShape(headdim, d_state, reverse)
    check_mixer(zxbcdt, weights, shape)
    scan = ssd_reference if choose(zxbcdt, backend) == "reference" else ssd_chunked
    return plain_mixer(zxbcdt, weights, shape, scan)


def choose(data: Tensor, backend: str | None = None) -> str:
    """Name the backend that a call on `data` runs with."""
    name = _override.get() or _default if backend is None else _checked(backend)
    return "chunked" if name == "auto" else name


def _checked(name: str) -> str:
    if name not in BACKENDS:
        raise ValueError(f"backend needs to be one of {', '.join(BACKENDS)}, got {name!r}")
    return name
