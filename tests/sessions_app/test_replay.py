"""The alerts that would have spoken in the published cases, against a table that was read beside the reports.

What the reading of `tests/expected/replay.tsv` found, report by report:

- Coimbra: bosentan ended on 16-Oct-2023, the day of session 24, so `vasodilator_stopped` speaks there
  and, before the needle of the session after, at session 25 (15-Jan-2024); the pulps necrosed two weeks
  later. Before, bosentan is taken, infections and the ulcer are over by the next session: silence.
- Aarhus: one step from 150 to 250 mg/ml, AAR-013 on 13-Apr-2018, five lesions in one alert; the blisters
  came five days later. The other three patients began with 250 mg/ml, each with an approval: silence.
  One of the two infections lasts at a session (AAR-021), the other is over (AAR-006). `no_vasodilator`
  speaks once per series, of fingers and toes only. The follow-ups outside their window are the paper's
  "time to follow up was too inconsistent"; no treatment is outside its own.
- Orlando: no size, dose or visit is unusual. UCF-4 is injected in both little fingers, and whether she has
  Raynaud's phenomenon is recorded as not known: `no_vasodilator`, once.
- Hershey: the same for one finger joint, once. 5 ml into the hands and 5 ml into the elbow at one visit are
  two rounds (002): silence.
- Kansas: 12.5 g throughout, every window kept, one nausea of grade 1: silence.
"""

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from sessions_app.management.commands.replay_alerts import CASE_FOLDER, case_names
from sessions_app.replay import SheetsRefused, replay
from stsclinic.clinical.alerts import ALERTS

EXPECTED = (Path(__file__).parent.parent / "expected" / "replay.tsv").read_text(encoding="utf-8")
CASES = ["aarhus", "coimbra", "hershey", "kansas", "orlando"]


def rows(text):
    return [tuple(line.split("\t")) for line in text.splitlines()]


def test_there_are_five_cases():
    assert case_names() == CASES


def test_all_cases_speak_as_in_the_table(capsys):
    call_command("replay_alerts")
    assert capsys.readouterr().out == EXPECTED


@pytest.mark.parametrize("case", CASES)
def test_one_case_speaks_as_its_part_of_the_table(case, capsys):
    with (CASE_FOLDER / case / "patients.csv").open(encoding="utf-8", newline="") as file:
        patients = {row["patient_id"] for row in csv.DictReader(file)}
    call_command("replay_alerts", case=case)
    assert rows(capsys.readouterr().out) == [row for row in rows(EXPECTED) if row[0] in patients]


@pytest.mark.parametrize("case", ["Aarhus", "", "x", "../cases/aarhus", "."])
def test_an_unknown_case_names_the_valid_ones(case):
    with pytest.raises(CommandError, match=", ".join(CASES)):
        call_command("replay_alerts", case=case)


