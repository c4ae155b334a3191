from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks.caps import CARD, EVERYTHING, PAGE, judged, table, wearing
from brainscan.caps import ALL, CAPS, Cap, CapFigures, cap_of, expectation, is_enough
from brainscan.card import Card
from brainscan.detector import Detector
from brainscan.electrodes import ELECTRODES
from brainscan.errors import InputError
from brainscan.examine import DetectOptions
from brainscan.io import open_plan
from brainscan.model import checkpoint
from brainscan.provenance import Provenance
from brainscan.recording import Recording
from brainscan.scoring.pieces import ScoredRecording
from brainscan.survey import survey
from tests.brainscan.cli.conftest import Run, edf, here, loud, run, write_edf
from tests.stand_ins import noise, recording_of

__all__ = ["edf", "here", "loud", "run"]

_FULL = CapFigures(0.95, 26, 31, 0, 1.9, 16, 24, 4, 6.0)
_GOOD = CapFigures(0.93, 20, 31, 1, 1.9, 12, 24, 6, 6.0)
_POOR = CapFigures(0.70, 4, 31, 3, 1.9, 2, 24, 9, 6.0)
_FIGURES = {ALL: _FULL, **{cap.name: _GOOD for cap in CAPS}, "ears": _POOR}
_CARD = Card(name="measured", variant={}, provenance=Provenance(caps=_FIGURES))
_BY_NAME = {cap.name: cap for cap in CAPS}


def _worn(cap: Cap) -> Recording:
    """Return a recording whose labels are those of a cap."""
    labels = [f"{a}-{b}" for a, b in cap.pairs] or list(cap.electrodes)
    uv = noise(60.0, 100.0)[: len(labels)]
    recording = recording_of(noise(60.0, 100.0), 100)
    return replace(recording_of(uv, 100), channels=tuple(
        replace(channel, label=label) for channel, label in zip(recording.channels, labels, strict=False)
    ))  # fmt: skip


@pytest.mark.parametrize("cap", CAPS, ids=lambda cap: cap.name)
def test_a_cap_is_known_by_its_labels(cap: Cap) -> None:
    plan = open_plan(_worn(cap), max_missing=15)
    assert cap_of([e for e in ELECTRODES if e not in plan.missing], bipolar=plan.bipolar) == cap
    assert cap_of(cap.electrodes[1:], bipolar=bool(cap.pairs)) is None
    assert cap_of(cap.electrodes, bipolar=not cap.pairs) is not cap


@pytest.mark.parametrize("cap", [cap for cap in CAPS if cap.name != "ears"], ids=lambda cap: cap.name)
def test_a_cap_with_figures_is_analysed_and_says_what_to_expect(cap: Cap) -> None:
    found = survey(_worn(cap), card=_CARD)
    assert found.analysed_s == 60.0
    (line,) = [warning for warning in found.warnings if cap.words in warning]
    assert "20 of 31 seizures" in line
    assert "(26 with all 19)" in line
    if cap.name != "sixteen":  # three may be missing anyway
        with pytest.raises(InputError, match="electrodes are missing"):
            survey(_worn(cap), card=Card(name="not measured", variant={}))


def test_too_few_are_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match=r"too few are left: 2 channels behind the ears.*4 of 31 seizures"):
        survey(_worn(_BY_NAME["ears"]), card=_CARD)
    asked = survey(_worn(_BY_NAME["ears"]), DetectOptions(max_missing=15), card=_CARD)
    assert any("4 of 31 seizures" in warning for warning in asked.warnings)


def test_what_is_no_cap_needs_to_be_allowed() -> None:
    eight = replace(_BY_NAME["hairline"], electrodes=_BY_NAME["hairline"].electrodes[2:])
    with pytest.raises(InputError, match="11 of the 19 electrodes are missing") as caught:
        survey(_worn(eight), card=_CARD)
    assert "--max-missing 11" in caught.value.hint
    assert "too few are left" not in caught.value.message


def test_a_window_may_do_without_what_the_cap_never_had_and_no_more() -> None:
    recording = _worn(_BY_NAME["hairline"])
    uv = np.stack(recording.read(range(10), 0.0, 60.0).uv)
    uv[3] = 0.0
    loose = replace(recording_of(uv, 100), channels=recording.channels)
    assert survey(loose, card=_CARD).analysed_s == 0.0


