"""Is the patient eligible under a protocol? Each criterion with its answer and the reason in words.

An answer is True, False or None: what is not recorded stays unknown and is never taken as no.
Sources: the protocol's own report; domain.md, "Enrolment".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from stsclinic.clinical.ages import age_of
from stsclinic.clinical.facts import LesionFacts, PatientFacts
from stsclinic.clinical.numbers import show_decimal
from stsclinic.clinical.protocols import ProtocolDefinition
from stsclinic.clinical.terms import SUBTYPE


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One criterion of the protocol, and whether it is met."""

    code: str
    requirement: str
    met: bool | None
    """None where what would decide is not recorded."""
    reason: str


@dataclass(frozen=True)
class Eligibility:
    """All criteria of a protocol for a patient on a day."""

    criteria: tuple[Criterion, ...]

    @property
    def met(self) -> bool | None:
        """False if any criterion is not met, else None if any is unknown, else True."""
        return _all_of(criterion.met for criterion in self.criteria)

    @property
    def not_met(self) -> tuple[Criterion, ...]:
        """The criteria that keep the patient out."""
        return tuple(criterion for criterion in self.criteria if criterion.met is False)

    @property
    def not_recorded(self) -> tuple[Criterion, ...]:
        """The criteria that still must be asked."""
        return tuple(criterion for criterion in self.criteria if criterion.met is None)


def eligibility(
    definition: ProtocolDefinition,
    patient: PatientFacts,
    lesions: Iterable[LesionFacts],
    on: date,
    answers: Mapping[str, str] | None = None,
) -> Eligibility:
    """Judge a patient against a protocol on a day.

    `lesions` are those considered for the series, numbered or not yet. `answers` holds `yes` or `no` for each of the
    protocol's `other_criteria`, keyed by its sentence; without an answer it is not recorded.
    """
    considered = tuple(lesions)
    return Eligibility(
        (
            *_age(definition, patient, on),
            *_exclusions(definition, patient),
            *_lesion_count(definition, patient, considered),
            *_subtypes(definition, considered),
            *_lesion_size(definition, considered),
            *_pain_or_dysfunction(definition, considered),
            *_other(definition, answers or {}),
        )
    )


def _age(definition: ProtocolDefinition, patient: PatientFacts, on: date) -> Iterator[Criterion]:
    low, high = definition.min_age, definition.max_age
    if low is None and high is None:
        return
    if low is not None and high is not None:
        requirement = f"Aged {low} to {high} years"
    else:
        requirement = f"Aged {low} years or more" if low is not None else f"Aged {high} years or less"
    age = age_of(patient, on)
    if age is None:
        yield Criterion(
            code="age", requirement=requirement, met=None, reason="The year of birth is not recorded."
        )
        return
    met = (low is None or age.years >= low) and (high is None or age.years <= high)
    yield Criterion(code="age", requirement=requirement, met=met, reason=f"The patient is {age.words}.")


def _exclusions(definition: ProtocolDefinition, patient: PatientFacts) -> Iterator[Criterion]:
    if definition.excludes_hypersensitivity:
        yield _exclusion(
            "hypersensitivity",
            "No known hypersensitivity to sodium thiosulfate",
            patient.hypersensitivity,
            "Hypersensitivity to sodium thiosulfate",
        )
    if definition.excludes_pregnancy:
        yield _exclusion("pregnancy", "Not pregnant", patient.pregnant, "Pregnancy", patient.sex)
    if definition.excludes_breast_feeding:
        yield _exclusion(
            "breast_feeding", "Not breast feeding", patient.breast_feeding, "Breast feeding", patient.sex
        )


def _exclusion(code: str, requirement: str, recorded: str, what: str, sex: str = "") -> Criterion:
    if recorded == "yes":
        return Criterion(code=code, requirement=requirement, met=False, reason=f"{what} is recorded.")
    if recorded == "no":
        return Criterion(code=code, requirement=requirement, met=True, reason=f"{what} is recorded as no.")
    if sex == "male":
        return Criterion(
            code=code, requirement=requirement, met=True, reason="Does not apply: the patient is male."
        )
    return Criterion(code=code, requirement=requirement, met=None, reason=f"{what} is not recorded.")


def _lesion_count(
    definition: ProtocolDefinition, patient: PatientFacts, lesions: Sequence[LesionFacts]
) -> Iterator[Criterion]:
    low, high = definition.min_lesions, definition.max_lesions
    known = max(len(lesions), patient.lesion_count or 0)
    may_be_more = patient.lesion_count is None or patient.lesion_count_is_minimum
    requirement = f"At least {_lesions(low)}" + (f", at most {high}" if high is not None else "")
    if high is not None and known > high:
        met: bool | None = False
    elif known < low:
        met = None if may_be_more else False
    else:
        met = None if high is not None and may_be_more else True
    words = f"{_lesions(known)} recorded"
    if met is None:
        words += "; how many there are in all is not"
    yield Criterion(code="lesion_count", requirement=requirement, met=met, reason=f"{words}.")


