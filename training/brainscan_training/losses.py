"""Losses on one output a second."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from brainscan.events import RATE_HZ


def per_second(logits: Tensor) -> Tensor:
    """Return the mean logit of each second, shape (batch, n_seconds), of logits at 256 Hz."""
    return logits.reshape(logits.shape[0], -1, RATE_HZ).mean(dim=2)


def targets(ictal: Tensor, smoothing: float, taught: Tensor | None, share: float) -> Tensor:
    """Return what each second's probability should be: the smoothed label, or that and what teachers say.

    Parameters
    ----------
    ictal : Tensor, shape (batch, n_seconds)
    smoothing : float
        Labels become ``smoothing / 2`` and ``1 - smoothing / 2``.
    taught : Tensor, shape (batch, n_seconds), or None
        Probabilities by teachers.
    share : float
        Their weight.
    """
    smooth = ictal * (1.0 - smoothing) + 0.5 * smoothing
    return smooth if taught is None else torch.lerp(smooth, taught, share)


def detection_terms(
    logits: Tensor, ictal: Tensor, target: Tensor, weight: Tensor, *, focus: float = 0.0, alpha: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Return the weighted sum of the focal loss (Lin et al., ICCV 2017) of seconds, and the sum of the weights.

    Two sums, for batches that come in parts: a mean over parts is not the batch's mean where their weights differ.

    Parameters
    ----------
    logits, ictal, target, weight : Tensor, shape (batch, n_seconds)
        Labels weigh, targets are learned (`targets`); seconds of weight 0 do not count.
    focus : float
        The exponent gamma; 0 is cross-entropy.
    alpha : float
        Weight of ictal seconds; background has ``1 - alpha`` (both doubled, so that 0.5 is neutral).
    """
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    if focus > 0.0:
        probability = torch.sigmoid(logits)
        loss = loss * (ictal - probability).abs() ** focus
    weight = weight * balance(ictal, alpha)
    return (loss * weight).sum(), weight.sum()


def balance(ictal: Tensor, alpha: float) -> Tensor:
    """Return each second's weight by class: alpha for ictal ones, ``1 - alpha`` for the others, both doubled."""
    return 2.0 * (alpha * ictal + (1.0 - alpha) * (1.0 - ictal))


def electrode_terms(evidence: Tensor, electrodes: Tensor, ictal: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of the loss that ties each electrode's evidence to its part, and the values behind it.

    Parameters
    ----------
    evidence : Tensor, shape (batch, 19, n_steps)
        The decoder's value of each electrode.
    electrodes : Tensor, shape (batch, 19)
        1 where the electrode takes part, 0 where not, NaN where nobody knows.
    ictal : Tensor, shape (batch, n_seconds)
        Only ictal seconds count.
    """
    known = torch.isfinite(electrodes).all(dim=1)
    if not bool(known.any()):
        return evidence.sum() * 0.0, evidence.new_zeros(())
    seconds = F.adaptive_avg_pool1d(evidence[known], ictal.shape[1])
    target = electrodes[known].unsqueeze(2).expand_as(seconds)
    weight = ictal[known].unsqueeze(1).expand_as(seconds)
    loss = F.binary_cross_entropy_with_logits(seconds, target, reduction="none")
    return (loss * weight).sum(), weight.sum()
