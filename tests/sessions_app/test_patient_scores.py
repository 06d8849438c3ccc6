"""The patient's own score: the code, its end, the page, the field, and what nobody learns from it."""

import datetime
import logging
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import given as random
from hypothesis import settings as random_settings
from hypothesis import strategies as some

from sessions_app.drafts import (
    complete_draft,
    discard_draft,
    open_correction,
    open_draft,
    save_draft,
    texts_of,
)
from sessions_app.entries import lesion_field
from sessions_app.models import DraftField, ScoreInvitation, SeriesLesion, SessionDraft, WrongScoreCode
from sessions_app.patient_scores import (
    KEPT_FOR,
    LIVES,
    WRONG_CODES,
    WRONG_CODES_WITHIN,
    InvitationOver,
    answers_of,
    confirm,
    invitation_of_code,
    invite,
    note_wrong_code,
    purposes_of,
    questions_of,
    record_answer,
)
from sessions_app.patient_words import LANGUAGES, place_words
from stsclinic.audit.models import Event
from stsclinic.audit.services import write_new
from stsclinic.clinical import terms
from stsclinic.clinical.scales import SCALES
from tests.builders import make_clinic, make_lesion, make_patient, make_series, make_user

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 3, 10, 13, 2, tzinfo=datetime.UTC)
"""14:02 in Copenhagen."""
SCORE = "/score/"


class World:
    """A nurse, her patient with two lesions, and the sheet that she has open."""

    def __init__(self, protocol: str = "weekly4"):
        self.clinic = make_clinic()
        self.nurse = make_user("nurse", self.clinic, f"nina-{protocol}")
        self.patient = make_patient(self.clinic)
        self.lesions = [make_lesion(self.patient), make_lesion(self.patient, laterality="right")]
        arms = ("active", "control") if protocol == "placebo3" else ("", "")
        treated = list(zip(self.lesions, arms, strict=True))
        self.series = make_series(self.patient, treated, protocol=protocol)
        self.draft = open_draft(series=self.series, kind="treatment", by=self.nurse)

    def type(self, **values: str):
        """Type into the sheet as the nurse, who has seen what stands there."""
        loaded = texts_of(self.draft)
        names = tuple(values)
        return save_draft(draft=self.draft, names=names, typed=values, loaded=loaded, by=self.nurse)

    def field(self, name: str) -> DraftField:
        return DraftField.objects.get(draft=self.draft, name=name)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def trial() -> World:
    return World("placebo3")


def asked(world: World, purpose: str = "ptga") -> tuple[ScoreInvitation, str]:
    return invite(draft=world.draft, purpose=purpose, by=world.nurse)


def opened(code: str) -> Client:
    """A telephone on which a code was opened."""
    client = Client()
    assert client.post(SCORE, {"code": code}).status_code == 302
    return client


def text_of(answer) -> str:
    return answer.content.decode()


# What is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "kind", "purposes"),
    [
        ("weekly4", "treatment", ("ptga",)),
        ("weekly4", "follow_up", ("ptga",)),
        ("iv", "treatment", ("ptga",)),
        ("placebo3", "treatment", ("pain",)),
        ("placebo3", "follow_up", ()),
    ],
)
def test_what_a_sheet_asks_of_the_patient(protocol, kind, purposes):
    world = World(protocol)
    world.draft.kind = kind
    assert purposes_of(world.draft, world.series.protocol.definition) == purposes


def test_a_correction_asks_nothing(world):
    world.type(**{f"lesion-{lesion.pk}-longest_mm": "5" for lesion in world.lesions}, ptga="5", phga="5")
    done = complete_draft(draft=world.draft, by=world.nurse, without_missing=True)
    correction = open_correction(session=done.session, by=world.nurse)
    assert purposes_of(correction, world.series.protocol.definition) == ()
    with pytest.raises(ValueError, match="not asked"):
        invite(draft=correction, purpose="ptga", by=world.nurse)


def test_ptga_is_one_whole_number_from_1_to_10(world):
    (question,) = questions_of(asked(world)[0])
    assert (question.field, list(question.numbers), question.lesion) == ("ptga", list(range(1, 11)), None)


