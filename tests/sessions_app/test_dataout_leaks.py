"""Does anything leave that could name a patient? Everything produced is opened, unpacked and searched.

The same search finds a leak that is planted on purpose in each format.
"""

import csv
import datetime
import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pyreadstat
import pytest

from lesions.models import Medication, Patient, PatientIdentity, PriorTreatment
from sessions_app.dataout.bundle import FORMATS, write_bundle
from sessions_app.dataout.coding import is_coded
from sessions_app.dataout.manifest import Made
from sessions_app.dataout.plan import AGE, OLDEST, Plan
from sessions_app.datasheets.columns import PRIVACY, SHEETS
from sessions_app.models import ExportDisguise, LesionDisguise, SideEffect
from stsclinic.clinical.dates import show_date
from stsclinic.reporting.selection import Selection
from tests.builders import (
    _save,
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
)

pytestmark = pytest.mark.django_db

MADE = Made("the-operator", datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC))
BORN = datetime.date(1931, 3, 17)
FREE_TEXTS = {
    "race": "Freetext-race",
    "ethnicity": "Freetext-ethnicity",
    "withdrawal_reason": "Freetext-withdrawal",
    "name": "Freetext-drug",
    "dose": "Freetext-dose",
    "treatment": "Freetext-treatment",
    "site_detail": "Freetext-site",
    "high_concentration_reason": "Freetext-approval",
    "note": "Freetext-note",
    "lot_number": "Freetext-lot",
    "needle": "Freetext-needle",
    "term_detail": "Freetext-term",
    "ctcae_version": "Free-v5",
}
USER = "user-petra"
SECRETS = {
    "full name": "Ane Prøvesen",
    "part of the name": "Prøvesen",
    "national number": "170331-4444",
    "national number in one": "1703314444",
    "telephone": "+45 20 55 66 77",
    "telephone in one": "20556677",
    "user": USER,
    **{
        f"date of birth {form}": BORN.strftime(form)
        for form in ("%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%Y")
    },
    **{f"date of birth {form}": BORN.strftime(form) for form in ("%d-%b-%Y", "%Y%m%d", "%d%m%y", "%m/%d/%Y")},
    "year of birth": str(BORN.year),
    **FREE_TEXTS,
}
DAYS = {
    "offered_on": datetime.date(2016, 2, 1),
    "consented_on": datetime.date(2016, 2, 3),
    "withdrawn_on": datetime.date(2016, 11, 30),
    "started_on": datetime.date(2016, 2, 9),
    "approved_on": datetime.date(2016, 2, 10),
    "held_on": datetime.date(2016, 2, 11),
    "onset_on": datetime.date(2016, 2, 12),
    "resolved_on": datetime.date(2016, 2, 14),
}
DAYS_AS_WRITTEN = [day.strftime(form) for day in DAYS.values() for form in ("%Y-%m-%d", "%d-%b-%Y", "%Y%m%d")]


