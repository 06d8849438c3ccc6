"""The tables: the same numbers as the report, readable, and silent about a closed allocation."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from statistics import mean

import pytest
from scipy.stats import sem, t

from stsclinic.clinical.remission import OUTCOME
from stsclinic.reporting.disclosure import FOOTNOTE, all_closed, all_open, open_only
from stsclinic.reporting.figures import figures
from stsclinic.reporting.records import PatientRecord, PriorTreatmentRecord, Registry
from stsclinic.reporting.statistics.wilson import wilson_interval
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.suppression import fit_for_sharing
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
    said = [
        {key: value for key, value in row.items() if not key.startswith("ci95")}
        for row in as_dicts(found["scores"])
    ]
    assert said == scores
    changes = [{"score": score, **one} for score in ("ptga", "phga") for one in whole["change"][score]]
    for one in changes:
        one["ci95_low"], one["ci95_high"] = one.pop("ci95")
    assert as_dicts(found["change"]) == changes
    assert {(row["horizon"], row["of"]): row for row in as_dicts(found["remission"])} == {
        (horizon, level): {"horizon": horizon, "of": level, **counts}
        for horizon, levels in whole["remission"].items()
        for level, counts in levels.items()
    }
    assert {row["figure"]: row["value"] for row in as_dicts(found["ulcers"])} == whole["ulcers"]
    events = [
        {key: row[key] for key in ("term", "events", "patients")} for row in as_dicts(found["side_effects"])
    ]
    assert events == whole["side_effects"]


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
        "controlled_means",
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


def test_shares_of_patients_say_of_how_many_and_how_sure(registries):
    found = by_code(summarise(registries["aarhus"]))
    had, healed = as_dicts(found["ulcers"])
    assert (had["of"], healed["of"]) == (29, 11)
    assert had["percent"] == pytest.approx(100 * 11 / 29)
    assert (had["ci95_low"] / 100, had["ci95_high"] / 100) == pytest.approx(wilson_interval(11, 29))
    assert healed["percent"] == 100
    for row in as_dicts(found["side_effects"]):
        assert row["of"] == 38
        ends = row["ci95_low"] / 100, row["ci95_high"] / 100
        assert ends == pytest.approx(wilson_interval(row["patients"], 38))


def test_the_median_time_to_gone_lies_within_its_interval(registries):
    report = summarise(registries["aarhus"])
    (table,) = [one for one in tables(report) if one.code == "gone_summary"]
    (row,) = as_dicts(table)
    steps = as_dicts(by_code(report)["time_to_gone"])
    for key, curve in (
        ("median_days", "percent_gone"),
        ("ci95_low", "ci95_high"),
        ("ci95_high", "ci95_low"),
    ):
        passed = [step["days"] for step in steps if (step[curve] or 0) >= 50]
        assert row[key] == (min(passed) if passed else None)


def test_no_share_is_told_after_the_last_lesion_was_followed(registries):
    """In Aarhus the last lesion was seen on day 175 and not all were gone; the row of day 196 says nothing of it."""
    found = by_code(summarise(registries["aarhus"]))
    last = max(row["days"] for row in as_dicts(found["time_to_gone"]))
    rows = as_dicts(found["at_risk"])
    assert [row["days"] for row in rows if row["percent_gone"] is None] == [196]
    assert last == 175
    assert (rows[-1]["at_risk"], rows[-1]["ci95_low"], rows[-1]["ci95_high"]) == (0, None, None)
    assert rows[-2]["percent_gone"] > 50


def test_where_all_are_gone_the_share_stays(registries):
    """One lesion of one patient: gone at its last assessment."""
    aarhus = registries["aarhus"]
    report = summarise(aarhus)
    gone = next(
        lesion
        for one in report.series
        for lesion in one.lesions
        if lesion.outcomes["follow_up"] == "complete"
    )
    patient = gone.course.patient
    series = [
        replace(one, lesions={gone.lesion_id: ""})
        for one in patient.series
        if one.series_no == gone.course.series.series_no
    ]
    found = by_code(summarise(Registry([replace(patient, series=series)])))
    assert as_dicts(found["at_risk"])[-1]["percent_gone"] == 100


def test_the_intervals_between_and_within_arms(registries):
    """Reckoned again by scipy from each subject's lesions."""
    found = by_code(summarise(registries["orlando"], allocation_visible=all_open))
    subjects = as_dicts(found["controlled_subjects"])
    sizes = {
        arm: [row["size_cm2_baseline"] for row in subjects if row["arm"] == arm]
        for arm in ("active", "control")
    }
    (active,) = [
        row
        for row in as_dicts(found["controlled_means"])
        if (row["measure"], row["arm"]) == ("size_baseline", "active")
    ]
    low, high = t.interval(0.95, 3, mean(sizes["active"]), sem(sizes["active"]))
    assert (active["n"], active["mean"]) == (4, pytest.approx(mean(sizes["active"])))
    assert (active["ci95_low"], active["ci95_high"]) == pytest.approx((low, high))
    differences = [one - other for one, other in zip(sizes["active"], sizes["control"], strict=True)]
    (paired,) = [row for row in as_dicts(found["controlled_paired"]) if row["compared"] == "size_baseline"]
    low, high = t.interval(0.95, 3, mean(differences), sem(differences))
    assert (paired["ci95_low"], paired["ci95_high"]) == pytest.approx((low, high))


