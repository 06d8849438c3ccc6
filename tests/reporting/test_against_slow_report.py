"""The report against a second, slow implementation, over registries that hypothesis generates.

The run as a whole must meet every reason for leaving out, every outcome and every null that the
report's definition names; else the comparison would prove less than it seems to.
"""

import itertools
import warnings

from hypothesis import HealthCheck, given, settings

from stsclinic.clinical.remission import HORIZON, OUTCOME
from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.selection import LEFT_OUT, Selection
from stsclinic.reporting.summary import summarise
from tests.reporting.compare import assert_same
from tests.reporting.registries import make_sheets, month_after, moods, selections
from tests.reporting.sheets import PLANS, read_case, registry_of
from tests.reporting.slow_report import day, slow_report

TESTED = ("ci95", "t", "df", "p_t", "p_wilcoxon")
SCORES = ("ptga", "phga")
LEVELS = ("by_lesion", "by_series", "by_patient")
MEANS = (
    "size_cm2_baseline",
    "size_cm2_end",
    "pga_baseline",
    "pga_end",
    "observer_pga_baseline",
    "observer_pga_end",
    "size_change_percent",
    "pain",
)

MUST_BE_MET = {
    *(f"left out: {reason}" for reason in LEFT_OUT),
    *(f"{horizon} {level}: {one}" for horizon in HORIZON for level in LEVELS for one in OUTCOME),
    *(f"null: scores.{score}.{name}" for score in SCORES for name in ("mean", "sd", "median")),
    *(
        f"null: change.{score}.{name}"
        for score in SCORES
        for name in ("mean_decrease", "sd", "median_decrease")
    ),
    *(f"null: change.{score}.{name}" for score in SCORES for name in TESTED),
    *(f"change {score}: {why}" for score in SCORES for why in ("no pair", "one pair", "no variance")),
    "null: cohort.lesions_per_session",
    "null: controlled",
    *(f"null: controlled.arms.{arm}.{name}" for arm in ("active", "control") for name in MEANS),
    *(f"null: controlled.subjects.{name}" for name in MEANS[2:-1]),
    *(f"null: controlled.tests.{name}" for name in ("size_baseline", "size_end", "size_change_percent")),
    *(f"controlled: {why}" for why in ("tested", "one pair", "no variance", "change from a size of 0")),
    *(f"empty: {name}" for name in ("scores", "change", "side_effects")),
    "all ulcers healed",
    "an ulcer that did not heal",
    "gone and back",
    "two treatments on one day",
    "a series begins one month after the last of another",
    "a series begins one day before that",
    "a series begins on the last day of a shorter month, one month after another",
    "the series with the lower number began later",
    "a series without a lesion is analysed",
}


def test_every_generated_registry_gives_the_same_report_as_the_slow_implementation():
    met = set()

    @settings(
        max_examples=1500,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(moods, selections)
    def compare(mood, chosen):
        sheets = make_sheets(mood)
        theirs = expected(sheets, **chosen)
        assert_same(report_of(sheets, **chosen), theirs)
        met.update(what_it_meets(sheets, theirs))

    compare()
    never_met = sorted(MUST_BE_MET - met)
    assert never_met == []


def test_the_cases_give_the_same_report_as_the_slow_implementation():
    for case in ("aarhus", "orlando", "hershey", "coimbra", "kansas"):
        sheets = read_case(case)
        assert_same(report_of(sheets), expected(sheets), case)


def report_of(sheets, clinics=(), protocols=(), diagnoses=(), first_from=None, first_to=None):
    selection = Selection(
        frozenset(clinics), frozenset(protocols), frozenset(diagnoses), first_from, first_to
    )
    return summarise(registry_of(sheets), selection, allocation_visible=all_open).as_json()


def expected(sheets, **chosen):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return slow_report(sheets, PLANS, **chosen)


def what_it_meets(sheets, report):
    """The words of MUST_BE_MET that are true of this registry and its report."""
    yield from (f"left out: {reason}" for reason in report["cohort"]["left_out"])
    for horizon, levels in report["remission"].items():
        for level, counts in levels.items():
            yield from (f"{horizon} {level}: {outcome}" for outcome, count in counts.items() if count)
    yield from (f"null: {path}" for path in nulls(report))
    for score in SCORES:
        for change in report["change"][score]:
            if change["t"] is None:
                yield f"change {score}: {('no pair', 'one pair', 'no variance')[min(change['n'], 2)]}"
    yield from (
        f"empty: {name}"
        for name, value in (
            ("scores", report["scores"]["ptga"]),
            ("change", report["change"]["phga"]),
            ("side_effects", report["side_effects"]),
        )
        if not value
    )
    ulcers = report["ulcers"]
    if ulcers["patients_all_healed"]:
        yield "all ulcers healed"
    if ulcers["patients_with_ulcer"] > ulcers["patients_all_healed"]:
        yield "an ulcer that did not heal"
    if report["controlled"]:
        yield from controlled_meets(report["controlled"])
    yield from oddities(sheets)
    lesions = {(row["patient_id"], row["series_no"]) for row in sheets["series_lesions"]}
    bare = [row for row in sheets["series"] if (row["patient_id"], row["series_no"]) not in lesions]
    if bare and report["cohort"]["series_analysed"] == len(sheets["series"]):
        yield "a series without a lesion is analysed"


def nulls(value, path=""):
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from nulls(one, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for one in value:
            yield from nulls(one, path)


def controlled_meets(controlled):
    subjects = [one for one in controlled["subjects"] if one["size_change_percent"] is not None]
    arms = [
        {one["arm"] for one in group}
        for _, group in itertools.groupby(subjects, lambda one: one["patient_id"])
    ]
    pairs = sum(len(both) == 2 for both in arms)
    if controlled["tests"]["size_change_percent"]:
        yield "controlled: tested"
    elif pairs == 1:
        yield "controlled: one pair"
    elif pairs > 1:
        yield "controlled: no variance"
    arm = controlled["arms"]["active"]
    if arm["n"] and arm["size_cm2_baseline"] == 0 and arm["size_change_percent"] is None:
        yield "controlled: change from a size of 0"


def oddities(sheets):
    seen, treated = {}, {}
    for row in sheets["session_lesions"]:
        seen.setdefault((row["patient_id"], row["series_no"], row["lesion_id"]), []).append(row["status"])
    if any("present,gone,present" in ",".join(statuses) for statuses in seen.values()):
        yield "gone and back"
    for row in sheets["sessions"]:
        if row["kind"] == "treatment":
            treated.setdefault(row["patient_id"], {}).setdefault(row["series_no"], []).append(
                day(row["held_on"])
            )
    for series in treated.values():
        if any(len(set(days)) < len(days) for days in series.values()):
            yield "two treatments on one day"
        for (number, days), (other_number, other) in itertools.permutations(series.items(), 2):
            last, first = max(days), min(other)
            gap = (first - month_after(last)).days
            if gap == 0:
                yield "a series begins one month after the last of another"
                if first.day < last.day:
                    yield "a series begins on the last day of a shorter month, one month after another"
            if gap == -1:
                yield "a series begins one day before that"
            if first > last and int(other_number) < int(number):
                yield "the series with the lower number began later"