@pytest.fixture
def planted() -> Patient:
    """A patient of whom everything is recorded that must not leave."""
    patient = make_patient(
        make_clinic("north"),
        study_id="P-77",
        birth_year=BORN.year,
        race=FREE_TEXTS["race"],
        ethnicity=FREE_TEXTS["ethnicity"],
        withdrawal_reason=FREE_TEXTS["withdrawal_reason"],
        **{name: DAYS[name] for name in ("offered_on", "consented_on", "withdrawn_on")},
    )
    _save(
        PatientIdentity(
            patient=patient,
            name=SECRETS["full name"],
            date_of_birth=BORN,
            national_number=SECRETS["national number"],
            telephone=SECRETS["telephone"],
        )
    )
    lesion = make_lesion(patient, site_detail=FREE_TEXTS["site_detail"], onset_on="2015-07-19")
    _save(
        Medication(
            patient=patient,
            name=FREE_TEXTS["name"],
            role="other",
            dose=FREE_TEXTS["dose"],
            started_on="2014-03",
        )
    )
    _save(PriorTreatment(patient=patient, treatment=FREE_TEXTS["treatment"], started_on="2013"))
    series = make_series(
        patient,
        [lesion],
        started_on=DAYS["started_on"],
        high_concentration_approved_on=DAYS["approved_on"],
        high_concentration_reason=FREE_TEXTS["high_concentration_reason"],
    )
    session = make_session(
        series, DAYS["held_on"], ptga=5, phga=4, performed_by=USER, note=FREE_TEXTS["note"], completed_by=USER
    )
    make_assessment(session, lesion)
    make_injection(session, lesion, lot_number=FREE_TEXTS["lot_number"], needle=FREE_TEXTS["needle"])
    _save(
        SideEffect(
            patient=patient,
            series=series,
            session=session,
            term="other",
            term_detail=FREE_TEXTS["term_detail"],
            ctcae_version=FREE_TEXTS["ctcae_version"],
            grade=1,
            onset_on=DAYS["onset_on"],
            resolved_on=DAYS["resolved_on"],
            sponsor_told_who=USER,
        )
    )
    # The shift is known here, so that no shifted day happens to be one of the others.
    ExportDisguise.objects.create(patient=patient, days=200, code="ABCDEFGHJK")
    return patient


def export(folder: Path, **chosen) -> Path:
    folder.mkdir()
    write_bundle(folder, Plan(clinics=("north",), formats=tuple(FORMATS), **chosen), MADE)
    return folder


def texts_of(path: Path) -> str:
    """Everything that a file holds, however it is packed: its bytes, its parts, and its cells as read."""
    data = path.read_bytes()
    found = [path.name, *_readings(data)]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                found += [part.filename, str(part.comment), *_readings(archive.read(part))]
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        found += [
            f"{cell.value} {cell.comment and cell.comment.text}"
            for sheet in book
            for row in sheet
            for cell in row
        ]
        found.append(repr(vars(book.properties)))
    if path.suffix in READERS:
        frame, meta = READERS[path.suffix](path)
        found += [frame.to_csv(), repr(vars(meta))]
    return "\n".join(found)


READERS = {".sav": pyreadstat.read_sav, ".dta": pyreadstat.read_dta, ".xpt": pyreadstat.read_xport}


def _readings(data: bytes) -> list[str]:
    return [data.decode(name, errors="replace") for name in ("utf-8", "latin-1", "utf-16-le")]