def test_a_trial_has_its_subjects_as_table_ii_of_the_paper(registries):
    """Also who was lost, and also while the allocation is closed; medical history is not recorded."""
    for visible in (all_open, all_closed):
        found = by_code(summarise(registries["orlando"], allocation_visible=visible))["subjects"]
        rows = as_dicts(found)
        assert [(row["subject"], row["age"], row["sex"], row["diagnosis"]) for row in rows] == [
            ("UCF-1", 23, "female", "morphea"),
            ("UCF-2", 72, "female", "dm"),
            ("UCF-3", 51, "female", "ssc"),
            ("UCF-4", 78, "female", "ssc"),
            ("UCF-5", 29, "male", "dm"),
        ]
        assert [(row["race"], row["ethnicity"], row["disease_status"]) for row in rows] == [
            ("White", "Hispanic", "slowly_progressive"),
            ("White", "Not hispanic", "stable"),
            ("White", "Not hispanic", "slowly_progressive"),
            ("White", "Not hispanic", "stable"),
            ("White", "Hispanic", "progressive"),
        ]
        assert rows[0]["medication"] == (
            "acetaminophen, hydroxychloroquine, pantoprazole, prednisone, tocilizumab, tramadol"
        )
        # Begun at the first follow-up, so it was not taken at the first treatment.
        assert "pantoprazole" not in rows[4]["medication"]
        assert rows[3]["medication"] == ""
        # The paper: 8 months, 20 years, and more than 10 years twice.
        assert [round(row["duration"], 1) for row in rows[:4]] == [0.6, 19.6, 10.6, 10.6]
        assert [row["lesions"] for row in rows] == [2, 2, 2, 2, 2]
        assert not found.betrays_allocation
        assert fit_for_sharing([found]) == []
    assert "subjects" not in by_code(summarise(registries["aarhus"], allocation_visible=all_open))


def test_what_was_injected_without_a_side_effect_has_its_rate(registries):
    """Nobody in Orlando had one: 0 of 14 treatments, at most 3.689 events by the exact interval."""
    found = by_code(summarise(registries["orlando"], allocation_visible=all_open))["side_effect_rates"]
    rows = {
        row["group"]: (row["events"], row["treatments"], row["injections"])
        for row in as_dicts(found)
        if row["by"] in ("site", "concentration")
    }
    assert list(rows.items()) == [
        ("Upper arm", (0, 6, 12)),
        ("Elbow", (0, 3, 6)),
        ("Forearm", (0, 2, 4)),
        ("Little finger", (0, 3, 6)),
        ("40 mg/ml", (0, 14, 14)),
        ("Saline", (0, 14, 14)),
    ]
    high = next(row["injections_high"] for row in as_dicts(found) if row["group"] == "Saline")
    assert high == pytest.approx(100 * 3.688879 / 14)
    assert all(row["by"] not in ("term", "grade", "serious") for row in as_dicts(found))