def test_pain_is_asked_of_each_lesion_that_was_injected(trial):
    invitation, _code = asked(trial, "pain")
    first, second = trial.lesions
    assert [one.lesion for one in questions_of(invitation)] == [first, second]
    assert list(questions_of(invitation)[0].numbers) == list(range(11))
    trial.type(**{lesion_field(second.pk, "volume_ml"): "0,02"})
    assert [one.field for one in questions_of(invitation)] == [lesion_field(second.pk, "pain_vas")]
    trial.type(**{lesion_field(second.pk, "volume_ml"): "", lesion_field(first.pk, "gone"): "on"})
    assert [one.lesion for one in questions_of(invitation)] == [second]


# The code --------------------------------------------------------------------------------------------------------


def test_a_code_has_128_bits_and_is_kept_as_a_digest_only(world):
    codes = [asked(world)[1] for _ in range(20)]
    assert len(set(codes)) == 20
    assert all(re.fullmatch("[A-Z2-7]{26}", code) for code in codes)
    for row in ScoreInvitation.objects.values():
        assert not any(code in str(value) for value in row.values() for code in codes)


@pytest.mark.parametrize(
    "way", [str, str.lower, lambda code: " ".join(code[i : i + 4] for i in range(0, 26, 4))]
)
def test_it_may_be_typed_as_it_is_shown(world, way):
    invitation, code = asked(world)
    assert invitation_of_code(way(code)) == invitation


@pytest.mark.parametrize(
    ("seconds", "is_valid"), [(0, True), (899, True), (900, False), (901, False), (86_400, False)]
)
def test_it_lives_for_15_minutes(world, clock, seconds, is_valid):
    invitation, code = asked(world)
    phone = opened(code)
    clock.move_to(NOW + timedelta(seconds=seconds))
    assert (invitation_of_code(code) is not None) == is_valid
    answer = phone.post(SCORE, {"language": "en", "ptga": "7"})
    assert answer.status_code == (302 if is_valid else 404)
    assert DraftField.objects.filter(draft=world.draft, by_patient=True).exists() == is_valid
    assert invitation.ends_at - invitation.made_at == LIVES == timedelta(minutes=15)


def end_by_newer(world, invitation):
    asked(world)


def end_by_completion(world, invitation):
    complete_draft(draft=world.draft, by=world.nurse, without_missing=True)
    assert SessionDraft.objects.get(pk=world.draft.pk).state == "completed"


def end_by_discard(world, invitation):
    discard_draft(draft=world.draft, by=world.nurse)


def end_by_answer(world, invitation):
    record_answer(invitation=invitation, answers={"ptga": 3})
    confirm(invitation)


ENDS = [end_by_newer, end_by_completion, end_by_discard, end_by_answer]


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_it(world, end):
    world.type(**{lesion_field(lesion.pk, "longest_mm"): "5" for lesion in world.lesions})
    invitation, code = asked(world)
    phone = opened(code)
    end(world, invitation)
    before = list(DraftField.objects.order_by("pk").values())
    assert invitation_of_code(code) is None
    with pytest.raises(InvitationOver):
        record_answer(invitation=invitation, answers={"ptga": 9})
    with pytest.raises(InvitationOver):
        confirm(invitation)
    assert phone.post(SCORE, {"language": "en", "ptga": "9"}).status_code in (404, 200)
    assert list(DraftField.objects.order_by("pk").values()) == before


def test_no_code_for_a_closed_sheet(world):
    discard_draft(draft=world.draft, by=world.nurse)
    with pytest.raises(InvitationOver):
        asked(world)


def plain(answer) -> tuple:
    """An answer without what is new in every answer: the token of the form."""
    body = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", text_of(answer))
    headers = {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}
    cookies = {name: dict(cookie) | {"expires": ""} for name, cookie in answer.cookies.items()}
    return answer.status_code, body, headers, cookies


def test_wrong_and_old_codes_get_the_same_answer(world, clock, django_assert_num_queries):
    _first, replaced = asked(world)
    done, confirmed = asked(world)
    record_answer(invitation=done, answers={"ptga": 3})
    confirm(done)
    _last, expired = asked(world)
    clock.move_to(NOW + LIVES)
    answers = []
    for code in (replaced, confirmed, expired, "A" * 26, "", "nonsense \x00 ø", "x" * 5000):
        client = Client(REMOTE_ADDR="10.1.1.1")
        with django_assert_num_queries(4):
            answers.append(plain(client.post(SCORE, {"code": code})))
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


