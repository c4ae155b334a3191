"""In which precision a network's matrix products and convolutions are computed."""

from __future__ import annotations

from functools import cache

import torch

from brainscan.errors import UsageError
from brainscan.model.run_config import ensure_known

_WIDE = 128
"""From this many features on products take long enough to gain; in v3-lite conversions cost what they save."""


def pick_precision(name: str, device: torch.device, width: int) -> torch.dtype:
    """Return the type that a name stands for.

    Parameters
    ----------
    name : str
        As of `RunConfig`; ``auto`` is bfloat16 where the device has it and the network is wide enough to gain.
    device : torch.device
    width : int
        Features of the network at its widest.

    Raises
    ------
    UsageError
        If the name is unknown, or bfloat16 is asked for where it would be slower than float32.
    """
    ensure_known("precision", name)
    if name == "float32":
        return torch.float32
    missing = bfloat16_missing(device.type)
    if name == "auto":
        return torch.bfloat16 if missing is None and width >= _WIDE else torch.float32
    if missing is not None:
        raise UsageError(f"bfloat16 cannot be used here: {missing}", hint="--precision float32, or auto")
    return torch.bfloat16


@cache
def bfloat16_missing(device: str) -> str | None:
    """Say why products in bfloat16 are not faster on a device, ``cpu`` or ``cuda``; None: they are."""
    if device == "cuda":
        # Emulation is slower than float32.
        return None if torch.cuda.is_bf16_supported(including_emulation=False) else "the GPU has no such units"
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    if any(getattr(torch.cpu, check, bool)() for check in checks):
        return None
    return "the processor has neither AVX512-BF16 nor AMX"
