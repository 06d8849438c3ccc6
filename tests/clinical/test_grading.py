"""Plain answers to a grade: one table of cases; what is not answered is asked, never taken as no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.grading import QUESTIONS, VERSIONS, grade_of, questions_of
from stsclinic.clinical.seriousness import asks_seriousness
from stsclinic.clinical.terms import SIDE_EFFECT_TERM


def answered(term, yes="", version="5.0"):
    """All questions answered: those named with yes, the others with no."""
    keys = [question.key for question in questions_of(term, version)]
    assert set(yes.split()) <= set(keys)
    return {key: "yes" if key in yes.split() else "no" for key in keys}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("term", "yes", "grade"),
    [
        ("injection_site_pain", "", 1),
        ("injection_site_pain", "moderate", 2),
        ("injection_site_pain", "daily", 2),
        ("injection_site_pain", "severe", 3),
        ("injection_site_pain", "self_care moderate", 3),
        ("injection_site_infection", "", 1),
        ("injection_site_infection", "tablets", 2),
        ("injection_site_infection", "operation tablets", 3),
        ("injection_site_infection", "hospital", 3),
        ("injection_site_infection", "danger hospital", 4),
        ("injection_site_infection", "died", 5),
        ("injection_site_reaction", "", 1),
        ("injection_site_reaction", "painful", 2),
        ("injection_site_reaction", "broken_skin", 3),
        ("injection_site_reaction", "danger", 4),
        ("skin_discolouration", "", 1),
        ("skin_discolouration", "wide_or_troubling", 2),
        ("skin_blistering", "", 1),
        ("skin_blistering", "painful_or_wide", 2),
        ("skin_blistering", "very_wide", 3),
        ("skin_blistering", "danger", 4),
        ("skin_ulceration", "", 1),
        ("skin_ulceration", "middle", 2),
        ("skin_ulceration", "wide", 3),
        ("skin_ulceration", "deep middle", 3),
        ("skin_ulceration", "bone", 4),
        ("skin_necrosis", "", 3),
        ("skin_necrosis", "danger", 4),
        ("digital_necrosis", "", 3),
        ("digital_necrosis", "died danger", 5),
        ("calcium_drainage", "", 1),
        ("calcium_drainage", "treated", 2),
        ("calcium_drainage", "hospital", 3),
        ("haematoma", "emptied", 2),
        ("haematoma", "operated", 3),
        ("nausea", "", 1),
        ("nausea", "ate_less", 2),
        ("nausea", "hardly_ate", 3),
        ("vomiting", "helped", 2),
        ("vomiting", "fed", 3),
        ("diarrhoea", "", 1),
        ("diarrhoea", "four", 2),
        ("diarrhoea", "seven", 3),
        ("abdominal_pain", "daily", 2),
        ("headache", "self_care", 3),
        ("dizziness", "", 1),
        ("dizziness", "daily", 2),
        ("hypotension", "changed", 2),
        ("hypotension", "at_once", 3),
        ("disorientation", "self_care", 3),
        ("disorientation", "danger", 4),
        ("allergic_reaction", "tablets", 2),
        ("allergic_reaction", "breath", 3),
        ("allergic_reaction", "danger", 4),
        ("metabolic_acidosis", "", 1),
        ("metabolic_acidosis", "ph", 3),
        ("hypernatraemia", "over_150", 2),
        ("hypernatraemia", "over_150 over_155", 3),
        ("hypernatraemia", "over_150 over_155 over_160", 4),
        ("fatigue", "no_rest", 2),
        ("fatigue", "self_care", 3),
        ("other", "", 1),
        ("other", "daily", 2),
        ("other", "died", 5),
    ],
)
def test_the_grade_by_the_answers(term, yes, grade, version):
    found = grade_of(term, answered(term, yes, version), version)
    assert (found.grade, found.at_least, found.version, found.open) == (grade, grade, version, ())
    assert found.words.startswith(f"Grade {grade} (CTCAE {version}): ")


def test_every_term_has_its_questions_in_plain_words():
    assert set(QUESTIONS) == set(SIDE_EFFECT_TERM)
    for term, questions in QUESTIONS.items():
        assert questions, term
        assert len({question.key for question in questions}) == len(questions)
        grades = [question.grade for question in questions]
        assert grades == sorted(grades, reverse=True), term
        assert all(question.text.endswith("?") for question in questions)
        assert not any("rade" in question.text for question in questions)


def test_one_key_means_one_thing_within_a_text():
    """The same key with other words is only used for another kind of trouble, never for another grade."""
    grades = {}
    for questions in QUESTIONS.values():
        for question in questions:
            assert grades.setdefault(question.key, question.grade) == question.grade


@pytest.mark.parametrize(
    ("answers", "grade", "at_least", "still_open"),
    [
        ({}, None, 1, ["died", "danger", "hospital", "operation", "tablets"]),
        ({"tablets": "yes"}, None, 2, ["died", "danger", "hospital", "operation"]),
        ({"tablets": "yes", "hospital": "no", "operation": "no"}, None, 2, ["died", "danger"]),
        ({"hospital": "yes", "died": "no", "danger": "no"}, 3, 3, []),
        ({"hospital": "yes", "died": "no", "danger": "unknown"}, None, 3, ["danger"]),
        ({"hospital": "yes", "died": "no", "danger": ""}, None, 3, ["danger"]),
        ({"died": "yes"}, 5, 5, []),
        ({"died": "no", "danger": "yes"}, 4, 4, []),
        ({"self_care": "yes"}, None, 1, ["died", "danger", "hospital", "operation", "tablets"]),
    ],
)
def test_what_is_not_answered_is_asked_further(answers, grade, at_least, still_open):
    found = grade_of("injection_site_infection", answers, "5.0")
    assert (found.grade, found.at_least) == (grade, at_least)
    assert [question.key for question in found.open] == still_open
    assert found.words.startswith("At least grade" if still_open else "Grade")


def test_the_words_tell_what_was_answered():
    found = grade_of("other", answered("other", "daily treated"), "6.0")
    assert found.words == (
        "Grade 2 (CTCAE 6.0): it stopped the patient from housework, shopping or work,"
        " it needed a dressing or tablets."
    )


@pytest.mark.parametrize(("term", "version"), [("nonsense", "5.0"), ("nausea", "4.0"), ("nausea", "")])
def test_an_unknown_term_or_version_is_refused(term, version):
    with pytest.raises(ValueError, match="There is no"):
        grade_of(term, {}, version)


@pytest.mark.parametrize("term", ["skin_necrosis", "digital_necrosis"])
def test_a_necrosis_always_asks_whether_it_is_serious(term):
    assert asks_seriousness(term, grade_of(term, answered(term), "5.0").grade)


@given(
    st.sampled_from(sorted(SIDE_EFFECT_TERM)),
    st.sampled_from(VERSIONS),
    st.dictionaries(
        st.sampled_from(sorted({q.key for rows in QUESTIONS.values() for q in rows})),
        st.sampled_from(["yes", "no", "", "unknown"]),
    ),
    st.data(),
)
def test_a_further_answer_never_lowers_the_grade_and_all_answers_give_one(term, version, answers, data):
    before = grade_of(term, answers, version)
    for question in before.open:
        answers = {**answers, question.key: data.draw(st.sampled_from(["yes", "no"]))}
    after = grade_of(term, answers, version)
    assert after.grade is not None
    assert after.grade == after.at_least >= before.at_least
    assert 1 <= after.grade <= 5
