"""Side effects: the rules as a table, the pages, who may, and 500 careless submissions."""

import datetime
import re
from collections import ChainMap
from datetime import date
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.models import SessionDraft, SideEffect, SideEffectInquiry
from sessions_app.side_effects import (
    change_side_effect,
    problems,
    record_side_effects,
)
from stsclinic.audit.models import Change
from stsclinic.audit.services import StaleRecord, strike_out
from stsclinic.clinical.grading import grade_of, questions_of
from stsclinic.clinical.seriousness import SERIOUS_CRITERIA
from stsclinic.clinical.terms import SIDE_EFFECT_TERM
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_session, make_user

NOW = datetime.datetime(2026, 3, 10, 12, 0, tzinfo=datetime.UTC)
TODAY = date(2026, 3, 10)
NOT_SAVED = (200, 422)
"""A refused form comes back; a saved one leads on with 302."""
HELD_ON = date(2026, 3, 2)


class Held:
    """A session, as far as the rules look at it."""

    held_on = HELD_ON


NONE_OF_THESE = {question.key: "no" for question in questions_of("skin_blistering", "5.0")}
MINUTE = datetime.timedelta(minutes=1)
LOCAL_NOW = NOW.astimezone(ZoneInfo("Europe/Copenhagen"))
SERIOUS = {"serious": True, "seriousness_criteria": ["medically_important"]}
TOLD = {"sponsor_told_on": TODAY, "sponsor_told_who": "the sponsor's desk"}

GOOD = {
    "session": Held,
    "series": None,
    "term": "skin_blistering",
    "term_detail": "",
    "grade": 1,
    "grade_answers": {},
    "grade_reason": "looked at",
    "ctcae_version": "5.0",
    "onset_on": date(2026, 3, 6),
    "resolved_on": None,
    "lasted_minutes": None,
    "serious": None,
    "seriousness_criteria": [],
    "serious_known_at": None,
    "sponsor_told_on": None,
    "sponsor_told_time": None,
    "sponsor_told_who": "",
    "meddra_code": "",
    "causality": "",
    "action": "",
    "outcome": "",
}


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, set()),
        # the onset
        ({"onset_on": TODAY}, set()),
        ({"onset_on": date(2026, 3, 11)}, {"onset_on"}),
        ({"onset_on": HELD_ON}, set()),
        ({"onset_on": date(2026, 3, 1)}, {"onset_on"}),
        ({"onset_on": date(2026, 3, 1), "session": None}, set()),
        ({"onset_on": date(1970, 1, 1), "session": None}, set()),
        ({"onset_on": date(1969, 12, 31), "session": None}, {"onset_on"}),
        # the end
        ({"resolved_on": date(2026, 3, 6)}, set()),
        ({"resolved_on": date(2026, 3, 5)}, {"resolved_on"}),
        ({"resolved_on": TODAY}, set()),
        ({"resolved_on": date(2026, 3, 11)}, {"resolved_on"}),
        ({"resolved_on": TODAY, "outcome": "recovered"}, set()),
        ({"resolved_on": TODAY, "outcome": "recovering"}, {"outcome"}),
        ({"resolved_on": TODAY, "outcome": "not_recovered"}, {"outcome"}),
        # minutes: over within the day, or over midnight
        ({"lasted_minutes": 1440, "resolved_on": date(2026, 3, 7)}, set()),
        ({"lasted_minutes": 20, "resolved_on": date(2026, 3, 8)}, {"lasted_minutes"}),
        ({"lasted_minutes": 20}, set()),
        # what it was
        ({"term": "other"}, {"term_detail"}),
        ({"term": "other", "term_detail": "itch"}, set()),
        # the grade stands on answers, or on a word
        ({"grade_reason": ""}, {"grade_reason"}),
        ({"grade_reason": "", "grade_answers": NONE_OF_THESE}, set()),
        ({"grade_reason": "", "grade_answers": NONE_OF_THESE, "grade": 2}, {"grade_reason"}),
        ({"grade_answers": NONE_OF_THESE, "grade": 2}, set()),
        ({"ctcae_version": "4.03"}, {"ctcae_version"}),
        ({"ctcae_version": "6.0"}, set()),
        # seriousness
        ({"grade": 2}, set()),
        ({"grade": 3}, {"serious"}),
        ({"grade": 3, "serious": False}, set()),
        ({"grade": 4} | SERIOUS, set()),
        ({"term": "digital_necrosis"}, {"serious"}),
        ({"term": "skin_necrosis"}, {"serious"}),
        ({"term": "skin_necrosis", "serious": False}, set()),
        ({"grade": 5, "outcome": "fatal"} | SERIOUS, set()),
        ({"grade": 5, "serious": False}, {"serious"}),
        ({"grade": 4, "outcome": "fatal"} | SERIOUS, {"grade"}),
        ({"serious": True}, {"seriousness_criteria"}),
        ({"serious": False, "seriousness_criteria": ["death"]}, {"serious"}),
        ({"serious": True, "seriousness_criteria": ["bad"]}, {"seriousness_criteria"}),
        # the moment from which the 24 hours count
        ({"serious_known_at": NOW} | SERIOUS, set()),
        ({"serious_known_at": NOW + MINUTE} | SERIOUS, {"serious_known_at"}),
        ({"serious_known_at": datetime.datetime(2026, 3, 5, 23, tzinfo=datetime.UTC)} | SERIOUS, set()),
        ({"serious_known_at": datetime.datetime(2026, 3, 5, 22, 59, tzinfo=datetime.UTC)} | SERIOUS,
         {"serious_known_at"}),
        # the sponsor
        (SERIOUS | TOLD, set()),
        (SERIOUS | TOLD | {"sponsor_told_who": ""}, {"sponsor_told_who"}),
        (SERIOUS | TOLD | {"sponsor_told_on": None}, {"sponsor_told_on"}),
        (SERIOUS | TOLD | {"sponsor_told_on": date(2026, 3, 11)}, {"sponsor_told_on"}),
        (SERIOUS | TOLD | {"sponsor_told_on": date(2026, 3, 5)}, {"sponsor_told_on"}),
        (SERIOUS | TOLD | {"sponsor_told_on": date(2026, 3, 9), "serious_known_at": NOW}, {"sponsor_told_on"}),
        (SERIOUS | TOLD | {"sponsor_told_time": datetime.time(13)}, set()),
        (SERIOUS | TOLD | {"sponsor_told_time": datetime.time(13, 1)}, {"sponsor_told_time"}),
        (TOLD, {"serious"}),
    ],
)  # fmt: skip
def test_what_is_refused(change, refused):
    assert set(problems(GOOD | change, birth_year=1970, today=TODAY, now=LOCAL_NOW)) == refused