def test_a_small_dose_is_not_shown_as_none(registries):
    """UCF-1 got 0.009 ml at 40 mg/ml three times: 0.36 mg each."""
    alone = Registry(registries["orlando"].patients[:1])
    found = by_code(summarise(alone, allocation_visible=all_open))["doses"]
    columns = {column.code: column for column in found.columns}
    (row,) = [one for one in as_dicts(found) if one["group"] == "40 mg/ml"]
    shown = {
        code: cell_text(columns[code], row[code]) for code in ("volume_ml", "median_volume_ml", "dose_mg")
    }
    assert shown == {"volume_ml": "0.027", "median_volume_ml": "0.009", "dose_mg": "1.1"}


def test_concentrations_stand_in_the_order_of_their_strength(registries):
    """Not in that of their texts: 37.5 is longer than 150."""

    def weaker(session):
        injections = [replace(one, concentration_mg_ml=Decimal("37.5")) for one in session.injections]
        return replace(session, injections=injections)

    first, *others = registries["aarhus"].patients
    series = [replace(one, sessions=[weaker(session) for session in one.sessions]) for one in first.series]
    both = Registry([*registries["orlando"].patients, replace(first, series=series), *others])
    found = by_code(summarise(both, allocation_visible=all_open))
    for code in ("doses", "side_effect_rates"):
        groups = [row["group"] for row in as_dicts(found[code]) if row["by"] == "concentration"]
        assert groups == ["37.5 mg/ml", "40 mg/ml", "150 mg/ml", "250 mg/ml", "Saline"], code


def test_table_1_tells_the_subtypes_of_the_lesions(registries):
    patients = [
        replace(
            one, lesions={key: replace(lesion, subtype="idiopathic") for key, lesion in one.lesions.items()}
        )
        if place == 0
        else one
        for place, one in enumerate(registries["aarhus"].patients)
    ]
    rows = as_dicts(by_code(summarise(Registry(patients)))["characteristics"])
    found = {row["value"]: row["overall"] for row in rows if row["characteristic"] == "Subtype"}
    assert list(found) == ["Dystrophic", "Idiopathic"]
    assert found["Dystrophic"].of == found["Idiopathic"].of == sum(one.n for one in found.values()) == 106
    assert found["Idiopathic"].n > 0


def test_table_1_names_earlier_treatments_and_medication(registries):
    rows = as_dicts(by_code(summarise(registries["aarhus"]))["earlier_treatments"])
    tried = {row["name"]: row["overall"] for row in rows if row["kind"] == "earlier"}
    assert {"bisphosphonate", "diltiazem"} <= set(tried)
    assert "sildenafil" in {row["name"] for row in rows if row["kind"] == "medication"}
    for row in rows:
        assert row["overall"] == sum(row[outcome] for outcome in OUTCOME)


def test_a_dose_is_no_part_of_a_name(registries):
    patients = [
        replace(one, prior_treatments=[PriorTreatmentRecord("none", "Diltiazem 90 mg/day")])
        for one in registries["aarhus"].patients
    ]
    (row,) = [
        row
        for row in as_dicts(by_code(summarise(Registry(patients)))["earlier_treatments"])
        if row["kind"] == "earlier"
    ]
    assert (row["name"], row["overall"]) == ("diltiazem", 29)


def test_a_name_that_somebody_typed_is_not_shared_of_a_few(registries):
    patients = [
        replace(
            one, prior_treatments=[PriorTreatmentRecord("none", "Dr. Smith's ointment")] if number < 3 else []
        )
        for number, one in enumerate(registries["aarhus"].patients)
    ]
    shared = fit_for_sharing(tables(summarise(Registry(patients))))
    assert "smith" not in str([table.rows for table in shared]).casefold()


