"""Data out: every format holds the same cells, with labels, and the scripts give the report's numbers."""

import csv
import datetime
import hashlib
import io
import json
import os
import re
import runpy
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas
import pyreadstat
import pytest
from django.core.management import CommandError, call_command

from lesions.models import Lesion
from sessions_app.allocation import open_allocation
from sessions_app.dataout import workbook
from sessions_app.dataout.bundle import FORMATS, write_bundle
from sessions_app.dataout.codebook import codebook_rows
from sessions_app.dataout.coding import is_coded, numbers, value_labels, variable_label
from sessions_app.dataout.disguise import MOST_DAYS, disguise_new_patients
from sessions_app.dataout.manifest import Made
from sessions_app.dataout.plan import ANALYSIS, Plan
from sessions_app.dataout.source import Source
from sessions_app.dataout.workbook import write_workbook
from sessions_app.datasheets.columns import SHEETS
from sessions_app.datasheets.exporting import NoRoomInWorkbook, Scope, sheet_rows, write_folder
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path, read_upload
from sessions_app.models import ExportDisguise, Series, TreatmentSession
from sessions_app.registry import load_registry
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Event
from stsclinic.clinical.remission import HORIZON
from stsclinic.clinics.models import Clinic, Membership
from stsclinic.demo.clinics import CASES
from stsclinic.demo.loading import CASE_FOLDER
from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.headline import headline
from stsclinic.reporting.selection import UNIT, Selection
from stsclinic.reporting.summary import summarise
from tests.builders import _save, make_user
from tests.sessions_app.datasheet_files import as_raw, sound
from tests.tools.machine import r_script

pytestmark = pytest.mark.django_db

MADE = Made("test", datetime.datetime(2026, 11, 21, 10, 30, tzinfo=datetime.UTC))
READERS = {"sav": pyreadstat.read_sav, "dta": pyreadstat.read_dta, "xpt": pyreadstat.read_xport}
FOLDERS = {"sav": "spss", "dta": "stata", "xpt": "sas"}
AS_RECORDED = {"with_dates": True, "with_text": True}


def plan(formats=("csv",), **chosen) -> Plan:
    codes = tuple(Clinic.objects.order_by("code").values_list("code", flat=True))
    return Plan(**{"clinics": codes, "formats": tuple(formats)} | chosen)


def bundle(folder: Path, **chosen) -> Path:
    folder.mkdir()
    write_bundle(folder, plan(**chosen), MADE)
    return folder


def csv_sheets(folder: Path) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(folder / "sheets.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(text, newline="")))
        for name, text in texts.items()
    }


def cells_of(path: Path) -> dict[str, list[list[tuple]]]:
    """By worksheet, the rows of value, type and number format of each cell."""
    return {
        sheet.title: [[(cell.value, cell.data_type, cell.number_format) for cell in row] for row in sheet]
        for sheet in openpyxl.load_workbook(path)
    }


def import_case(case: str) -> None:
    import_sheets(read_path(CASE_FOLDER / case), by="test", source="command")


def import_sound(**changed) -> None:
    sheets = sound()
    sheets["injections"][0] |= {"lot_number": "LOT-7", "technique": "top", "pain_vas": "5.5"}
    sheets["medications"].append({**sheets["medications"][0], "name": "aspirin", "started_on": "2019-06-30"})
    for name, values in changed.items():
        sheets[name][0] |= values
    import_sheets(as_raw(sheets), by="test", source="command")


