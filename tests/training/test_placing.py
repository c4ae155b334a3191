from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brainscan.card import BaselineConfig, Card, DecisionConfig, PostictalConfig
from brainscan.model import checkpoint
from brainscan_training.placing import main, placed
from tests.stand_ins import save_tiny

CARD = Card(name="x", variant={})


@given(st.floats(-20.0, 20.0), st.floats(0.05, 10.0))
def test_both_thresholds_come_to_lie_where_the_decision_has_them(off: float, width: float) -> None:
    assume(off + width > off)
    card = placed(CARD, off + width, off)
    for raw, wanted in ((off + width, card.decision.enter), (off, card.decision.leave)):
        logit = (raw - card.logit_shift) * card.logit_scale
        assert 1.0 / (1.0 + math.exp(-logit)) == pytest.approx(wanted, abs=1e-6)


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="below the on threshold"):
        placed(CARD, 0.0, 0.0)
    with pytest.raises(ValueError, match="0 < off < on < 1"):
        placed(Card(name="x", variant={}, decision=DecisionConfig(enter=0.5, leave=0.5)), 1.0, 0.0)


def test_the_command_places_a_checkpoint_or_says_why_not(tmp_path: Path) -> None:
    source, target = str(tmp_path / "tiny.safetensors"), str(tmp_path / "placed.safetensors")
    save_tiny(Path(source))
    assert main([source, "0.3", "0.05", "6", target]) == ""
    card = checkpoint.read_card(Path(target))
    assert card.decision.min_duration_s == 6.0
    assert card.decision.baseline.trailing_s == 0.0
    for raw, wanted in ((0.3, card.decision.enter), (0.05, card.decision.leave)):
        logit = (raw - card.logit_shift) * card.logit_scale
        assert 1.0 / (1.0 + math.exp(-logit)) == pytest.approx(wanted)
    assert main([source, "0.3", "0.05", "6", target, "1800"]) == ""
    assert checkpoint.read_card(Path(target)).decision.baseline.trailing_s == 1800.0
    assert main([source, "0.3", "0.05", "6", target, "1800,0.01,7", "90", "1"]) == ""
    card = checkpoint.read_card(Path(target))
    assert card.decision.baseline == BaselineConfig(1800.0, quiet=0.01, most=7.0)
    assert card.decision.postictal == PostictalConfig(90.0, round(card.logit_scale, 3))
    assert "AFTER goes with MORE" in main([source, "0.3", "0.05", "6", target, "1800", "90"])
    assert "usage" in main([source, "0.3"])
    assert "off threshold" in main([source, "0.3", "0.4", "6", target])