def test_an_unknown_year_of_birth_refuses_nothing():
    early = GOOD | {"session": None, "onset_on": date(1900, 1, 1)}
    assert problems(early, birth_year=None, today=TODAY, now=LOCAL_NOW) == {}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def case(db):
    """A nurse, her patient with two lesions and a session, and somebody else's patient in another clinic."""

    class Case:
        clinic = make_clinic("north")
        nurse = make_user("nurse", clinic)
        patient = make_patient(clinic)
        lesions = (make_lesion(patient), make_lesion(patient))
        series = make_series(patient, lesions)
        session = make_session(series, HELD_ON)
        colleague_patient = make_patient(clinic)
        elsewhere = make_patient(make_clinic("south"))

    Case.client = Client()
    Case.client.force_login(Case.nurse)
    Case.new = reverse("side_effect_new", args=[Case.patient.pk])
    return Case


def typed(case, **values) -> dict:
    """A complete submission of the form."""
    return {
        "term": "skin_blistering",
        "term_detail": "",
        "grade": "1",
        "grade_reason": "looked at",
        "ctcae_version": "5.0",
        "belongs_to": f"session-{case.session.pk}",
        "onset_on": "2026-03-06",
        "resolved_on": "",
        "lasted_minutes": "",
        "lesions": [],
        "serious": "",
        "seriousness_criteria": [],
        "serious_known_at": "",
        "sponsor_told_on": "",
        "sponsor_told_time": "",
        "sponsor_told_who": "",
        "causality": "",
        "action": "",
        "outcome": "",
        "meddra_code": "",
    } | values


def columns(case, **values) -> dict:
    return GOOD | {"session": case.session, "series": case.series} | values


def recorded(case, **values) -> SideEffect:
    (row,) = record_side_effects(
        patient=case.patient, lesions=[], values=columns(case, **values), by=case.nurse.username
    )
    return row


