"""Caps with fewer electrodes than the 19: which there are, and what was measured with each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from brainscan.electrodes import ELECTRODES, MIDLINE

ALL = "all"
"""Among figures: those of the 19, beside which the others stand."""

MIN_AUROC = 0.9
"""A cap is analysed if pieces of seizures rank so high within a child, and half of what the 19 find is found."""


@dataclass(frozen=True, slots=True)
class Cap:
    """Electrodes that are worn together.

    Parameters
    ----------
    name : str
        ``hairline``; of its figures on a card.
    words : str
        What it is, for people.
    electrodes : tuple of str
        Of the 19, in their order.
    pairs : tuple of (str, str)
        The derivations that are recorded; empty where each electrode is recorded against a reference.
    """

    name: str
    words: str
    electrodes: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CapFigures:
    """What a model did with the electrodes of a cap alone: `benchmarks/caps.py` measures it.

    Parameters
    ----------
    auroc : float
        Of 10 s pieces, mean within the children of the development recordings.
    found, seizures : int
        Seizures of development recordings.
    false_alarms : int
        On development background.
    hours : float
        Of that background.
    simulated_found, simulated_seizures, simulated_false_alarms : int
    simulated_hours : float
        The same on simulated recordings.
    """

    auroc: float
    found: int
    seizures: int
    false_alarms: int
    hours: float
    simulated_found: int
    simulated_seizures: int
    simulated_false_alarms: int
    simulated_hours: float


def _cap(name: str, words: str, electrodes: str) -> Cap:
    held = electrodes.split()
    return Cap(name, words, tuple(e for e in ELECTRODES if e in held))


def _chains(name: str, words: str, *chains: str) -> Cap:
    pairs = tuple(pair for chain in chains for pair in pairwise(chain.split()))
    held = {electrode for pair in pairs for electrode in pair}
    return Cap(name, words, tuple(e for e in ELECTRODES if e in held), pairs)


CAPS: tuple[Cap, ...] = (
    _cap("sixteen", "16 electrodes without the midline", " ".join(e for e in ELECTRODES if e not in MIDLINE)),
    _cap("hairline", "10 electrodes along the hairline", "Fp1 Fp2 F7 F8 T3 T4 T5 T6 O1 O2"),
    _cap("ten", "10 electrodes over both sides, none on the midline", "Fp1 Fp2 F3 F4 C3 C4 T3 T4 O1 O2"),
    _chains("eight", "8-channel bipolar cap (rapid response)", "Fp1 F7 T3 T5 O1", "Fp2 F8 T4 T6 O2"),
    _chains("ears", "2 channels behind the ears", "T3 T5", "T4 T6"),
)


def cap_of(electrodes: Collection[str], *, bipolar: bool) -> Cap | None:
    """Return the cap that has these of the 19 electrodes and no others; None if there is none.

    >>> cap_of(["T3", "T5", "T4", "T6"], bipolar=True).name
    'ears'
    """
    return next((c for c in CAPS if set(c.electrodes) == set(electrodes) and bool(c.pairs) == bipolar), None)


def is_enough(cap: Cap, figures: Mapping[str, CapFigures]) -> bool:
    """Say whether a cap may be analysed: it was measured, ranks as `MIN_AUROC` asks, finds half of what the 19 find."""
    if cap.name not in figures or ALL not in figures:
        return False
    own, full = figures[cap.name], figures[ALL]
    return own.auroc >= MIN_AUROC and full.found > 0 and 2 * own.found >= full.found


def expectation(cap: Cap, figures: Mapping[str, CapFigures]) -> str:
    """Return in a line what is to be expected of a cap; empty where it was not measured."""
    if cap.name not in figures or ALL not in figures:
        return ""
    own, full = figures[cap.name], figures[ALL]
    alarms = f"{own.false_alarms} false alarm{'' if own.false_alarms == 1 else 's'}"
    return (
        f"{cap.words}: {own.found} of {own.seizures} seizures of the development recordings were found with these alone"
        f" ({full.found} with all 19), and {own.simulated_found} of {own.simulated_seizures} simulated ones"
        f" ({full.simulated_found}); {alarms} in {own.hours:.1f} h ({full.false_alarms}) and"
        f" {own.simulated_false_alarms} in {own.simulated_hours:.0f} simulated h ({full.simulated_false_alarms});"
        f" AUROC within children {own.auroc:.2f} ({full.auroc:.2f})"
    )
