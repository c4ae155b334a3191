"""The scan on NVIDIA GPUs through `mamba_ssm`'s Triton kernels, where that package is installed.

Only its scan is used: `causal_conv1d`, which its fused block needs, is not. Nothing is imported before the
first call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK = 64
_MODULE = "mamba_ssm.ops.triton.ssd_combined"


def ssd_mamba_ssm(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor | None = None) -> Tensor:
    """Run the recurrence of `ssd_reference` with `mamba_ssm`'s kernels.

    Its matrix products may run in TF32: results agree with the other forms to about 1e-3.

    Parameters
    ----------
    x, dt, A, B, C, D : Tensor
        As for `ssd_reference`, on a CUDA device.

    Returns
    -------
    Tensor, shape (batch, T, H, P)

    Raises
    ------
    ImportError
        If the package is not installed or does not fit this PyTorch.
    """
    scan = importlib.import_module(_MODULE).mamba_chunk_scan_combined
    one_group = (tensor[:, :, None].contiguous() for tensor in (B, C))
    return cast("Tensor", scan(x.contiguous(), dt.contiguous(), A, *one_group, chunk_size=_CHUNK, D=D))


def import_error() -> str | None:
    """Import the kernels and say why that failed; None: they are there."""
    try:
        importlib.import_module(_MODULE)
    except (ImportError, RuntimeError, OSError) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None
