"""Pictures of EEG: what is drawn, and that it is drawn alike every time."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from brainscan.electrodes import ELECTRODES
from brainscan.report.traces import DERIVATIONS, DPI, SIZE_IN, Excerpt, draw, envelope, spacing_uv

pytest.importorskip("matplotlib")

RNG = np.random.default_rng(0)
CURVE = np.linspace(0.0, 1.0, 2560).astype(np.float32)
EXCERPT = Excerpt(
    start_s=100.0,
    uv=RNG.normal(0.0, 20.0, (len(DERIVATIONS), 2560)).astype(np.float32),
    probability=CURVE,
    averaged=CURVE,
    on=0.86,
    annotated=((102.0, 104.0),),
    detected=((103.0, 106.0),),
)


def pixels(excerpt: Excerpt) -> NDArray[np.uint8]:
    """Return the picture of an excerpt, shape (height, width, 3)."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(draw(excerpt))).convert("RGB"))


def test_the_montage_is_the_longitudinal_one() -> None:
    assert len(DERIVATIONS) == len(set(DERIVATIONS)) == 18
    assert {name for pair in DERIVATIONS for name in pair} == set(ELECTRODES)
    assert ("Pz", "Fp2") not in DERIVATIONS


def test_a_picture_has_its_size_and_is_the_same_every_time() -> None:
    assert pixels(EXCERPT).shape == (round(SIZE_IN[1] * DPI), round(SIZE_IN[0] * DPI), 3)
    assert draw(EXCERPT) == draw(EXCERPT)


def test_without_samples_there_is_no_picture() -> None:
    assert draw(Excerpt()) == b""


@pytest.mark.parametrize(
    "changes",
    [
        {"annotated": ()},
        {"detected": ()},
        {"unjudged": ((100.0, 101.5),)},
        {"averaged": np.zeros(0, dtype=np.float32)},
        {"on": math.nan},
        {"doubtful": (True, *EXCERPT.doubtful[1:])},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_everything_that_is_known_is_drawn(changes: dict[str, object]) -> None:
    assert (pixels(EXCERPT) != pixels(replace(EXCERPT, **changes))).any()  # type: ignore[arg-type]


def test_what_is_annotated_is_grey_behind_the_traces() -> None:
    flat = replace(EXCERPT, uv=np.zeros_like(EXCERPT.uv), detected=())
    picture = pixels(flat)
    row = picture[round(0.5 * len(picture)) - 6]  # between two traces
    grey = np.flatnonzero((row > 200).all(axis=1) & (row < 235).all(axis=1))
    width = 0.90 * SIZE_IN[0] * DPI
    assert len(grey) == pytest.approx(0.2 * width, abs=6)  # two of ten seconds


def test_values_that_nobody_scored_are_gaps() -> None:
    holed = CURVE.copy()
    holed[500:1500] = np.nan
    assert (pixels(replace(EXCERPT, averaged=holed)) != pixels(EXCERPT)).any()


@given(scale=st.floats(0.1, 5000.0))
def test_the_scale_is_a_round_number_that_most_traces_fit(scale: float) -> None:
    uv = (scale * np.sin(np.linspace(0.0, 50.0, 500)))[None].repeat(18, axis=0).astype(np.float32)
    bar = spacing_uv(uv)
    assert bar in (20, 30, 50, 70, 100, 150, 200, 300, 500, 1000)
    assert bar >= min(1.9 * scale, 1000.0)


@given(
    values=hnp.arrays(
        np.float32, st.tuples(st.integers(1, 3), st.integers(1, 90)), elements=st.floats(-9, 9, width=32)
    ),
    per_column=st.integers(1, 12),
)
def test_an_envelope_keeps_every_extreme(values: NDArray[np.float32], per_column: int) -> None:
    found = envelope(values, per_column)
    n_columns = -(-values.shape[1] // per_column)
    assert found.shape == (len(values), 2 * n_columns)
    for column in range(n_columns):
        part = values[:, column * per_column : (column + 1) * per_column]
        assert (found[:, 2 * column] == part.min(axis=1)).all()
        assert (found[:, 2 * column + 1] == part.max(axis=1)).all()
