"""Where sources sit and how they reach the electrodes: a spherical head of three shells.

Brain, skull and scalp are concentric spheres; the potential of a current dipole on the outer one is a
Legendre series in closed form (Ary, Klein and Fender, IEEE Trans Biomed Eng 1981;28:447-452). Lengths are
in radii of the head, the axes those of `brainscan.electrodes` (x right, y nose, z up).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brainscan.electrodes import N_ELECTRODES, POSITIONS

Array = NDArray[np.float64]

BRAIN_RADIUS = 0.87
SKULL_RADIUS = 0.92
SKULL_CONDUCTIVITY = 1 / 25
"""Skull to brain; 25 ± 7 to 1 was measured in patients (Lai et al., Clin Neurophysiol 2005;116:456-465)."""

CORTEX_RADII = (0.70, 0.82)
"""Sulci and gyri: 4 to 15 mm below the inner skull of a head of 9 cm."""

LOWEST_Z = -0.25
"""Cortex reaches below the equator of T3, Fpz, T4 at the temporal poles; lower lie brainstem and neck."""

N_TERMS = 40
"""Within 0.3 % of the whole series at eccentricity 0.82."""

_PATCH_POINTS = 12
_ELECTRODES: Array = np.array(POSITIONS)


def lead_field(positions: Array, moments: Array) -> Array:
    """Return what each dipole contributes at each electrode, against infinity.

    Parameters
    ----------
    positions : array, shape (n_dipoles, 3)
        Inside the brain, radii of the head, not the very centre.
    moments : array, shape (n_dipoles, 3)
        Strength and direction, any unit.

    Returns
    -------
    array, shape (19, n_dipoles)
        Potential up to the factor ``1 / (4 π σ R²)``.

    Raises
    ------
    ValueError
        If a dipole lies at the centre or outside the brain.
    """
    eccentricity = np.linalg.norm(positions, axis=1)
    if np.any(eccentricity <= 0) or np.any(eccentricity >= BRAIN_RADIUS):
        raise ValueError(f"dipoles must lie between the centre and {BRAIN_RADIUS}, got {eccentricity.max():.3f}")
    outward = positions / eccentricity[:, None]
    radial = np.einsum("ij,ij->i", moments, outward)
    cosine = np.clip(_ELECTRODES @ outward.T, -1.0, 1.0)
    # m_t P_n^1(cos γ) cos φ = (tangential moment · electrode) P_n'(cos γ): no angle is ever computed
    tangential = _ELECTRODES @ (moments - radial[:, None] * outward).T

    potential: Array = np.zeros_like(cosine)
    before, legendre = np.ones_like(cosine), cosine
    slope_before, slope = np.zeros_like(cosine), np.ones_like(cosine)
    for n in range(1, N_TERMS + 1):
        term = n * radial * legendre + tangential * slope
        potential += shell_factor(n) * eccentricity ** (n - 1) * term
        before, legendre = legendre, ((2 * n + 1) * cosine * legendre - n * before) / (n + 1)
        slope_before, slope = slope, slope_before + (2 * n + 1) * before
    return potential


def shell_factor(n: int) -> float:
    """Return how strongly term `n` of the series passes the skull; ``(2 n + 1) / n`` where there is none."""
    xi, f1, f2 = SKULL_CONDUCTIVITY, BRAIN_RADIUS, SKULL_RADIUS
    k = 2 * n + 1
    through = ((n + 1) * xi + n) * (n * xi / (n + 1) + 1)
    inner = (1 - xi) * ((n + 1) * xi + n) * (f1**k - f2**k)
    outer = n * (1 - xi) ** 2 * (f1 / f2) ** k
    return float(xi * k**3 / ((through + inner - outer) * n * (n + 1)))


def directions(rng: np.random.Generator, n: int) -> Array:
    """Draw directions uniformly over the part of the sphere that cortex lies under, shape (n, 3)."""
    z = rng.uniform(LOWEST_Z, 1.0, n)
    azimuth = rng.uniform(0.0, 2 * np.pi, n)
    across = np.sqrt(1.0 - z**2)
    return np.stack((across * np.cos(azimuth), across * np.sin(azimuth), z), axis=1)


def spread_directions(n: int) -> Array:
    """Return `n` directions evenly over cortex (a golden-angle spiral), shape (n, 3)."""
    z = 1.0 - (1.0 - LOWEST_Z) * (np.arange(n) + 0.5) / n
    azimuth = np.arange(n) * np.pi * (3.0 - np.sqrt(5.0))
    across = np.sqrt(1.0 - z**2)
    return np.stack((across * np.cos(azimuth), across * np.sin(azimuth), z), axis=1)


def beside(rng: np.random.Generator, direction: Array, angle_rad: float) -> Array:
    """Return a direction at an angle from another, to a random side but not below cortex, shape (3,)."""
    tangent = np.cross(direction, directions(rng, 1)[0])
    tangent /= np.linalg.norm(tangent)
    moved: Array = np.cos(angle_rad) * direction + np.sin(angle_rad) * tangent
    moved[2] = max(moved[2], LOWEST_Z)
    unit: Array = moved / np.linalg.norm(moved)
    return unit


def patch_field(rng: np.random.Generator, direction: Array, extent_rad: float) -> Array:
    """Return the scalp field of one patch of cortex, shape (19,); see `patch_fields`."""
    field: Array = patch_fields(rng, direction[None], extent_rad)[:, 0]
    return field


def patch_fields(rng: np.random.Generator, middles: Array, extent_rad: float) -> Array:
    """Return the scalp fields of patches of cortex, largest absolute value 1, common average taken off.

    Parameters
    ----------
    rng : Generator
        Draws depth and folding.
    middles : array, shape (n_patches, 3)
        Unit vectors to the middle of each patch.
    extent_rad : float
        Standard deviation of a patch's points, seen from the centre of the head.

    Returns
    -------
    array, shape (19, n_patches)
    """
    n_patches = len(middles)
    jitter = rng.normal(0.0, extent_rad, (n_patches, _PATCH_POINTS, 3))
    outward = middles[:, None, :]
    points = outward + jitter - np.sum(jitter * outward, axis=2, keepdims=True) * outward
    points /= np.linalg.norm(points, axis=2, keepdims=True)
    # Crowns of gyri point outward, walls of sulci along the surface; walls cancel in part over a patch.
    tilt = rng.normal(0.0, 0.4, (n_patches, 1, 3)) + rng.normal(0.0, 0.3, points.shape)
    radii = rng.uniform(*CORTEX_RADII, (n_patches, 1, 1))
    fields = lead_field((points * radii).reshape(-1, 3), (points + tilt).reshape(-1, 3))
    fields = fields.reshape(N_ELECTRODES, n_patches, _PATCH_POINTS).mean(axis=2)
    fields -= fields.mean(axis=0)
    scaled: Array = fields / np.abs(fields).max(axis=0)
    return scaled


def skin_field(direction: Array, width_rad: float) -> Array:
    """Return a bell-shaped field on the skin (muscles, eyes, touched electrodes), peak 1, shape (19,)."""
    angle = np.arccos(np.clip(_ELECTRODES @ (direction / np.linalg.norm(direction)), -1.0, 1.0))
    bell: Array = np.exp(-0.5 * (angle / width_rad) ** 2)
    return bell


def source_covariance(weights: Array, radius: float) -> Array:
    """Return the covariance over the electrodes of independent radial sources all over the upper sphere.

    Parameters
    ----------
    weights : array, shape (n_sources,)
        Power of each source of `spread_directions`.
    radius : float
        Where they sit: in `CORTEX_RADII`, or deeper, which gives the wide fields of large coherent areas.

    Returns
    -------
    array, shape (19, 19)
        Mean variance 1 after the common average.
    """
    field = _radial_fields(len(weights), radius)
    covariance = (field * weights) @ field.T
    scaled: Array = covariance * N_ELECTRODES / np.trace(covariance)
    return scaled


@lru_cache(maxsize=4)
def _radial_fields(n: int, radius: float) -> Array:
    outward = spread_directions(n)
    field = lead_field(outward * radius, outward)
    field -= field.mean(axis=0)
    field.setflags(write=False)
    return field