def test_one_entry_for_each_lesion(case):
    sent = typed(case, lesions=[str(lesion.pk) for lesion in case.lesions])
    answer = case.client.post(case.new, sent)
    assert answer.status_code == 302
    assert answer.url == reverse("patient", args=[case.patient.pk])
    rows = SideEffect.objects.filter(patient=case.patient)
    assert {row.lesion for row in rows} == set(case.lesions)
    assert {(row.session, row.series, row.term, row.onset_on) for row in rows} == {
        (case.session, case.series, "skin_blistering", date(2026, 3, 6))
    }
    assert set(
        Change.objects.filter(table_name="sessions_app_sideeffect").values_list("actor", "source", "action")
    ) == {(case.nurse.username, "page", "created")}


def test_all_lesions_or_none(case):
    first, second = case.lesions
    case.client.post(case.new, typed(case, lesions=[str(second.pk)]))
    answer = case.client.post(case.new, typed(case, lesions=[str(first.pk), str(second.pk)]))
    assert answer.status_code in NOT_SAVED
    assert f"Skin blistering of {second.lesion_id} is recorded already" in answer.content.decode()
    assert SideEffect.objects.count() == 1


def test_the_time_between_and_no_series_at_all(case):
    case.client.post(case.new, typed(case, belongs_to=f"series-{case.series.pk}"))
    case.client.post(case.new, typed(case, belongs_to=""))
    assert set(SideEffect.objects.values_list("series", "session")) == {(case.series.pk, None), (None, None)}


def test_what_was_typed_stays_when_it_is_refused(case):
    sent = typed(case, grade="3", lasted_minutes="1.5x", term_detail="around the <rim>", causality="probable")
    page = case.client.post(case.new, sent).content.decode()
    assert "around the &lt;rim&gt;" in page
    assert 'value="1.5x"' in page
    assert '<option value="probable" selected>' in page
    assert 'href="#id_lasted_minutes"' in page
    assert not SideEffect.objects.exists()


def test_the_seriousness_must_be_said(case):
    page = case.client.post(case.new, typed(case, grade="3")).content.decode()
    assert "Say whether it is serious" in page
    assert all(words in page for words in SERIOUS_CRITERIA.values())
    assert case.client.post(case.new, typed(case, grade="3", serious="no")).status_code == 302
    assert SideEffect.objects.get().serious is False


def test_the_address_presets_where_it_belongs(case):
    lesion = case.lesions[1]
    page = case.client.get(
        f"{case.new}?term=skin_blistering&session={case.session.pk}&lesion={lesion.pk}"
    ).content.decode()
    assert f'<option value="session-{case.session.pk}" selected>' in page
    ticked = re.findall(r'name="(\w+)" value="(\w*)"[^>]* checked', page)
    assert ticked == [("lesions", str(lesion.pk)), ("end_when", "still")]


def test_the_onset_is_asked_and_never_presumed(case):
    for where in ("", f"&session={case.session.pk}", f"&series={case.series.pk}"):
        page = case.client.get(f"{case.new}?term=skin_blistering{where}").content.decode()
        assert not re.search(r'name="onset_on"[^>]* value=', page)
        assert not re.search(r'name="onset_when" value="[^"]+"[^>]* checked', page)
    sent = typed(case, onset_on="")
    page = case.client.post(case.new, sent).content.decode()
    assert "Say when it began" in page
    assert not SideEffect.objects.exists()


def test_from_a_draft_and_back_to_it(case):
    draft = SessionDraft.objects.create(series=case.series, kind="treatment", opened_by=case.nurse)
    page = case.client.get(f"{case.new}?term=nausea&draft={draft.pk}").content.decode()
    assert f'<option value="session-{case.session.pk}" selected>' in page
    answer = case.client.post(case.new, typed(case, draft=str(draft.pk)))
    assert answer.url == reverse("draft", args=[draft.pk])


def test_rows_of_another_patient_are_refused(case):
    for other in (case.colleague_patient, case.elsewhere):
        lesion, series = make_lesion(other), make_series(other)
        session = make_session(series, HELD_ON)
        draft = SessionDraft.objects.create(series=series, kind="treatment", opened_by=case.nurse)
        foreign = {"session": session.pk, "series": series.pk, "lesion": lesion.pk, "draft": draft.pk}
        for name, key in foreign.items():
            assert case.client.get(f"{case.new}?{name}={key}").status_code == 404, name
        for sent in (
            {"lesions": [str(lesion.pk)]},
            {"belongs_to": f"session-{session.pk}"},
            {"belongs_to": f"series-{series.pk}"},
            {"draft": str(draft.pk)},
        ):
            assert case.client.post(case.new, typed(case, **sent)).status_code == 404, sent
        own = columns(case)
        for lesions, values in (
            ([lesion], own),
            ([], own | {"series": series, "session": session}),
            ([], own | {"session": session}),
            ([], own | {"series": None}),
        ):
            with pytest.raises(ValidationError, match="of this patient"):
                record_side_effects(patient=case.patient, lesions=lesions, values=values, by="nurse")
    assert not SideEffect.objects.exists()


