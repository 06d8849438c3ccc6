"""The tables: the same numbers as the report, readable, and silent about a closed allocation."""

from datetime import date

import pytest

from stsclinic.reporting.disclosure import FOOTNOTE, all_closed, all_open, open_only
from stsclinic.reporting.records import PatientRecord, Registry
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.tables import Column, cell_text, tables
from tests.reporting.sheets import read_case, registry_of

CASES = ("aarhus", "orlando", "hershey", "coimbra", "kansas")


@pytest.fixture(scope="module")
def registries():
    return {case: registry_of(read_case(case)) for case in CASES}


def by_code(report):
    return {table.code: table for table in tables(report)}


def as_dicts(table):
    codes = [column.code for column in table.columns]
    return [dict(zip(codes, row, strict=True)) for row in table.rows]


@pytest.mark.parametrize("case", CASES)
def test_every_cell_can_be_read(registries, case):
    for table in tables(summarise(registries[case], allocation_visible=all_open)):
        codes = [column.code for column in table.columns]
        assert len(set(codes)) == len(codes)
        for row in table.rows:
            assert len(row) == len(codes)
            for column, value in zip(table.columns, row, strict=True):
                assert cell_text(column, value)
                if column.kind == "code" and value:
                    assert value in column.labels, (table.code, column.code, value)


def test_the_tables_hold_the_numbers_of_the_json(registries):
    report = summarise(registries["aarhus"])
    whole, found = report.as_json(), by_code(report)
    figures = {row["figure"]: row["value"] for row in as_dicts(found["cohort"])}
    spans = {f"lesions_per_session_{end}": n for end, n in whole["cohort"]["lesions_per_session"].items()}
    assert figures == spans | {key: n for key, n in whole["cohort"].items() if isinstance(n, int)}
    for code, key in (
        ("left_out_counts", "left_out"),
        ("analysed_by_sex", "analysed_by_sex"),
        ("analysed_by_diagnosis", "analysed_by_diagnosis"),
    ):
        assert dict(found[code].rows) == whole["cohort"][key]
    scores = [{"score": score, **one} for score in ("ptga", "phga") for one in whole["scores"][score]]
    assert as_dicts(found["scores"]) == scores
    changes = [{"score": score, **one} for score in ("ptga", "phga") for one in whole["change"][score]]
    for one in changes:
        one["ci95_low"], one["ci95_high"] = one.pop("ci95")
    assert as_dicts(found["change"]) == changes
    assert {(row["horizon"], row["of"]): row for row in as_dicts(found["remission"])} == {
        (horizon, level): {"horizon": horizon, "of": level, **counts}
        for horizon, levels in whole["remission"].items()
        for level, counts in levels.items()
    }
    assert dict(found["ulcers"].rows) == whole["ulcers"]
    assert as_dicts(found["side_effects"]) == whole["side_effects"]


def test_the_tables_hold_the_arms_of_the_json(registries):
    report = summarise(registries["orlando"], allocation_visible=all_open)
    controlled, found = report.as_json()["controlled"], by_code(report)
    assert as_dicts(found["controlled_arms"]) == [
        {"arm": arm, **means} for arm, means in controlled["arms"].items()
    ]
    rows = as_dicts(found["controlled_subjects"])
    assert [{key: row[key] for key in controlled["subjects"][0]} for row in rows] == controlled["subjects"]
    assert rows[3]["size_change_cm2"] == 2
    assert (rows[0]["pga_change"], rows[0]["observer_pga_change"]) == (-4, -2)
    assert as_dicts(found["controlled_tests"]) == [
        {"compared": name, **test} for name, test in controlled["tests"].items()
    ]


def test_rows_by_series_lesion_and_patient_add_up_to_the_counts(registries):
    report = summarise(registries["aarhus"])
    found = by_code(report)
    assert len(found["series"].rows) == 120
    assert len(found["left_out"].rows) == 84
    rows = {
        "by_lesion": [row for row in as_dicts(found["lesions"]) if row["analysed"] == "analysed"],
        "by_series": [row for row in as_dicts(found["series"]) if row["analysed"] == "analysed"],
        "by_patient": as_dicts(found["patients"]),
    }
    for horizon, levels in report.remission.items():
        for level, counts in levels.items():
            outcomes = [row[horizon] for row in rows[level]]
            assert {outcome: outcomes.count(outcome) for outcome in counts} == counts
            assert all(row[f"{horizon}_reason"] for row in rows[level])


