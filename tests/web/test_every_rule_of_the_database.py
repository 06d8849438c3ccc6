"""Every rule that the database itself holds, tried by going round the forms: each is broken once and refused."""

import datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from sessions_app.models import (
    AlertAcknowledgement,
    AllocationOpening,
    DraftField,
    DraftReader,
    ExportDisguise,
    Infusion,
    SessionVial,
    SideEffectInquiry,
    SideEffectObservation,
)
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change, Event
from stsclinic.fields import CodeField, MeasureField, PartialDateField, WholeNumberField
from tests.web.access_world import Side, make_side, save

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 1, 8)

MODELS = [
    model
    for model in apps.get_models()
    if model.__module__.split(".")[0] in ("stsclinic", "lesions", "sessions_app")
    # Nobody can write into these two but the database itself.
    and model not in (Change, Event)
]
CHECKS: dict[str, dict[str, object]] = {
    "overlap_of_two_or_more_codes": {"overlap_with": "ssc"},
    "not_enrolled_never_consented": {"not_enrolled_reason": "declined"},
    "withdrawal_reason_needs_date": {"withdrawal_reason": "moved"},
    "medication_has_a_name": {"name": ""},
    "prior_treatment_has_a_name": {"treatment": ""},
    "place_is_on_a_drawing_or_not_there": {"map_x": Decimal(10)},
    "opening_has_a_reason": {"reason": ""},
    "stopped_has_a_reason": {"status": "stopped"},
    "ptga_from_1_to_10": {"ptga": 0},
    "phga_from_1_to_10": {"phga": 0},
    "struck_out_session_has_no_number": {"struck_out_at": timezone.now()},
    "gone_lesion_has_no_measures": {"status": "gone"},
    "sts_has_a_concentration": {"concentration_mg_ml": None},
    "vial_has_a_lot_number": {"lot_number": ""},
    "other_side_effect_has_detail": {"term": "other"},
    "resolved_not_before_onset": {"resolved_on": datetime.date(2025, 12, 31)},
    "side_effect_session_has_series": {"series_id": None},
    "recalled_lot_has_a_number": {"lot_number": ""},
    "acknowledgement_has_a_note": {"note": ""},
    "marker_is_whole_or_not_there": {"marker_mm": Decimal(10)},
    "disguise_shifts_days": {"days": 0},
}
"""What breaks each CheckConstraint in a row of `rows`."""
NO_DATES = (
    *(
        "abcd",
        "20 8",
        "18",
        "0000",
        "2018-",
        "2018-00",
        "2018-13",
        "2018-99",
        "2018-6",
        "2018/06",
        "2018-06-",
    ),
    *("2018-06-00", "2018-06-31", "2018-12-32", "2018-02-29", "1900-02-29", "2018-06-1", "2018-06-1x"),
)
DATES = ("", "2018", "0001", "2018-12", "2018-06-30", "2018-12-31", "2020-02-29", "2000-02-29")


@pytest.fixture
def rows() -> dict[type, list[models.Model]]:
    """A row of every model that has a rule."""
    side: Side = make_side("own", users=True)
    save(AllocationOpening(clinic=side.clinic, protocol_code="placebo3", reason="Over", opened_by="dora"))
    save(Infusion(session=side.session, dose_g=Decimal("12.5"), duration_min=30))
    save(SessionVial(session=side.session, vial_no=1, lot_number="A1", drawn_ml=2))
    save(AlertAcknowledgement(session=side.session, code="too_late", facts="8 days", note="Snow", by="anna"))
    save(SideEffectObservation(side_effect=side.side_effect, seen_on=DAY, grade=1, by="anna"))
    save(SideEffectInquiry(patient=side.patient, asked_on=DAY, answer="nothing", by="anna"))
    DraftField.objects.create(draft=side.draft, name="ptga", value="7", version=1, by=side.colleague)
    DraftReader.objects.create(draft=side.draft, user=side.colleague, here_at=timezone.now())
    ExportDisguise.objects.create(patient=side.patient, code="ABCD", days=7)
    return {model: list(model._base_manager.order_by("pk")) for model in MODELS}


def refusal(write) -> str:
    """The database's own words, or "" where it lets the write through."""
    try:
        with transaction.atomic():
            with acting(by="test", source="command"):
                write()
                connection.check_constraints()
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error)
    return ""


