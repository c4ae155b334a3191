"""The 19 electrodes of the 10-20 system, their order, their synonyms and where they sit.

The order is the product's everywhere inside. Positions are the idealised 10-10 positions on a unit sphere
(Jurcak et al., NeuroImage 2007;34:1600): x to the right ear, y to the nose, z up.
"""

from __future__ import annotations

from types import MappingProxyType

ELECTRODES: tuple[str, ...] = (
    "Fp1", "F3", "C3", "P3", "F7", "T3", "T5", "O1", "Fz", "Cz",
    "Pz", "Fp2", "F4", "C4", "P4", "F8", "T4", "T6", "O2",
)  # fmt: skip

N_ELECTRODES = len(ELECTRODES)

SYNONYMS = MappingProxyType({"T7": "T3", "T8": "T4", "P7": "T5", "P8": "T6"})
"""10-10 names of four electrodes; T1 and T2 are *not* among them."""

INDEX = MappingProxyType({name: i for i, name in enumerate(ELECTRODES)})

MIRROR: tuple[int, ...] = tuple(
    INDEX[
        {"Fp1": "Fp2", "F3": "F4", "C3": "C4", "P3": "P4", "F7": "F8", "T3": "T4", "T5": "T6", "O1": "O2"}.get(name)
        or {"Fp2": "Fp1", "F4": "F3", "C4": "C3", "P4": "P3", "F8": "F7", "T4": "T3", "T6": "T5", "O2": "O1"}.get(name)
        or name
    ]
    for name in ELECTRODES
)
"""Index of each electrode's left-right mirror image."""
