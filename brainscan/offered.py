"""Operating points that a card offers by name: a threshold and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MIN_SENSITIVITY = 0.1
"""An operating point is offered by its plain name if it finds this share at least, by the interval's lower end."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and what it rests on."""

    target_fa_per_24h: float
    enter: float
    leave: float
    fa_per_24h: float
    hours: float
    patients: int
    sensitivity: float
    sensitivity_ci95: tuple[float, float]
    source: str

    @property
    def finds_enough(self) -> bool:
        """Whether the point can be offered to somebody who knows no more than its name."""
        return self.sensitivity_ci95[0] >= MIN_SENSITIVITY

    @property
    def found(self) -> str:
        """The share of the seizures that it finds, with its interval, in words."""
        low, high = self.sensitivity_ci95
        return f"{self.sensitivity:.0%} of the seizures (95 %: {100 * low:.0f} to {100 * high:.0f} %)"


SIMULATED_PREFIX = "sim-"
"""Of the names of points that rest on simulation."""


def in_order(points: Mapping[str, OperatingPoint]) -> dict[str, OperatingPoint]:
    """Return operating points by their target, those of real recordings before those of simulation."""
    return dict(
        sorted(points.items(), key=lambda item: (item[0].startswith(SIMULATED_PREFIX), item[1].target_fa_per_24h))
    )