def test_many_wrong_codes_from_one_address_have_to_wait(world, clock):
    _invitation, code = asked(world)
    stranger, colleague = Client(REMOTE_ADDR="10.9.9.9"), Client(REMOTE_ADDR="10.9.9.8")
    assert [stranger.post(SCORE, {"code": "X"}).status_code for _ in range(WRONG_CODES)] == [
        404
    ] * WRONG_CODES
    assert stranger.post(SCORE, {"code": "X"}).status_code == 429
    assert stranger.post(SCORE, {"code": code}).status_code == 429
    assert WrongScoreCode.objects.count() == WRONG_CODES
    assert not WrongScoreCode.objects.filter(address_digest__contains="10.9.9.9").exists()
    assert colleague.post(SCORE, {"code": code}).status_code == 302
    clock.move_to(NOW + WRONG_CODES_WITHIN)
    assert stranger.post(SCORE, {"code": code}).status_code == 302


def test_old_marks_of_wrong_codes_do_not_stay(clock):
    note_wrong_code("10.0.0.1")
    clock.move_to(NOW + KEPT_FOR + timedelta(seconds=1))
    note_wrong_code("10.0.0.2")
    assert WrongScoreCode.objects.count() == 1


# The answer ------------------------------------------------------------------------------------------------------


def test_it_goes_straight_into_the_sheet_as_by_the_patient(world):
    _invitation, code = asked(world)
    version = SessionDraft.objects.get(pk=world.draft.pk).version
    phone = opened(code)
    assert phone.post(SCORE, {"language": "da", "ptga": "7"}).url == f"{SCORE}?language=da&step=check"
    row = world.field("ptga")
    assert (row.value, row.by_patient, row.by, row.version, row.at) == (
        "7",
        True,
        world.nurse,
        version + 1,
        NOW,
    )
    assert SessionDraft.objects.get(pk=world.draft.pk).version == version + 1
    desk = Client()
    desk.force_login(world.nurse)
    page = text_of(desk.get(reverse("draft", args=[world.draft.pk])))
    assert "7, by the patient, 14:02" in page
    event = Event.objects.get(kind="score_given")
    assert (event.actor, event.patient_pk) == (world.nurse.username, world.patient.pk)
    assert event.detail == f"PtGA 7 by the patient, sheet {world.draft.pk}"


def test_sent_and_loaded_twice_changes_nothing_more(world):
    _invitation, code = asked(world)
    phone = opened(code)
    for _ in range(3):
        assert phone.get(f"{SCORE}?language=en").status_code == 200
        assert phone.post(SCORE, {"language": "en", "ptga": "7"}).status_code == 302
    for _ in range(2):
        assert "<strong>7</strong>" in text_of(phone.get(f"{SCORE}?language=en&step=check"))
    assert DraftField.objects.filter(draft=world.draft, name="ptga").count() == 1
    assert world.field("ptga").version == SessionDraft.objects.get(pk=world.draft.pk).version == 1
    assert Event.objects.filter(kind="score_given").count() == 1
    for _ in range(2):
        assert phone.post(SCORE, {"language": "en", "done": "yes"}).status_code in (302, 200)
        assert "Your answer has been received." in text_of(phone.get(f"{SCORE}?language=en"))


def test_it_may_be_corrected_until_it_is_confirmed(world):
    invitation, code = asked(world)
    phone = opened(code)
    phone.post(SCORE, {"language": "pt", "ptga": "7"})
    again = text_of(phone.get(f"{SCORE}?language=pt"))
    assert 'value="7" checked' in again
    phone.post(SCORE, {"language": "pt", "ptga": "4"})
    assert world.field("ptga").value == "4"
    phone.post(SCORE, {"language": "pt", "done": "yes"})
    phone.post(SCORE, {"language": "pt", "ptga": "10"})
    assert world.field("ptga").value == "4"
    assert ScoreInvitation.objects.get(pk=invitation.pk).done_at == NOW


def test_a_new_code_shows_no_earlier_answer(world, clock):
    earlier, _code = asked(world)
    record_answer(invitation=earlier, answers={"ptga": 7})
    clock.move_to(NOW + timedelta(minutes=1))
    invitation, code = asked(world)
    assert answers_of(invitation) == {}
    assert "checked" not in text_of(opened(code).get(f"{SCORE}?language=en"))


