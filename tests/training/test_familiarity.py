"""What a card says of the training background: every kind of it counts, and new subjects set the limit."""

from __future__ import annotations

import numpy as np
import pytest

from brainscan_training.familiarity import Background, familiarity_of, statistics


def _background(counts: dict[str, int], subjects: int = 10) -> Background:
    """Return windows of kinds that differ in their first feature by their order."""
    rng = np.random.default_rng(0)
    kind = np.repeat(list(counts), list(counts.values()))
    features = rng.standard_normal((len(kind), 2)) + np.searchsorted(np.array(sorted(counts)), kind)[:, None] * [4.0, 0]
    return Background(features.astype(np.float32), kind, np.array([f"s{i % subjects}" for i in range(len(kind))]))


def test_a_kind_counts_by_the_root_of_its_windows() -> None:
    known = statistics(_background({"a": 1600, "b": 100}))
    assert known.mean[0] == pytest.approx(4.0 * 10 / (40 + 10), abs=0.1)
    assert known.spread[1] == pytest.approx(1.0, abs=0.05)


def test_few_windows_of_new_subjects_lie_beyond_the_limit() -> None:
    background = _background({"a": 1000})
    found = familiarity_of(background)
    beyond = np.mean([found.is_unlike(features) for features in background.features])
    assert beyond == pytest.approx(0.05, abs=0.01)


def test_a_part_leaves_its_subjects_out() -> None:
    background = _background({"a": 100})
    parts = [set(background.without(k).subject.tolist()) for k in range(5)]
    assert all(len(part) == 8 for part in parts)
    assert set.intersection(*parts) == set()
    assert background.part("s0") == background.part("s5")


def test_no_background_is_refused() -> None:
    with pytest.raises(ValueError, match="without a seizure"):
        Background.of([])
