"""The one definition of the sheets: against the format, the database, and itself."""

import pytest
from django.apps import apps

from sessions_app.datasheets.columns import IMPORT_ORDER, SHEETS, Column
from sessions_app.datasheets.values import ValueRefused, parse_value, show_value, valid_words
from stsclinic.fields import CodeField, MeasureField, PartialDateField, WholeNumberField

FORMAT = {
    "patients": "patient_id clinic sex birth_year diagnosis overlap_with raynaud sts_hypersensitivity pregnant"
    " breast_feeding lesion_count lesion_count_is_minimum disease_status race ethnicity offered_on"
    " not_enrolled_reason consented_on withdrawn_on withdrawal_reason",
    "medications": "patient_id name role dose started_on stopped_on",
    "prior_treatments": "patient_id lesion_id treatment started_on stopped_on response",
    "lesions": "patient_id lesion_id body_site laterality site_detail lesion_type subtype onset_on pain_vas"
    " dysfunction",
    "series": "patient_id series_no protocol started_on status stop_reason high_concentration_approved_on"
    " high_concentration_reason",
    "series_lesions": "patient_id series_no lesion_id arm",
    "sessions": "patient_id series_no session_no kind held_on ptga phga performed_by note",
    "session_lesions": "patient_id series_no session_no lesion_id status longest_mm widest_mm size_source ulcer"
    " inflammation pga observer_pga",
    "injections": "patient_id series_no session_no lesion_id agent concentration_mg_ml volume_ml technique"
    " anaesthesia pain_vas salt_form lot_number needle dressing",
    "infusions": "patient_id series_no session_no dose_g duration_min",
    "side_effects": "patient_id series_no session_no lesion_id term term_detail grade ctcae_version onset_on"
    " resolved_on lasted_minutes serious causality action outcome",
}
KEYS = {
    "patients": "patient_id",
    "medications": "patient_id name started_on",
    "prior_treatments": "patient_id lesion_id treatment started_on",
    "lesions": "patient_id lesion_id",
    "series": "patient_id series_no",
    "series_lesions": "patient_id series_no lesion_id",
    "sessions": "patient_id series_no session_no",
    "session_lesions": "patient_id series_no session_no lesion_id",
    "injections": "patient_id series_no session_no lesion_id",
    "infusions": "patient_id series_no session_no",
    "side_effects": "patient_id series_no session_no lesion_id term term_detail onset_on",
}
BETRAYING = {
    ("series_lesions", "arm"),
    ("injections", "agent"),
    ("injections", "concentration_mg_ml"),
    ("injections", "salt_form"),
    ("injections", "lot_number"),
}
EVERY = [(sheet, column) for sheet in SHEETS.values() for column in sheet.columns]
NAMES = [f"{sheet.name}.{column.name}" for sheet, column in EVERY]


def test_sheets_and_columns_stand_in_the_order_of_the_format():
    found = {sheet.name: " ".join(column.name for column in sheet.columns) for sheet in SHEETS.values()}
    assert list(found.items()) == list(FORMAT.items())


def test_the_keys_are_those_of_the_format():
    assert {name: " ".join(column.name for column in sheet.keys) for name, sheet in SHEETS.items()} == KEYS


def test_what_betrays_an_allocation_is_marked():
    assert {(sheet.name, column.name) for sheet, column in EVERY if column.betrays_allocation} == BETRAYING


def test_every_sheet_is_imported_once():
    assert sorted(IMPORT_ORDER) == sorted(SHEETS)


@pytest.mark.parametrize(("sheet", "column"), EVERY, ids=NAMES)
def test_a_column_says_what_the_database_holds(sheet, column):
    if column.is_reference:
        return
    field = apps.get_model(sheet.model)._meta.get_field(column.field)
    if isinstance(field, CodeField):
        assert list(field.choices or []) == list((column.vocabulary or {}).items())
    elif isinstance(field, (WholeNumberField, MeasureField)):
        # The database leaves room below 1 for a score whose own constraint begins at 1.
        low = 1 if column.name in ("ptga", "phga") else field.low
        assert (column.low, column.high) == (low, field.high)
        assert column.places == getattr(field, "places", 0)
        assert column.above_low == getattr(field, "above_low", False)
    elif isinstance(field, PartialDateField):
        assert column.kind == "partial"
    elif column.kind in ("text", "key", "codes"):
        assert column.max_length == (field.max_length or 0)
    else:
        assert field.get_internal_type() == {"yes_no": "BooleanField", "date": "DateField"}[column.kind]


@pytest.mark.parametrize(("sheet", "column"), EVERY, ids=NAMES)
def test_a_column_explains_itself(sheet, column):
    assert column.label
    assert column.meaning.endswith((".", ";"))
    assert valid_words(column).startswith("Valid is ")


def column_of(sheet: str, name: str) -> Column:
    column = SHEETS[sheet].column(name)
    assert column is not None
    return column


REFUSED = [
    ("sessions", "ptga", "7.0"),
    ("sessions", "ptga", "0"),
    ("sessions", "ptga", "11"),
    ("sessions", "ptga", "five"),
    ("sessions", "held_on", "2024-02-30"),
    ("sessions", "held_on", "02/03/2024"),
    ("sessions", "held_on", "2024-02"),
    ("lesions", "pain_vas", "10.1"),
    ("lesions", "pain_vas", "5.55"),
    ("lesions", "onset_on", "2018-13"),
    ("lesions", "onset_on", "18"),
    ("lesions", "body_site", "Elbow"),
    ("lesions", "dysfunction", "true"),
    ("lesions", "lesion_id", "L 1"),
    ("injections", "volume_ml", "0"),
    ("injections", "volume_ml", "0,5"),
    ("injections", "volume_ml", "0.0001"),
    ("injections", "volume_ml", "1e-1"),
    ("injections", "volume_ml", "NaN"),
    ("injections", "volume_ml", "-1"),
    ("injections", "volume_ml", "٣"),
    ("session_lesions", "longest_mm", "2000.01"),
    ("patients", "clinic", "North"),
    ("patients", "overlap_with", "ssc"),
    ("patients", "overlap_with", "ssc;ssc"),
    ("patients", "overlap_with", "ssc;flu"),
    ("patients", "race", "x" * 61),
    ("patients", "race", "a\x00b"),
]
READ = [
    ("lesions", "pain_vas", "5.50", "5.5"),
    ("injections", "volume_ml", "0.180", "0.18"),
    ("injections", "volume_ml", "100", "100"),
    ("session_lesions", "pga", " 0 ", "0"),
    ("sessions", "session_no", "007", "7"),
    ("sessions", "note", " two\r\nlines ", " two\nlines "),
    ("sessions", "note", "   ", ""),
    ("sessions", "note", "=1+1", "=1+1"),
    ("lesions", "onset_on", "2018-06", "2018-06"),
    ("lesions", "dysfunction", "no", "no"),
    ("patients", "overlap_with", "dm; ssc", "dm;ssc"),
]


@pytest.mark.parametrize(("sheet", "name", "text"), REFUSED)
def test_what_is_not_valid_is_refused(sheet, name, text):
    column = column_of(sheet, name)
    with pytest.raises(ValueRefused):
        parse_value(column, text)


@pytest.mark.parametrize(("sheet", "name", "text", "canonical"), READ)
def test_what_is_valid_has_one_canonical_text(sheet, name, text, canonical):
    column = column_of(sheet, name)
    assert show_value(column, parse_value(column, text)) == canonical
    assert show_value(column, parse_value(column, canonical)) == canonical
