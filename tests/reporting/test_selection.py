"""Which series are analysed, in words and at the boundaries."""

from datetime import date

import pytest

from stsclinic.reporting.records import PatientRecord, Registry, SeriesRecord, SessionRecord, SideEffectRecord
from stsclinic.reporting.selection import Selection, one_month_after
from stsclinic.reporting.summary import summarise


def treatments(*days, ptga=5, phga=5):
    return [
        SessionRecord(number, "treatment", date.fromisoformat(day), ptga, phga)
        for number, day in enumerate(days, start=1)
    ]


def series(
    number, *days, lesions=(), status="completed", stop_reason="", planned=2, protocol="own", **scores
):
    return SeriesRecord(
        patient_id="P1",
        series_no=number,
        protocol=protocol,
        protocol_version=1,
        planned_treatments=planned,
        is_controlled=False,
        status=status,
        stop_reason=stop_reason,
        started_on=date(2024, 1, 1),
        lesions=dict.fromkeys(lesions, ""),
        sessions=treatments(*days, **scores),
    )


def registry(*all_series, side_effects=()):
    return Registry([PatientRecord("P1", "north", "female", "dm", series=all_series)], side_effects)


def fates(*all_series, **chosen):
    """{series_no: (reason, words)} with an empty reason where the series is analysed."""
    report = summarise(registry(*all_series), Selection(**chosen))
    return {
        one.course.series.series_no: (one.verdict.reason, one.verdict.words)
        for one in (*report.series, *report.left_out)
    }


@pytest.mark.parametrize(
    ("day", "later"),
    [
        ("2023-01-31", "2023-02-28"),
        ("2024-01-31", "2024-02-29"),
        ("2024-01-30", "2024-02-29"),
        ("2024-01-29", "2024-02-29"),
        ("2024-01-28", "2024-02-28"),
        ("2024-02-29", "2024-03-29"),
        ("2024-03-31", "2024-04-30"),
        ("2024-04-30", "2024-05-30"),
        ("2023-12-31", "2024-01-31"),
        ("2023-12-01", "2024-01-01"),
    ],
)
def test_one_calendar_month_after(day, later):
    assert one_month_after(date.fromisoformat(day)) == date.fromisoformat(later)


@pytest.mark.parametrize(
    ("one", "reason", "words"),
    [
        (series(1), "no_treatment", "no session of kind treatment"),
        (series(1, status="planned"), "no_treatment", "no session of kind treatment"),
        (series(1, "2024-01-01", "2024-01-08"), "", ""),
        (series(1, "2024-01-01", "2024-01-01"), "", ""),
        (series(1, "2024-01-01", "2024-01-08", planned=None), "", ""),
        (
            series(1, "2024-01-01", planned=1),
            "incomplete",
            "completed with 1 treatment, where at least 2 are needed",
        ),
        (
            series(1, "2024-01-01", "2024-01-08", planned=3),
            "incomplete",
            "completed with 2 treatments, where at least 3 are needed",
        ),
        (
            series(1, "2024-01-01", "2024-01-08", status="active"),
            "incomplete",
            "active, with 2 treatments so far",
        ),
        (
            series(
                1, "2024-01-01", "2024-01-08", planned=4, status="stopped", stop_reason="complete_remission"
            ),
            "",
            "",
        ),
        (
            series(1, "2024-01-01", planned=4, status="stopped", stop_reason="sufficient_partial_remission"),
            "incomplete",
            "stopped after 1 treatment: sufficient partial remission",
        ),
        (
            series(1, "2024-01-01", "2024-01-08", status="stopped", stop_reason="side_effects"),
            "incomplete",
            "stopped after 2 treatments: side effects",
        ),
        (
            series(1, "2024-01-01", "2024-01-08", ptga=None),
            "insufficient_registration",
            "PtGA missing at the first treatment (01-Jan-2024), PtGA missing at the last treatment (08-Jan-2024)",
        ),
        (
            series(1, "2024-01-01", "2024-01-08", ptga=None, phga=None, status="active"),
            "incomplete",
            "active, with 2 treatments so far",
        ),
    ],
)
def test_a_series_by_itself(one, reason, words):
    assert fates(one) == {1: (reason, words)}


def test_scores_in_the_middle_may_be_missing_but_count_as_treatments():
    first, last = treatments("2024-01-01", "2024-01-15")
    middle = SessionRecord(2, "treatment", date(2024, 1, 8))
    last = SessionRecord(3, "treatment", last.held_on, 3, 3)
    whole = series(1)
    whole = SeriesRecord(
        "P1", 1, "own", 1, 3, False, "completed", "", whole.started_on, {}, [last, first, middle]
    )
    scores = summarise(registry(whole)).as_json()["scores"]["ptga"]
    assert [(one["time"], one["n"]) for one in scores] == [
        ("before_1", 1),
        ("before_2", 0),
        ("before_3", 1),
        ("last", 1),
    ]


