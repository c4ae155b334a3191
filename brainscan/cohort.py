"""`Cohort`: people whose recordings a model was trained or tested on, and whether somebody is like them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_A_DAY_OR_TWO = 0.006
"""Years by which days divided by 365.25 may fall short of a birthday."""

OPEN_AGE = 90.0
"""An oldest of this age means this and older: higher ages single people out, and no card tells them."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """People of one kind, recorded in one setting.

    Parameters
    ----------
    population : str
        Who they are: ``children with epilepsy``.
    setting : str
        Where and how they were recorded: ``monitoring, one hospital``; empty where nobody said.
    ages_years : (float, float) or None
        The youngest's and the oldest's age in completed years; None where it is not known.
    subjects : int
    hours : float
        Recorded and, for tests, judged.
    seizures : int
        That were annotated.
    """

    population: str
    setting: str = ""
    ages_years: tuple[float, float] | None = None
    subjects: int = 0
    hours: float = 0.0
    seizures: int = 0

    def __post_init__(self) -> None:
        if self.ages_years is not None and not 0.0 <= self.ages_years[0] <= self.ages_years[1]:
            raise ValueError(f"ages_years must be youngest and oldest, got {list(self.ages_years)}")
        if min(self.subjects, self.hours, self.seizures) < 0:
            raise ValueError("subjects, hours and seizures must not be negative")

    def includes(self, age_years: float) -> bool:
        """Say whether an age lies within the cohort's; an oldest of 22 years is 22 until the 23rd birthday."""
        if self.ages_years is None:
            return False
        youngest, oldest = self.ages_years
        return youngest - _A_DAY_OR_TWO <= age_years and (age_years < oldest + 1.0 or oldest >= OPEN_AGE)

    def describe(self) -> str:
        """Return the cohort in a line."""
        facts = [
            f"ages {ages_text([self.ages_years])}" if self.ages_years else "ages not stated",
            self.setting,
            f"{self.subjects} {'person' if self.subjects == 1 else 'people'}",
            f"{self.hours:.2f} h",
            f"{self.seizures or 'no'} seizure{'' if self.seizures == 1 else 's'}",
        ]
        return f"{self.population} ({'; '.join(fact for fact in facts if fact)})"


def age_warning(age_years: float | None, trained: Iterable[Cohort]) -> str:
    """Return what is to be said of a patient's age, without the age; empty where nothing is.

    Only cohorts with seizures count: background of adults does not teach what adults' seizures look like.

    Parameters
    ----------
    age_years : float or None
        None where the recording does not tell it.
    trained : iterable of Cohort
    """
    if age_years is None:
        return ""
    with_seizures = [cohort for cohort in trained if cohort.seizures]
    known = [cohort.ages_years for cohort in with_seizures if cohort.ages_years is not None]
    if not known:
        return (
            "the model's card does not tell the ages of those whose seizures it was trained on:"
            " whether this patient is like them cannot be said"
        )
    if any(cohort.includes(age_years) for cohort in with_seizures):
        return ""
    others = ", as far as its card knows them" if len(known) < len(with_seizures) else ""
    return (
        "the patient's age is outside the ages of those whose seizures the model was trained on"
        f" ({ages_text(known)}{others}); `brainscan info MODEL` shows on whom it was tested"
    )


def ages_text(ranges: Iterable[tuple[float, float]]) -> str:
    """Return ranges of ages in words, those that touch as one.

    >>> ages_text([(1.5, 12.0), (40.0, 80.0), (10.0, 22.0)])
    '1.5 to 22 and 40 to 80 years'
    """
    joined: list[tuple[float, float]] = []
    for youngest, oldest in sorted(ranges):
        if joined and youngest <= joined[-1][1] + 1.0:
            joined[-1] = (joined[-1][0], max(oldest, joined[-1][1]))
        else:
            joined.append((youngest, oldest))
    shown = (f"{'' if a == b else f'{a:g} to '}{b:g}{'+' if b >= OPEN_AGE else ''}" for a, b in joined)
    return " and ".join(shown) + " years"
