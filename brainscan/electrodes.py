"""The 19 electrodes of the 10-20 system, their order, their synonyms and where they sit.

The order is the product's everywhere inside. Positions are idealised ones on a unit sphere (the spherical
head that source-analysis programs use, with T3, Fpz, T4 and Oz near the equator): x to the right ear, y to
the nose, z up.
"""

from __future__ import annotations

from math import cos, radians, sin
from types import MappingProxyType

ELECTRODES: tuple[str, ...] = (
    "Fp1", "F3", "C3", "P3", "F7", "T3", "T5", "O1", "Fz", "Cz",
    "Pz", "Fp2", "F4", "C4", "P4", "F8", "T4", "T6", "O2",
)  # fmt: skip

N_ELECTRODES = len(ELECTRODES)

SYNONYMS = MappingProxyType({"T7": "T3", "T8": "T4", "P7": "T5", "P8": "T6"})
"""10-10 names of four electrodes; T1 and T2 are *not* among them."""

LEFT = ("Fp1", "F3", "C3", "P3", "F7", "T3", "T5", "O1")
RIGHT = ("Fp2", "F4", "C4", "P4", "F8", "T4", "T6", "O2")
MIDLINE = frozenset(("Fz", "Cz", "Pz"))

CHAINS: tuple[tuple[str, ...], ...] = (
    ("Fp1", "F7", "T3", "T5", "O1"),
    ("Fp1", "F3", "C3", "P3", "O1"),
    ("Fz", "Cz", "Pz"),
    ("Fp2", "F4", "C4", "P4", "O2"),
    ("Fp2", "F8", "T4", "T6", "O2"),
)
"""The chains of the longitudinal bipolar montage (double banana), left to right."""

INDEX = MappingProxyType({name: i for i, name in enumerate(ELECTRODES)})

MIRROR: tuple[int, ...] = tuple(
    INDEX[
        {
            "Fp1": "Fp2",
            "F3": "F4",
            "C3": "C4",
            "P3": "P4",
            "F7": "F8",
            "T3": "T4",
            "T5": "T6",
            "O1": "O2",
        }.get(name)
        or {
            "Fp2": "Fp1",
            "F4": "F3",
            "C4": "C3",
            "P4": "P3",
            "F8": "F7",
            "T4": "T3",
            "T6": "T5",
            "O2": "O1",
        }.get(name)
        or name
    ]
    for name in ELECTRODES
)
"""Index of each electrode's left-right mirror image."""

# Inclination from the vertex (negative: left half) and azimuth, degrees.
_ANGLES: dict[str, tuple[float, float]] = {
    "Fp1": (-92, -72), "F3": (-60, -51), "C3": (-46, 0), "P3": (-60, 51), "F7": (-92, -36),
    "T3": (-92, 0), "T5": (-92, 36), "O1": (-92, 72), "Fz": (46, 90), "Cz": (0, 0),
    "Pz": (46, -90), "Fp2": (92, 72), "F4": (60, 51), "C4": (46, 0), "P4": (60, -51),
    "F8": (92, 36), "T4": (92, 0), "T6": (92, -36), "O2": (92, -72),
}  # fmt: skip


def _on_sphere(inclination: float, azimuth: float) -> tuple[float, float, float]:
    theta, phi = radians(inclination), radians(azimuth)
    return (sin(theta) * cos(phi), sin(theta) * sin(phi), cos(theta))


POSITIONS: tuple[tuple[float, float, float], ...] = tuple(_on_sphere(*_ANGLES[name]) for name in ELECTRODES)
"""Unit vectors of the 19, in order."""
