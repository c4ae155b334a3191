"""Cohorts: whose ages a patient's lies within, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainscan.cohort import Cohort, age_warning, ages_text

CHILDREN = Cohort("children", "ward", (1.5, 22.0), 12, 3.0, 120)
ELDERLY = Cohort("elderly", "ward", (60.0, 88.0), 9, 3.0, 30)
HEALTHY = Cohort("healthy adults", "laboratory", (18.0, 50.0), 9, 3.0)
UNKNOWN = Cohort("patients", "ward", None, 9, 3.0, 30)

AGES = st.floats(0.0, 130.0)


@pytest.mark.parametrize(
    ("age", "inside"),
    [
        (0.0, False),
        (1.4, False),
        (1.499, True),  # 548 days are 1.5 years
        (1.5, True),
        (22.0, True),
        (22.99, True),  # 22 years old
        (23.0, False),
        (120.0, False),
    ],
)
def test_an_age_is_in_completed_years(age: float, inside: bool) -> None:
    assert CHILDREN.includes(age) == inside


def test_the_oldest_ages_are_open() -> None:
    assert Cohort("x", ages_years=(20.0, 90.0)).includes(104.0)
    assert not Cohort("x", ages_years=(20.0, 89.0)).includes(90.1)


@pytest.mark.parametrize(
    ("age", "trained", "said"),
    [
        (None, (CHILDREN,), ""),
        (None, (), ""),
        (9.0, (CHILDREN,), ""),
        (9.0, (HEALTHY, CHILDREN), ""),
        (70.0, (CHILDREN, ELDERLY), ""),
        (40.0, (CHILDREN, ELDERLY), "(1.5 to 22 and 60 to 88 years)"),
        (40.0, (CHILDREN, HEALTHY), "(1.5 to 22 years)"),  # their background taught no seizure
        (40.0, (CHILDREN, UNKNOWN), "(1.5 to 22 years, as far as its card knows them)"),
        (0.02, (CHILDREN,), "(1.5 to 22 years)"),
        (9.0, (), "cannot be said"),
        (9.0, (UNKNOWN,), "cannot be said"),
        (30.0, (HEALTHY,), "cannot be said"),
    ],
)
def test_what_is_said_of_an_age(age: float | None, trained: tuple[Cohort, ...], said: str) -> None:
    text = age_warning(age, trained)
    assert said in text
    assert bool(text) == bool(said)


@given(AGES)
def test_the_age_itself_is_never_told(age: float) -> None:
    """The words depend on inside or outside alone."""
    assert age_warning(age, (CHILDREN,)) in {"", age_warning(0.0, (CHILDREN,))}
    assert bool(age_warning(age, (CHILDREN,))) != CHILDREN.includes(age)


@pytest.mark.parametrize(
    ("ranges", "text"),
    [
        ([(1.5, 22.0)], "1.5 to 22 years"),
        ([(7.0, 7.0)], "7 years"),
        ([(1.0, 5.0), (6.0, 9.0)], "1 to 9 years"),  # whoever is 5 becomes 6
        ([(40.0, 80.0), (1.0, 5.0)], "1 to 5 and 40 to 80 years"),
        ([(1.0, 50.0), (7.0, 12.0)], "1 to 50 years"),
        ([(20.0, 90.0)], "20 to 90+ years"),
        ([(90.0, 90.0)], "90+ years"),
    ],
)
def test_ranges_in_words(ranges: list[tuple[float, float]], text: str) -> None:
    assert ages_text(ranges) == text


@pytest.mark.parametrize(
    ("cohort", "parts"),
    [
        (CHILDREN, ("children (ages 1.5 to 22 years; ward; 12 people; 3.00 h; 120 seizures)",)),
        (Cohort("adults"), ("adults (ages not stated; 0 people; 0.00 h; no seizures)",)),
        (Cohort("one", subjects=1, seizures=1), ("1 person;", "1 seizure)")),
    ],
)
def test_a_cohort_in_a_line(cohort: Cohort, parts: tuple[str, ...]) -> None:
    assert all(part in cohort.describe() for part in parts)


@pytest.mark.parametrize(
    "facts",
    [
        {"ages_years": (9.0, 2.0)},
        {"ages_years": (-1.0, 2.0)},
        {"subjects": -1},
        {"hours": -0.5},
        {"seizures": -3},
    ],
)
def test_cohorts_that_cannot_be(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"ages_years|negative"):
        Cohort("x", **facts)  # type: ignore[arg-type]
