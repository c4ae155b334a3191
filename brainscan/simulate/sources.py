"""Where a seizure sits: patches of cortex that it holds from the start, and those that it reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainscan.simulate.head import beside, directions, patch_fields
from brainscan.simulate.noise import Array


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A patch of cortex that a seizure reaches, `lag` radians and `from_share` of the seizure behind its core.

    `middle` is the unit vector to it.
    """

    field: Array
    strength: float
    from_share: float
    lag: float
    middle: Array


def focal_sources(rng: np.random.Generator) -> list[Source]:
    """Return a core, what lies near it, and often its mirror image in the other hemisphere."""
    core = directions(rng, 1)[0]
    middles = [core]
    courses = [(1.0, 0.0, 0.0)]
    for _ in range(int(rng.integers(1, 6))):
        middles.append(beside(rng, core, rng.uniform(0.3, 1.0)))
        courses.append((rng.uniform(0.3, 0.9), rng.uniform(0.0, 0.6), rng.normal(0.0, 0.8)))
    if rng.uniform() < 0.4:
        middles.append(beside(rng, core * (-1.0, 1.0, 1.0), 0.15))
        courses.append((rng.uniform(0.2, 0.9), rng.uniform(0.2, 0.7), rng.normal(0.0, 1.2)))
    fields = patch_fields(rng, np.array(middles), rng.uniform(0.2, 0.55))
    return [Source(field, *course, middle) for field, course, middle in zip(fields.T, courses, middles, strict=True)]


def bilateral_sources(rng: np.random.Generator, front: float) -> list[Source]:
    """Return wide sources of both sides in step; `front` is how far to the nose the largest ones sit."""
    middles, strengths = [], []
    for y, strength in ((front, 1.0), (front - 0.6, rng.uniform(0.5, 0.9)), (front - 1.2, rng.uniform(0.2, 0.6))):
        tilt = rng.normal(0.0, 0.1)
        for x in (-0.4, 0.4):
            middles.append(np.array((x + tilt, y, 0.9)))
            strengths.append(strength * rng.uniform(0.8, 1.0))
    outward = np.array(middles) / np.linalg.norm(middles, axis=1, keepdims=True)
    fields = patch_fields(rng, outward, 0.3)
    return [
        Source(field, strength, 0.0, rng.normal(0.0, 0.12), middle)
        for field, strength, middle in zip(fields.T, strengths, outward, strict=True)
    ]
