"""Where a trained network's operating point lies: logit shift and scale that put it at the published thresholds.

Thresholds come from predictions that the training never saw (out-of-fold on the training split, and simulated
recordings of calibration seeds), never from the recordings that are reported.

    python -m brainscan_training.placing MODEL.safetensors ON OFF SHORTEST TARGET.safetensors [TRAILING [AFTER MORE]]

writes MODEL with two raw logits, as `benchmarks/crossval.py` prints them, at its card's thresholds, the seconds that
an event must last, how many seconds back a recording's own baseline looks (0, the default: none; ``1800,0.015,7`` also
says above which probability it is taken off, and how many logits at most), and for how many seconds after an event
another must rise so many raw logits above the threshold (the default: none).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from brainscan.card import BaselineConfig, Card, PostictalConfig
from brainscan.errors import BrainscanError
from brainscan.model import checkpoint

_USAGE = "python -m brainscan_training.placing MODEL ON OFF SHORTEST TARGET [TRAILING [AFTER MORE]]"


def placed(card: Card, on_logit: float, off_logit: float) -> Card:
    """Return the card whose shift and scale put two raw logits at the decision's thresholds.

    Parameters
    ----------
    card : Card
        Its `decision.enter` and `decision.leave` are the probabilities that the logits shall become.
    on_logit, off_logit : float
        Thresholds on the network's raw logits, ``off_logit < on_logit``.

    Raises
    ------
    ValueError
        If the thresholds are out of order or the decision has none between 0 and 1.

    Examples
    --------
    >>> placed(Card(name="x", variant={}), 1.0, 0.0).logit_shift < 1.0
    True
    """
    enter, leave = card.decision.enter, card.decision.leave
    if not off_logit < on_logit:
        raise ValueError(f"the off threshold must lie below the on threshold, got {off_logit} and {on_logit}")
    if not 0.0 < leave < enter < 1.0:
        raise ValueError(f"the decision needs 0 < off < on < 1, got {leave} and {enter}")
    high, low = (math.log(p / (1.0 - p)) for p in (enter, leave))
    scale = (high - low) / (on_logit - off_logit)
    return replace(card, logit_scale=scale, logit_shift=on_logit - high / scale)


def _baseline(
    trailing_s: float, quiet: float = BaselineConfig().quiet, most: float = BaselineConfig().most
) -> BaselineConfig:
    return BaselineConfig(trailing_s, quiet=quiet, most=most)


def main(arguments: Sequence[str]) -> str:
    """Place a checkpoint as the arguments say; return what to say, empty where all went well."""
    try:
        model, on, off, shortest_s, target, *rest = arguments
        if len(rest) == 2:
            raise ValueError("AFTER goes with MORE")
        trailing, within_s, more = (*rest, *"000"[len(rest) :])
        loaded = checkpoint.load(model)
        baseline = _baseline(*map(float, trailing.split(",", 2)))
        decision = replace(loaded.card.decision, min_duration_s=float(shortest_s), baseline=baseline)
        card = placed(replace(loaded.card, decision=decision), float(on), float(off))
        postictal = PostictalConfig(float(within_s), round(float(more) * card.logit_scale, 3))
        card = replace(card, decision=replace(card.decision, postictal=postictal))
        checkpoint.save(Path(target), loaded.network, card)
    except (BrainscanError, ValueError) as problem:
        return f"error: {problem}. usage: {_USAGE}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