def test_it_needs_no_database_and_an_unknown_case_ends_with_1(tmp_path):
    def run(*args):
        return subprocess.run(
            [sys.executable, "manage.py", "replay_alerts", *args],
            cwd=settings.BASE_DIR,
            env={"PATH": os.environ["PATH"], "STSCLINIC_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("--case", "coimbra")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row[3:5] for row in rows(done.stdout)] == [
        ("24", "vasodilator_stopped"),
        ("25", "vasodilator_stopped"),
    ]
    refused = run("--case", "copenhagen")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "aarhus, coimbra, hershey, kansas, orlando" in refused.stderr
    assert not any(
        file.stat().st_size for file in tmp_path.glob("*sqlite*")
    )  # made empty at the start, for its mode


def test_every_line_has_six_values_and_a_code_of_an_alert_that_stops_or_is_acknowledged():
    codes = {entry.code for entry in ALERTS if entry.level in ("stop", "acknowledge")}
    for row in rows(EXPECTED):
        assert len(row) == 6
        assert row[4] in codes
        assert row[5].endswith(".")


def test_no_alert_speaks_twice_in_one_session():
    assert set(Counter(row[:5] for row in rows(EXPECTED)).values()) == {1}


def test_no_vasodilator_speaks_once_per_series():
    spoke = Counter((row[0], row[2]) for row in rows(EXPECTED) if row[4] == "no_vasodilator")
    assert set(spoke.values()) == {1}


# Facts of one day only


SHEETS = {
    "patients": "patient_id,clinic,sex,birth_year,diagnosis,raynaud,sts_hypersensitivity,pregnant,consented_on,"
    "withdrawn_on",
    "medications": "patient_id,name,role,started_on,stopped_on",
    "lesions": "patient_id,lesion_id,body_site,lesion_type,subtype",
    "series": "patient_id,series_no,protocol,started_on,status,high_concentration_approved_on",
    "series_lesions": "patient_id,series_no,lesion_id",
    "sessions": "patient_id,series_no,session_no,kind,held_on",
    "injections": "patient_id,series_no,session_no,lesion_id,agent,concentration_mg_ml,volume_ml",
    "infusions": "patient_id,series_no,session_no,dose_g,duration_min",
    "side_effects": "patient_id,series_no,session_no,lesion_id,term,grade,onset_on,resolved_on,outcome",
}
P = "P1"


@pytest.fixture
def spoken(tmp_path):
    """Write a folder of one patient and say which (session_no, code) speak."""

    def play(**sheets):
        base = {
            "patients": [f"{P},here,female,1970,lcssc,yes,no,no,2026-01-01,"],
            "lesions": [f"{P},L1,thumb,nodule,dystrophic"],
            "series": [f"{P},1,weekly4,2026-01-05,active,"],
            "series_lesions": [f"{P},1,L1"],
            "sessions": [f"{P},1,{n},treatment,2026-01-{5 + 7 * (n - 1):02d}" for n in (1, 2, 3)],
            "injections": [f"{P},1,{n},L1,sts,150,0.5" for n in (1, 2, 3)],
            "medications": [f"{P},bosentan,vasodilator,2010,"],
            **sheets,
        }
        for name, lines in base.items():
            text = "\r\n".join([SHEETS[name], *lines, ""])
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return [(alert.session_no, alert.code) for alert in replay(tmp_path)]

    return play


def test_an_ordinary_course_is_silent(spoken):
    assert spoken() == []


@pytest.mark.parametrize(
    ("stopped", "speaks"),
    [
        ("2026-01-11", [2, 3]),
        ("2026-01-12", [2, 3]),
        ("2026-01-13", [3]),
        ("2026-01-20", []),
        ("2026-01", [1, 2, 3]),
        ("2026-02", []),
    ],
)
def test_a_stop_is_known_from_its_date_on(spoken, stopped, speaks):
    got = spoken(medications=[f"{P},bosentan,vasodilator,2010,{stopped}"])
    assert got == [(number, "vasodilator_stopped") for number in speaks]


def test_a_later_medication_is_not_told_of(spoken, tmp_path):
    assert spoken(medications=[f"{P},iloprost,vasodilator,2026-02-01,"]) == [(1, "no_vasodilator")]
    assert "(recorded: none)" in replay(tmp_path)[0].reason


@pytest.mark.parametrize(
    ("session", "onset", "resolved", "outcome", "speaks"),
    [
        ("1,1", "2026-01-05", "", "", [2, 3]),
        ("1,1", "2026-01-12", "", "", [2, 3]),
        ("1,1", "2026-01-13", "", "", [3]),
        ("1,1", "2026-01-06", "2026-01-12", "recovered", []),
        ("1,1", "2026-01-06", "2026-01-13", "recovered", [2]),
        ("1,2", "2026-01-12", "", "", [3]),
        ("1,3", "2026-01-19", "", "", []),
        (",", "2026-01-12", "", "", [2, 3]),
        (",", "2026-01-04", "", "recovered", []),
    ],
)
def test_a_side_effect_is_known_once_it_began_and_its_end_once_it_came(
    spoken, session, onset, resolved, outcome, speaks
):
    effect = f"{P},{session},L1,injection_site_infection,2,{onset},{resolved},{outcome}"
    assert spoken(side_effects=[effect]) == [(number, "unresolved_side_effect") for number in speaks]


def test_a_later_injection_is_no_last_one_and_a_later_approval_is_none(spoken):
    injections = [f"{P},1,{n},L1,sts,{mg},0.5" for n, mg in ((1, 250), (2, 150), (3, 250))]
    series = [f"{P},1,weekly4,2026-01-05,active,2026-01-12"]
    assert spoken(injections=injections, series=series) == [
        (1, "concentration_needs_approval"),
        (3, "concentration_increased"),
    ]


def test_the_injections_of_an_earlier_series_count(spoken):
    series = [f"{P},1,weekly4,2026-01-05,completed,", f"{P},2,longterm,2026-06-01,active,"]
    sessions = [f"{P},1,1,treatment,2026-01-05", f"{P},2,1,treatment,2026-06-01"]
    injections = [f"{P},1,1,L1,sts,150,0.5", f"{P},2,1,L1,sts,250,0.5"]
    lesions = [f"{P},1,L1", f"{P},2,L1"]
    got = spoken(series=series, sessions=sessions, injections=injections, series_lesions=lesions)
    assert got == [(1, "concentration_increased")]


def test_windows_count_from_the_treatment_before_and_a_withdrawal_from_its_day(spoken):
    sessions = [
        f"{P},1,1,treatment,2026-01-05",
        f"{P},1,2,assessment,2026-01-06",
        f"{P},1,3,treatment,2026-01-10",
    ]
    injections = [f"{P},1,{n},L1,sts,150,0.5" for n in (1, 3)]
    patients = [f"{P},here,female,1970,lcssc,yes,no,no,2026-01-06,2026-01-10"]
    assert spoken(sessions=sessions, injections=injections, patients=patients) == [
        (1, "no_consent"),
        (3, "withdrawn"),
        (3, "too_early"),
    ]


def test_an_infusion_is_judged_by_those_before_and_what_was_known_of_them(spoken):
    sessions = [f"{P},1,{n},treatment,2026-01-{4 + n:02d}" for n in range(1, 6)]
    infusions = [f"{P},1,{n},{25 if n > 3 else 12.5},30" for n in range(1, 6)]
    series = [f"{P},1,iv,2026-01-05,active,"]
    common = {"sessions": sessions, "infusions": infusions, "series": series, "injections": []}
    assert spoken(**common) == []
    effect = f"{P},1,3,,nausea,2,2026-01-{{}},,recovered"
    assert spoken(**common, side_effects=[effect.format("07")]) == [
        (4, "not_yet_tolerated"),
        (5, "not_yet_tolerated"),
    ]
    assert spoken(**common, side_effects=[effect.format("09")]) == [(5, "not_yet_tolerated")]


def test_sheets_of_an_unknown_protocol_are_refused(spoken):
    with pytest.raises(SheetsRefused, match="nowhere"):
        spoken(series=[f"{P},1,nowhere,2026-01-05,active,"])


def test_a_folder_without_sheets_is_refused(tmp_path):
    with pytest.raises(SheetsRefused):
        replay(tmp_path)
