"""ONNX Runtime, which reports to nobody: the one place that imports it."""

from __future__ import annotations

import importlib
import os
from typing import Any

_SILENT = "ORT_DISABLE_TELEMETRY"
ERRORS_ONLY = 3
"""Severity of its messages from which on they are printed; warnings are of no use to a reader."""


def silent_runtime() -> Any:
    """Return ONNX Runtime with its telemetry off.

    Its builds (1.32 on) else keep an identifier of this device below the user's home and send events to their maker.
    The variable has to be there before the library is loaded; a value that the user has set stays.
    """
    os.environ.setdefault(_SILENT, "1")
    runtime = importlib.import_module("onnxruntime")
    if os.environ[_SILENT] != "0":
        runtime.disable_telemetry_events()  # for who imported it before us
    runtime.set_default_logger_severity(ERRORS_ONLY)
    return runtime
