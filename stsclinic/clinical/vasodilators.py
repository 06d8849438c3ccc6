"""Does the patient take a vasodilator on a day, or was one stopped in the 6 months before?

A date that is known in part counts in the way that makes an alert speak: a vasodilator is
taken only if it surely was started and surely is not stopped; it was stopped lately if that
may be. A calcium channel blocker has a role of its own and is none.

Source: report 003: necrosis of two finger pulps two weeks after an injection; bosentan had
been stopped 3 months earlier. domain.md sets the 6 months.
"""

from collections.abc import Iterable
from datetime import date

from stsclinic.clinical.dates import add_months
from stsclinic.clinical.facts import MedicationFacts

MONTHS_AFTER_STOP = 6


def vasodilators(medications: Iterable[MedicationFacts]) -> tuple[MedicationFacts, ...]:
    """Those in the role of a vasodilator."""
    return tuple(medication for medication in medications if medication.role == "vasodilator")


def is_surely_taken(medication: MedicationFacts, on: date) -> bool:
    """Whether it was started by that day and not stopped by it; its last day counts as stopped."""
    is_started = medication.started_on is None or medication.started_on.latest <= on
    may_be_stopped = medication.stopped_on is not None and medication.stopped_on.earliest <= on
    return is_started and not may_be_stopped


def may_be_stopped_lately(medication: MedicationFacts, on: date) -> bool:
    """Whether it may have been stopped by that day, and no earlier than 6 calendar months before."""
    if medication.stopped_on is None:
        return False
    may_be_started = medication.started_on is None or medication.started_on.earliest <= on
    may_be_stopped = medication.stopped_on.earliest <= on
    may_be_lately = medication.stopped_on.latest >= add_months(on, -MONTHS_AFTER_STOP)
    return may_be_started and may_be_stopped and may_be_lately


def takes_vasodilator(medications: Iterable[MedicationFacts], on: date) -> bool:
    """Whether at least one vasodilator surely is taken on that day."""
    return any(is_surely_taken(medication, on) for medication in vasodilators(medications))


def stopped_lately(medications: Iterable[MedicationFacts], on: date) -> tuple[MedicationFacts, ...]:
    """The vasodilators that may have been stopped in the 6 months before that day, or on it."""
    return tuple(
        medication for medication in vasodilators(medications) if may_be_stopped_lately(medication, on)
    )
