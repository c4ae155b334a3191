"""What a reader must know of a decision beside its events: what was taken off the curve, and what was left out."""

from __future__ import annotations

from brainscan.card import PostictalConfig


def of_loudness(lowered_s: float) -> str:
    """Return the warning of a recording that the network took for a seizure much of the time; empty for none."""
    if not lowered_s:
        return ""
    how_long = f"{lowered_s / 60.0:.0f} min" if lowered_s >= 60.0 else f"{lowered_s:.0f} s"
    return (
        f"the network read this recording high for long; for {how_long} its baseline was taken off, and"
        " seizures count only above it: look whether seizure activity goes on all the time"
    )


def of_left_out(left_out: int, asked: PostictalConfig) -> str:
    """Return what is to be said of stretches that were no events because they came soon after one; empty for none."""
    if not left_out:
        return ""
    what = "a stretch was" if left_out == 1 else f"{left_out} stretches were"
    return (
        f"{what} left out that began within {asked.within_s:g} s after an event and rose less than {asked.logits:g}"
        " logits above the threshold, as what follows a seizure does; `--probabilities` keeps the curve"
    )