@pytest.mark.parametrize("chosen", [{}, AS_RECORDED, {"new_ids": True}], ids=["plain", "all", "new ids"])
def test_every_format_holds_the_same_cells_with_labels(tmp_path, chosen):
    import_sound(sessions={"note": "=1+1"}, patients={"birth_year": "1950", "race": "two\nlines"})
    folder = bundle(tmp_path / "out", formats=FORMATS, **chosen)
    sheets = csv_sheets(folder)
    book = openpyxl.load_workbook(folder / "sheets.xlsx")
    for name, sheet in plan(**chosen).sheets.items():
        expected = [[_plain(cell) for cell in row.values()] for row in sheets[name]]
        heading, *rows = [[cell.value for cell in row] for row in book[name].iter_rows()]
        assert heading == [column.name for column in sheet.columns]
        assert [["" if cell is None else str(cell) for cell in row] for row in rows] == expected, name
        for ending, read in READERS.items():
            frame, meta = read(folder / FOLDERS[ending] / f"{name}.{ending}")
            assert list(frame.columns) == heading
            assert meta.column_names_to_labels == {one.name: variable_label(one) for one in sheet.columns}
            coded = [one for one in sheet.columns if is_coded(one) and ending != "xpt"]
            # A transport file has none: test_dataout_sas_formats.py reads the program beside it.
            assert meta.variable_value_labels == {one.name: value_labels(one) for one in coded}
            found = [
                [_text(*one, ending) for one in zip(sheet.columns, row, strict=True)] for row in frame.values
            ]
            assert found == expected, (name, ending)
    recorded = {name: [list(row) for row in sheet_rows(sheet, Scope())] for name, sheet in SHEETS.items()}
    assert {name: len(sheets[name]) for name in SHEETS} == {
        name: len(rows) for name, rows in recorded.items()
    }
    raw = read_path(folder / "sheets.zip")
    if chosen == AS_RECORDED:
        assert {
            name: [[_plain(one) for one in row.values()] for row in sheets[name]] for name in SHEETS
        } == recorded
        assert not raw.errors
        assert next(raw.sheets["sessions"].rows)[1]["note"] == "=1+1"
    else:
        assert "cannot be imported" in " ".join(map(str, raw.errors))


def _plain(text: str) -> str:
    """The cell as entered: without the apostrophe that keeps it from being a formula."""
    return text[1:] if text[:2] in ("'=", "'-") else text


def _text(column, cell, ending) -> str:
    """A cell of a statistics program as the CSV has it."""
    if cell is None or cell != cell or cell == "":
        return ""
    if is_coded(column) and ending != "xpt":
        return {number: code for code, number in numbers(column).items()}[cell]
    if column.kind in ("whole", "year"):
        return str(int(cell))
    if column.kind == "decimal":
        return f"{cell:.3f}".rstrip("0").rstrip(".")
    return cell.isoformat() if column.kind == "date" else cell


