"""What stops a session until it is corrected."""

from collections.abc import Iterator

from stsclinic.clinical.ages import age_of
from stsclinic.clinical.alerts.kinds import AlertEntry, Finding
from stsclinic.clinical.alerts.questions import excludes_breast_feeding
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.facts import Facts


def _hypersensitivity(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and facts.patient.hypersensitivity == "yes":
        yield Finding(reason="The patient is hypersensitive to sodium thiosulfate.")


def _pregnancy(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and facts.patient.pregnant == "yes":
        yield Finding(reason="The patient is recorded as pregnant.")


def _breast_feeding(facts: Facts) -> Iterator[Finding]:
    if excludes_breast_feeding(facts) and facts.patient.breast_feeding == "yes":
        yield Finding(
            reason=f"The patient is breast feeding, and protocol {facts.protocol.code} excludes it."
        )


def _no_consent(facts: Facts) -> Iterator[Finding]:
    consented_on, held_on = facts.patient.consented_on, facts.session.held_on
    if consented_on is None:
        yield Finding(reason="No consent is recorded.")
    elif consented_on > held_on:
        yield Finding(
            reason=f"The patient consented on {show_date(consented_on)}, after this session of"
            f" {show_date(held_on)}."
        )


def _withdrawn(facts: Facts) -> Iterator[Finding]:
    withdrawn_on, held_on = facts.patient.withdrawn_on, facts.session.held_on
    if withdrawn_on is not None and withdrawn_on <= held_on:
        yield Finding(
            reason=f"The patient withdrew on {show_date(withdrawn_on)};"
            f" this session is of {show_date(held_on)}."
        )


def _too_young(facts: Facts) -> Iterator[Finding]:
    least = facts.protocol.min_age
    age = age_of(facts.patient, facts.session.held_on)
    if facts.session.treats and least is not None and age is not None and age.years < least:
        yield Finding(
            reason=f"The patient is {age.words} on {show_date(facts.session.held_on)};"
            f" protocol {facts.protocol.code} takes patients from {least} years."
        )


STOPS: tuple[AlertEntry, ...] = (
    AlertEntry(
        code="hypersensitivity",
        level="stop",
        title="Hypersensitive to sodium thiosulfate",
        meaning="The patient is known to be hypersensitive to sodium thiosulfate.",
        source="000, 001",
        rule=_hypersensitivity,
    ),
    AlertEntry(
        code="pregnancy",
        level="stop",
        title="Pregnant",
        meaning="The patient is pregnant.",
        source="000, 001",
        rule=_pregnancy,
    ),
    AlertEntry(
        code="breast_feeding",
        level="stop",
        title="Breast feeding",
        meaning="The patient is breast feeding, where the protocol excludes it.",
        source="001",
        rule=_breast_feeding,
    ),
    AlertEntry(
        code="no_consent",
        level="stop",
        title="No consent by the day of the session",
        meaning="No consent is recorded by the day of the session.",
        source="001",
        rule=_no_consent,
    ),
    AlertEntry(
        code="withdrawn",
        level="stop",
        title="Withdrew",
        meaning="The patient withdrew on or before the day of the session.",
        source="001",
        rule=_withdrawn,
    ),
    AlertEntry(
        code="too_young",
        level="stop",
        title="Too young for the protocol",
        meaning="The patient is younger than the protocol takes, counted by year where only the year of"
        " birth is known.",
        source="000, 001",
        rule=_too_young,
    ),
)
"""In the order in which they are listed."""