def test_what_was_struck_out_meanwhile_is_refused_with_a_sentence(case):
    lesion = case.lesions[0]
    strike_out(lesion, by="test", reason="seen twice")
    answer = case.client.post(case.new, typed(case, lesions=[str(lesion.pk)], term_detail="kept"))
    assert answer.status_code in NOT_SAVED
    assert "kept" in answer.content.decode()


def test_an_end_is_added(case):
    row = recorded(case)
    address = reverse("side_effect_edit", args=[row.pk])
    assert 'value="2026-03-06"' in case.client.get(address).content.decode()
    sent = typed(
        case, lesion=str(case.lesions[0].pk), resolved_on="2026-03-09", outcome="recovered", version="1"
    )
    assert case.client.post(address, sent).status_code == 302
    row.refresh_from_db()
    assert (row.resolved_on, row.outcome, row.lesion, row.version) == (
        date(2026, 3, 9), "recovered", case.lesions[0], 2
    )  # fmt: skip


def test_two_at_once_see_both_values_and_lose_nothing(case):
    row = recorded(case)
    change_side_effect(effect=row, values=columns(case, grade=2, lesion=None), seen_version=1, by="colleague")
    address = reverse("side_effect_edit", args=[row.pk])
    sent = typed(case, lesion="", term_detail="mine", version="1")
    answer = case.client.post(address, sent)
    page = answer.content.decode()
    assert answer.status_code in NOT_SAVED
    assert "<td>1 Mild: noticed, needs nothing</td><td>2 Moderate" in page
    assert "<td>mine</td>" in page
    row.refresh_from_db()
    assert (row.grade, row.term_detail) == (2, "")
    assert 'name="version" value="2"' in page
    assert case.client.post(address, sent | {"version": "2"}).status_code == 302
    row.refresh_from_db()
    assert (row.grade, row.term_detail, row.version) == (1, "mine", 3)


def test_the_service_holds_the_version_and_the_rules_by_itself(case):
    row = recorded(case)
    values = columns(case, lesion=None)
    with pytest.raises(StaleRecord):
        change_side_effect(effect=row, values=values | {"grade": 2}, seen_version=7, by="x")
    with pytest.raises(ValidationError, match="in the future"):
        change_side_effect(effect=row, values=values | {"onset_on": date(2027, 1, 1)}, seen_version=1, by="x")
    other = recorded(case, term="nausea")
    with pytest.raises(ValidationError, match="recorded already"):
        change_side_effect(effect=other, values=values, seen_version=1, by="x")


def test_an_edit_keeps_a_lesion_that_was_struck_out_later(case):
    lesion = case.lesions[0]
    (row,) = record_side_effects(
        patient=case.patient, lesions=[lesion], values=columns(case), by=case.nurse.username
    )
    strike_out(lesion, by="test", reason="seen twice")
    sent = typed(case, lesion=str(lesion.pk), grade="2", version="1")
    assert case.client.post(reverse("side_effect_edit", args=[row.pk]), sent).status_code == 302
    row.refresh_from_db()
    assert (row.grade, row.lesion_id) == (2, lesion.pk)


def test_a_struck_out_one_is_not_found(case):
    row = recorded(case)
    strike_out(row, by="test", reason="another patient's")
    assert case.client.get(reverse("side_effect_edit", args=[row.pk])).status_code == 404


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("clinician", True),
        ("nurse", True),
        ("investigator", False),
        ("observer", False),
        ("data_manager", False),
        ("administrator", False),
    ],
)
def test_who_may(case, role, allowed):
    row = recorded(case)
    addresses = (case.new, reverse("side_effect_edit", args=[row.pk]))
    colleague, outsider, signed_out = Client(), Client(), Client()
    colleague.force_login(make_user(role, case.clinic))
    outsider.force_login(make_user(role, make_clinic()))
    before = SideEffect.objects.count()
    for address in addresses:
        assert colleague.get(address).status_code == (200 if allowed else 404)
        assert outsider.get(address).status_code == 404
        assert outsider.post(address, typed(case, version="1", grade="2")).status_code == 404
        assert signed_out.get(address).status_code == 302
        assert signed_out.post(address, typed(case)).status_code == 302
        if not allowed:
            assert colleague.post(address, typed(case, version="1")).status_code == 404
    row.refresh_from_db()
    assert (SideEffect.objects.count(), row.grade) == (before, 1)


