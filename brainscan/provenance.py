"""`Provenance`: where a checkpoint comes from, whom it was tried on, and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from brainscan.caps import CapFigures
from brainscan.cohort import Cohort

NOTICE = "research use, not a medical device"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a checkpoint comes from and what it is for.

    Parameters
    ----------
    training_data : tuple of mapping
        Each corpus with its licence and whom to cite.
    commit, seed, selection
        The code, the random numbers and the choice that made these weights.
    tests : mapping
        Figures of the run itself, on held-out recordings.
    intended_use : str
    trained, tested : tuple of Cohort
        Whose recordings the weights were made from, and whose they were tried on.
    caps : mapping of name to CapFigures
        What was measured with fewer electrodes (`brainscan.caps`), and with all.
    caps_weights : str
        Checksum of the weights that it was measured with.
    licence : str
    """

    training_data: tuple[Mapping[str, str], ...] = ()
    commit: str = ""
    seed: int = 0
    selection: str = ""
    tests: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    intended_use: str = "Marks likely seizures in scalp EEG for review by a trained reader; " + NOTICE + "."
    trained: tuple[Cohort, ...] = ()
    tested: tuple[Cohort, ...] = ()
    caps: Mapping[str, CapFigures] = field(default_factory=lambda: MappingProxyType({}))
    caps_weights: str = ""
    licence: str = "Apache-2.0"
