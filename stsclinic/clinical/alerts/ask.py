"""Facts that a rule needs: asked for where they are not recorded, never taken as no."""

from collections.abc import Iterator

from stsclinic.clinical.ages import age_of
from stsclinic.clinical.alerts.kinds import AlertEntry, Finding
from stsclinic.clinical.alerts.questions import excludes_breast_feeding, names, on_digits
from stsclinic.clinical.facts import Facts


def _ask_hypersensitivity(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and not facts.patient.hypersensitivity:
        yield Finding(reason="Hypersensitivity to sodium thiosulfate is not recorded.")


def _ask_pregnancy(facts: Facts) -> Iterator[Finding]:
    if facts.session.treats and facts.patient.sex != "male" and not facts.patient.pregnant:
        yield Finding(reason="Whether the patient is pregnant is not recorded.")


def _ask_breast_feeding(facts: Facts) -> Iterator[Finding]:
    patient = facts.patient
    if excludes_breast_feeding(facts) and patient.sex != "male" and not patient.breast_feeding:
        yield Finding(
            reason="Whether the patient is breast feeding is not recorded,"
            f" and protocol {facts.protocol.code} excludes it."
        )


def _ask_birth_year(facts: Facts) -> Iterator[Finding]:
    least = facts.protocol.min_age
    if facts.session.treats and least is not None and age_of(facts.patient, facts.session.held_on) is None:
        yield Finding(
            reason="The year of birth is not recorded,"
            f" and protocol {facts.protocol.code} takes patients from {least} years."
        )


def _ask_raynaud(facts: Facts) -> Iterator[Finding]:
    digits = on_digits(facts)
    if digits and not facts.patient.raynaud:
        yield Finding(
            reason="Whether the patient has Raynaud's phenomenon is not recorded,"
            f" and {names(digits)} would be injected."
        )


ASKS: tuple[AlertEntry, ...] = (
    AlertEntry(
        code="hypersensitivity_not_recorded",
        level="ask",
        title="Hypersensitivity is not recorded",
        meaning="Whether the patient is hypersensitive to sodium thiosulfate is not recorded.",
        source="000, 001",
        rule=_ask_hypersensitivity,
        field="sts_hypersensitivity",
    ),
    AlertEntry(
        code="pregnancy_not_recorded",
        level="ask",
        title="Pregnancy is not recorded",
        meaning="Whether the patient is pregnant is not recorded (not asked of men).",
        source="000, 001",
        rule=_ask_pregnancy,
        field="pregnant",
    ),
    AlertEntry(
        code="breast_feeding_not_recorded",
        level="ask",
        title="Breast feeding is not recorded",
        meaning="Whether the patient is breast feeding is not recorded, where the protocol excludes it"
        " (not asked of men).",
        source="001",
        rule=_ask_breast_feeding,
        field="breast_feeding",
    ),
    AlertEntry(
        code="birth_year_not_recorded",
        level="ask",
        title="The year of birth is not recorded",
        meaning="The year of birth is not recorded, where the protocol has a lowest age.",
        source="000, 001",
        rule=_ask_birth_year,
        field="birth_year",
    ),
    AlertEntry(
        code="raynaud_not_recorded",
        level="ask",
        title="Raynaud's phenomenon is not recorded",
        meaning="A finger or toe would be injected, and nothing is recorded of Raynaud's phenomenon.",
        source="003",
        rule=_ask_raynaud,
        field="raynaud",
    ),
)
"""In the order in which they are listed."""