@pytest.mark.parametrize(
    ("own", "enough"),
    [
        (_GOOD, True),
        (replace(_GOOD, found=12), False),
        (replace(_GOOD, found=13), True),
        (replace(_GOOD, auroc=0.899), False),
        (replace(_GOOD, auroc=0.9), True),
    ],
)
def test_good_ranking_and_half_of_what_the_19_find_are_enough(own: CapFigures, enough: bool) -> None:
    cap = _BY_NAME["eight"]
    assert is_enough(cap, {ALL: _FULL, "eight": own}) is enough
    assert not is_enough(cap, {"eight": own})
    assert not is_enough(cap, {ALL: replace(_FULL, found=0), "eight": own})
    assert not is_enough(cap, {ALL: _FULL})
    assert expectation(cap, {ALL: _FULL}) == ""
    for n_alarms, said in ((0, "; 0 false alarms in"), (1, "; 1 false alarm in"), (2, "; 2 false alarms in")):
        assert said in expectation(cap, {ALL: _FULL, "eight": replace(own, false_alarms=n_alarms)})


@pytest.mark.parametrize("cap", CAPS, ids=lambda cap: cap.name)
def test_taking_electrodes_away_leaves_their_voltages(cap: Cap) -> None:
    uv = noise(20.0, 100.0)
    seen = wearing(recording_of(uv, 100), cap)
    assert seen is not None
    got = np.stack(seen.read(range(len(seen.channels)), 3.0, 7.0).uv)
    own = uv[:, 300:700] - uv[:, 300:700].mean(axis=0)
    names = list(ELECTRODES)
    if cap.pairs:
        expected = np.stack([own[names.index(a)] - own[names.index(b)] for a, b in cap.pairs])
    else:
        expected = np.stack([own[names.index(e)] for e in cap.electrodes])
    np.testing.assert_allclose(got, expected, atol=1e-9)
    plan = open_plan(seen, max_missing=15)
    assert {e for e in ELECTRODES if e not in plan.missing} == set(cap.electrodes)


def test_a_recording_without_an_electrode_counts_for_no_figure() -> None:
    assert wearing(_worn(_BY_NAME["ten"]), _BY_NAME["hairline"]) is None
    truth = ScoredRecording("x", "x", "", 60.0, ((0.0, 60.0),), (), ())
    detector = Detector.from_pretrained("v3-lite")
    assert judged(detector, _worn(_BY_NAME["ten"]), truth, _BY_NAME["hairline"]) is None
    assert judged(detector, _worn(_BY_NAME["ten"]), truth, EVERYTHING) is not None


def test_the_shipped_card_has_figures_of_these_weights_for_every_cap() -> None:
    shipped = checkpoint.verify(checkpoint.locate(checkpoint.DEFAULT))
    provenance = shipped.card.provenance
    assert set(provenance.caps) == {ALL, *(cap.name for cap in CAPS)}, "run `make caps`"
    assert provenance.caps_weights == checkpoint.computing_sha256(shipped.file.tensors, shipped.card), "run `make caps`"
    facts = yaml.safe_load(CARD.read_text(encoding="utf-8"))
    assert facts["caps_weights"] == provenance.caps_weights
    assert table(provenance.caps) in PAGE.read_text(encoding="utf-8")
    assert is_enough(_BY_NAME["eight"], provenance.caps)
    assert not is_enough(_BY_NAME["ears"], provenance.caps)


def test_detect_takes_the_rapid_cap_by_its_labels(run: Run, edf: Path, loud: None) -> None:
    cap = _BY_NAME["eight"]
    small = write_edf(edf.parent / "small.edf", labels=tuple(f"EEG {a}-{b}" for a, b in cap.pairs))
    ran = run("info", small)
    assert ran.code == 0, ran.err
    assert cap.words in ran.err
    ears = write_edf(edf.parent / "ears.edf", labels=("EEG T3-T5", "EEG T4-T6"))
    ran = run("info", ears)
    assert ran.code == 3
    assert "too few are left" in ran.errors[0]