def test_nothing_is_confirmed_before_it_is_answered(world):
    invitation, code = asked(world)
    phone = opened(code)
    phone.post(SCORE, {"language": "en", "done": "yes"})
    assert ScoreInvitation.objects.get(pk=invitation.pk).done_at is None
    assert text_of(phone.get(f"{SCORE}?language=en&step=check")).count('type="radio"') == 10


def test_what_it_replaced_is_kept_beside_it(world):
    world.type(ptga="5")
    invitation, _code = asked(world)
    record_answer(invitation=invitation, answers={"ptga": 7})
    record_answer(invitation=invitation, answers={"ptga": 8})
    assert world.field("ptga").instead_of == f"5 by {world.nurse.username}"
    desk = Client()
    desk.force_login(world.nurse)
    page = text_of(desk.get(reverse("draft", args=[world.draft.pk])))
    assert f"8, by the patient, 14:02, instead of 5 by {world.nurse.username}" in page


def test_a_conflict_with_what_was_typed_is_shown_as_any_other(world):
    invitation, _code = asked(world)
    record_answer(invitation=invitation, answers={"ptga": 7})
    desk = Client()
    desk.force_login(world.nurse)
    page = desk.post(reverse("draft", args=[world.draft.pk]), {"ptga": "5", "loaded": "{}", "action": "save"})
    assert "the patient typed “7” while you typed “5”" in text_of(page)
    assert world.field("ptga").value == "7"


def test_what_somebody_types_over_it_is_no_longer_the_patients(world):
    invitation, _code = asked(world)
    record_answer(invitation=invitation, answers={"ptga": 7})
    world.type(ptga="6")
    row = world.field("ptga")
    assert (row.value, row.by_patient, row.instead_of, row.writer) == ("6", False, "", world.nurse.username)
    assert answers_of(invitation) == {}


@pytest.mark.parametrize("sent", ["0", "11", "5,5", "5.0", "", "seven", "+7", "٧", " 7", "7\x00"])
def test_only_a_number_of_the_scale_is_taken(world, sent):
    _invitation, code = asked(world)
    answer = opened(code).post(SCORE, {"language": "en", "ptga": sent})
    assert answer.status_code == 422
    assert "Please choose a number." in text_of(answer)
    assert not DraftField.objects.filter(draft=world.draft, by_patient=True).exists()


def test_the_session_keeps_that_the_patient_gave_it(world):
    invitation, _code = asked(world)
    record_answer(invitation=invitation, answers={"ptga": 7})
    world.type(**{lesion_field(lesion.pk, "longest_mm"): "5" for lesion in world.lesions})
    done = complete_draft(draft=world.draft, by=world.nurse, without_missing=True)
    clinician = make_user("clinician", world.clinic)
    desk = Client()
    desk.force_login(clinician)
    page = reverse("session", args=[done.session.pk])
    assert '7 <span class="unit">by the patient</span>' in text_of(desk.get(page))
    correction = open_correction(session=done.session, by=clinician)
    loaded = texts_of(correction)
    names = tuple(loaded)
    save_draft(draft=correction, names=names, typed=loaded | {"ptga": "6"}, loaded=loaded, by=clinician)
    complete_draft(draft=correction, by=clinician, without_missing=True, reason="misread")
    assert "by the patient" not in text_of(desk.get(page))


def test_the_session_keeps_whose_pain_it_is(trial):
    invitation, _code = asked(trial, "pain")
    first, second = trial.lesions
    fields = {lesion_field(lesion.pk, "pain_vas"): 4 for lesion in (first, second)}
    record_answer(invitation=invitation, answers=fields)
    volumes = {lesion_field(lesion.pk, "volume_ml"): "0.02" for lesion in (first, second)}
    seen = {"longest_mm": "5", "widest_mm": "4", "ulcer": "no", "inflammation": "no", "pga": "2"}
    for lesion in (first, second):
        trial.type(**{lesion_field(lesion.pk, name): text for name, text in seen.items()})
    trial.type(**volumes, **{lesion_field(second.pk, "pain_vas"): "5"})
    done = complete_draft(draft=trial.draft, by=trial.nurse, without_missing=True)
    assert done.session is not None, done
    desk = Client()
    desk.force_login(trial.nurse)
    page = text_of(desk.get(reverse("session", args=[done.session.pk])))
    assert page.count("by the patient") == 1


