"""The survey sees what the detector sees, without network and torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brainscan.detector import DetectOptions, Detector
from brainscan.electrodes import INDEX
from brainscan.errors import InputError
from brainscan.survey import survey
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of

_REPOSITORY = Path(__file__).resolve().parents[2]


def test_verdicts_and_spans_are_the_detector_s() -> None:
    uv = noise(200.0)
    uv[INDEX["F7"], 100 * 256 :] = 0.0
    uv[:, 30 * 256 : 40 * 256] = np.nan
    recording = recording_of(uv)
    held, detection = survey(recording), Detector(LoudnessRunner(), quick()).detect(recording)
    assert held.electrodes == detection.electrodes
    assert (held.unscored, held.analysed_s, held.warnings) == (
        detection.unscored,
        detection.analysed_s,
        detection.warnings,
    )
    assert held.events == ()


def test_a_recording_without_a_scored_window_is_described_all_the_same() -> None:
    uv = noise(30.0)
    uv[:5] = 0.0
    held = survey(recording_of(uv))
    assert held.analysed_s == 0.0
    assert held.unscored == ((0.0, 30.0),)
    assert [e.name for e in held.electrodes if e.quality == "unusable"] == ["Fp1", "F3", "C3", "P3", "F7"]


def test_options_hold_here_too() -> None:
    with pytest.raises(InputError, match="T3"):
        survey(recording_of(noise(30.0)), DetectOptions(channel_map={"T3": "-"}, max_missing=0))


def test_no_torch_is_loaded() -> None:
    program = (
        "import sys, numpy as np\n"
        f"sys.path[:0] = {[str(_REPOSITORY), str(_REPOSITORY / 'models')]!r}\n"
        "from tests.stand_ins import noise, recording_of\n"
        "from brainscan.survey import survey\n"
        "survey(recording_of(noise(70.0, 200), 200))\n"
        "print(sorted({name for name in sys.modules if name in ('torch', 'scipy.signal', 'mne', 'numba')}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
