"""What several alerts ask of the facts."""

from collections.abc import Iterable

from stsclinic.clinical.facts import Facts, InjectionFacts
from stsclinic.clinical.terms import DIGITS


def excludes_breast_feeding(facts: Facts) -> bool:
    """Whether the session treats, under a protocol that excludes breast feeding."""
    return facts.session.treats and facts.protocol.excludes_breast_feeding


def on_digits(facts: Facts) -> list[InjectionFacts]:
    """The injections into fingers and toes."""
    return [injection for injection in facts.session.injections if injection.body_site in DIGITS]


def names(injections: Iterable[InjectionFacts]) -> str:
    """The lesions of the injections, such as `L01 (left index finger), L02`."""
    return ", ".join(injection.lesion for injection in injections)