def test_nothing_but_what_is_asked_can_be_written(world):
    invitation, code = asked(world)
    before = set(DraftField.objects.values_list("name", "value"))
    opened(code).post(SCORE, {"language": "en", "ptga": "7", "phga": "1", "note": "x", "all-agent": "saline"})
    assert set(DraftField.objects.values_list("name", "value")) - before == {("ptga", "7")}
    for answers in (
        {"phga": 5},
        {"ptga": 0},
        {"ptga": 11},
        {lesion_field(world.lesions[0].pk, "pain_vas"): 1},
    ):
        with pytest.raises(ValueError, match="not asked"):
            record_answer(invitation=invitation, answers=answers)


def test_pain_is_given_per_lesion_and_all_of_it(trial):
    _invitation, code = asked(trial, "pain")
    phone = opened(code)
    first, second = (lesion_field(lesion.pk, "pain_vas") for lesion in trial.lesions)
    page = text_of(phone.get(f"{SCORE}?language=da"))
    assert "Albue, venstre side" in page
    assert "Albue, højre side" in page
    half = phone.post(SCORE, {"language": "da", first: "4"})
    assert half.status_code == 422
    assert 'value="4" checked' in text_of(half)
    assert phone.post(SCORE, {"language": "da", first: "4", second: "0"}).status_code == 302
    assert (trial.field(first).value, trial.field(second).value) == ("4", "0")


@random_settings(max_examples=25, deadline=None)
@random(numbers=some.lists(some.integers(-2, 13), min_size=1, max_size=5))
def test_the_last_answer_on_the_scale_stands(numbers):
    world = World("biweekly") if not SessionDraft.objects.exists() else None
    draft = SessionDraft.objects.latest("pk")
    nurse = draft.opened_by
    if world is None:
        DraftField.objects.filter(draft=draft, name="ptga").delete()
    invitation, _code = invite(draft=draft, purpose="ptga", by=nurse)
    for number in numbers:
        if SCALES["ptga"].holds(number):
            record_answer(invitation=invitation, answers={"ptga": number})
        else:
            with pytest.raises(ValueError, match="not asked"):
                record_answer(invitation=invitation, answers={"ptga": number})
    on_scale = [number for number in numbers if SCALES["ptga"].holds(number)]
    assert answers_of(invitation) == ({"ptga": on_scale[-1]} if on_scale else {})


# The page --------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page says: its words, its language, and its fields."""

    def __init__(self, answer):
        super().__init__()
        self.words, self.languages, self.fields = [], [], []
        self.feed(text_of(answer))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.languages += [values["lang"]] if "lang" in values else []
        if tag in ("input", "a"):
            self.fields.append(values)

    def handle_data(self, data):
        self.words += [data.strip()] if data.strip() else []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_everything_in_its_own_words(world, language):
    words = LANGUAGES[language]
    _invitation, code = asked(world)
    phone = opened(code)
    page = Page(phone.get(f"{SCORE}?language={language}"))
    assert page.languages == [language]
    assert {words.questions["ptga"], words.go_on, words.other_language} <= set(page.words)
    assert f"1 = {words.ends['ptga'][0]}" in page.words
    assert f"10 = {words.ends['ptga'][1]}" in page.words
    phone.post(SCORE, {"language": language, "ptga": "3"})
    check = Page(phone.get(f"{SCORE}?language={language}&step=check"))
    assert {words.your_answer, "3", words.is_it_right, words.done, words.change} <= set(check.words)
    phone.post(SCORE, {"language": language, "done": "yes"})
    thanks = Page(phone.get(f"{SCORE}?language={language}"))
    assert {words.thanks, f"{words.received} {words.close_page}"} <= set(thanks.words)


def test_the_sheet_and_the_patients_page_ask_the_same_question(world):
    """That of report 000: how problematic overall those selected were within the last week."""
    question = "Overall, how problematic were the calcium deposits chosen for treatment in the past week?"
    phone = opened(asked(world)[1])
    assert question in Page(phone.get(f"{SCORE}?language=en")).words
    desk = Client()
    desk.force_login(world.nurse)
    sheet = Page(desk.get(reverse("draft", args=[world.draft.pk])))
    assert f"{question} 1 is best, 10 is worst." in sheet.words


