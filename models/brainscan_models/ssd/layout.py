"""What the arguments of the scan and of the mixer must look like; checked once for all backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

NORM_EPS = 1e-5
"""Added to the mean square in the gated norm, as in mamba_ssm's RMSNormGated."""


class MixerWeights(NamedTuple):
    """The parameters of a Mamba2 block between its two projections, shaped as in `mamba_ssm`."""

    conv_weight: Tensor
    """(d_inner + 2 d_state, 1, d_conv)"""
    conv_bias: Tensor
    """(d_inner + 2 d_state,)"""
    dt_bias: Tensor
    """(H,)"""
    A_log: Tensor
    """(H,): A is ``-exp(A_log)``"""
    D: Tensor
    """(H,)"""
    norm_weight: Tensor
    """(d_inner,)"""


class MixerShape(NamedTuple):
    """Sizes of a Mamba2 block and the direction of its time."""

    headdim: int
    d_state: int
    reverse: bool = False


def check_scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None) -> None:
    """Refuse arguments of `ssd` whose shapes do not belong together.

    Raises
    ------
    ValueError
        Naming the argument, the shape it needs and the shape it has.
    """
    if x.ndim != 4 or x.shape[1] < 1:
        raise ValueError(f"x needs shape (batch, T >= 1, H, P), got {tuple(x.shape)}")
    batch, length, heads, _ = x.shape
    if B.ndim != 3:
        raise ValueError(f"B needs shape (batch, T, N), got {tuple(B.shape)}")
    needed = {
        "dt": (dt, (batch, length, heads)),
        "A": (A, (heads,)),
        "B": (B, (batch, length, B.shape[2])),
        "C": (C, (batch, length, B.shape[2])),
    }
    if D is not None:
        needed["D"] = (D, (heads,))
    _check_shapes(needed)


def check_mixer(zxbcdt: Tensor, weights: MixerWeights, shape: MixerShape) -> None:
    """Refuse arguments of `mixer` whose shapes do not belong together.

    Raises
    ------
    ValueError
        Naming the argument, the shape it needs and the shape it has.
    """
    if zxbcdt.ndim != 3 or zxbcdt.shape[1] < 1:
        raise ValueError(f"zxbcdt needs shape (batch, T >= 1, width), got {tuple(zxbcdt.shape)}")
    heads = weights.A_log.shape[0]
    d_inner = heads * shape.headdim
    channels = d_inner + 2 * shape.d_state
    _check_shapes(
        {
            "zxbcdt": (zxbcdt, (*zxbcdt.shape[:2], d_inner + channels + heads)),
            "conv_weight": (weights.conv_weight, (channels, 1, weights.conv_weight.shape[-1])),
            "conv_bias": (weights.conv_bias, (channels,)),
            "dt_bias": (weights.dt_bias, (heads,)),
            "A_log": (weights.A_log, (heads,)),
            "D": (weights.D, (heads,)),
            "norm_weight": (weights.norm_weight, (d_inner,)),
        }
    )


def _check_shapes(needed: dict[str, tuple[Tensor, tuple[int, ...]]]) -> None:
    for name, (tensor, shape) in needed.items():
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name} needs shape {shape}, got {tuple(tensor.shape)}")