@pytest.mark.parametrize(
    ("second_begins", "reason"),
    [("2024-02-28", "too_close"), ("2024-02-29", ""), ("2024-03-01", "")],
)
def test_a_month_must_lie_between_two_series(second_begins, reason):
    found = fates(
        series(1, "2024-01-24", "2024-01-31", lesions=["L1"]),
        series(2, second_begins, "2024-04-01", lesions=["L2"]),
    )
    assert found[1][0] == ""
    assert found[2][0] == reason


def test_the_words_of_too_close_name_both_dates():
    found = fates(series(1, "2024-01-24", "2024-01-31"), series(2, "2024-02-28", "2024-04-01"))
    assert found[2][1] == (
        "first treatment on 28-Feb-2024, earlier than 29-Feb-2024: one month after the last of series 1"
    )


def test_treatments_go_by_their_day_before_their_number():
    early, late = treatments("2024-01-01", "2024-01-08")
    early = SessionRecord(2, "treatment", early.held_on, 9, 9)
    late = SessionRecord(1, "treatment", late.held_on, 4, 4)
    swapped = SeriesRecord("P1", 1, "own", 1, 2, False, "completed", "", date(2024, 1, 1), {}, [late, early])
    (change,) = [one for one in summarise(registry(swapped)).change["ptga"] if one["to"] == "last"]
    assert change["mean_decrease"] == 5


def test_the_order_is_that_of_the_first_treatment_not_of_the_number():
    found = fates(
        series(1, "2024-06-01", "2024-06-08", lesions=["L1"]),
        series(2, "2024-01-01", "2024-01-08", lesions=["L1"]),
    )
    assert found == {2: ("", ""), 1: ("same_lesions", "L1 was treated in series 2")}


def test_series_of_one_day_go_by_their_number():
    found = fates(series(2, "2024-01-01", "2024-01-08"), series(1, "2024-01-01", "2024-01-08"))
    assert (found[1][0], found[2][0]) == ("", "too_close")


def test_same_lesions_comes_before_too_close():
    found = fates(
        series(1, "2024-01-01", "2024-01-08", lesions=["L1"]),
        series(2, "2024-01-09", "2024-01-16", lesions=["L1"]),
    )
    assert found[2][0] == "same_lesions"


def test_a_series_that_is_left_out_stands_in_no_ones_way():
    found = fates(
        series(1, "2024-01-01", "2024-01-08", lesions=["L1"]),
        series(2, "2024-01-20", "2024-01-27", lesions=["L2"]),
        series(3, "2024-02-10", "2024-02-17", lesions=["L2"]),
    )
    assert [found[number][0] for number in (1, 2, 3)] == ["", "too_close", ""]


def test_a_series_outside_the_selection_stands_in_no_ones_way():
    first = series(1, "2024-01-01", "2024-01-08", lesions=["L1"], protocol="other")
    second = series(2, "2024-01-09", "2024-01-16", lesions=["L1"])
    assert fates(first, second, protocols=frozenset({"own"})) == {2: ("", "")}


@pytest.mark.parametrize(
    ("first", "last", "offered"),
    [
        (None, None, 1),
        ("2024-01-01", None, 1),
        ("2024-01-02", None, 0),
        (None, "2024-01-01", 1),
        (None, "2023-12-31", 0),
        ("2024-01-01", "2024-01-01", 1),
    ],
)
def test_the_period_holds_both_its_days(first, last, offered):
    selection = Selection(
        first_treatment_from=first and date.fromisoformat(first),
        first_treatment_to=last and date.fromisoformat(last),
    )
    report = summarise(registry(series(1, "2024-01-01", "2024-01-08")), selection)
    assert report.cohort["patients_offered"] == offered


@pytest.mark.parametrize(
    ("selection", "terms"),
    [
        (Selection(), ["fatigue", "headache", "nausea"]),
        (Selection(clinics=frozenset({"north"})), ["fatigue", "headache", "nausea"]),
        (Selection(clinics=frozenset({"south"})), []),
        (Selection(diagnoses=frozenset({"dm"})), ["fatigue", "headache", "nausea"]),
        (Selection(protocols=frozenset({"own"})), ["nausea"]),
        (Selection(protocols=frozenset({"none of these"})), []),
        (Selection(first_treatment_from=date(2024, 2, 1)), ["headache"]),
    ],
)
def test_side_effects_of_the_selection(selection, terms):
    def effect(series_no, term):
        return SideEffectRecord("P1", series_no, None, "", term, "", 1, date(2024, 1, 1))

    found = registry(
        series(1, "2024-01-01", "2024-01-08"),
        series(2, "2024-03-01", "2024-03-08", protocol="other"),
        side_effects=[effect(1, "nausea"), effect(2, "headache"), effect(None, "fatigue")],
    )
    assert [one["term"] for one in summarise(found, selection).side_effects] == terms


def test_a_series_without_a_treatment_is_in_no_period_but_in_its_protocol():
    assert fates(series(1), first_treatment_from=date(2020, 1, 1)) == {}
    assert fates(series(1), protocols=frozenset({"own"})).keys() == {1}
