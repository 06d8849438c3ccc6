"""The headline and how sure it is: each choice reckoned again in the plainest way."""

import statistics
from dataclasses import replace

import pytest
from scipy import stats

from stsclinic.reporting.figures import figures
from stsclinic.reporting.headline import CHOICE, headline, under_other_choices
from stsclinic.reporting.records import Registry
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.statistics.wilson import wilson_interval
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.tables import cell_text, tables
from tests.reporting.sheets import read_case, registry_of


@pytest.fixture(scope="module")
def registry():
    return registry_of(read_case("aarhus"))


@pytest.fixture(scope="module")
def report(registry):
    return summarise(registry)


@pytest.fixture(scope="module")
def choices(report):
    return under_other_choices(report.judged, "follow_up", "series")


def by_patient(report):
    found = {}
    for one in report.series:
        course = one.course
        decrease = course.treatments[0].ptga - course.treatments[-1].ptga
        found.setdefault(course.series.patient_id, []).append((course.first_treatment_on, decrease, one))
    return found


def test_as_reported_is_the_table_of_the_paper(report, choices):
    last = [one for one in report.change["ptga"] if one["to"] == "last"][0]
    found = choices["as_reported"]["ptga"]
    assert (found.n, found.value, [found.low, found.high], found.p) == (
        last["n"],
        last["mean_decrease"],
        last["ci95"],
        last["p_t"],
    )
    assert choices["as_reported"]["complete"].value == 13 / 36
    assert choices["as_reported"]["any"].value == 33 / 36


def test_as_reported_reads_as_the_headline_does(report):
    found = {table.code: table for table in tables(report)}

    def told(table, value):
        """What each row says of its value and the interval's ends."""
        columns = {column.code: column for column in table.columns}
        codes = (value, *(code for code in columns if code.startswith("ci95")))
        return [
            [cell_text(columns[code], row[code]) for code in codes]
            for row in table.as_dicts()
            if row.get("choice", "as_reported") == "as_reported" and row[value] is not None
        ]

    assert told(found["headline"], "points") == told(found["how_sure_scores"], "value")
    assert told(found["headline"], "percent") == told(found["how_sure_remission"], "value")


def test_each_patient_once_by_the_first_series(report, choices):
    firsts = [min(rows, key=lambda row: row[0]) for rows in by_patient(report).values()]
    decreases = [decrease for _, decrease, _ in firsts]
    found = choices["first_series"]["ptga"]
    low, high = stats.t.interval(0.95, 28, statistics.mean(decreases), stats.sem(decreases))
    assert (found.n, found.value) == (29, pytest.approx(statistics.mean(decreases)))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.p == pytest.approx(stats.ttest_1samp(decreases, 0).pvalue)
    complete = sum(one.outcomes["follow_up"] == "complete" for _, _, one in firsts)
    share = choices["first_series"]["complete"]
    assert (share.value, (share.low, share.high)) == (complete / 29, wilson_interval(complete, 29))


def test_each_patient_once_by_the_mean(report, choices):
    means = [statistics.mean(decrease for _, decrease, _ in rows) for rows in by_patient(report).values()]
    found = choices["averaged"]["ptga"]
    assert (found.n, found.value) == (29, pytest.approx(statistics.mean(means)))
    shares = [
        statistics.mean(one.outcomes["follow_up"] == "complete" for _, _, one in rows)
        for rows in by_patient(report).values()
    ]
    assert choices["averaged"]["complete"].value == pytest.approx(statistics.mean(shares))


def test_the_mixed_model_has_no_share(choices):
    assert choices["mixed"]["ptga"].n == 36
    assert choices["mixed"]["complete"] is None


def test_every_series_takes_those_that_were_left_out(report, choices):
    decreases = []
    for _, courses in report.chosen.patients:
        for course in courses:
            scores = [one.ptga for one in course.treatments]
            later = [score for score in scores[1:] if score is not None]
            if scores and scores[0] is not None and later:
                decreases.append(scores[0] - later[-1])
    found = choices["all_series"]["ptga"]
    assert (found.n, found.value) == (len(decreases), pytest.approx(statistics.mean(decreases)))


def changed(registry, patient_id, **changes):
    """The registry with other facts of the first series of a patient."""

    def of(patient):
        first, *others = patient.series
        return replace(patient, series=[replace(first, **changes), *others])

    return Registry([of(one) if one.patient_id == patient_id else one for one in registry.patients])


def carried(registry):
    report = summarise(registry)
    return under_other_choices(report.judged, "follow_up", "series")["carried_forward"]["ptga"]


class TestLastObservationCarriedForward:
    def single(self, registry):
        """One patient with one complete series."""
        (patient,) = [one for one in registry.patients if one.patient_id == "AAR-003"]
        return Registry([replace(patient, series=patient.series[:1])])

    def test_a_missing_last_score_is_that_before(self, registry):
        alone = self.single(registry)
        sessions = list(alone.patients[0].series[0].sessions)
        place = max(n for n, one in enumerate(sessions) if one.kind == "treatment")
        before = [one.ptga for one in sessions if one.kind == "treatment"]
        sessions[place] = replace(sessions[place], ptga=None)
        without = changed(alone, "AAR-003", sessions=sessions)
        assert summarise(without).cohort["left_out"] == {"insufficient_registration": 1}
        found = carried(without)
        assert (found.n, found.value) == (1, before[0] - before[-2])

    def test_a_series_that_ended_early_counts_and_one_that_goes_on_does_not(self, registry):
        alone = self.single(registry)
        sessions = [one for one in alone.patients[0].series[0].sessions if one.session_no <= 2]
        stopped = changed(alone, "AAR-003", sessions=sessions, status="stopped", stop_reason="patient_choice")
        assert summarise(stopped).cohort["left_out"] == {"incomplete": 1}
        assert carried(stopped).n == 1
        assert carried(changed(stopped, "AAR-003", status="active", stop_reason="")).n == 0


