"""How old is the patient, as a protocol's criteria count it?

Source: domain.md: "counted by year where only the year of birth is known".
"""

from dataclasses import dataclass
from datetime import date

from stsclinic.clinical.dates import age_by_year, age_on, age_range
from stsclinic.clinical.facts import PatientFacts


@dataclass(frozen=True)
class Age:
    """The age in years that counts, and the age in words."""

    years: int
    words: str


def age_of(patient: PatientFacts, on: date) -> Age | None:
    """The age on a day; None without a year of birth. Before the birth it is -1, below any limit."""
    year = patient.birth_year if patient.birth_on is None else patient.birth_on.year
    if year is None:
        return None
    if year > on.year or (patient.birth_on is not None and patient.birth_on > on):
        return Age(-1, f"not born yet (year of birth {year})")
    if patient.birth_on is not None:
        years = age_on(patient.birth_on, on)
        return Age(years, f"{years} years old")
    lowest, highest = age_range(year, on)
    span = f"{highest}" if lowest == highest else f"{lowest} or {highest}"
    return Age(age_by_year(year, on), f"{span} years old (year of birth {year}), counted as {highest}")