# 500 careless submissions -------------------------------------------------------------------------------

CARELESS = st.one_of(
    st.sampled_from(
        ["", " ", "x", "-1", "0", "6", "1.000,5", "0,5", "1e3", "2026-02-30", "20/11/2026", "0026-03-06", "\x00",
         "²", "session-", "series-x", "session-99999999999999999999999", "9" * 5000, "a" * 201, "nul\x00", "True", "null", "'; --"]
    ),
    st.text(max_size=30),
)  # fmt: skip
DAYS = st.dates(date(2026, 2, 25), date(2026, 3, 12)).map(str)


def code_of(vocabulary) -> st.SearchStrategy:
    return st.sampled_from(["", *vocabulary])


def submissions(case) -> st.SearchStrategy:
    """A sheet filled in as people do: mostly well, now and then with a slip in one to three fields."""
    likely = {
        "term": st.sampled_from(list(SIDE_EFFECT_TERM)),
        "term_detail": st.sampled_from(["", "itch", "  around the rim ", "Ærø 0,5 ×", "<b>", "a" * 200]),
        "ctcae_version": st.sampled_from(["5.0", "6.0"]),
        "belongs_to": st.sampled_from(["", f"session-{case.session.pk}", f"series-{case.series.pk}"]),
        "lasted_minutes": st.sampled_from(["", "", "0", "30", " 45 ", "1440", "1441"]),
        "lesions": st.lists(st.sampled_from([str(row.pk) for row in case.lesions]), unique=True),
        "asked_today": st.sampled_from(["", "on"]),
        "causality": code_of(["probable", "unlikely"]),
        "action": code_of(["none", "oral_antibiotic"]),
        "outcome": code_of(["unknown", "recovered", "recovering"]),
    }
    session = {"belongs_to": f"session-{case.session.pk}"}
    days = st.sampled_from("0258")
    counted, dated = (
        st.builds(lambda days: {"onset_when": days, "onset_on": ""} | session, days),
        st.builds(lambda day: {"onset_when": "", "onset_on": str(day)}, st.dates(HELD_ON, TODAY)),
    )
    onset = st.one_of(counted, dated)
    open_or_brief = st.sampled_from(
        [{"end_when": "still", "resolved_on": ""}, {"end_when": "0", "resolved_on": ""}]
    )
    end = st.one_of(
        open_or_brief,
        open_or_brief,
        st.builds(lambda day: {"end_when": "", "resolved_on": str(day)}, st.dates(date(2026, 3, 8), TODAY)),
    )
    grade = st.one_of(
        st.builds(
            lambda danger, care: {
                "grade": "", "grade_reason": "", "no_to_rest": "1", "answer_danger": danger, "answer_self_care": care
            },
            st.sampled_from(["", "no", "no", "yes"]),
            st.sampled_from(["", "no", "yes"]),
        ),
        st.builds(
            lambda grade, reason, rest: {"grade": grade, "grade_reason": reason, "no_to_rest": rest},
            st.sampled_from(["", "1", "1", "2", "3", "4"]),
            st.sampled_from(["", "looked at"]),
            st.sampled_from(["", "1"]),
        ),
    )  # fmt: skip
    criteria = st.lists(st.sampled_from(list(SERIOUS_CRITERIA)), unique=True, min_size=1, max_size=2)
    serious = st.one_of(
        st.sampled_from(["no", ""]).map(lambda said: {"serious": said, "seriousness_criteria": []}),
        st.builds(
            lambda said, criteria: {"serious": said, "seriousness_criteria": criteria},
            st.sampled_from(["yes", ""]),
            criteria,
        ),
    )
    sponsor = st.one_of(
        st.just(
            {"serious_known_at": "", "sponsor_told_on": "", "sponsor_told_time": "", "sponsor_told_who": ""}
        ),
        st.fixed_dictionaries(
            {
                "serious_known_at": st.sampled_from(["", "2026-03-09T08:00", "2026-03-10T23:00"]),
                "sponsor_told_on": DAYS,
                "sponsor_told_time": st.sampled_from(["", "09:05"]),
                "sponsor_told_who": st.sampled_from(["", "the desk"]),
            }
        ),
    )
    named = [*likely, "grade", "onset_when", "onset_on", "end_when", "resolved_on", "serious_known_at",
             "seriousness_criteria", "sponsor_told_on", "sponsor_told_time", "answer_danger", "version"]  # fmt: skip
    slips = st.dictionaries(st.sampled_from(named), CARELESS, min_size=1, max_size=3)
    whole = st.builds(
        lambda *parts: dict(ChainMap(*reversed(parts))),
        st.fixed_dictionaries(likely), onset, end, grade, serious, st.one_of(st.just({}), st.just({}), sponsor),
    )  # fmt: skip
    empty = {"answer_danger": "", "sponsor_told_on": "", "sponsor_told_time": "", "sponsor_told_who": ""}
    return st.builds(
        lambda sheet, slip: empty | sheet | slip, whole, st.one_of(st.just({}), st.just({}), slips)
    )