class TestClosedAllocationAndDoses:
    """One closed injection does not take the mg of all others away."""

    def both(self, registries):
        return Registry([*registries["aarhus"].patients, *registries["orlando"].patients])

    def test_totals_are_of_what_may_be_told(self, registries):
        alone = as_dicts(by_code(summarise(registries["aarhus"]))["doses"])[0]
        total = as_dicts(by_code(summarise(self.both(registries)))["doses"])[0]
        closed = sum(
            len(one.injections)
            for patient in registries["orlando"].patients
            for series in patient.series
            for one in series.sessions
        )
        assert closed > 20
        assert total["injections"] == alone["injections"] + closed
        for key in ("dose_mg", "mean_dose_mg", "syringes"):
            assert total[key] == pytest.approx(alone[key]), key
        assert total["closed"] == closed

    def test_a_group_of_closed_injections_alone_has_none(self, registries):
        rows = as_dicts(by_code(summarise(self.both(registries)))["doses"])
        (row,) = [one for one in rows if one["group"] == "Allocation closed"]
        assert (row["dose_mg"], row["mean_dose_mg"], row["syringes"]) == (None, None, None)
        assert row["closed"] == row["injections"]

    def test_the_column_stands_only_where_something_is_closed(self, registries):
        assert "closed" not in as_dicts(by_code(summarise(registries["aarhus"]))["doses"])[0]


class TestFlow:
    def rows(self, registry, code="flow"):
        return as_dicts(by_code(summarise(registry, allocation_visible=all_open))[code])

    def test_it_never_grows(self, registries):
        """A series without a treatment leads nobody from treated to analysed."""
        first, second, *others = registries["aarhus"].patients
        planned = replace(first.series[0], series_no=90, sessions=[], status="planned", stop_reason="")
        one = replace(first, series=[*first.series, planned])
        untreated = replace(second, patient_id="AAR-900", series=[replace(planned, patient_id="AAR-900")])
        rows = self.rows(Registry([one, untreated, second, *others]))
        reached = {row["stage"]: row["patients"] for row in rows if not row["leaving"]}
        counts = list(reached.values())
        assert counts == sorted(counts, reverse=True)
        assert reached["treated"] == reached["series"] == 38
        (aside,) = [row for row in rows if row["leaving"] == "no_treatment"]
        assert (aside["stage"], aside["series"]) == ("treated", 2)

    def test_within_persons_it_begins_with_who_was_assessed(self, registries):
        orlando = registries["orlando"]
        declined = replace(orlando.patients[0], patient_id="UCF-9", series=[], not_enrolled_reason="declined")
        rows = self.rows(Registry([*orlando.patients, declined]), "flow_within")
        told = {(row["stage"], row["leaving"]): row for row in rows}
        assert told["assessed", ""]["subjects"] == 6
        assert told["excluded", "declined"]["subjects"] == 1
        assert told["assigned", ""]["subjects"] == 5
        assert (told["assigned", ""]["active"], told["assigned", ""]["control"]) == (5, 5)
        assert told["analysed", ""]["subjects"] == 4

    def test_who_goes_on_has_not_left(self, registries):
        orlando = registries["orlando"]
        first, *others = orlando.patients
        going = replace(first, series=[replace(first.series[0], status="active", stop_reason="")])
        rows = self.rows(Registry([going, *others]), "flow_within")
        assert [row["subjects"] for row in rows if row["stage"] == "continuing"] == [1]
        assert not any(row["stage"] == "left" and row["leaving"] == "open" for row in rows)

    def test_the_figure_has_a_branch_for_each_arm_and_one_while_it_is_closed(self, registries):
        for visible, branches in (
            (all_open, ["Active lesion", "Control lesion"]),
            (all_closed, ["Lesions"]),
        ):
            drawn = figures(tables(summarise(registries["orlando"], allocation_visible=visible)))
            (figure,) = [one for one in drawn if one.code == "flow-within"]
            strong = [text.words for text in figure.texts if text.style == "strong"]
            heads = ("Active lesion", "Control lesion", "Lesions")
            assert [words for words in strong if words in heads] == branches
            assert strong.count("Analysed") == len(branches)


def test_without_an_analysed_series_there_is_no_headline(registries):
    found = by_code(summarise(Registry(registries["kansas"].patients[:0])))
    assert not any(table.section == "summary" for table in found.values())


def test_an_empty_registry_has_empty_tables():
    for table in tables(summarise(Registry([]))):
        assert table.columns
        for number, row in enumerate(table.rows):
            for column, value in zip(table.columns, row, strict=True):
                if column.kind == "count":
                    assert not value
                    found = table.behind(number, column.code)
                    assert found is None or not found.keys
