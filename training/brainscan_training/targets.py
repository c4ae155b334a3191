"""What a second should be and what missing it costs: labels, teachers, weights. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

from brainscan.mapping import require


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The loss.

    Parameters
    ----------
    focus : float
        Exponent gamma of the focal loss; 0 is cross-entropy.
    alpha : float
        Weight of ictal seconds against ``1 - alpha`` of the others.
    smoothing : float
        Labels become ``smoothing / 2`` and ``1 - smoothing / 2``.
    electrodes : float
        Weight of the loss that ties each electrode's evidence to whether it takes part (simulated seizures).
    """

    focus: float = 2.0
    alpha: float = 0.5
    smoothing: float = 0.02
    electrodes: float = 0.05

    def __post_init__(self) -> None:
        require(self.focus >= 0.0 and self.electrodes >= 0.0, "focus and electrodes must not be negative")
        require(0.0 < self.alpha < 1.0, f"alpha must lie between 0 and 1, got {self.alpha}")
        require(0.0 <= self.smoothing < 1.0, f"smoothing must lie within 0..1, got {self.smoothing}")


@dataclass(frozen=True, slots=True)
class DistilConfig:
    """Teachers of a run.

    Parameters
    ----------
    teachers : tuple of str
        Models whose mean logit teaches; none: labels alone do.
    share : float
        Weight of what the teachers say in each second's target, ``1 - share`` being the label's.
    """

    teachers: tuple[str, ...] = ()
    share: float = 0.7

    def __post_init__(self) -> None:
        require(0.0 <= self.share <= 1.0, f"share must lie within 0..1, got {self.share}")
