"""As last time: what is shown beside a lesion, what a confirmation stores, and what a typed text replaces."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from sessions_app.drafts import complete_draft, open_correction, open_draft, plan_of, save_draft, texts_of
from sessions_app.models import Infusion
from sessions_app.sheet import read_sheet
from stsclinic.audit.services import change, strike_out, write_new
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

pytestmark = pytest.mark.django_db
D = Decimal
FIRST, SECOND = datetime.date(2026, 1, 5), datetime.date(2026, 1, 19)
BETWEEN, NOW = "2026-01-12", "2026-01-26"


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def anna(clinic):
    return make_user("clinician", clinic, "anna")


@pytest.fixture
def series(clinic):
    patient = make_patient(clinic)
    return make_series(patient, [make_lesion(patient)])


@pytest.fixture
def lesion(series):
    return series.series_lesions.get().lesion


@pytest.fixture
def before(series, lesion):
    """The lesion was 20 × 10 mm at the first visit, with an ulcer."""
    session = make_session(series, FIRST)
    make_injection(session, lesion)
    return make_assessment(session, lesion, longest_mm=20, widest_mm=10, ulcer=True)


def token(assessment) -> str:
    return f"{assessment.pk}.{assessment.version}"


def read(series, by, lesion, *, held_on=NOW, **parts):
    """What the sheet's reader makes of these texts of the one lesion."""
    plan = plan_of(open_draft(series=series, kind="treatment", by=by), by)
    typed = {f"lesion-{lesion.pk}-{name}": text for name, text in parts.items()}
    return read_sheet(plan, {"held_on": held_on, **typed})


def size(reading):
    (seen,) = reading.entry.assessments
    return seen.longest_mm, seen.widest_mm, seen.size_source


def test_a_last_value_that_is_only_shown_is_not_stored(series, anna, lesion, before):
    reading = read(series, anna, lesion)
    assert reading.entry.assessments == ()
    assert f"lesion-{lesion.pk}-longest_mm" in reading.missing


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({}, (D(20), D(10), "confirmed", True, None)),
        ({"longest_mm": "18"}, (D(18), D(10), "measured", True, None)),
        ({"widest_mm": "9,5"}, (D(20), D("9.5"), "measured", True, None)),
        ({"longest_mm": "18x9"}, (D(18), D(9), "measured", True, None)),
        ({"longest_mm": "18", "widest_mm": "9"}, (D(18), D(9), "measured", True, None)),
        ({"ulcer": "no"}, (D(20), D(10), "confirmed", False, None)),
        ({"inflammation": "yes"}, (D(20), D(10), "confirmed", True, True)),
    ],
)
def test_a_confirmation_takes_over_what_was_left_empty(series, anna, lesion, before, typed, stored):
    reading = read(series, anna, lesion, confirmed=token(before), **typed)
    (seen,) = reading.entry.assessments
    assert (*size(reading), seen.ulcer, seen.inflammation) == stored


def test_without_a_confirmation_one_typed_measure_brings_no_other(series, anna, lesion, before):
    assert size(read(series, anna, lesion, longest_mm="18")) == (D(18), None, "measured")


@pytest.mark.parametrize("field", ["longest_mm", "widest_mm"])
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("12x8", (D(12), D(8))),
        ("12X8", (D(12), D(8))),
        ("12×8", (D(12), D(8))),
        ("12*8", (D(12), D(8))),
        (" 12 x 8 mm ", (D(12), D(8))),
        ("12,5x8", (D("12.5"), D(8))),
        ("12.5 × 8,25", (D("12.5"), D("8.25"))),
        ("2000x0,01", (D(2000), D("0.01"))),
    ],
)
def test_one_field_takes_both_measures(series, anna, lesion, field, typed, stored):
    assert size(read(series, anna, lesion, **{field: typed})) == (*stored, "measured")


@pytest.mark.parametrize(
    "typed", ["12x", "x8", "x", "12x8x3", "12xx8", "0x8", "12x0", "2001x8", "12x8cm", "1.000,5x8", "12,5,x8"]
)
def test_half_a_size_is_an_error_at_its_field(series, anna, lesion, before, typed):
    for field in ("longest_mm", "widest_mm"):
        reading = read(series, anna, lesion, confirmed=token(before), **{field: typed})
        assert reading.entry is None
        assert set(reading.errors) == {f"lesion-{lesion.pk}-{field}"}


def test_both_measures_in_one_field_and_the_other_typed_too_is_not_guessed(series, anna, lesion):
    assert set(read(series, anna, lesion, longest_mm="12x8", widest_mm="7").errors) == {
        f"lesion-{lesion.pk}-longest_mm"
    }
    assert set(read(series, anna, lesion, longest_mm="12", widest_mm="12x8").errors) == {
        f"lesion-{lesion.pk}-widest_mm"
    }


