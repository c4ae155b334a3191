"""Seizure detection in scalp EEG: a clinical inference toolkit. Research use, not a medical device.

The public names load on first use, so that ``import brainscan`` stays fast and without torch.
"""

from __future__ import annotations

import importlib

from brainscan._version import __version__

TYPE_CHECKING = False  # typing takes longer to import than all else here, and a command is deaf to Ctrl-C till then
if TYPE_CHECKING:
    from typing import Any

    from brainscan.detection import Detection
    from brainscan.detector import DetectOptions, Detector, detect
    from brainscan.errors import BrainscanError
    from brainscan.events import Annotation, Event, Probabilities
    from brainscan.io import from_raw, read
    from brainscan.model.run_config import RunConfig
    from brainscan.qeeg import Trends
    from brainscan.recording import Recording
    from brainscan.report.event_figure import plot
    from brainscan.survey import trends

_HOMES = {
    "Annotation": "brainscan.events",
    "BrainscanError": "brainscan.errors",
    "DetectOptions": "brainscan.examine",
    "Detection": "brainscan.detection",
    "Detector": "brainscan.detector",
    "Event": "brainscan.events",
    "Probabilities": "brainscan.events",
    "Recording": "brainscan.recording",
    "RunConfig": "brainscan.model.run_config",
    "Trends": "brainscan.qeeg",
    "detect": "brainscan.detector",
    "from_raw": "brainscan.io",
    "plot": "brainscan.report.event_figure",
    "read": "brainscan.io",
    "trends": "brainscan.survey",
}

__all__ = [
    "Annotation",
    "BrainscanError",
    "DetectOptions",
    "Detection",
    "Detector",
    "Event",
    "Probabilities",
    "Recording",
    "RunConfig",
    "Trends",
    "__version__",
    "detect",
    "from_raw",
    "plot",
    "read",
    "trends",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'brainscan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
