"""How sure a figure is: bootstrap over patients, exact Poisson intervals, paired comparison.

Patients, not recordings or seizures, are drawn: what one patient contributes is not independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 1000
CONFIDENCE = 0.95

_MAX_REDRAWS = 100  # per draw; a statistic that is undefined almost everywhere has no interval

Statistic = Callable[[NDArray[np.int64]], float]
"""``weights, shape (n_groups,): how often each patient is drawn -> value``; NaN where it is undefined."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; both ends NaN where none can be given."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired comparison.

    Parameters
    ----------
    estimate : float
        Second minus first, over all patients.
    interval : Interval
        Percentiles of that difference over the draws.
    p_value : float
        Two-sided: twice the smaller share of draws on either side of zero (never below ``2 / (n + 1)``).
    """

    estimate: float
    interval: Interval
    p_value: float


NONE = Interval(math.nan, math.nan)


def draws(n_groups: int, rng: np.random.Generator, n_draws: int = N_DRAWS) -> NDArray[np.int64]:
    """Draw patients with replacement.

    Returns
    -------
    array of int64, shape (n_draws, n_groups)
        How often each patient is in each draw; rows sum to `n_groups`.
    """
    return rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=n_draws).astype(np.int64)


def bootstrap(
    statistic: Statistic,
    n_groups: int,
    rng: np.random.Generator,
    *,
    n_draws: int = N_DRAWS,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Return the percentile interval of a statistic over patients.

    Parameters
    ----------
    statistic : callable
        See `Statistic`. Draws on which it is NaN (no seizure, one class only) are drawn again.
    n_groups : int
        Number of patients. With fewer than two there is nothing to draw, and no interval.
    rng : Generator
        Seeded by the caller.
    """
    if n_groups < 2:
        return NONE
    values = _defined_values(statistic, n_groups, rng, n_draws)
    return NONE if values is None else _percentiles(values, confidence)


def bootstrap_ratio(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    n_draws: int = N_DRAWS,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Return the interval of ``sum(numerator) / sum(denominator)``, such as a sensitivity.

    Parameters
    ----------
    numerator, denominator : array, shape (n_groups,)
        A patient's share each: seizures found, and seizures.
    """
    top, bottom = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)

    def ratio(weights: NDArray[np.int64]) -> float:
        base = float(weights @ bottom)
        return float(weights @ top) / base if base > 0 else math.nan

    return bootstrap(ratio, len(bottom), rng, n_draws=n_draws, confidence=confidence)


def paired_bootstrap(
    first: Statistic,
    second: Statistic,
    n_groups: int,
    rng: np.random.Generator,
    *,
    n_draws: int = N_DRAWS,
    confidence: float = CONFIDENCE,
) -> Difference:
    """Compare two detectors on the same patients: each draw scores both.

    Parameters
    ----------
    first, second : callable
        See `Statistic`; the same figure of either detector.
    """

    def difference(weights: NDArray[np.int64]) -> float:
        return second(weights) - first(weights)

    estimate = difference(np.ones(n_groups, dtype=np.int64))
    values = _defined_values(difference, n_groups, rng, n_draws) if n_groups >= 2 else None
    if values is None:
        return Difference(estimate, NONE, math.nan)
    side = min(np.count_nonzero(values <= 0), np.count_nonzero(values >= 0))
    p_value = min(1.0, 2.0 * (side + 1) / (len(values) + 1))
    return Difference(estimate, _percentiles(values, confidence), p_value)


def poisson_interval(count: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the exact (Garwood) interval of a Poisson mean from one count.

    Raises
    ------
    ValueError
        If the count is negative or the confidence is not within 0..1.
    """
    tail = (1.0 - _checked(count, confidence)) / 2.0
    low = 0.0 if count == 0 else _gamma_quantile(count, tail)
    return Interval(low, _gamma_quantile(count + 1, 1.0 - tail))


def poisson_upper(count: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided upper bound of a Poisson mean from one count.

    No alarm at all only proves a mean below 3.0: in 2.7 h that is 27 a day.

    Raises
    ------
    ValueError
        As `poisson_interval`.
    """
    return _gamma_quantile(count + 1, _checked(count, confidence))


def per_24h(count: float, hours: float) -> float:
    """Return a count as a rate per 24 h; NaN without any hours."""
    return count / hours * 24.0 if hours > 0 else math.nan


def _checked(count: int, confidence: float) -> float:
    if count < 0 or not 0.0 < confidence < 1.0:
        raise ValueError(f"needs count >= 0 and 0 < confidence < 1, got {count} and {confidence}")
    return confidence


def _gamma_quantile(shape: int, share: float) -> float:
    # A Poisson tail is a gamma tail (Garwood 1936). `scipy.special` loads in a fifth of `scipy.stats`' time.
    from scipy.special import gammaincinv

    return float(gammaincinv(shape, share))


def _percentiles(values: NDArray[np.float64], confidence: float) -> Interval:
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(values, (tail, 100.0 - tail))
    return Interval(float(low), float(high))


def _defined_values(
    statistic: Statistic, n_groups: int, rng: np.random.Generator, n_draws: int
) -> NDArray[np.float64] | None:
    values: list[float] = []
    for _ in range(_MAX_REDRAWS):
        for weights in draws(n_groups, rng, n_draws - len(values)):
            value = statistic(weights)
            if not math.isnan(value):
                values.append(value)
        if len(values) == n_draws:
            return np.array(values)
    return None