@pytest.mark.parametrize(
    ("held_on", "stored"),
    [
        (BETWEEN, (D(20), D(10))),
        (FIRST.isoformat(), (D(20), D(10))),
        ("2026-01-18", (D(20), D(10))),
        (SECOND.isoformat(), (D(14), D(7))),
        (NOW, (D(14), D(7))),
    ],
)
def test_last_time_of_a_visit_entered_late_is_the_one_before_it(
    series, anna, lesion, before, held_on, stored
):
    later = make_assessment(make_session(series, SECOND), lesion, longest_mm=14, widest_mm=7)
    row = before if stored == (D(20), D(10)) else later
    reading = read(series, anna, lesion, held_on=held_on, confirmed=token(row))
    assert size(reading) == (*stored, "confirmed")


def test_before_the_first_visit_there_is_nothing_to_confirm(series, anna, lesion, before):
    reading = read(series, anna, lesion, held_on="2026-01-04", confirmed=token(before))
    assert "no last time" in reading.errors[f"lesion-{lesion.pk}-confirmed"]


def test_a_confirmation_counts_for_what_the_person_saw(series, anna, lesion, before):
    """The day of the visit may be changed after, and the assessment corrected by a colleague."""
    later = make_assessment(make_session(series, SECOND), lesion, longest_mm=14, widest_mm=7)
    spot = f"lesion-{lesion.pk}-confirmed"
    moved = read(series, anna, lesion, held_on=BETWEEN, confirmed=token(later))
    assert "Last time is now 05-Jan-2026" in moved.errors[spot]
    seen = token(later)
    change(later, {"longest_mm": D(15)}, by="anna", seen_version=None, reason="Read again")
    later.refresh_from_db()
    assert spot in read(series, anna, lesion, confirmed=seen).errors
    assert spot in read(series, anna, lesion, confirmed="on").errors
    assert size(read(series, anna, lesion, confirmed=token(later))) == (D(15), D(7), "confirmed")


def test_the_page_shows_no_tick_for_another_last_time_and_says_why(client, series, anna, lesion, before):
    later = make_assessment(make_session(series, SECOND), lesion, longest_mm=14, widest_mm=7)
    draft = open_draft(series=series, kind="treatment", by=anna)
    typed = {"held_on": BETWEEN, f"lesion-{lesion.pk}-confirmed": token(later)}
    save_draft(
        draft=draft, names=plan_of(draft, anna).field_names, typed=typed, loaded=texts_of(draft), by=anna
    )
    client.force_login(anna)
    page = client.get(reverse("draft", args=[draft.pk])).content.decode()
    (box,) = [line for line in page.split("<") if f'name="lesion-{lesion.pk}-confirmed"' in line]
    assert f'value="{token(before)}"' in box and "checked" not in box
    assert "Last time is now 05-Jan-2026, which was not confirmed" in page
    assert "20 × 10 mm" in page and "14 × 7 mm" not in page


def test_a_gone_lesion_cannot_be_as_last_time(series, anna, lesion, before):
    make_assessment(
        make_session(series, SECOND), lesion, status="gone", longest_mm=None, widest_mm=None, ulcer=None
    )
    reading = read(series, anna, lesion, confirmed=token(before))
    assert "no last time" in reading.errors[f"lesion-{lesion.pk}-confirmed"]


def test_a_lesion_that_had_another_concentration_or_technique_carries_its_own(clinic, anna):
    patient = make_patient(clinic)
    lesions = [make_lesion(patient) for _ in range(3)]
    series = make_series(patient, lesions)
    session = make_session(series, FIRST)
    for lesion in lesions[:2]:
        make_injection(session, lesion, technique="base", lot_number="A1")
    make_injection(session, lesions[2], concentration_mg_ml=100, technique="top", lot_number="B2")
    draft = open_draft(series=series, kind="treatment", by=anna)
    texts = texts_of(draft)
    start = f"lesion-{lesions[2].pk}-"
    assert (texts["all-concentration_mg_ml"], texts["all-technique"]) == ("150", "base")
    own = {name: text for name, text in texts.items() if name.startswith("lesion-")}
    assert own == {f"{start}concentration_mg_ml": "100", f"{start}technique": "top"}
    # What is carried is no injection yet; what is changed without a volume lacks one.
    plan = plan_of(draft, anna)
    assert read_sheet(plan, texts, carried=frozenset(own)).errors == {}
    changed, still = texts | {f"{start}technique": "base"}, frozenset({f"{start}concentration_mg_ml"})
    assert set(read_sheet(plan, changed, carried=still).errors) == {f"{start}volume_ml"}
    given = read_sheet(plan, texts | {f"{start}volume_ml": "0,2"}).entry.injections[0]
    assert (given.concentration_mg_ml, given.technique, given.lot_number) == (D(100), "top", "")


