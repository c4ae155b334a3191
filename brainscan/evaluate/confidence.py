"""How far a confidence can be believed: candidate events, reliability, and a monotone map from mean to confidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainscan.evaluate.counts import Judged
from brainscan.events import Event
from brainscan.scoring.intervals import NONE, bootstrap
from brainscan.scoring.operating_points import THRESHOLDS
from brainscan.scoring.ranking import N_BINS, Ranking

LOWEST = 0.3
"""Candidates are sought down to this threshold; below it everything runs together."""

MIN_CANDIDATES = 20
MIN_PATIENTS = 10
"""A map needs so many true candidates of so many patients, and as many false ones of as many."""

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Events that could be seizures.

    Parameters
    ----------
    mean : array of float64, shape (n,)
        Mean probability inside, before any map.
    true : array of bool, shape (n,)
        Whether a seizure overlaps the event.
    patient : array of str, shape (n,)
        Whose recording it is in.
    """

    mean: NDArray[np.float64]
    true: NDArray[np.bool_]
    patient: NDArray[np.str_]

    @property
    def too_few(self) -> str:
        """Why no map can be fitted to them; empty if one can."""
        found = []
        for what, chosen in (("true", self.true), ("false", ~self.true)):
            n, patients = int(chosen.sum()), len(np.unique(self.patient[chosen]))
            if n < MIN_CANDIDATES or patients < MIN_PATIENTS:
                found.append(
                    f"{n} {what} event{'' if n == 1 else 's'} of {patients} patient{'' if patients == 1 else 's'}"
                )
        needed = f"it takes {MIN_CANDIDATES} true and {MIN_CANDIDATES} false ones, each of {MIN_PATIENTS} patients"
        return f"{' and '.join(found)}, and {needed}" if found else ""


def candidates(recordings: Iterable[Judged], on: float, lowest: float = LOWEST) -> Candidates:
    """Collect each rise of the curve once: at the threshold in force, else at the highest one below that it reaches.

    Parameters
    ----------
    recordings : iterable of Judged
    on : float
        The threshold in force.
    lowest : float
        Where to stop.
    """
    numbers = [k for k, threshold in enumerate(THRESHOLDS) if lowest <= threshold <= on + 1e-9]
    means, truths = [np.zeros(0)], [np.zeros(0, dtype=np.bool_)]
    patients = [np.zeros(0, dtype=np.str_)]
    for recording in recordings:
        seizures = np.array([(s.onset_s, s.offset_s) for s in recording.seizures]).reshape(-1, 2)
        found = recording.clipped(recording.hypothesis.sweep)
        taken = np.zeros((0, 2))
        for k in reversed(numbers):
            rows = slice(*np.searchsorted(found.index, (k, k + 1)).tolist())
            spans = np.stack((found.onset_s[rows], found.offset_s[rows]), axis=1)
            new = ~_touched(spans, taken)
            means.append(found.confidence[rows][new])
            truths.append(_touched(spans[new], seizures))
            patients.append(np.full(int(new.sum()), recording.case.patient))
            taken = np.concatenate((taken, spans[new]))
    return Candidates(np.concatenate(means), np.concatenate(truths), np.concatenate(patients))


def _touched(spans: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which spans, shape (n, 2), overlap any of the others."""
    both = (spans[:, :1] < others[:, 1]) & (spans[:, 1:] > others[:, 0])
    return np.asarray(both.any(axis=1))


def reliability(found: Candidates, knots: Knots = ()) -> list[dict[str, Any]]:
    """Return, for each tenth of confidence that any candidate has, the mean confidence and the share that is true."""
    confidence = mapped(found.mean, knots)
    place = np.clip((confidence * N_BINS).astype(np.int64), 0, N_BINS - 1)
    rows = []
    for k in range(N_BINS):
        inside = place == k
        if inside.any():
            rows.append(
                {
                    "from": k / N_BINS,
                    "to": (k + 1) / N_BINS,
                    "events": int(inside.sum()),
                    "confidence": float(confidence[inside].mean()),
                    "true_share": float(found.true[inside].mean()),
                }
            )
    return rows


def calibration_error(found: Candidates, rng: np.random.Generator, knots: Knots = ()) -> dict[str, Any]:
    """Return how far confidences are from the share that is true, on average, with its interval over patients.

    See `brainscan.scoring.ranking.Ranking.calibration_error`; NaN without candidates.
    """
    patients, owner = np.unique(found.patient, return_inverse=True)
    ranking = Ranking(mapped(found.mean, knots), found.true, owner.astype(np.int64), len(patients))
    value = ranking.calibration_error(np.ones(len(patients), dtype=np.int64))
    ends = bootstrap(ranking.calibration_error, len(patients), rng) if len(found.mean) else NONE
    return {"value": value, "ci95": [ends.low, ends.high], "events": len(found.mean), "patients": len(patients)}


def mapped(mean: NDArray[np.float64], knots: Knots) -> NDArray[np.float64]:
    """Return confidences of mean probabilities, as the decision maps them."""
    if not knots:
        return mean
    x, y = zip(*knots, strict=True)
    return np.asarray(np.interp(mean, x, y), dtype=np.float64)


def fit_map(found: Candidates) -> Knots:
    """Return the knots of the monotone map that fits the candidates best (least squares), empty if `too_few`.

    Pool-adjacent-violators (Ayer et al., 1955). Each block of equal confidence is a knot at its mean; half a
    success and half a failure are added to each, since no block of finite size proves certainty.
    """
    if found.too_few:
        return ()
    order = np.argsort(found.mean, kind="stable")
    x, inverse = np.unique(found.mean[order], return_inverse=True)
    weight = np.bincount(inverse).astype(np.float64)
    share = np.bincount(inverse, weights=found.true[order]) / weight
    blocks = pool_violators(share, weight)
    knots = [
        (float(np.average(x[a:b], weights=weight[a:b])), value, float(weight[a:b].sum())) for a, b, value in blocks
    ]
    shrunk = np.array([(value * n + 0.5) / (n + 1.0) for _, value, n in knots])
    again = pool_violators(shrunk, np.array([n for *_, n in knots]))
    heights = np.concatenate([np.full(b - a, value) for a, b, value in again])
    return tuple((at, float(height)) for (at, *_), height in zip(knots, heights, strict=True))


def pool_violators(values: NDArray[np.float64], weights: NDArray[np.float64]) -> list[tuple[int, int, float]]:
    """Return the non-decreasing sequence closest to `values` as blocks ``(first, stop, value)``.

    >>> pool_violators(np.array([1.0, 0.0, 2.0]), np.ones(3))
    [(0, 2, 0.5), (2, 3, 2.0)]
    """
    blocks: list[tuple[int, int, float, float]] = []
    for k, (value, weight) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
        first, height, mass = k, value, weight
        while blocks and blocks[-1][2] >= height:
            first, _, below, more = blocks.pop()
            height = (height * mass + below * more) / (mass + more)
            mass += more
        blocks.append((first, k + 1, height, mass))
    return [(first, stop, height) for first, stop, height, _ in blocks]


def with_map(events: Iterable[Event], knots: Knots) -> tuple[Event, ...]:
    """Return events with their mean probability turned into confidence."""
    found = tuple(events)
    if not knots:
        return found
    confidence = mapped(np.array([event.confidence for event in found]), knots).tolist()
    return tuple(Event(e.onset_s, e.offset_s, c, e.prolonged) for e, c in zip(found, confidence, strict=True))