def day(text: str) -> date | None:
    return date.fromisoformat(text.strip()) if text.strip() else None


def read(sheet: dict) -> dict:
    """What the sheet says, read without the program's help. The moment of knowing is left to its own test."""
    onset, ended = day(sheet["onset_on"]), day(sheet["resolved_on"])
    if sheet["onset_when"]:
        onset = HELD_ON + datetime.timedelta(days=int(sheet["onset_when"]))
    if sheet["end_when"] not in ("", "still"):
        ended = onset + datetime.timedelta(days=int(sheet["end_when"]))
    answers = {
        question.key: sheet.get(f"answer_{question.key}") or ("no" if sheet["no_to_rest"] else "")
        for question in questions_of(sheet["term"], sheet["ctcae_version"])
    }
    answers = {key: answer for key, answer in answers.items() if answer}
    criteria = sheet["seriousness_criteria"]
    return {
        "term": sheet["term"],
        "term_detail": sheet["term_detail"].strip(),
        "grade": int(sheet["grade"] or grade_of(sheet["term"], answers, sheet["ctcae_version"]).grade),
        "grade_answers": answers,
        "grade_reason": sheet["grade_reason"].strip(),
        "ctcae_version": sheet["ctcae_version"],
        "onset_on": onset,
        "resolved_on": ended,
        "lasted_minutes": int(sheet["lasted_minutes"]) if sheet["lasted_minutes"].strip() else None,
        "serious": True if criteria else {"yes": True, "no": False}.get(sheet["serious"]),
        "seriousness_criteria": [criteria] if isinstance(criteria, str) and criteria else list(criteria),
        "sponsor_told_on": day(sheet["sponsor_told_on"]),
        "sponsor_told_time": (
            datetime.time.fromisoformat(sheet["sponsor_told_time"].strip())
            if sheet["sponsor_told_time"].strip()
            else None
        ),
        "sponsor_told_who": sheet["sponsor_told_who"].strip(),
        "causality": sheet["causality"],
        "action": sheet["action"],
        "outcome": sheet["outcome"],
    }


def test_500_careless_submissions(case):
    tally = {"kept": 0, "refused": 0}

    @settings(
        max_examples=500,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(sheet=submissions(case))
    def submit(sheet):
        last = SideEffect.everything.order_by("-pk").values_list("pk", flat=True).first() or 0
        changes, asked = Change.objects.count(), SideEffectInquiry.objects.count()
        answer = case.client.post(case.new, sheet)
        rows = list(SideEffect.objects.filter(pk__gt=last))
        if answer.status_code == 302:
            tally["kept"] += 1
            expected = read(sheet)
            for row in rows:
                assert {name: getattr(row, name) for name in expected} == expected
                where = (
                    f"session-{row.session_id}"
                    if row.session_id
                    else (f"series-{row.series_id}" if row.series_id else "")
                )
                assert (row.patient, where) == (case.patient, sheet["belongs_to"])
            lesions = [sheet["lesions"]] if isinstance(sheet["lesions"], str) else sheet["lesions"]
            assert sorted(str(row.lesion_id or "") for row in rows) == (sorted(lesions) or [""])
            inquiries = SideEffectInquiry.objects.count()
            assert Change.objects.count() == changes + len(rows) + (inquiries - asked)
            assert inquiries == (1 if asked or sheet["asked_today"] not in ("", "False") else 0)
        else:
            tally["refused"] += 1
            assert answer.status_code in (404, *NOT_SAVED)
            assert not rows
            assert Change.objects.count() == changes

    submit()
    assert tally["kept"] >= 100, tally
    assert tally["refused"] >= 100, tally