def test_a_series_has_the_reasons_of_the_lesions_that_decide_it(registries):
    first = as_dicts(by_code(summarise(registries["aarhus"]))["series"])[0]
    assert first["end_of_treatment_reason"] == "L01 (PtGA 9 → 5, 3 × 3 → 1 × 1 mm, ulcer healed)"
    assert first["follow_up_reason"] == "L01 (gone, 3 × 3 mm at baseline)"


@pytest.mark.parametrize(
    "visible",
    [all_closed, open_only([("orlando", "weekly4"), ("aarhus", "placebo3")])],
    ids=["all", "others"],
)
def test_a_closed_allocation_never_enters_the_report(registries, visible):
    report = summarise(registries["orlando"], allocation_visible=visible)
    assert report.controlled is None
    assert FOOTNOTE in report.footnotes
    for table in tables(report):
        assert not table.betrays_allocation
        assert not table.code.startswith("controlled")
    for word in ("'active'", "'control'", "'sts'", "'saline'", "concentration_mg_ml=Decimal"):
        assert word not in repr(report)


def test_an_unsaid_allocation_is_closed(registries):
    assert summarise(registries["orlando"]).controlled is None


def test_an_open_allocation_is_told_and_marked(registries):
    report = summarise(registries["orlando"], allocation_visible=open_only([("orlando", "placebo3")]))
    marked = {table.code for table in tables(report) if table.betrays_allocation}
    assert marked == {
        "controlled_arms",
        "controlled_subjects",
        "controlled_tests",
        "controlled_paired",
        "table_iii",
        "flow_within",
        "lesions",
    }
    assert FOOTNOTE not in report.footnotes


def test_closing_one_clinic_leaves_the_other_as_it_was(registries):
    """The closed clinic's series are still counted; only its arms are gone."""
    orlando = registries["orlando"]
    both = Registry([*orlando.patients, *(moved(patient, "tampa") for patient in orlando.patients)])
    one = summarise(orlando, allocation_visible=all_open).as_json()
    half = summarise(both, allocation_visible=open_only([("orlando", "placebo3")])).as_json()
    assert half["controlled"] == one["controlled"]
    assert half["cohort"]["injections"] == 2 * one["cohort"]["injections"]


def moved(patient, clinic):
    return PatientRecord(
        f"X{patient.patient_id}", clinic, patient.sex, patient.diagnosis, series=patient.series
    )


def test_closing_changes_nothing_but_the_controlled_part(registries):
    told = summarise(registries["orlando"], allocation_visible=all_open).as_json()
    closed = summarise(registries["orlando"], allocation_visible=all_closed).as_json()
    assert closed == told | {"controlled": None}


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (Column("n", "n", "count"), None, "–"),
        (Column("n", "n", "count"), 0, "0"),
        (Column("words", "Words"), "", "–"),
        (Column("mean", "Mean", "number", decimals=1), 6.388, "6.4"),
        (Column("mean", "Mean", "number", decimals=1), -0.04, "0.0"),
        (Column("mean", "Mean", "number", decimals=1), -0.06, "-0.1"),
        (Column("p", "p", "p"), 0.00099, "< 0.001"),
        (Column("p", "p", "p"), 0.001, "0.001"),
        (Column("p", "p", "p"), 0.39478, "0.395"),
        (Column("day", "Day", "date"), date(2026, 11, 3), "03-Nov-2026"),
        (Column("sex", "Sex", "code", labels={"female": "Female"}), "female", "Female"),
        (Column("sex", "Sex", "code", labels={"female": "Female"}), "new", "new"),
    ],
)
def test_cell_text(column, value, text):
    assert cell_text(column, value) == text


def test_an_empty_registry_has_empty_tables():
    for table in tables(summarise(Registry([]))):
        assert table.columns
        for number, row in enumerate(table.rows):
            for column, value in zip(table.columns, row, strict=True):
                if column.kind == "count":
                    assert not value
                    found = table.behind(number, column.code)
                    assert found is None or not found.keys
