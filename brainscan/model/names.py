"""The models that are known by name: one table for `--model`, help texts, hints and whoever opens one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEFAULT = "default"

UNTRAINED = "v3"
"""Known, but its weights are not shipped."""

SHIPPED: Mapping[str, str] = MappingProxyType({
    "default": "default.safetensors",
    "v3-hybrid-pair-second": "default.safetensors",
    # the defaults before it, the latest first, for whoever compares with them
    "v3-hybrid": "v3-hybrid.safetensors",
    "v3-lite": "v3-lite.safetensors",
})  # fmt: skip
"""Name to file, below ``weights``."""

NAMES = (*SHIPPED, UNTRAINED)

WITH_WEIGHTS = ", ".join(SHIPPED)
"""For people: the models that can be run."""

ALL = ", ".join(NAMES)
"""For people: those, and what else has a card."""
