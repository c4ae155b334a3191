from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.electrodes import INDEX, MIRROR, POSITIONS
from brainscan.simulate import head


def layered_factor(n: int) -> float:
    """Solve the boundary conditions of term `n` as linear equations, instead of the closed form.

    A source term ``r ** -(n + 1)`` in the brain; unknown are the reflected term in the brain, both terms in
    the skull and both in the scalp. Potential and current are continuous, and no current leaves the scalp.
    """
    f1, f2, xi = head.BRAIN_RADIUS, head.SKULL_RADIUS, head.SKULL_CONDUCTIVITY
    up = lambda r: r**n  # noqa: E731
    down = lambda r: r ** -(n + 1)  # noqa: E731
    d_up = lambda r: n * r ** (n - 1)  # noqa: E731
    d_down = lambda r: -(n + 1) * r ** -(n + 2)  # noqa: E731
    equations = np.array(
        [
            [up(f1), -up(f1), -down(f1), 0, 0],
            [d_up(f1), -xi * d_up(f1), -xi * d_down(f1), 0, 0],
            [0, up(f2), down(f2), -up(f2), -down(f2)],
            [0, xi * d_up(f2), xi * d_down(f2), -d_up(f2), -d_down(f2)],
            [0, 0, 0, d_up(1.0), d_down(1.0)],
        ]
    )
    solution = np.linalg.solve(equations, np.array([-down(f1), -d_down(f1), 0, 0, 0]))
    return float(solution[3] + solution[4])


@pytest.mark.parametrize("n", [1, 2, 5, 12, 30])
def test_shell_factor_solves_the_boundary_conditions(n: int) -> None:
    assert head.shell_factor(n) == pytest.approx(layered_factor(n), rel=1e-9)


def test_without_a_skull_the_factor_is_that_of_a_homogeneous_sphere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "SKULL_CONDUCTIVITY", 1.0)
    assert [head.shell_factor(n) for n in (1, 2, 7)] == pytest.approx([3.0, 2.5, 15 / 7])


def test_a_homogeneous_sphere_matches_the_closed_form_of_a_radial_dipole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "SKULL_CONDUCTIVITY", 1.0)
    b = 0.5
    outward = np.array((0.0, 0.6, 0.8))
    field = head.lead_field(b * outward[None], outward[None])[:, 0]
    cosine = np.array(POSITIONS) @ outward
    distance = np.sqrt(1 + b * b - 2 * b * cosine)
    # sum over n of (2 n + 1) b^(n-1) P_n, from the generating function of the Legendre polynomials
    expected = ((1 - b * b) / distance**3 - 1) / b
    assert field == pytest.approx(expected, abs=1e-8)


def test_a_radial_source_under_an_electrode_is_largest_there() -> None:
    for name, index in INDEX.items():
        outward = np.array(POSITIONS[index])
        field = head.lead_field(0.8 * outward[None], outward[None])[:, 0]
        assert int(np.argmax(field)) == index, name


def test_mirrored_sources_have_mirrored_fields() -> None:
    position = np.array([[0.4, 0.3, 0.5]])
    moment = np.array([[0.2, -0.7, 0.4]])
    left = head.lead_field(position * (-1, 1, 1), moment * (-1, 1, 1))[:, 0]
    assert left[list(MIRROR)] == pytest.approx(head.lead_field(position, moment)[:, 0], abs=1e-12)


@pytest.mark.parametrize("eccentricity", [0.0, 0.87, 1.0])
def test_sources_outside_the_brain_are_refused(eccentricity: float) -> None:
    with pytest.raises(ValueError, match="dipoles must lie"):
        head.lead_field(np.array([[0.0, 0.0, eccentricity]]), np.ones((1, 3)))


@given(seed=st.integers(0, 10**6), extent=st.floats(0.05, 0.6))
def test_patches_have_peak_one_and_no_mean(seed: int, extent: float) -> None:
    rng = np.random.default_rng(seed)
    fields = head.patch_fields(rng, head.directions(rng, 3), extent)
    assert fields.shape == (19, 3)
    assert np.abs(fields).max(axis=0) == pytest.approx(1.0)
    assert fields.mean(axis=0) == pytest.approx(0.0, abs=1e-12)


@given(seed=st.integers(0, 10**6), angle=st.floats(0.0, 0.8))
def test_beside_stays_on_the_sphere_and_over_cortex(seed: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    start = head.directions(rng, 1)[0]
    moved = head.beside(rng, start, angle)
    assert np.linalg.norm(moved) == pytest.approx(1.0)
    if moved[2] > head.LOWEST_Z + 0.05:
        assert np.arccos(np.clip(moved @ start, -1, 1)) == pytest.approx(angle, abs=1e-6)


def test_covariances_are_positive_and_scaled() -> None:
    covariance = head.source_covariance(np.ones(200), 0.76)
    assert np.trace(covariance) == pytest.approx(19.0)
    assert np.linalg.eigvalsh(covariance)[1] > 0  # the first is the common average's zero