def _subtypes(definition: ProtocolDefinition, lesions: Sequence[LesionFacts]) -> Iterator[Criterion]:
    if not definition.subtypes:
        return
    names = " or ".join(SUBTYPE[code].lower() for code in definition.subtypes)
    yield _enough(
        "subtype",
        f"At least {_lesions(definition.min_lesions)} of subtype {names}",
        definition.min_lesions,
        lesions,
        lambda lesion: _is_of_subtype(definition, lesion),
        "of such a subtype",
    )


def _lesion_size(definition: ProtocolDefinition, lesions: Sequence[LesionFacts]) -> Iterator[Criterion]:
    smallest = definition.min_lesion_mm
    if smallest is None:
        return

    def large_enough(lesion: LesionFacts) -> bool | None:
        is_large = None if lesion.longest_mm is None else lesion.longest_mm >= smallest
        return _all_of((_is_of_subtype(definition, lesion), is_large))

    yield _enough(
        "lesion_size",
        f"At least {_lesions(definition.min_lesions)} of {show_decimal(smallest)} mm or more"
        + (", of such a subtype" if definition.subtypes else ""),
        definition.min_lesions,
        lesions,
        large_enough,
        "of such a size",
    )


def _pain_or_dysfunction(
    definition: ProtocolDefinition, lesions: Sequence[LesionFacts]
) -> Iterator[Criterion]:
    least = definition.min_pain_vas
    if least is None and not definition.needs_pain_or_dysfunction:
        return

    def painful(lesion: LesionFacts) -> bool | None:
        if lesion.pain_vas is None:
            return None
        return lesion.pain_vas > 0 if least is None else lesion.pain_vas >= least

    def troubles(lesion: LesionFacts) -> bool | None:
        if not definition.needs_pain_or_dysfunction:
            return painful(lesion)
        return _any_of((painful(lesion), _YES_NO.get(lesion.dysfunction)))

    pain = "pain" if least is None else f"average pain of VAS {show_decimal(least)} or more"
    with_dysfunction = " or dysfunction" if definition.needs_pain_or_dysfunction else ""
    yield _enough(
        "pain_or_dysfunction",
        f"At least 1 lesion with {pain}{with_dysfunction}",
        1,
        lesions,
        troubles,
        f"with {pain}{with_dysfunction}",
    )


def _other(definition: ProtocolDefinition, answers: Mapping[str, str]) -> Iterator[Criterion]:
    for number, sentence in enumerate(definition.other_criteria, start=1):
        met = _YES_NO.get(answers.get(sentence, ""))
        reason = {True: "Answered yes.", False: "Answered no.", None: "Not answered yet."}[met]
        yield Criterion(code=f"other_{number}", requirement=sentence, met=met, reason=reason)


_YES_NO = {"yes": True, "no": False}


def _is_of_subtype(definition: ProtocolDefinition, lesion: LesionFacts) -> bool | None:
    if not definition.subtypes:
        return True
    return lesion.subtype in definition.subtypes if lesion.subtype else None


def _enough(
    code: str,
    requirement: str,
    needed: int,
    lesions: Sequence[LesionFacts],
    question: Callable[[LesionFacts], bool | None],
    what: str,
) -> Criterion:
    """Whether enough lesions are such; lesions of which it is not known might be."""
    answers = [(lesion.lesion_id or "a lesion", question(lesion)) for lesion in lesions]
    such = [name for name, answer in answers if answer]
    open_ones = [name for name, answer in answers if answer is None]
    met: bool | None
    if len(such) >= needed:
        met = True
    elif len(such) + len(open_ones) >= needed or not lesions:
        met = None
    else:
        met = False
    words = f"{_lesions(len(such))} {what}" + (f": {', '.join(such)}" if such else "")
    if met is None:
        words += f"; not recorded for {', '.join(open_ones)}" if open_ones else "; no lesion is recorded"
    return Criterion(code=code, requirement=requirement, met=met, reason=f"{words}.")


def _lesions(number: int) -> str:
    return "1 lesion" if number == 1 else f"{number} lesions"


def _all_of(answers: Iterable[bool | None]) -> bool | None:
    known = tuple(answers)
    if False in known:
        return False
    return None if None in known else True


def _any_of(answers: Iterable[bool | None]) -> bool | None:
    known = tuple(answers)
    if True in known:
        return True
    return None if None in known else False
