"""The selective state-space scan of Mamba-2: one function, several forms."""

from brainscan_models.ssd.backends import (
    BACKENDS,
    BackendReport,
    available,
    choose,
    set_backend,
    use_backend,
)
from brainscan_models.ssd.dispatch import mixer, ssd

__all__ = [
    "BACKENDS",
    "BackendReport",
    "available",
    "choose",
    "mixer",
    "set_backend",
    "ssd",
    "use_backend",
]
