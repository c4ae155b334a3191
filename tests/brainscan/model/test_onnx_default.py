"""The graphs that come along with the default model: of these very weights, and the same events as in PyTorch."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainscan.decision.postprocess import find_events
from brainscan.detection import Detection
from brainscan.detector import DetectOptions, Detector
from brainscan.errors import InputError
from brainscan.io import read
from brainscan.model import checkpoint
from brainscan.model.onnx_folder import read_export
from brainscan.model.run_config import RunConfig
from brainscan.model.runner import graphs_of, open_runner
from brainscan.model.selftest import known_window

_SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "sample.edf"
_OPTIONS = DetectOptions(max_missing=9, keep_probabilities=True)
_LOW = 0.2
_A_SOURCE = 2

Pair = tuple[Detector, Detector]


@pytest.fixture(scope="module")
def pair() -> Pair:
    """Return the shipped model on the native kernels and on its graphs."""
    native, onnx = (
        Detector.from_pretrained("default", run=RunConfig(device="cpu", threads=1, backend=backend))
        for backend in ("native", "onnx")
    )
    return native, onnx


def test_the_graphs_belong_to_the_weights() -> None:
    """`make weights` makes them; a change of the weights or of the card without it shows here."""
    path = checkpoint.locate("default")
    manifest, card = read_export(path.with_suffix(".onnx"))
    shipped = checkpoint.verify(path)
    assert manifest.computing_sha256 == shipped.computing_sha256
    assert card == shipped.card
    assert graphs_of(path, card) == path.with_suffix(".onnx")
    assert manifest.comparison.logits <= 1e-3
    assert manifest.comparison.other_edges + manifest.comparison.other_vectors <= 0.01 * manifest.comparison.steps


@pytest.mark.isa
def test_the_graphs_give_the_logits_of_the_weights() -> None:
    window = [known_window()]
    native, onnx = (open_runner("default", RunConfig(device="cpu", backend=name)) for name in ("native", "onnx"))
    np.testing.assert_allclose(onnx.logits(window), native.logits(window), atol=1e-3)
    ours, theirs = (runner.submit(window)[0].result()[0].features for runner in (native, onnx))
    assert native.card.familiarity is not None
    assert len(ours) == len(native.card.familiarity.mean)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


def _assert_same(pair: Pair, path: Path) -> int:
    """Compare probabilities, and events at the default and at a low threshold; return how many there are."""
    native, onnx = (each.detect(replace(read(path), sha256=None), _OPTIONS) for each in pair)
    _assert_same_curves(native, onnx)
    low = pair[0].decision.with_thresholds(_LOW, None)
    # Events follow from the curve alone: a second pass of the network would say nothing more.
    again = [[event for p in each.probabilities for event in find_events(p, low)] for each in (native, onnx)]
    for ours, theirs in ((native.events, onnx.events), again):
        assert len(theirs) == len(ours), path.name
        for a, b in zip(ours, theirs, strict=True):
            assert (b.onset_s, b.offset_s) == pytest.approx((a.onset_s, a.offset_s), abs=0.25), path.name
    return len(native.events) + len(again[0])


def _assert_same_curves(native: Detection, onnx: Detection) -> None:
    for a, b in zip(native.probabilities, onnx.probabilities, strict=True):
        np.testing.assert_allclose(b.values, a.values, atol=1e-3)


@pytest.mark.slow
def test_the_bundled_sample(pair: Pair) -> None:
    assert _assert_same(pair, _SAMPLE) >= 2


@pytest.mark.slow
def test_development_recordings(pair: Pair, shared: Path) -> None:
    """The first two of each source, seizures among them."""
    seen: dict[str, int] = {}
    events, compared = 0, 0
    with (shared / "eeg" / "index.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["group"] == "dev"]
    for row in rows:
        seen[row["source"]] = seen.get(row["source"], 0) + 1
        if seen[row["source"]] > _A_SOURCE:
            continue
        try:
            events += _assert_same(pair, shared / "eeg" / row["file"])
        except InputError:
            continue  # nothing of it can be scored, by either
        compared += 1
    assert compared >= len(seen)
    assert events >= 5
