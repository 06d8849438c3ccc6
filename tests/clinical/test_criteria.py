"""Eligibility: each criterion met, not met, or not recorded."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product

import pytest

from stsclinic.clinical.criteria import eligibility
from stsclinic.clinical.facts import LesionFacts, PatientFacts
from stsclinic.clinical.protocols import BIWEEKLY, PLACEBO3, SHIPPED, WEEKLY4, ProtocolDefinition

TODAY = date(2026, 11, 20)
FIT = PatientFacts(
    sex="female", birth_year=1970, hypersensitivity="no", pregnant="no", breast_feeding="no", lesion_count=2
)
SORE = LesionFacts(
    lesion_id="L01",
    subtype="dystrophic",
    pain_vas=Decimal(6),
    dysfunction="yes",
    longest_mm=Decimal(12),
    widest_mm=Decimal(8),
)
PAIR = (SORE, replace(SORE, lesion_id="L02", subtype="idiopathic"))
BARE = ProtocolDefinition(code="bare", name="Bare", source="")


def judged(definition, patient=FIT, lesions=PAIR, answers=None, on=TODAY):
    if answers is None:
        answers = dict.fromkeys(definition.other_criteria, "yes")
    return eligibility(definition, patient, lesions, on, answers)


def one(code, definition, **facts):
    return next(c for c in judged(definition, **facts).criteria if c.code == code)


def lesions(*rows):
    return tuple(replace(SORE, lesion_id=f"L{n:02}", **row) for n, row in enumerate(rows, start=1))


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda definition: definition.code)
def test_a_fit_patient_is_eligible_everywhere(definition):
    result = judged(definition)
    assert result.met is True
    assert not result.not_met
    assert not result.not_recorded
    assert all(criterion.reason.endswith(".") and criterion.requirement for criterion in result.criteria)


@pytest.mark.parametrize("definition", SHIPPED, ids=lambda definition: definition.code)
def test_of_an_empty_record_nothing_is_taken_as_no(definition):
    result = eligibility(definition, PatientFacts(), (), TODAY)
    assert result.met is None
    assert not result.not_met
    assert len(result.not_recorded) == len(result.criteria)


def test_each_protocol_has_its_own_criteria():
    codes = {d.code: [c.code for c in judged(d).criteria] for d in SHIPPED}
    plain = ["hypersensitivity", "pregnancy", "lesion_count"]
    assert codes["weekly4"] == ["age", *plain, "pain_or_dysfunction", "other_1"]
    assert codes["placebo3"] == [
        "age", "hypersensitivity", "pregnancy", "breast_feeding", "lesion_count", "subtype", "lesion_size",
        "other_1", "other_2", "other_3",
    ]  # fmt: skip
    assert codes["biweekly"] == codes["longterm"] == codes["iv"] == plain


@pytest.mark.parametrize(
    ("definition", "birth_year", "met"),
    [
        (WEEKLY4, 2009, False),
        (WEEKLY4, 2008, True),
        (WEEKLY4, 1900, True),
        (WEEKLY4, None, None),
        (WEEKLY4, 2027, False),
        (PLACEBO3, 2009, False),
        (PLACEBO3, 2008, True),
        (PLACEBO3, 1946, True),
        (PLACEBO3, 1945, False),
    ],
)
def test_age_counts_by_year(definition, birth_year, met):
    assert one("age", definition, patient=replace(FIT, birth_year=birth_year)).met is met


@pytest.mark.parametrize(
    ("birth_on", "met"),
    [
        (date(2008, 11, 19), True),
        (date(2008, 11, 20), True),
        (date(2008, 11, 21), False),
        (date(1945, 11, 21), True),
        (date(1945, 11, 20), False),
    ],
)
def test_age_is_exact_where_the_date_of_birth_is_known(birth_on, met):
    assert one("age", PLACEBO3, patient=replace(FIT, birth_on=birth_on)).met is met


def test_limits_of_age_in_words():
    assert one("age", WEEKLY4).requirement == "Aged 18 years or more"
    assert one("age", PLACEBO3).requirement == "Aged 18 to 80 years"
    assert one("age", replace(BARE, max_age=65)).requirement == "Aged 65 years or less"
    assert one("age", replace(BARE, max_age=55)).met is False
    assert not [c for c in judged(BARE).criteria if c.code == "age"]


@pytest.mark.parametrize(
    ("code", "field", "sex", "recorded", "met"),
    [
        (code, field, sex, recorded, met)
        for (code, field), sex, (recorded, met) in product(
            [
                ("hypersensitivity", "hypersensitivity"),
                ("pregnancy", "pregnant"),
                ("breast_feeding", "breast_feeding"),
            ],
            ["female", "male", "other", "unknown"],
            [("yes", False), ("no", True)],
        )
    ]
    + [
        ("hypersensitivity", "hypersensitivity", "female", "", None),
        ("hypersensitivity", "hypersensitivity", "male", "", None),
        ("pregnancy", "pregnant", "female", "", None),
        ("pregnancy", "pregnant", "other", "", None),
        ("pregnancy", "pregnant", "unknown", "", None),
        ("pregnancy", "pregnant", "male", "", True),
        ("breast_feeding", "breast_feeding", "female", "", None),
        ("breast_feeding", "breast_feeding", "male", "", True),
    ],
)
def test_exclusions(code, field, sex, recorded, met):
    assert one(code, PLACEBO3, patient=replace(FIT, sex=sex, **{field: recorded})).met is met


def test_a_protocol_may_exclude_nothing():
    lenient = replace(BARE, excludes_hypersensitivity=False, excludes_pregnancy=False)
    assert [criterion.code for criterion in judged(lenient).criteria] == ["lesion_count"]


@pytest.mark.parametrize(
    ("low", "high", "count", "is_minimum", "listed", "met"),
    [
        (2, None, None, False, 2, True),
        (2, None, None, False, 1, None),
        (2, None, 1, False, 1, False),
        (2, None, 1, True, 1, None),
        (2, None, 2, False, 0, True),
        (2, None, 1, False, 2, True),
        (2, None, 200, True, 1, True),
        (1, None, 0, False, 0, False),
        (1, 3, 3, False, 3, True),
        (1, 3, 4, False, 3, False),
        (1, 3, 3, True, 3, None),
        (1, 3, None, False, 3, None),
        (1, 3, None, False, 4, False),
    ],
)
def test_the_number_of_lesions(low, high, count, is_minimum, listed, met):
    protocol = replace(BARE, min_lesions=low, max_lesions=high)
    patient = replace(FIT, lesion_count=count, lesion_count_is_minimum=is_minimum)
    assert one("lesion_count", protocol, patient=patient, lesions=lesions(*[{}] * listed)).met is met


@pytest.mark.parametrize(
    ("sizes", "met"),
    [
        (["2", "2"], True),
        (["2", "1.9"], False),
        (["2", None], None),
        (["1.9", None], False),
        ([None, None], None),
        (["2", None, "2.1"], True),
        ([], None),
    ],
)
def test_the_size_of_lesions(sizes, met):
    rows = lesions(*({"longest_mm": None if size is None else Decimal(size)} for size in sizes))
    assert one("lesion_size", PLACEBO3, lesions=rows).met is met


@pytest.mark.parametrize(
    ("subtypes", "met"),
    [
        (["dystrophic", "idiopathic"], True),
        (["dystrophic", "metastatic"], False),
        (["dystrophic", ""], None),
        (["iatrogenic", ""], False),
        (["calciphylaxis", "metastatic", "dystrophic", "dystrophic"], True),
    ],
)
def test_the_subtypes_of_lesions(subtypes, met):
    rows = lesions(*({"subtype": subtype} for subtype in subtypes))
    assert one("subtype", PLACEBO3, lesions=rows).met is met


def test_lesions_without_a_number_count_one_by_one():
    rows = (replace(SORE, lesion_id=""), replace(SORE, lesion_id=""))
    assert one("lesion_size", PLACEBO3, lesions=rows).met is True


def test_size_counts_only_lesions_of_the_subtype():
    rows = lesions({"subtype": "metastatic"}, {}, {"longest_mm": Decimal(1)}, {"longest_mm": Decimal(1)})
    assert one("subtype", PLACEBO3, lesions=rows).met is True
    assert one("lesion_size", PLACEBO3, lesions=rows).met is False


@pytest.mark.parametrize(
    ("pain", "dysfunction", "met"),
    [
        ("3.9", "no", False),
        ("4", "no", True),
        ("4.1", "", True),
        ("0", "yes", True),
        (None, "yes", True),
        (None, "no", None),
        ("3.9", "", None),
        (None, "", None),
    ],
)
def test_pain_or_dysfunction(pain, dysfunction, met):
    rows = lesions({"pain_vas": None if pain is None else Decimal(pain), "dysfunction": dysfunction})
    assert one("pain_or_dysfunction", WEEKLY4, lesions=rows).met is met


def test_one_lesion_with_pain_is_enough():
    rows = lesions({"pain_vas": Decimal(0), "dysfunction": "no"}, {"pain_vas": Decimal(5)})
    found = one("pain_or_dysfunction", WEEKLY4, lesions=rows)
    assert found.met is True
    assert "L02" in found.reason


@pytest.mark.parametrize(
    ("needs", "least", "pain", "dysfunction", "met"),
    [
        (False, "4", "3", "yes", False),
        (False, "4", "4", "no", True),
        (False, "4", None, "yes", None),
        (True, None, "0", "no", False),
        (True, None, "0.1", "no", True),
    ],
)
def test_a_clinics_own_demand_of_pain(needs, least, pain, dysfunction, met):
    protocol = replace(
        BARE, needs_pain_or_dysfunction=needs, min_pain_vas=None if least is None else Decimal(least)
    )
    rows = lesions({"pain_vas": None if pain is None else Decimal(pain), "dysfunction": dysfunction})
    assert one("pain_or_dysfunction", protocol, lesions=rows).met is met


@pytest.mark.parametrize(("answer", "met"), [("yes", True), ("no", False), ("", None), (None, None)])
def test_other_criteria_are_answered_by_a_person(answer, met):
    sentence = PLACEBO3.other_criteria[2]
    answers = dict.fromkeys(PLACEBO3.other_criteria[:2], "yes")
    if answer is not None:
        answers[sentence] = answer
    found = one("other_3", PLACEBO3, answers=answers)
    assert (found.met, found.requirement) == (met, sentence)
    assert judged(PLACEBO3, answers=answers).met is met


def test_what_is_not_met_weighs_more_than_what_is_not_recorded():
    result = judged(BIWEEKLY, patient=replace(FIT, pregnant="", hypersensitivity="yes"))
    assert result.met is False
    assert [c.code for c in result.not_met] == ["hypersensitivity"]
    assert [c.code for c in result.not_recorded] == ["pregnancy"]


def test_reasons_in_words():
    assert one("age", WEEKLY4, patient=replace(FIT, birth_year=2009)).reason == (
        "The patient is 16 or 17 years old (year of birth 2009), counted as 17."
    )
    assert one("lesion_size", PLACEBO3, lesions=lesions({}, {"longest_mm": None})).reason == (
        "1 lesion of such a size: L01; not recorded for L02."
    )
    assert one("pain_or_dysfunction", WEEKLY4, lesions=()).reason.endswith("no lesion is recorded.")