def test_the_sheet_is_planned_and_read_with_as_many_queries_for_one_lesion_as_for_many(
    clinic, anna, django_assert_num_queries
):
    for lesions, sessions in ((1, 1), (9, 3)):
        patient = make_patient(clinic)
        rows = [make_lesion(patient) for _ in range(lesions)]
        series = make_series(patient, rows)
        for week in range(sessions):
            session = make_session(series, FIRST + datetime.timedelta(days=7 * week))
            for lesion in rows:
                make_assessment(session, lesion)
                make_injection(session, lesion)
        draft = open_draft(series=series, kind="treatment", by=anna)
        with django_assert_num_queries(5):
            read_sheet(plan_of(draft, anna), texts_of(draft))


def test_a_correction_is_not_its_own_last_time(series, anna, lesion, before):
    correction = open_correction(session=before.session, by=anna)
    plan = plan_of(correction, anna)
    assert not plan.last_time(texts_of(correction))[lesion.pk].may_confirm
    names, texts = plan.field_names, texts_of(correction)
    save_draft(
        draft=correction,
        names=names,
        typed=texts | {f"lesion-{lesion.pk}-longest_mm": "21x11", f"lesion-{lesion.pk}-widest_mm": ""},
        loaded=texts,
        by=anna,
    )
    done = complete_draft(draft=correction, by=anna, without_missing=True, reason="Read again")
    assert size_of(done.session) == (D(21), D(11))


def size_of(session):
    row = session.assessments.get()
    return row.longest_mm, row.widest_mm


class TestTheWholeVisit:
    """Beside what is given once for the visit stands last time's value with its date too."""

    def cells(self, client, series, by, held_on=NOW, kind="treatment"):
        client.force_login(by)
        draft = open_draft(series=series, kind=kind, by=by)
        shown = texts_of(draft)
        save_draft(draft=draft, names=("held_on",), typed=shown | {"held_on": held_on}, loaded=shown, by=by)
        return client.get(reverse("draft", args=[draft.pk])).context["cells"]

    def score(self, session, **scores):
        change(session, scores, by="test", seen_version=None, source="command")

    def test_scores_are_those_of_the_newest_visit_that_tells_them(self, series, anna, client):
        first, second = make_session(series, FIRST), make_session(series, SECOND)
        self.score(first, ptga=7, phga=6)
        self.score(second, ptga=5)
        cells = self.cells(client, series, anna)
        assert (cells["ptga"].last, cells["phga"].last) == ("Last: 5, 19-Jan-2026", "Last: 6, 05-Jan-2026")

    def test_a_visit_entered_late_shows_what_was_before_it(self, series, anna, client):
        self.score(make_session(series, FIRST), ptga=7)
        self.score(make_session(series, SECOND), ptga=5)
        assert self.cells(client, series, anna, BETWEEN)["ptga"].last == "Last: 7, 05-Jan-2026"

    def test_what_is_for_all_lesions_tells_each_value_of_last_time(self, clinic, anna, client):
        patient = make_patient(clinic)
        lesions = [make_lesion(patient), make_lesion(patient)]
        series = make_series(patient, lesions)
        for day, strengths in ((FIRST, (40, 40)), (SECOND, (150, 250))):
            session = make_session(series, day)
            for lesion, mg_ml in zip(lesions, strengths, strict=True):
                make_injection(session, lesion, concentration_mg_ml=mg_ml)
        cells = self.cells(client, series, anna)
        assert cells["all-concentration_mg_ml"].last == "Last: 150 or 250, 19-Jan-2026"
        assert cells["all-agent"].last.endswith(", 19-Jan-2026")

    def test_nothing_stands_there_at_the_first_visit(self, series, anna, client):
        cells = self.cells(client, series, anna)
        assert {cells[name].last for name in ("ptga", "phga", "all-agent")} == {""}

    def test_the_last_infusion(self, clinic, anna, client):
        patient = make_patient(clinic)
        series = make_series(patient, [make_lesion(patient)], "iv")
        session = make_session(series, FIRST)
        write_new(Infusion(session=session, dose_g=D("12.5"), duration_min=60), by="test", source="command")
        cells = self.cells(client, series, anna)
        assert cells["infusion-dose_g"].last == "Last: 12.5, 05-Jan-2026"
        assert cells["infusion-duration_min"].last == "Last: 60, 05-Jan-2026"
        strike_out(Infusion.objects.get(), by="test", reason="mistake", source="command")
        assert self.cells(client, series, anna)["infusion-dose_g"].last == ""