def test_the_first_page_offers_every_language_in_its_own_words(world):
    page = Page(opened(asked(world)[1]).get(SCORE))
    assert page.languages == ["en", *LANGUAGES, *LANGUAGES]
    assert {words.name for words in LANGUAGES.values()} <= set(page.words)


def test_every_language_has_every_word():
    english = LANGUAGES["en"]
    for code, words in LANGUAGES.items():
        assert set(words.body_sites) == set(terms.BODY_SITE), code
        assert set(words.sides) == set(terms.LATERALITY), code
        assert set(words.questions) == set(words.ends) == set(english.questions), code
        for name, said in vars(words).items():
            for one in said.values() if isinstance(said, dict) else [said]:
                assert one, (code, name)
        if code != "en":
            said = [*words.body_sites.values(), *words.questions.values(), words.go_on, words.done]
            assert not set(said) & {*english.body_sites.values(), *english.questions.values(), "Continue"} - {
                "Face"
            }


def test_places_in_words():
    assert place_words(LANGUAGES["pt"], "elbow", "left") == "Cotovelo, lado esquerdo"
    assert place_words(LANGUAGES["en"], "scalp", "") == "Scalp"


def test_two_lesions_in_one_place_are_told_apart(trial):
    third = make_lesion(trial.patient, laterality="left")
    write_new(SeriesLesion(series=trial.series, lesion=third, arm="active"), by="test", source="command")
    page = text_of(opened(asked(trial, "pain")[1]).get(f"{SCORE}?language=en"))
    assert "Elbow, left side (L01)" in page
    assert "Elbow, left side (L03)" in page
    assert ">Elbow, right side<" in page


def test_it_shows_no_other_data(world, trial):
    world.type(ptga="9", note="a secret note")
    for one, purpose in ((world, "ptga"), (trial, "pain")):
        invitation, code = asked(one, purpose)
        phone = opened(code)
        patient = one.patient
        pages = [phone.get(SCORE), phone.get(f"{SCORE}?language=en")]
        phone.post(SCORE, {"language": "en"} | {q.field: "4" for q in questions_of(invitation)})
        pages += [phone.get(f"{SCORE}?language=en&step=check")]
        phone.post(SCORE, {"language": "en", "done": "yes"})
        pages += [phone.get(f"{SCORE}?language=en")]
        for page in pages:
            assert page.status_code == 200
            said = text_of(page)
            for secret in (
                patient.study_id,
                one.clinic.name,
                one.nurse.username,
                one.series.protocol.name,
                "a secret note",
                'value="9" checked',
                "1970",
                "papule",
                "Papule",
                "/drafts/",
            ):
                assert secret not in said, secret


def test_the_answers_are_kept_by_no_browser_and_told_to_no_other_site(world):
    _invitation, code = asked(world)
    phone = Client()
    answers = [
        phone.get(SCORE),
        phone.post(SCORE, {"code": "X"}),
        phone.post(SCORE, {"code": code}),
        phone.get(SCORE),
    ]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store, private"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Robots-Tag"] == "noindex"


def test_the_code_is_in_no_address_and_in_no_log(world, caplog):
    desk = Client()
    desk.force_login(world.nurse)
    with caplog.at_level(logging.DEBUG):
        page = desk.post(reverse("score_invite", args=[world.draft.pk]), {"way": "code"})
        code = "".join(re.search(r'invite-code">([^<]+)<', text_of(page)).group(1).split())
        phone = Client()
        for answer in (phone.post(SCORE, {"code": "WRONG"}), phone.post(SCORE, {"code": code})):
            assert code not in answer.headers.get("Location", "")
        phone.post(SCORE, {"language": "en", "ptga": "4"})
        phone.delete(SCORE)
    assert invitation_of_code(code) is not None
    assert code not in caplog.text
    assert "WRONG" not in caplog.text
    # Of the page that shows it, only the drawn code and the words hold it: no link, no form.
    assert not re.search(rf'(href|action|value|src)="[^"]*{code}', text_of(page))


# Asked for by the clinic -----------------------------------------------------------------------------------------


def test_the_sheet_leads_to_it_and_saves_first(world):
    desk = Client()
    desk.force_login(world.nurse)
    sheet = reverse("draft", args=[world.draft.pk])
    assert "Let the patient score" in text_of(desk.get(sheet))
    answer = desk.post(sheet, {"note": "typed", "loaded": "{}", "action": "score"} | texts_of(world.draft))
    assert answer.url == reverse("score_invite", args=[world.draft.pk])
    assert world.field("note").value == "typed"