class TestHeadline:
    """The script of an export against the report, on the published cases."""

    @staticmethod
    def of_the_report(selection: Selection) -> dict:
        report = summarise(load_registry(), selection, allocation_visible=all_open)
        found = report.as_json()
        kept = ("to", "n", "mean_decrease", "sd", "median_decrease")
        told = headline(report.series, selection.horizon, selection.unit)
        return {
            "unit": selection.unit,
            "horizon": selection.horizon,
            "headline": {
                measure: {name: getattr(one, name) for name in ("n", "value", "low", "high", "p")}
                for measure, one in told.items()
            },
            "scores": found["scores"],
            "change": {
                scale: [{name: one[name] for name in kept} for one in rows]
                for scale, rows in found["change"].items()
            },
            "remission_by_patient": found["remission"]["follow_up"]["by_patient"],
        }

    @staticmethod
    def of_the_script(folder: Path) -> dict:
        return runpy.run_path(str(folder / "headline.py"))["headline"](folder / "sheets.zip")

    @staticmethod
    def in_r(folder: Path, *options: str) -> str:
        """What the script in R prints, in a locale that knows ASCII alone."""
        program = r_script()
        assert program, "R is not installed: apt-get install r-base-core"
        command = [program, "--vanilla", "headline.R", *options]
        surroundings = {**os.environ, "LC_ALL": "C", "LANGUAGE": "en"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=surroundings)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def assert_all_equal(self, folder: Path, expected: dict, where: str = "") -> None:
        """Both scripts give the numbers of the report; the one in R all but the ends of a bootstrap."""
        assert_equal(self.of_the_script(folder), expected, f"{where} Python")
        if expected["unit"] != "patient":
            shares = {
                name: {**expected["headline"][name], "low": None, "high": None}
                for name in ("complete", "any")
            }
            expected = {**expected, "headline": {**expected["headline"], **shares}}
        assert_equal(json.loads(self.in_r(folder, "--json")), expected, f"{where} R")

    def test_all_cases_together_in_each_form(self, tmp_path):
        for case in CASES:
            import_case(case)
        expected = self.of_the_report(Selection())
        for name, chosen in {"a": {}, "b": {"danish": True, "new_ids": True}, "c": AS_RECORDED}.items():
            self.assert_all_equal(bundle(tmp_path / name, **chosen), expected, name)
        assert expected["remission_by_patient"]["complete"] == 13

    @pytest.mark.parametrize("case", CASES)
    def test_each_case_as_a_person_runs_it(self, tmp_path, case):
        import_case(case)
        folder = bundle(tmp_path / "out")
        command = [sys.executable, str(folder / "headline.py"), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/")
        assert (done.returncode, done.stderr) == (0, "")
        expected = self.of_the_report(Selection())
        assert_equal(json.loads(done.stdout), expected)
        self.assert_all_equal(folder, expected)

    @pytest.mark.parametrize(
        "selection",
        [
            Selection(protocols=frozenset({"weekly4"})),
            Selection(first_treatment_from=datetime.date(2019, 1, 1)),
            Selection(diagnoses=frozenset({"lcssc"}), first_treatment_to=datetime.date(2019, 6, 30)),
            Selection(protocols=frozenset({"iv"})),
        ],
        ids=["protocol", "from", "diagnosis and to", "none analysed"],
    )
    def test_a_selection_of_aarhus(self, tmp_path, selection):
        import_case("aarhus")
        self.assert_all_equal(bundle(tmp_path / "out", selection=selection), self.of_the_report(selection))

    @pytest.mark.parametrize("horizon", HORIZON)
    @pytest.mark.parametrize("unit", UNIT)
    def test_what_the_headline_counts_is_that_of_the_report(self, tmp_path, unit, horizon):
        for case in CASES:
            import_case(case)
        selection = Selection(unit=unit, horizon=horizon)
        expected = self.of_the_report(selection)
        measures = expected["headline"]
        assert all(None not in (one["low"], one["high"]) for one in measures.values())
        self.assert_all_equal(bundle(tmp_path / "out", selection=selection, new_ids=True), expected)

    @pytest.mark.parametrize("unit", UNIT)
    def test_so_it_is_with_lesions_and_a_concentration_chosen(self, tmp_path, unit):
        import_case("aarhus")
        selection = Selection(
            body_sites=frozenset({"forearm", "thigh", "toe", "knee"}),
            concentrations=frozenset({Decimal(150)}),
            unit=unit,
            horizon="end_of_treatment",
        )
        expected = self.of_the_report(selection)
        assert expected["headline"]["complete"]["n"] > 5
        self.assert_all_equal(bundle(tmp_path / "out", selection=selection), expected)

    def test_it_is_printed_as_the_report_prints_it(self, tmp_path):
        import_case("aarhus")
        folder = bundle(tmp_path / "out")
        done = subprocess.run(
            [sys.executable, str(folder / "headline.py")], capture_output=True, text=True, check=True
        )
        lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
        told = headline(
            summarise(load_registry(), Selection(), allocation_visible=all_open).series, "follow_up", "series"
        )
        assert lines[0] == "Headline: series, follow-up"
        ptga, complete = told["ptga"], told["complete"]
        assert lines[2] == (
            f"Mean decrease of PtGA, points {ptga.n} {ptga.value:.2f} {ptga.low:.2f} to {ptga.high:.2f} < 0.001"
        )
        assert lines[4] == (
            f"Complete remission, % {complete.n} {100 * complete.value:.1f} "
            f"{100 * complete.low:.1f} to {100 * complete.high:.1f}"
        )

        in_r = [" ".join(line.split()) for line in self.in_r(folder).splitlines()]
        assert in_r[4] == f"Complete remission, % {complete.n} {100 * complete.value:.1f}"
        # What R cannot give, it says below the shares, whose lines are the only others that differ.
        assert in_r.pop(6) == (
            "The interval of a share of series is a bootstrap whose random draws R does not have: "
            "headline.py computes it."
        )
        assert [line for line in lines if "remission, %" not in line] == [
            line for line in in_r if "remission, %" not in line
        ]

    def test_r_has_the_interval_of_patients_and_says_nothing_more(self, tmp_path):
        import_case("aarhus")
        folder = bundle(tmp_path / "out", selection=Selection(unit="patient"))
        done = subprocess.run(
            [sys.executable, str(folder / "headline.py")], capture_output=True, text=True, check=True
        )
        assert self.in_r(folder) == done.stdout

    def test_an_empty_registry(self, tmp_path):
        expected = self.of_the_report(Selection())
        assert expected["scores"] == {"ptga": [], "phga": []}
        self.assert_all_equal(bundle(tmp_path / "out"), expected)


def assert_equal(found, expected, where=""):
    """Equal, numbers to 1e-9."""
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for name, value in expected.items():
            assert_equal(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for index, value in enumerate(expected):
            assert_equal(found[index], value, f"{where}[{index}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-9), where
    else:
        assert found == expected, where


class TestSelection:
    def test_it_holds_what_the_report_counts(self, tmp_path):
        for case in CASES:
            import_case(case)
        selection = Selection(
            protocols=frozenset({"weekly4"}), first_treatment_from=datetime.date(2017, 6, 1)
        )
        sheets = csv_sheets(bundle(tmp_path / "out", selection=selection, **AS_RECORDED))
        cohort = summarise(load_registry(), selection, allocation_visible=all_open).cohort
        assert len(sheets["patients"]) == cohort["patients_offered"] > 0
        assert sum(one["kind"] == "treatment" for one in sheets["sessions"]) == cohort["treatment_sessions"]
        assert len(sheets["injections"]) == cohort["injections"]
        assert {one["protocol"] for one in sheets["series"]} == {"weekly4"}
        assert sum(one["analysed"] == "yes" for one in sheets["analysis"]) == cohort["series_analysed"]
        assert len(sheets["analysis"]) == len(sheets["series"])
        held = {(one["patient_id"], one["series_no"]) for one in sheets["series"]}
        for name in ("series_lesions", "sessions", "session_lesions", "injections", "side_effects"):
            assert {(one["patient_id"], one["series_no"]) for one in sheets[name]} <= held, name

    @pytest.mark.parametrize(
        "chosen",
        [
            {"body_sites": frozenset({"thigh"})},
            {"subtypes": frozenset({"idiopathic", "metastatic"}), "unit": "lesion"},
            {"concentrations": frozenset({Decimal(250)})},
            {"body_sites": frozenset({"elbow", "forearm"}), "concentrations": frozenset({Decimal(150)})},
            {"protocols": frozenset({"weekly4", "longterm"}), "diagnoses": frozenset({"lcssc", "dcssc"})},
        ],
        ids=lambda chosen: " ".join(chosen),
    )
    def test_lesions_and_concentrations_choose_what_the_report_counts(self, tmp_path, chosen):
        for case in CASES:
            import_case(case)
        with acting(by="test", source="command"):
            Lesion.objects.filter(body_site__in=("thigh", "toe")).update(subtype="idiopathic")
        selection = Selection(**chosen)
        sheets = csv_sheets(bundle(tmp_path / "out", selection=selection, **AS_RECORDED))
        report = summarise(load_registry(), selection, allocation_visible=all_open)
        courses = [course for _patient, of_patient in report.chosen.patients for course in of_patient]
        series = [one.series for one in courses]

        def keys(name, *columns):
            return sorted(tuple(row[column] for column in columns) for row in sheets[name])

        def of(one, *more):
            return (one.patient_id, str(one.series_no), *more)

        assert [one["patient_id"] for one in sheets["patients"]] == [
            patient.patient_id for patient, _courses in report.chosen.patients
        ]
        assert 0 < len(series) < Series.objects.count()
        assert keys("series", "patient_id", "series_no") == sorted(of(one) for one in series)
        listed = [of(one, lesion) for one in series for lesion in one.lesions]
        assert keys("series_lesions", "patient_id", "series_no", "lesion_id") == sorted(listed)
        if selection.picks_lesions:
            assert keys("lesions", "patient_id", "lesion_id") == sorted({(one[0], one[2]) for one in listed})
        where = ("patient_id", "series_no", "session_no", "lesion_id")
        visits = [(one, visit) for one in series for visit in one.sessions]
        assert keys("session_lesions", *where) == sorted(
            of(one, str(visit.session_no), lesion) for one, visit in visits for lesion in visit.assessments
        )
        injected = [
            of(one, str(visit.session_no), given.lesion_id)
            for one, visit in visits
            for given in visit.injections
        ]
        assert keys("injections", *where) == sorted(injected)
        assert len(sheets["side_effects"]) == len(report.chosen.side_effects)
        assert sum(one["analysed"] == "yes" for one in sheets["analysis"]) == report.cohort["series_analysed"]

    def test_a_closed_allocation_is_not_told_by_a_concentration(self, tmp_path):
        import_sound()
        selection = Selection(concentrations=frozenset({Decimal(150)}))
        rows = {}
        for name, closed in {"open": frozenset(), "closed": frozenset({("south", "placebo3")})}.items():
            folder = bundle(tmp_path / name, selection=selection, closed=closed)
            rows[name] = {row["patient_id"] for row in csv_sheets(folder)["patients"]}
        assert "P-2" not in rows["closed"] and rows["open"] - rows["closed"] <= {"P-2"}
        assert rows["closed"] == {"P-1"}

    def test_the_codebook_and_the_manifest_say_it(self, tmp_path):
        import_sound()
        selection = Selection(
            body_sites=frozenset({"elbow"}),
            concentrations=frozenset({Decimal(150)}),
            first_treatment_from=datetime.date(2024, 1, 1),
            unit="lesion",
        )
        for name, more in {"shifted": {}, "recorded": AS_RECORDED}.items():
            folder = bundle(tmp_path / name, selection=selection, **more)
            for file in ("codebook.html", "manifest.txt"):
                text = (folder / file).read_text()
                for words in ("Body site: Elbow", "Concentration: 150 mg/ml", "Headline: Lesions, follow-up"):
                    assert words in text, (file, words)
                assert ("From 01-Jan-2024" in text) is bool(more)
                assert ("A period that was chosen" in text) is not bool(more)
        found = json.loads((folder / "manifest.json").read_text())["selection"]
        assert (found["concentrations_mg_ml"], found["first_treatment_from"]) == (["150"], "2024-01-01")

    def test_the_command_takes_the_same(self, tmp_path):
        import_case("aarhus")
        call_command(
            "export_data",
            tmp_path / "a",
            "--format=csv",
            "--body-site=knee",
            "--body-site=elbow",
            "--concentration=150",
            "--first-treatment-from=2018-01-01",
            "--first-treatment-to=2019-12-31",
            "--unit=lesion",
            "--horizon=end_of_treatment",
        )
        selection = Selection(
            body_sites=frozenset({"knee", "elbow"}),
            concentrations=frozenset({Decimal(150)}),
            first_treatment_from=datetime.date(2018, 1, 1),
            first_treatment_to=datetime.date(2019, 12, 31),
            unit="lesion",
            horizon="end_of_treatment",
        )
        assert csv_sheets(tmp_path / "a") == csv_sheets(bundle(tmp_path / "b", selection=selection))
        told = json.loads((tmp_path / "a/manifest.json").read_text())["selection"]
        assert told == json.loads((tmp_path / "b/manifest.json").read_text())["selection"]

    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            ("--body-site=tail", "There is no body site 'tail'"),
            ("--subtype=x", "There is no subtype 'x'"),
            ("--concentration=0", "Valid is above 0 to 1000 mg/ml"),
            ("--concentration=nan", "Valid is above 0 to 1000 mg/ml"),
            ("--first-treatment-from=soon", "Valid is a day such as 2026-11-20"),
        ],
    )
    def test_the_command_says_what_is_valid(self, tmp_path, option, sentence):
        import_sound()
        with pytest.raises(CommandError, match=re.escape(sentence)):
            call_command("export_data", tmp_path / "a", option)
        with pytest.raises(CommandError, match="ends before it begins"):
            call_command(
                "export_data",
                tmp_path / "a",
                "--first-treatment-from=2024-02-01",
                "--first-treatment-to=2024-01-01",
            )

    def test_clinics_and_diagnoses_choose_patients(self, tmp_path):
        import_sound(patients={"diagnosis": "dm"})
        sheets = csv_sheets(bundle(tmp_path / "a", clinics=("south",)))
        assert {row["patient_id"] for rows in sheets.values() for row in rows if "patient_id" in row} == {
            "P-2"
        }
        chosen = Selection(diagnoses=frozenset({"dm"}))
        assert [
            row["patient_id"] for row in csv_sheets(bundle(tmp_path / "b", selection=chosen))["patients"]
        ] == ["P-1"]

    def test_blocks_make_no_difference(self, tmp_path, monkeypatch):
        import_case("aarhus")
        whole = bundle(tmp_path / "a", formats=FORMATS)
        for name in ("BLOCK", "WRITTEN", "STREAMED", "ROWS_AT_ONCE"):
            monkeypatch.setattr(f"sessions_app.dataout.source.{name}", 2)
        in_blocks = bundle(tmp_path / "b", formats=FORMATS)
        assert csv_sheets(in_blocks) == csv_sheets(whole)
        assert cells_of(in_blocks / "sheets.xlsx") == cells_of(whole / "sheets.xlsx")
        for ending, read in READERS.items():
            for name in SHEETS:
                first, second = (
                    read(one / FOLDERS[ending] / f"{name}.{ending}")[0] for one in (whole, in_blocks)
                )
                pandas.testing.assert_frame_equal(first, second)

    def test_the_same_data_are_the_same_bytes(self, tmp_path):
        import_case("hershey")
        first, second = (bundle(tmp_path / name, formats=("csv", "xlsx")) for name in "ab")
        for name in ("sheets.zip", "sheets.xlsx", "codebook.html", "codebook.csv", "manifest.json"):
            assert (first / name).read_bytes() == (second / name).read_bytes(), name

    def test_rows_of_a_workbook_written_at_once_are_as_if_cell_by_cell(self, tmp_path, monkeypatch):
        import_case("aarhus")
        at_once = cells_of(bundle(tmp_path / "a", formats=("xlsx",)) / "sheets.xlsx")
        monkeypatch.setattr(workbook, "_write_plain", workbook._write_texts)
        by_cell = cells_of(bundle(tmp_path / "b", formats=("xlsx",)) / "sheets.xlsx")
        assert at_once == by_cell
        assert len(at_once["injections"]) > 500


class TestClosedAllocation:
    HIDDEN = ("agent", "concentration_mg_ml", "salt_form")

    def test_it_is_left_out_in_every_format(self, tmp_path):
        import_sound()
        closed = frozenset({("south", "placebo3")})
        folder = bundle(tmp_path / "out", formats=FORMATS, closed=closed, **AS_RECORDED)
        sheets = csv_sheets(folder)
        trial = [row for row in sheets["injections"] if row["patient_id"] == "P-2"]
        assert trial and all(row[name] == "" for row in trial for name in self.HIDDEN)
        assert {row["arm"] for row in sheets["series_lesions"]} == {""}
        assert [row["agent"] for row in sheets["injections"] if row["patient_id"] == "P-1"] == ["sts"]
        for ending, read in READERS.items():
            frame, _meta = read(folder / FOLDERS[ending] / f"injections.{ending}")
            assert [cell for cell in frame["agent"] if cell == cell and cell] == [
                "sts" if ending == "xpt" else 1.0
            ]
        book = openpyxl.load_workbook(folder / "sheets.xlsx")
        assert [row[4].value for row in book["injections"].iter_rows(min_row=2)] == ["sts", None, None]

    def test_the_command_leaves_it_out_until_it_is_opened(self, tmp_path):
        import_sound()
        call_command("export_data", tmp_path / "a", format=["csv"])
        assert {row["arm"] for row in csv_sheets(tmp_path / "a")["series_lesions"]} == {""}
        open_allocation(
            clinic=Clinic.objects.get(code="south"),
            protocol_code="placebo3",
            patient=None,
            reason="Over",
            by="test",
        )
        call_command("export_data", tmp_path / "b", format=["csv"])
        assert {row["arm"] for row in csv_sheets(tmp_path / "b")["series_lesions"]} == {
            "",
            "active",
            "control",
        }


class TestManifestAndCodebook:
    def test_the_manifest_says_what_is_there_and_who_made_it(self, tmp_path):
        import_case("hershey")
        folder = bundle(tmp_path / "out", formats=FORMATS)
        found = json.loads((folder / "manifest.json").read_text())
        assert (found["made_by"], found["made_at"]) == ("test", "2026-11-21T10:30:00+00:00")
        assert found["version"] and found["selection"]["clinics"] == ["hershey"]
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {one["path"] for one in found["files"]} == files - {"manifest.json", "manifest.txt"}
        for one in found["files"]:
            assert hashlib.sha256((folder / one["path"]).read_bytes()).hexdigest() == one["sha256"]
        for name, rows in csv_sheets(folder).items():
            if name != "codebook":
                assert found["sheets"][name] == {
                    "rows": len(rows),
                    "columns": [c.name for c in plan().sheets[name].columns],
                }
        text = (folder / "manifest.txt").read_text()
        assert all(one["sha256"] in text for one in found["files"])

    @pytest.mark.parametrize("chosen", [{}, AS_RECORDED], ids=["plain", "all"])
    def test_the_codebook_has_a_row_for_every_variable(self, tmp_path, chosen):
        folder = bundle(tmp_path / "out", **chosen)
        rows = list(csv.DictReader(io.StringIO((folder / "codebook.csv").read_text(), newline="")))
        of = {(row["sheet"], row["variable"]): row for row in rows}
        html = (folder / "codebook.html").read_text()
        for name, sheet in plan(**chosen).sheets.items():
            for column in sheet.columns:
                row = of[name, column.name]
                assert row["leaves"] == "yes"
                assert row["label"] == variable_label(column)
                for code, words in (column.vocabulary or {}).items():
                    assert f"{code} = {words}" in row["values"]
                    assert f"<dd>{words}</dd>".replace("'", "&#x27;") in html
        gone = {key for key, row in of.items() if row["leaves"] != "yes"}
        assert (("sessions", "note") in gone) == (chosen == {})
        assert set(of) >= {(sheet.name, column.name) for sheet in SHEETS.values() for column in sheet.columns}

    def test_units_stand_in_the_labels(self):
        labels = {row[1]: row[2] for row in codebook_rows(plan())}
        assert labels["longest_mm"] == "Longest (mm)"
        assert labels["volume_ml"] == "Volume (ml)"

    def test_names_and_labels_fit_every_program(self):
        """SPSS 64, Stata 32, SAS transport of version 8 32 characters for a name; 80 in Stata for a label."""
        for sheet in [*SHEETS.values(), ANALYSIS]:
            assert len(sheet.name) <= 32
            for column in sheet.columns:
                assert len(column.name) <= 32 and column.name.isidentifier()
                assert len(variable_label(column)) <= 80
                assert all(
                    len(words.encode()) <= 120 for words in value_labels(column).values()
                ) or not is_coded(column)


class TestDanishExcel:
    def test_semicolons_decimal_commas_and_a_bom(self, tmp_path):
        import_sound(sessions={"note": 'a;b, "c"'})
        folder = bundle(tmp_path / "out", danish=True, **AS_RECORDED)
        with zipfile.ZipFile(folder / "sheets.zip") as archive:
            injections, sessions = archive.read("injections.csv"), archive.read("sessions.csv")
        assert injections.startswith(b"\xef\xbb\xbfpatient_id;series_no;")
        assert b"P-1;1;1;L1;sts;150;0,5;top;;5,5;;LOT-7;;\r\n" in injections
        rows = list(csv.DictReader(io.StringIO(sessions.decode("utf-8-sig"), newline=""), delimiter=";"))
        assert rows[0]["note"] == 'a;b, "c"'
        assert (folder / "codebook.csv").read_bytes().startswith(b"\xef\xbb\xbfsheet;variable;")

    def test_the_other_formats_hold_numbers_as_ever(self, tmp_path):
        import_sound()
        folder = bundle(tmp_path / "out", danish=True, formats=FORMATS, **AS_RECORDED)
        sheet = openpyxl.load_workbook(folder / "sheets.xlsx")["injections"]
        names = [cell.value for cell in sheet[1]]
        assert sheet.cell(2, names.index("volume_ml") + 1).value == 0.5
        for ending, read in READERS.items():
            frame, _meta = read(folder / FOLDERS[ending] / f"injections.{ending}")
            assert frame["volume_ml"][0] == 0.5


FORMULAS = [
    "=1+1",
    "+45 12",
    "-1",
    "@x",
    "\tx",
    "'=1",
    "''+1",
    "'x",
    "'",
    "=cmd|' /C calc'!A0",
    "＝1",
    "'-\nx",
]


def test_no_cell_is_a_formula_and_each_reads_back_as_entered(tmp_path):
    import_sound()
    series = Series.objects.get(patient__study_id="P-1")
    for number, text in enumerate(FORMULAS, start=3):
        held_on = datetime.date(2024, 2, number)
        _save(
            TreatmentSession(series=series, session_no=number, kind="assessment", held_on=held_on, note=text)
        )
    folder = bundle(tmp_path / "out", formats=("csv", "xlsx"), **AS_RECORDED)
    notes = [row["note"] for row in csv_sheets(folder)["sessions"] if row["note"]]
    assert len(notes) == len(FORMULAS)
    assert not [note for note in notes if note[0] in "=+-@\t\r\n＝＋－＠"]
    cells = {
        cell.value: cell.data_type
        for row in openpyxl.load_workbook(folder / "sheets.xlsx")["sessions"]
        for cell in row
    }
    assert {text: cells[text] for text in FORMULAS} == dict.fromkeys(FORMULAS, "s")
    (tmp_path / "canonical").mkdir()
    write_folder(tmp_path / "canonical")
    for name in ("out/sheets.zip", "out/sheets.xlsx", "canonical"):
        raw = read_path(tmp_path / name)
        assert not raw.errors
        assert [row["note"] for _number, row in raw.sheets["sessions"].rows if row["note"]] == FORMULAS, name


class TestRoom:
    def test_a_sheet_too_long_for_a_worksheet_is_told(self, monkeypatch):
        import_case("hershey")
        disguise_new_patients()
        monkeypatch.setattr("sessions_app.dataout.workbook.MOST_WORKBOOK_ROWS", 5)
        with pytest.raises(NoRoomInWorkbook, match="that a worksheet takes"):
            write_workbook(io.BytesIO(), Source(plan()))

    @pytest.mark.parametrize("name", ["xlsx", "sav"])
    def test_a_text_too_long_for_a_cell_is_told_and_nothing_stays(self, tmp_path, name):
        import_sound(sessions={"note": "x" * 40_000})
        clinic = Clinic.objects.get(code="north")
        dana = make_user("data_manager", clinic, "dana")
        _save(Membership(user=dana, clinic=Clinic.objects.get(code="south"), role="data_manager"))
        options = {"format": [name], "with_text": True, "by": "dana", "reason": "A test"}
        with pytest.raises(CommandError, match="takes at most"):
            call_command("export_data", tmp_path / "out", **options)
        assert list((tmp_path / "out").iterdir()) == []


class TestCommand:
    def test_it_writes_all_formats_for_its_owner_alone_and_logs_it(self, tmp_path, capsys):
        import_sound()
        call_command("export_data", tmp_path / "out")
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {
            "sheets.zip", "sheets.xlsx", "spss", "stata", "sas", "codebook.html", "codebook.csv",
            "manifest.json", "manifest.txt", "headline.py", "headline.R",
        }  # fmt: skip
        assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "out").rglob("*"))
        assert "patients 3" in capsys.readouterr().out
        event = Event.objects.get(kind="exported")
        assert event.actor == "export_data"
        assert event.detail.endswith("de-identified; reason: none")
        call_command("export_data", tmp_path / "out", format=["sav"])
        assert {path.name for path in (tmp_path / "out").iterdir()} == names - {
            "sheets.zip", "sheets.xlsx", "stata", "sas", "headline.py", "headline.R",
        }  # fmt: skip

    def test_it_never_mixes_with_other_files(self, tmp_path):
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(CommandError, match=r"notes\.txt"):
            call_command("export_data", tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
        with pytest.raises(CommandError, match="is a file"):
            call_command("export_data", tmp_path / "notes.txt")

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"clinic": ["moon"]}, "Valid are: north, south"),
            ({"protocol": ["daily"]}, "There is no protocol 'daily'"),
            ({"diagnosis": ["flu"]}, "There is no diagnosis 'flu'"),
            ({"with_dates": True}, "Say with --reason"),
            ({"with_text": True, "reason": "x"}, "by a data manager of every clinic"),
            ({"with_text": True, "reason": "x", "by": "nobody"}, "by a data manager of every clinic"),
            ({"with_dates": True, "reason": "x", "by": "nora"}, "by a data manager of every clinic"),
            ({"with_dates": True, "reason": "x", "by": "dana"}, "by a data manager of every clinic"),
            ({"with_dates": True, "reason": "  ", "by": "dana", "clinic": ["north"]}, "Say with --reason"),
        ],
    )
    def test_what_is_not_allowed_is_refused(self, tmp_path, options, sentence):
        import_sound()
        make_user("data_manager", Clinic.objects.get(code="north"), "dana")
        make_user("nurse", Clinic.objects.get(code="north"), "nora")
        with pytest.raises(CommandError, match=sentence):
            call_command("export_data", tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()
        assert not Event.objects.filter(kind="exported").exists()

    def test_a_data_manager_may_let_dates_leave(self, tmp_path):
        import_sound()
        make_user("data_manager", Clinic.objects.get(code="north"), "dana")
        options = {
            "with_dates": True,
            "reason": "A test",
            "by": "dana",
            "clinic": ["north"],
            "format": ["csv"],
        }
        call_command("export_data", tmp_path / "out", **options)
        assert csv_sheets(tmp_path / "out")["sessions"][0]["held_on"] == "2024-01-02"
        event = Event.objects.get(kind="exported")
        assert (event.actor, event.detail.split("; ")[-2:]) == (
            "dana",
            ["as recorded dates", "reason: A test"],
        )


def test_a_workbook_of_an_export_is_read_back(tmp_path):
    import_sound(sessions={"note": "=1"})
    folder = bundle(tmp_path / "out", formats=("xlsx",), **AS_RECORDED)
    raw = read_upload(io.BytesIO((folder / "sheets.xlsx").read_bytes()), "sheets.xlsx")
    assert not raw.errors
    assert [str(one) for one in raw.warnings] == [
        f"The sheet {name} is made from the others, or about them, and was not read."
        for name in ("analysis", "codebook")
    ]


def test_each_patient_keeps_one_disguise():
    import_sound()
    write = Source(plan())
    assert write.patients == []  # nobody has a disguise yet, and nobody leaves without
    assert disguise_new_patients() == 3
    before = list(ExportDisguise.objects.values_list("patient_id", "days", "code"))
    assert disguise_new_patients() == 0
    assert list(ExportDisguise.objects.values_list("patient_id", "days", "code")) == before
    assert all(0 < abs(days) <= MOST_DAYS for _patient, days, _code in before)
