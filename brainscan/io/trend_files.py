"""Trends as .npz: every array of `brainscan.Trends`, and what is needed to read them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from brainscan.electrodes import ELECTRODES
from brainscan.io.content import Content
from brainscan.mapping import to_mapping
from brainscan.qeeg import COLUMN_S, FREQUENCIES_HZ, SIDES


def encode_trends(content: Content) -> Iterator[bytes]:
    """Yield the trends of a detection as one archive.

    Raises
    ------
    ValueError
        If the detection has none.
    """
    detection = content.detected
    if detection.trends is None:
        raise ValueError("this detection has no trends")
    buffer = io.BytesIO()
    origin = json.dumps({"sha256": detection.sha256, "model": to_mapping(detection.model)}, sort_keys=True)
    np.savez_compressed(
        buffer,
        column_s=np.float64(COLUMN_S),  # the first name tells the format
        origin=np.array(origin),
        frequency_hz=np.array(FREQUENCIES_HZ),
        side=np.array(SIDES),
        electrode=np.array(ELECTRODES),
        **{field.name: getattr(detection.trends, field.name) for field in fields(detection.trends)},
    )
    yield buffer.getvalue()
