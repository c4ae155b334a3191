"""A real outlet in a process of its own, and what such streams may say of themselves."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from datetime import datetime
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from brainscan.detector import DetectOptions
from brainscan.errors import InputError
from brainscan.live import lsl
from brainscan.live.feed import FeedSource
from brainscan.live.messages import EventMessage, Message
from brainscan.live.stream import Ears, Stream, StreamConfig
from tests.brainscan.live.growing import RATE_HZ, loud_detector, signal
from tests.stand_ins import recording_of

NOW = datetime(2026, 3, 2, 22, 0, 0)

_OUTLET = """
import sys, time
import numpy as np
from mne_lsl.lsl import StreamInfo, StreamOutlet, local_clock
from brainscan.electrodes import ELECTRODES
from tests.brainscan.live.growing import RATE_HZ, signal

name, gap_s = sys.argv[1], float(sys.argv[2])
info = StreamInfo(name, "EEG", 19, RATE_HZ, "float32", name)
info.set_channel_names(list(ELECTRODES))
info.set_channel_units("microvolts")
outlet = StreamOutlet(info, chunk_size=100, max_buffered=3600)
assert outlet.wait_for_consumers(60)
frames = np.ascontiguousarray(signal().T.astype(np.float32))
start = local_clock()
for second in range(240):
    at_s = start + second + 1 - 1 / RATE_HZ + (gap_s if second >= 140 else 0.0)
    outlet.push_chunk(frames[second * RATE_HZ : (second + 1) * RATE_HZ], timestamp=at_s)
    time.sleep(0.002)
time.sleep(5)
"""


@pytest.mark.parametrize("gap_s", [0.0, 20.0])
def test_a_stream_by_lsl_equals_detect_on_the_same_samples(gap_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mne_lsl")
    monkeypatch.setattr(lsl, "FIND_S", 120.0)  # a busy machine needs its time to import what the outlet needs
    name = f"test-{uuid.uuid4()}"
    outlet = subprocess.Popen([sys.executable, "-c", _OUTLET, name, str(gap_s)], env=_environment())
    said: list[Message] = []
    try:
        stop = threading.Event()
        source = FeedSource(lsl.LslFeed(name, stop, 1.5), stop, lambda _: None)
        detection = Stream(loud_detector(), source, StreamConfig(DetectOptions()), Ears(said.append)).run()
    finally:
        outlet.kill()
        outlet.wait()
    uv = signal().astype(np.float32).astype(np.float64)
    cut = 140 * RATE_HZ
    parts = [(0.0, uv[:, :cut]), (140.0 + gap_s, uv[:, cut:])] if gap_s else [(0.0, uv)]
    expected = loud_detector().detect(recording_of(parts, RATE_HZ))
    assert len(expected.events) == 4
    assert [(e.onset_s, e.offset_s, e.confidence) for e in detection.events] == [
        (pytest.approx(e.onset_s, abs=0.05), pytest.approx(e.offset_s, abs=0.05), e.confidence) for e in expected.events
    ]
    assert len([m for m in said if isinstance(m, EventMessage) and m.kind == "close"]) == 4
    assert (detection.format, len(detection.segments)) == ("LSL", len(parts))
    assert detection.analysed_s == 240.0


def _environment() -> dict[str, str]:
    import os
    from pathlib import Path

    root = Path(__file__).resolve().parents[3]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(root / place) for place in (".", "models", "training"))}


def test_a_stream_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mne_lsl")
    monkeypatch.setattr(lsl, "FIND_S", 0.2)
    monkeypatch.setattr(lsl, "_LOOK_S", 0.1)
    with pytest.raises(InputError, match="no LSL stream of this name"):
        lsl.LslFeed(f"test-{uuid.uuid4()}", threading.Event(), 0.0)


def _info(names: object, units: object, rate: float = 256.0) -> Any:
    return SimpleNamespace(get_channel_names=lambda: names, get_channel_units=lambda: units, sfreq=rate)


def test_units_are_those_of_mne_lsl_or_spelled_out() -> None:
    facts = lsl.facts_of(_info(["Fp1", "F3", "C3", "P3"], ["-6", "microvolts", "V", None]), "bed/3", NOW)
    assert facts.units == ("uV", "microvolts", "V", "")
    assert (facts.name, facts.labels, facts.start) == ("bed_3", ("Fp1", "F3", "C3", "P3"), NOW)
    assert lsl.facts_of(_info(["Fp1"], None, 1000 / 3), "..", NOW).units == ("uV",)
    assert lsl.facts_of(_info(["Fp1"], None, 500.0), "..", NOW).rate_hz == Fraction(500)


@pytest.mark.parametrize("names", [None, [], [None, "F3"]])
def test_channels_without_names_are_refused(names: object) -> None:
    with pytest.raises(InputError, match="name its channels"):
        lsl.facts_of(_info(names, None), "bed3", NOW)
