"""What the command line's tests share: recordings on disk, a detector of loudness in the model's place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainscan.card import Card
from brainscan.cli import console
from brainscan.cli.main import main
from brainscan.detector import Detector
from brainscan.electrodes import ELECTRODES
from tests.edf_files import FakeEdf, FakeSignal
from tests.stand_ins import LoudnessRunner, noise, quick, with_bursts

RATE_HZ = 100


def write_edf(path: Path, *, duration_s: int = 60, labels: tuple[str, ...] = ELECTRODES, **fields: str) -> Path:
    """Write an EDF with a burst from second 20 to 35, 0.1 µV a step."""
    uv = with_bursts(noise(duration_s, RATE_HZ), RATE_HZ, [(20.0, 35.0)])
    digital = np.clip(np.round(uv * 10.0), -32768, 32767).astype(np.int64)
    signals = [FakeSignal(label, row, RATE_HZ) for label, row in zip(labels, digital, strict=False)]
    path.write_bytes(FakeEdf(signals, duration_s, fields=fields).data())
    return path


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def errors(self) -> list[str]:
        """Lines on stderr that begin with ``error:``."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]


Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command line in this process."""

    def call(*arguments: object) -> Ran:
        capfd.readouterr()
        try:
            code = main([str(a) for a in arguments])
        finally:
            console.set_quiet(False)
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def edf(tmp_path: Path) -> Path:
    """Return a recording of a minute with one burst, in a folder of its own."""
    (tmp_path / "data").mkdir()
    return write_edf(tmp_path / "data" / "night.edf")


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a detector that takes loud for ictal in the place of any model, in this process."""
    card = Card(name="loudness", variant={}, sha256="0" * 64, decision=quick())
    monkeypatch.setattr(Detector, "from_pretrained", classmethod(lambda cls, name, run=None: cls(LoudnessRunner(card))))
    monkeypatch.setattr("brainscan.analysis.lazy_detector.card_of", lambda name: card)
    monkeypatch.setattr("brainscan.scan.start.start_of", lambda *chosen: None)
