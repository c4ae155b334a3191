"""Hypothesis strategies that several test modules share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray


@st.composite
def runs_of(
    draw: st.DrawFn, values: st.SearchStrategy[float], *, longest: int = 60, most: int = 14
) -> NDArray[np.float32]:
    """Draw a curve of runs of equal values, which thresholds and dwells care about more than single samples."""
    pieces = draw(st.lists(st.tuples(values, st.integers(1, longest)), min_size=1, max_size=most))
    return np.concatenate([np.full(n, v, dtype=np.float32) for v, n in pieces])


masks = hnp.arrays(np.bool_, st.integers(0, 300)) | runs_of(st.sampled_from([0.0, 1.0])).map(lambda a: a > 0.5)
"""Boolean masks, of single samples and of runs."""

probabilities = st.floats(0.0, 1.0, width=32)

curves = runs_of(probabilities)
"""Curves without unscored spans."""

holed_curves = runs_of(st.one_of(probabilities, st.just(float("nan"))))
"""Curves with unscored spans."""

cuts = st.lists(st.floats(0.0, 1.0), max_size=6)
"""Where to cut a signal, as shares of its length."""


def pieces(curve: NDArray[np.float32], at: list[float]) -> list[NDArray[np.float32]]:
    """Cut a curve at shares of its length."""
    return np.split(curve, sorted(round(share * len(curve)) for share in at))