def put(row: models.Model, values: dict[str, object]) -> str:
    """The refusal of an UPDATE that goes round every form and model."""
    columns = {row._meta.get_field(name).column: value for name, value in values.items()}
    table, key = connection.ops.quote_name(row._meta.db_table), row._meta.pk.column
    pairs = ", ".join(f"{connection.ops.quote_name(column)} = %s" for column in columns)
    adapted = [str(value) if isinstance(value, Decimal) else value for value in columns.values()]

    def write():
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {pairs} WHERE {key} = %s", [*adapted, row.pk])

    return refusal(write)


def twin(row: models.Model, **values) -> str:
    """The refusal of a second row that is the same."""
    for name, value in values.items():
        setattr(row, name, value)
    row.pk, row._state.adding = None, True
    return refusal(lambda: row.save_base(raw=True, force_insert=True))


def constraints(kind: type) -> list[tuple[type, models.BaseConstraint]]:
    return [(model, one) for model in MODELS for one in model._meta.constraints if isinstance(one, kind)]


def test_each_rule_of_several_columns_is_broken_here_and_refused(rows):
    found = constraints(models.CheckConstraint)
    assert {one.name for _model, one in found} == set(CHECKS)
    wrong = {}
    for model, one in found:
        said = put(rows[model][0], CHECKS[one.name])
        if one.name not in said:
            wrong[one.name] = said or "was let through"
    assert not wrong


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        *((text, True) for text in ("", "ssc;dm", "ra;sle;sjogren", "ssc;dm;pm;sle;ra;sjogren")),
        *((text, False) for text in ("dm", "ssc;", ";ssc", "ssc;;dm", "ssc,dm", "SSc;dm", "ssc;dmx")),
        *((text, False) for text in ("ssc;ssc", "dm;ssc;dm", "ssc;dm;dm", "anything at all")),
    ],
)
def test_an_overlap_is_of_two_or_more_codes(rows, text, valid):
    (patient,) = rows[apps.get_model("lesions.Patient")]
    assert (put(patient, {"overlap_with": text}) == "") is valid


def test_each_row_that_may_be_there_once_is_refused_the_second_time(rows):
    wrong = {}
    for model, one in constraints(models.UniqueConstraint):
        # A draft and a correction are each held by a rule of their own.
        row = rows[model][-1 if one.name == "one_open_correction_per_session" else 0]
        values = {"study_id": row.study_id.swapcase()} if one.name == "study_id_once_in_any_capitals" else {}
        said = twin(row, **values)
        columns = [f"{model._meta.db_table}.{model._meta.get_field(name).column}" for name in one.fields]
        named = one.name in said or connection.vendor == "sqlite" and columns and ", ".join(columns) in said
        if not named:
            wrong[one.name] = said or "was let through"
    assert not wrong


def test_what_was_struck_out_leaves_its_place(rows):
    found = [one for one in constraints(models.UniqueConstraint) if "struck_out_at" in str(one[1].condition)]
    assert len(found) > 9
    for model, one in found:
        row = rows[model][0]
        with acting(by="test", source="command"):
            model._base_manager.filter(pk=row.pk).update(struck_out_at=timezone.now(), struck_out_by="x")
        assert twin(row) == "", one.name


def test_each_column_with_a_rule_refuses_what_is_just_outside(rows):
    wrong, tried = [], 0
    for model in MODELS:
        for field in model._meta.concrete_fields:
            for value in outside(field):
                tried += 1
                said = put(rows[model][0], {field.name: value})
                if not said:
                    wrong.append(f"{model.__name__}.{field.name} = {value!r}")
    assert not wrong
    assert tried > 200


def outside(field: models.Field) -> list:
    """Values of the column's own type that its rule must refuse."""
    if isinstance(field, CodeField):
        return ["no_such_code"] + ([] if field.blank else [""])
    if isinstance(field, WholeNumberField):
        return [field.low - 1, field.high + 1]
    if isinstance(field, MeasureField):
        step = Decimal(1).scaleb(-field.places)
        return [field.low if field.above_low else field.low - step, field.high + step]
    return list(NO_DATES) if isinstance(field, PartialDateField) else []


def test_each_partial_date_is_taken(rows):
    taken = [
        (row, field)
        for model in MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, PartialDateField)
        for row in rows[model][:1]
    ]
    assert len(taken) == 5
    for row, field in taken:
        assert [text for text in DATES if put(row, {field.name: text})] == []