def test_a_sheet_that_asks_nothing_offers_nothing(trial):
    desk = Client()
    desk.force_login(trial.nurse)
    SessionDraft.objects.filter(pk=trial.draft.pk).update(kind="follow_up")
    assert "Let the patient score" not in text_of(desk.get(reverse("draft", args=[trial.draft.pk])))
    answer = desk.get(reverse("score_invite", args=[trial.draft.pk]))
    assert answer.url == reverse("draft", args=[trial.draft.pk])


def test_looking_at_the_page_makes_no_code(world):
    desk = Client()
    desk.force_login(world.nurse)
    assert desk.get(reverse("score_invite", args=[world.draft.pk])).status_code == 200
    assert not ScoreInvitation.objects.exists()


def test_a_purpose_that_is_not_the_sheets_is_not_found(world):
    desk = Client()
    desk.force_login(world.nurse)
    address = reverse("score_invite", args=[world.draft.pk])
    assert desk.post(address, {"purpose": "pain"}).status_code == 404
    assert not ScoreInvitation.objects.exists()


def test_handing_over_signs_out_and_the_register_is_out_of_reach(world):
    tablet = Client()
    tablet.force_login(world.nurse)
    old = tablet.cookies["sessionid"].value
    answer = tablet.post(reverse("score_invite", args=[world.draft.pk]), {"way": "tablet"})
    assert answer.url == SCORE
    assert tablet.cookies["sessionid"].value != old
    for name, arguments in (("today", []), ("draft", [world.draft.pk]), ("patient", [world.patient.pk])):
        assert tablet.get(reverse(name, args=arguments)).url.startswith("/sign-in/")
    thief = Client()
    thief.cookies["sessionid"] = old
    assert thief.get(reverse("today")).url.startswith("/sign-in/")
    page = text_of(tablet.get(f"{SCORE}?language=en"))
    assert "Sign out" not in page
    tablet.post(SCORE, {"language": "en", "ptga": "2"})
    tablet.post(SCORE, {"language": "en", "done": "yes"})
    thanks = text_of(tablet.get(f"{SCORE}?language=en"))
    assert "Please give the tablet back" in thanks
    assert Event.objects.filter(kind="signed_out", actor=world.nurse.username).count() == 1


def test_no_patients_page_where_somebody_is_signed_in(world):
    _invitation, code = asked(world)
    desk = Client()
    desk.force_login(world.nurse)
    assert desk.post(SCORE, {"code": "X"}).status_code == 404
    assert desk.get(reverse("today")).status_code == 200, "a wrong code signs nobody out"
    assert desk.post(SCORE, {"code": code}).status_code == 302
    assert desk.get(reverse("today")).status_code == 302
    desk.force_login(world.nurse)
    assert "radio" not in text_of(desk.get(f"{SCORE}?language=en"))


def test_the_clinician_sees_it_arrive(world, clock):
    desk = Client()
    desk.force_login(world.nurse)
    state = reverse("score_state", args=[world.draft.pk])
    assert desk.get(state).status_code == 404
    invitation, _code = asked(world)
    assert "Waiting for the patient. The code is valid until 14:17." in text_of(desk.get(state))
    record_answer(invitation=invitation, answers={"ptga": 7})
    assert "<strong>7</strong>, by the patient, 14:02" in text_of(desk.get(state))
    assert "may still change it" in text_of(desk.get(state))
    confirm(invitation)
    answer = desk.get(state)
    assert answer.status_code == 286
    assert "The patient is done." in text_of(answer)
    asked(world)
    clock.move_to(NOW + LIVES)
    desk.force_login(world.nurse)
    assert "valid no longer" in text_of(desk.get(state))


def test_the_drawn_code_is_one_picture_without_style_or_script(world):
    desk = Client()
    desk.force_login(world.nurse)
    page = text_of(desk.post(reverse("score_invite", args=[world.draft.pk])))
    drawn = page.partition('invite-drawn">')[2].partition("</svg>")[0]
    assert drawn.startswith("<svg")
    assert "<title>" in drawn
    assert "style" not in drawn
    assert "<script" not in drawn
