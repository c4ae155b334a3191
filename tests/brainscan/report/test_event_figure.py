"""An event as a figure, and a detection in a notebook."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import brainscan
from brainscan.card import Card
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.electrodes import INDEX
from brainscan.errors import MissingExtraError
from brainscan.events import Annotation, Event
from brainscan.io.plan import open_plan
from brainscan.recording import Recording
from brainscan.report.event_figure import onset_power
from brainscan.report.excerpts import Channels, cut
from brainscan.report.notebook import repr_html, strip
from tests.stand_ins import LoudnessRunner, noise, quick, recording_of, with_bursts

HOSTILE = "<script>alert(1)</script>$x$\"'&"


def made(name: str = "night.edf") -> tuple[Recording, Detection]:
    recording = recording_of([(0.0, with_bursts(noise(100.0, 256), 256, [(30.0, 50.0)]))], 256, name=name)
    recording = replace(recording, start=datetime(2024, 2, 28, 23, 59), annotations=(Annotation(12.0, 12.0, HOSTILE),))
    card = Card(name="loudness", variant={}, sha256="0" * 64, decision=quick())
    found = Detector(LoudnessRunner(card)).detect(recording, DetectOptions(keep_probabilities=True))
    return recording, found


def test_the_power_is_where_the_event_is() -> None:
    rate = 256
    uv = noise(60.0, rate)
    at = np.arange(20 * rate, 40 * rate)
    uv[INDEX["T3"], at] += 200.0 * np.sin(2.0 * np.pi * 5.0 * at / rate)
    recording = recording_of([(0.0, uv)], rate)
    excerpt = cut(recording, Channels.of(recording, open_plan(recording)), 0.0, 60.0)
    assert excerpt is not None
    power = onset_power(excerpt, Event(22.0, 30.0, 0.9))
    assert power.argmax() == INDEX["T3"]
    # The common average takes a nineteenth of it away.
    assert power[INDEX["T3"]] == pytest.approx((200.0 * 18.0 / 19.0) ** 2 / 2.0, rel=0.1)


def test_plot_draws_an_event_by_number_and_any_other(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    recording, found = made(HOSTILE)
    figure = brainscan.plot(found, recording, 0)
    curve, rows, *_ = figure.axes
    assert [label.get_text() for label in rows.get_yticklabels()][:2] == ["Fp1-F7", "F7-T3"]
    event = found.events[0]
    low, high = rows.get_xlim()
    assert (low, high) == pytest.approx((event.onset_s - 10.0, event.offset_s + 10.0), abs=0.05)
    probability = curve.get_lines()[0].get_ydata()
    assert np.nanmax(np.asarray(probability, dtype=float)) > 0.9
    figure.savefig(tmp_path / "event.png")
    assert (tmp_path / "event.png").stat().st_size > 10_000
    other = brainscan.plot(found, recording, Event(0.0, 5.0, 0.5))
    assert other.axes[1].get_xlim()[0] == 0.0
    with pytest.raises(ValueError, match="no event 1: the detection has 1, counted from 0"):
        brainscan.plot(found, recording, 1)


def test_plot_names_the_extra_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    recording, found = made()
    with pytest.raises(MissingExtraError, match="report"):
        brainscan.plot(found, recording)


def test_a_notebook_shows_sentence_strip_and_table() -> None:
    _, found = made(HOSTILE)
    text = repr_html(found)
    assert text == found._repr_html_()
    assert "<script>" not in text
    drawn = ElementTree.fromstring(strip(found))
    space = "{http://www.w3.org/2000/svg}"
    (onset_s, offset_s) = found.events[0].onset_s, found.events[0].offset_s
    (shade,) = [r for r in drawn.findall(f"{space}rect") if r.get("fill") == "#fbe3b0"]
    assert float(shade.get("x", "")) == pytest.approx(onset_s * 7.2, abs=0.06)
    assert float(shade.get("width", "")) == pytest.approx((offset_s - onset_s) * 7.2, abs=0.06)
    (line,) = drawn.findall(f"{space}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]
    highest = min(points, key=lambda point: point[1])
    assert onset_s * 7.2 < highest[0] < offset_s * 7.2
    assert [t.text for t in drawn.findall(f"{space}text")] == ["2024-02-28 23:59:00", "2024-02-29 00:00:40"]
    assert len(re.findall("<tr>", text)) == 2


def test_the_strip_of_nothing_is_empty() -> None:
    _, found = made()
    nothing = replace(found, events=(), probabilities=(), unscored=((0.0, 100.0),), start=None)
    assert "polyline" not in strip(nothing)
    assert '"#dcdfe5"' in strip(nothing)
    assert "100 s" in strip(nothing)
