"""The selective state-space scan of Mamba-2: one function, several forms (SPEC section 6)."""

from brainscan_models.ssd.dispatch import BACKENDS, choose, mixer, set_backend, ssd, use_backend

__all__ = ["BACKENDS", "choose", "mixer", "set_backend", "ssd", "use_backend"]
