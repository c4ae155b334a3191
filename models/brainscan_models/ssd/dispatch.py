"""One `ssd` and one `mixer`, whichever backend computes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from brainscan_models.autocast import without_autocast
from brainscan_models.ssd.backends import choose
from brainscan_models.ssd.chunked import DEFAULT_CHUNK, ssd_chunked
from brainscan_models.ssd.layout import MixerShape, MixerWeights, check_mixer, check_scan
from brainscan_models.ssd.mamba_ssm import ssd_mamba_ssm
from brainscan_models.ssd.plain import plain_mixer
from brainscan_models.ssd.reference import ssd_reference

if TYPE_CHECKING:
    from torch import Tensor

_SCANS: dict[str, Callable[..., Tensor]] = {
    "reference": ssd_reference,
    "chunked": ssd_chunked,
    "mamba_ssm": ssd_mamba_ssm,
}


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

    Half precision is computed in float32, also under autocast.

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
        Of the dtype of `x`.

    Raises
    ------
    ValueError
        If shapes do not belong together or the backend cannot run here.
    """
    check_scan(x, dt, A, B, C, D)
    name = choose(x, backend)
    dtype = _computed_in(x)
    with without_autocast(x.device.type):
        arguments = (
            *(_in(dtype, x), _in(dtype, dt), _in(dtype, A), _in(dtype, B), _in(dtype, C)),
            None if D is None else _in(dtype, D),
        )
        if name == "native":
            from brainscan_models.ssd.native import ssd_native

            y = ssd_native(*arguments)
        elif name == "chunked":
            y = ssd_chunked(*arguments, chunk=DEFAULT_CHUNK if chunk is None else chunk)
        else:
            y = _SCANS[name](*arguments)
    return _in(x.dtype, y)


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

    Causal convolution and SiLU on x, B and C, softplus on the step size, the scan, the gate, the norm.
    Half precision is computed in float32, also under autocast.

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
        Of the dtype of `zxbcdt`.

    Raises
    ------
    ValueError
        If shapes do not belong together or the backend cannot run here.
    """
    weights = MixerWeights(conv_weight, conv_bias, dt_bias, A_log, D, norm_weight)
    shape = MixerShape(headdim, d_state, reverse)
    check_mixer(zxbcdt, weights, shape)
    name = choose(zxbcdt, backend)
    dtype = _computed_in(zxbcdt)
    with without_autocast(zxbcdt.device.type):
        data = _in(dtype, zxbcdt)
        weights = MixerWeights(*(_in(dtype, weight) for weight in weights))
        if name == "native":
            from brainscan_models.ssd.native import native_mixer

            y = native_mixer(data, weights, shape)
        else:
            y = plain_mixer(data, weights, shape, _SCANS[name])
    return _in(zxbcdt.dtype, y)


def _computed_in(data: Tensor) -> torch.dtype:
    return torch.float64 if data.dtype == torch.float64 else torch.float32


def _in(dtype: torch.dtype, tensor: Tensor) -> Tensor:
    # An exporter notes each conversion, also one that changes nothing.
    return tensor if tensor.dtype == dtype else tensor.to(dtype)
