"""Probability curves as .npz: the network's answer at 256 Hz, before any decision."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from brainscan.events import RATE_HZ
from brainscan.io.content import Content
from brainscan.io.origin import Origin
from brainscan.mapping import to_mapping


def encode_curves(content: Content) -> Iterator[bytes]:
    """Yield ``rate_hz``, ``segment_start_s``, ``segment_samples``, ``probability``, ``origin`` as one archive."""
    detection = content.detected
    curves = detection.probabilities
    buffer = io.BytesIO()
    origin = json.dumps({"sha256": detection.sha256, "model": to_mapping(detection.model)}, sort_keys=True)
    np.savez(
        buffer,
        origin=np.array(origin),
        rate_hz=np.int64(RATE_HZ),
        segment_start_s=np.array([c.start_s for c in curves], dtype=np.float64),
        segment_samples=np.array([len(c.values) for c in curves], dtype=np.int64),
        probability=np.concatenate([c.values for c in curves]) if curves else np.zeros(0, dtype=np.float32),
    )
    yield buffer.getvalue()


def origin_of_curves(path: Path) -> Origin | None:
    """Return what made an archive; None where brainscan did not or it is damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            document = json.loads(str(arrays["origin"]))
            return Origin(document["sha256"], document["model"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