@pytest.mark.parametrize(
    ("unit", "n", "complete"), [("series", 36, 13 / 36), ("patient", 29, 13 / 29), ("lesion", 106, 22 / 106)]
)
def test_the_unit_says_what_is_counted(report, unit, n, complete):
    found = headline(report.series, "follow_up", unit)
    assert (found["complete"].n, found["complete"].value) == (n, complete)
    assert len(found["complete"].rows.find()) == round(complete * n)


def test_the_horizon_says_when(registry):
    chosen = Selection(horizon="end_of_treatment", unit="patient")
    found = {table.code: table for table in tables(summarise(registry, chosen))}
    assert found["headline"].title == "Headline: patients, end of treatment"
    assert found["headline"].as_dicts()[2]["percent"] == pytest.approx(100 * 4 / 29)


def test_every_choice_has_its_row(report):
    (scores,) = [one for one in tables(report) if one.code == "how_sure_scores"]
    for measure in ("ptga", "phga"):
        assert [row["choice"] for row in scores.as_dicts() if row["measure"] == measure] == list(CHOICE)


class TestTheChosenUnit:
    """Each row counts what was chosen, so that the rows can be compared; where it cannot, it says what it counts."""

    UNITS = (("series", "series"), ("patient", "patients"), ("lesion", "lesions"))

    def shares(self, registry, unit):
        found = {one.code: one for one in tables(summarise(registry, Selection(unit=unit)))}
        return {
            row["choice"]: row
            for row in found["how_sure_remission"].as_dicts()
            if row["measure"] == "complete"
        }

    @pytest.mark.parametrize(("unit", "level"), UNITS)
    def test_of_remission(self, registry, unit, level):
        rows = self.shares(registry, unit)
        assert {rows[choice]["unit"] for choice in ("as_reported", "carried_forward", "all_series")} == {
            level
        }
        assert rows["averaged"]["unit"] == "patients"
        assert rows["first_series"]["unit"] == ("lesions" if unit == "lesion" else "series")

    def test_the_lesions_of_aarhus(self, report, registry):
        """Nothing is carried forward there, so the two rows say the same of the same 106 lesions."""
        rows = self.shares(registry, "lesion")
        assert (rows["as_reported"]["n"], rows["as_reported"]["value"]) == (
            106,
            pytest.approx(100 * 22 / 106),
        )
        assert rows["carried_forward"]["value"] == rows["as_reported"]["value"]
        shares = []
        for series in by_patient(report).values():
            lesions = [one for _, _, outcome in series for one in outcome.lesions]
            gone = sum(one.outcomes["follow_up"] == "complete" for one in lesions)
            shares.append(gone / len(lesions))
        assert rows["averaged"]["value"] == pytest.approx(100 * statistics.mean(shares))

    @pytest.mark.parametrize(
        ("unit", "level"), [("series", "series"), ("patient", "patients"), ("lesion", "series")]
    )
    def test_of_the_scores(self, registry, unit, level):
        (table,) = [
            one for one in tables(summarise(registry, Selection(unit=unit))) if one.code == "how_sure_scores"
        ]
        found = {row["choice"]: row["unit"] for row in table.as_dicts()}
        assert found == {
            "as_reported": level,
            "first_series": "series",
            "averaged": "patients",
            "mixed": "series",
            "carried_forward": level,
            "all_series": level,
        }

    def test_a_series_without_two_scores_is_in_no_row_of_two_scores(self, registry):
        rows = self.shares(registry, "series")
        assert rows["all_series"]["n"] < 120

    @pytest.mark.parametrize("unit", ["series", "patient", "lesion"])
    def test_as_reported_is_the_headline(self, registry, unit):
        found = {one.code: one for one in tables(summarise(registry, Selection(unit=unit)))}
        for code in ("how_sure_scores", "how_sure_remission"):
            for row in found[code].as_dicts():
                if row["choice"] == "as_reported":
                    (said,) = [
                        one for one in found["headline"].as_dicts() if one["measure"] == row["measure"]
                    ]
                    assert row["n"] == said["n"]
                    assert row["value"] in (said["points"], said["percent"])
                    assert (row["ci95_low"], row["ci95_high"]) == (said["ci95_low"], said["ci95_high"])


def test_a_remark_stands_beside_the_score_that_it_is_about(registry):
    one_each = [
        replace(patient, series=patient.series[:1]) for patient in registry.patients if patient.series
    ]
    (scores,) = [one for one in tables(summarise(Registry(one_each))) if one.code == "how_sure_scores"]
    remarks = {(row["measure"], row["method"]) for row in scores.as_dicts() if row["choice"] == "mixed"}
    assert remarks == {("ptga", "No patient has two series."), ("phga", "No patient has two series.")}


def test_the_figure_shows_each_choice_and_says_its_numbers(report):
    (figure,) = [one for one in figures(tables(report)) if one.code == "how-sure"]
    words = [text.words for text in figure.texts]
    assert words.count("As reported") == 2
    assert words.count("Mixed model") == 1
    assert "Complete remission, as reported: 36.1 % (21.2 to 52.8)." in figure.description
    squares = [path for path in figure.paths if path.style == "bar-1"]
    assert len(squares) == 2 * 6 + 2 * 5