def leaks(folder: Path, secrets) -> set[tuple[str, str]]:
    """The (file, secret) pairs that are found, letters large or small."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    texts = {path.relative_to(folder).as_posix(): texts_of(path).lower() for path in files}
    return {
        (name, secret)
        for name, text in texts.items()
        for secret in secrets
        if re.search(rf"(?<![0-9a-z]){re.escape(secret.lower())}(?![0-9a-z])", text)
    }


def test_nothing_that_names_a_patient_leaves(planted, tmp_path):
    folder = export(tmp_path / "out")
    assert leaks(folder, SECRETS.values()) == set()
    # A file of SPSS bears the day on which it was made, which is none of the patient's.
    assert leaks(folder, DAYS_AS_WRITTEN) == set()
    assert leaks(folder, ["200"]) == set(), "the shift itself"
    assert {name for name, _ in leaks(folder, ["P-77"])} >= {"sheets.zip", "sheets.xlsx", "spss/patients.sav"}


def test_with_new_ids_the_study_id_and_the_lesion_id_stay_here(planted, tmp_path):
    folder = export(tmp_path / "out", new_ids=True)
    assert leaks(folder, ["P-77", "L01", *SECRETS.values()]) == set()
    assert {name for name, _ in leaks(folder, ["ABCDEFGHJK"])} >= {
        "sheets.zip",
        "sheets.xlsx",
        "sas/sessions.xpt",
    }


def test_a_lesions_new_id_is_random_and_the_same_in_every_sheet_and_export(planted, tmp_path):
    lesions = [make_lesion(planted) for _ in range(6)]
    first, second = (csv_export(tmp_path / name, new_ids=True) for name in ("first", "second"))
    ids = [row["lesion_id"] for row in cells(first, "lesions")]
    assert ids == [row["lesion_id"] for row in cells(second, "lesions")] == sorted(ids)
    assert len(set(ids)) == len(lesions) + 1
    assert {row["lesion_id"] for row in cells(first, "injections")} <= set(ids)
    codes = dict(LesionDisguise.objects.values_list("lesion_id", "code"))
    assert set(ids) == set(codes.values())
    assert not [key for key, code in codes.items() if str(key) in code and len(str(key)) > 2]


def test_a_chosen_period_is_not_told_beside_shifted_days(planted, tmp_path):
    day = DAYS["held_on"]
    period = Selection(first_treatment_from=day, first_treatment_to=day)
    shifted = csv_export(tmp_path / "shifted", selection=period)
    assert leaks(shifted, [day.isoformat()]) == set()
    assert leaks(shifted, [show_date(day)]) == set()
    told = (shifted / "manifest.txt").read_text(encoding="utf-8")
    assert "First treatment: A period that was chosen" in told
    as_recorded = csv_export(tmp_path / "recorded", selection=period, with_dates=True)
    assert "manifest.json" in {name for name, _ in leaks(as_recorded, [day.isoformat()])}
    told = (as_recorded / "manifest.txt").read_text(encoding="utf-8")
    assert f"First treatment: {show_date(day)} to {show_date(day)}" in told


@pytest.mark.parametrize("chosen", [{"with_dates": True}, {"with_text": True}], ids=["dates", "free text"])
def test_what_is_let_out_is_what_was_asked_for_and_never_the_identity(planted, tmp_path, chosen):
    folder = export(tmp_path / "out", **chosen)
    identity = [
        SECRETS[name] for name in SECRETS if name.split()[0] in ("full", "part", "national", "telephone")
    ]
    identity += [text for name, text in SECRETS.items() if name.startswith("date of birth")]
    assert leaks(folder, identity) == set()
    texts, days = leaks(folder, [*FREE_TEXTS.values(), USER]), leaks(folder, [DAYS["held_on"].isoformat()])
    assert bool(texts) == chosen.get("with_text", False)
    assert bool(days) == chosen.get("with_dates", False)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("secret", [FREE_TEXTS["note"], USER])
def test_the_search_finds_a_leak_in_each_format(planted, tmp_path, name, secret):
    folder = tmp_path / "out"
    folder.mkdir()
    write_bundle(folder, Plan(clinics=("north",), formats=(name,), with_text=True), MADE)
    assert secret in {found for _file, found in leaks(folder, [secret])}


@pytest.mark.parametrize("name", FORMATS)
def test_the_search_finds_a_day_in_each_format(planted, tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    write_bundle(folder, Plan(clinics=("north",), formats=(name,), with_dates=True), MADE)
    assert leaks(folder, [DAYS["held_on"].isoformat()])


def cells(folder: Path, sheet: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(folder / "sheets.zip") as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{sheet}.csv").decode(), newline="")))


def csv_export(folder: Path, **chosen) -> Path:
    folder.mkdir()
    write_bundle(folder, Plan(clinics=("north",), formats=("csv",), **chosen), MADE)
    return folder


@pytest.mark.parametrize("days", [200, -200, 31])
def test_all_days_of_a_patient_move_together(planted, tmp_path, days):
    ExportDisguise.objects.update(days=days)
    folder, shift = csv_export(tmp_path / "out"), datetime.timedelta(days=days)

    def moved(name):
        return (DAYS[name] + shift).isoformat()

    (patient,), (series,) = cells(folder, "patients"), cells(folder, "series")
    assert [patient[name] for name in ("offered_on", "consented_on", "withdrawn_on")] == [
        moved("offered_on"),
        moved("consented_on"),
        moved("withdrawn_on"),
    ]
    assert series["started_on"] == moved("started_on")
    assert series["high_concentration_approved_on"] == moved("approved_on")
    assert cells(folder, "sessions")[0]["held_on"] == moved("held_on")
    (effect,) = cells(folder, "side_effects")
    assert (effect["onset_on"], effect["resolved_on"]) == (moved("onset_on"), moved("resolved_on"))


@pytest.mark.parametrize(
    ("partial", "days", "year"),
    [
        ("2015-07-19", 200, "2016"),
        ("2015-07-19", 165, "2015"),
        ("2015-07-19", 166, "2016"),
        ("2015-07", 169, "2015"),
        ("2015-07", 170, "2016"),
        ("2015-07", -195, "2015"),
        ("2015-07", -196, "2014"),
        ("2015", 183, "2015"),
        ("2015", 184, "2016"),
        ("2015", -182, "2014"),
        ("", 200, ""),
    ],
)
def test_a_partial_date_leaves_as_the_year_of_the_shifted_date(planted, tmp_path, partial, days, year):
    """A month counts as its 15th and a year as its 1st of July."""
    ExportDisguise.objects.update(days=days)
    make_lesion(planted, "L9", onset_on=partial)
    (lesion,) = [row for row in cells(csv_export(tmp_path / "out"), "lesions") if row["lesion_id"] == "L9"]
    assert lesion["onset_on"] == year


@pytest.mark.parametrize(
    ("born", "age"), [(2016 - 89, "89"), (2016 - 90, "90"), (2016 - 91, "90"), (1970, "46"), (None, "")]
)
def test_ages_over_89_are_one_and_the_year_of_birth_stays(planted, tmp_path, born, age):
    planted.birth_year = born
    _save(planted)
    (patient,) = cells(csv_export(tmp_path / "out"), "patients")
    assert patient[AGE] == age
    assert OLDEST == 90
    assert "birth_year" not in patient


def test_one_who_was_never_treated_has_no_age(planted, tmp_path):
    other = make_patient(planted.clinic, study_id="P-88", birth_year=1920)
    rows = {row["patient_id"]: row[AGE] for row in cells(csv_export(tmp_path / "out"), "patients")}
    assert rows == {"P-77": "85", other.study_id: ""}


def test_the_shift_is_the_same_in_every_export(planted, tmp_path):
    other = make_patient(planted.clinic, study_id="P-88")
    folders = [csv_export(tmp_path / name) for name in "ab"]
    assert cells(folders[0], "patients") == cells(folders[1], "patients")
    assert other.export_disguise.days != 0


EVERY = [(sheet, column) for sheet in SHEETS.values() for column in sheet.columns]


@pytest.mark.parametrize(("sheet", "column"), EVERY, ids=[f"{s.name}.{c.name}" for s, c in EVERY])
def test_every_column_has_a_privacy_class_that_fits_its_kind(sheet, column):
    assert column.privacy in PRIVACY
    allowed = {
        "text": {"free_text", "person"},
        "date": {"date"},
        "partial": {"partial_date"},
        "whole": {"clinical", "place", "birth"},
        "key": {"study_id", "place"},
        "slug": {"place"},
    }
    assert column.privacy in allowed.get(column.kind, {"clinical"})
    if column.privacy == "clinical" and not is_coded(column):
        assert column.kind in ("whole", "decimal", "codes")


def test_what_leaves_de_identified_is_written_out_here():
    """A new column is not let out by accident: this list is changed on purpose, or the column stays."""
    plan = Plan(clinics=(), formats=())
    gone = {f"{sheet.name}.{column.name}" for sheet, column in plan.left_out}
    assert gone == {
        "patients.birth_year", "patients.race", "patients.ethnicity", "patients.withdrawal_reason",
        "medications.name", "medications.dose", "prior_treatments.treatment", "lesions.site_detail",
        "series.high_concentration_reason", "sessions.performed_by", "sessions.note",
        "injections.lot_number", "injections.needle", "side_effects.term_detail", "side_effects.ctcae_version",
    }  # fmt: skip
    kinds = {column.kind for sheet in plan.sheets.values() for column in sheet.columns}
    assert not kinds & {"text", "partial"}
