"""The methods paragraph says what was chosen; the figures draw what the tables hold."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from stsclinic.drawing import STYLES, standalone_svg
from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.figures import SECTION_OF, figures
from stsclinic.reporting.methods import methods
from stsclinic.reporting.records import Registry
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.summary import summarise
from stsclinic.reporting.tables import tables
from tests.reporting.sheets import read_case, registry_of

CASES = ("aarhus", "orlando", "hershey", "coimbra", "kansas")


def told(report, **more):
    return methods(
        report,
        clinics=["North", "South"],
        stated_on=date(2026, 11, 20),
        data_state="change number 7",
        versions={"stsclinic": "0.1.0", "SciPy": "1.17"},
        **more,
    )


@pytest.fixture(scope="module")
def reports():
    return {case: summarise(registry_of(read_case(case)), allocation_visible=all_open) for case in CASES}


def copies_of_orlando(copies):
    """The subjects of the pilot, each so many times."""
    return Registry(
        [
            replace(
                one,
                patient_id=f"{one.patient_id}-{copy}",
                series=[replace(series, patient_id=f"{one.patient_id}-{copy}") for series in one.series],
            )
            for one in registry_of(read_case("orlando")).patients
            for copy in range(copies)
        ]
    )


class TestMethods:
    def test_it_tells_the_data_the_numbers_and_the_versions(self, reports):
        text = told(reports["aarhus"]).text
        assert (
            "register of North and South, as of 20-Nov-2026 (change number 7). No further selection" in text
        )
        assert "Of 43 patients offered treatment, 38 were treated with 463 treatments" in text
        assert "36 series in 29 patients were analysed" in text
        assert "Computed with stsclinic 0.1.0 and SciPy 1.17" in text

    def test_it_tells_each_choice(self):
        chosen = Selection(
            diagnoses=frozenset({"dm"}),
            protocols=frozenset({"weekly4"}),
            subtypes=frozenset({"dystrophic"}),
            body_sites=frozenset({"thumb", "elbow"}),
            concentrations=frozenset({Decimal("150.0")}),
            first_treatment_from=date(2024, 1, 1),
            first_treatment_to=date(2024, 12, 31),
            horizon="end_of_treatment",
            unit="patient",
        )
        text = told(summarise(Registry([]), chosen)).text
        for words in (
            "diagnosis dermatomyositis",
            "protocol weekly4",
            "lesions of subtype dystrophic",
            "lesions of the elbow and thumb",
            "injected at 150 mg/ml",
            "a first treatment from 01-Jan-2024",
            "a first treatment to 31-Dec-2024",
            "the headline is at the end of treatment, counted by patients",
        ):
            assert words in text, words

    def test_it_tells_the_protocols_that_treated_with_their_versions(self, reports):
        registry = registry_of(read_case("aarhus"))
        at = next(
            place
            for place, one in enumerate(registry.patients)
            if any(series.protocol == "weekly4" and series.sessions for series in one.series)
        )
        one = registry.patients[at]
        later = replace(one, series=[replace(series, protocol_version=2) for series in one.series])
        others = registry_of(read_case("kansas")).patients
        patients = [*registry.patients[:at], later, *registry.patients[at + 1 :], *others]
        text = told(summarise(replace(registry, patients=patients))).text
        assert "Treatments followed the protocols iv (version 1) and weekly4 (versions 1 and 2)." in text
        assert "Treatments followed the protocol iv (version 1)." in told(reports["kansas"]).text
        assert "Treatments followed" not in told(summarise(Registry([]))).text

    def test_it_tells_what_the_headline_counts(self):
        report = summarise(registry_of(read_case("aarhus")), Selection(unit="patient"))
        assert "over patients (the mean of each patient's series)" in told(report).text

    def test_a_period_may_begin_with_a_later_series_and_that_is_told(self, reports):
        told_so = "an analysed series need not be the first that treated its lesions"
        period = Selection(first_treatment_from=date(2018, 6, 1), first_treatment_to=date(2018, 8, 31))
        report = summarise(registry_of(read_case("aarhus")), period)
        whole = {
            (one.course.series.patient_id, one.course.series.series_no) for one in reports["aarhus"].series
        }
        found = {(one.course.series.patient_id, one.course.series.series_no) for one in report.series}
        assert found - whole
        assert told_so in told(report).text
        assert told_so not in told(reports["aarhus"]).text

    def test_of_no_analysed_series_it_lists_no_method(self):
        text = told(summarise(Registry([]))).text
        for words in ("Kaplan", "random intercept", "carrying", "Poisson", "bootstrap", "two-sided"):
            assert words not in text, words
        assert "No series was analysed, so scores and remission have no statistics." in text

    def test_one_is_not_many(self):
        alone = Registry(registry_of(read_case("aarhus")).patients[:1])
        assert "Of 1 patient offered treatment, 1 was treated" in told(summarise(alone)).text

    def test_a_mixed_model_is_named_where_a_patient_has_two_series(self, reports):
        assert "random intercept" in told(reports["aarhus"]).text
        assert "random intercept" not in told(reports["hershey"]).text

    def test_references_are_numbered_as_they_are_named(self, reports):
        found = told(reports["orlando"])
        body = " ".join(found.paragraphs)
        places = [body.index(f"[{number}]") for number in range(1, len(found.references) + 1)]
        assert places == sorted(places)
        assert f"[{len(found.references) + 1}]" not in body

    def test_arms_are_told_only_where_there_are_some(self, reports):
        assert "sign-flip" in told(reports["orlando"]).text
        assert "sign-flip" not in told(reports["aarhus"]).text

    def test_a_trial_without_scores_tells_what_was_compared_and_nothing_else(self, reports):
        """Orlando has no PtGA: no series is analysed, and its arms are compared all the same."""
        text = told(reports["orlando"]).text
        assert "5 were treated with 14 treatments, and no series was analysed." in text
        assert "over the subjects whose series was complete (4 subjects)" in text
        assert (
            "were tested by the paired t test and, since the number of subjects is small, by the exact sign-flip "
            "permutation test [4]." in text
        )
        assert text.count("All tests are two-sided") == 1
        # No event is a rate too, with an interval.
        assert "exact Poisson intervals [2]" in text
        assert "(4 subjects)" not in told(reports["orlando"], with_numbers=False).text

    def test_a_closed_allocation_is_told(self):
        text = told(summarise(registry_of(read_case("orlando")))).text
        assert "Where the allocation is still closed, the arms were not compared." in text
        for words in ("sign-flip", "two-sided", "paired"):
            assert words not in text, words
        assert "allocation" not in told(summarise(registry_of(read_case("aarhus")))).text

    def test_many_subjects_have_a_drawn_permutation_test(self, reports):
        text = told(summarise(copies_of_orlando(6), allocation_visible=all_open)).text
        assert "(24 subjects)" in text
        assert "the paired t test and by a sign-flip permutation test (100000 draws" in text

    def test_names_with_commas_are_told_apart(self, reports):
        clinics = ["Penn State, Hershey", "Kansas, intravenous case", "Orlando"]
        found = methods(
            reports["kansas"],
            clinics=clinics,
            stated_on=date(2026, 11, 20),
            data_state="",
            versions={"x": "1"},
        )
        assert "of Penn State, Hershey; Kansas, intravenous case and Orlando, as of" in found.text

    def test_for_sharing_it_tells_no_number_of_patients(self, reports):
        assert "43 patients" not in told(reports["aarhus"], with_numbers=False).text


class TestFigures:
    @pytest.mark.parametrize("case", CASES)
    def test_each_stands_alone_as_svg_within_its_edges(self, reports, case):
        for figure in figures(tables(reports[case])):
            assert figure.code in SECTION_OF
            root = ElementTree.fromstring(standalone_svg(figure))
            assert {element.tag.rpartition("}")[2] for element in root} <= {
                "title",
                "desc",
                "rect",
                "path",
                "text",
            }
            assert len(figure.description) > 20
            for text in figure.texts:
                assert text.style in STYLES
                assert -1 <= text.x <= figure.width
                assert 0 <= text.y <= figure.height
            assert all(path.style in STYLES for path in figure.paths)

    @pytest.mark.parametrize("case", CASES)
    def test_no_word_runs_over_the_edge(self, reports, case):
        """A letter of the smallest text is about 6 units wide."""
        for figure in figures(tables(reports[case])):
            for text in figure.texts:
                wide = 6 * len(text.words)
                start = text.x - {"start": 0, "middle": wide / 2, "end": wide}[text.anchor]
                assert start >= -4, (figure.code, text)
                assert start + wide <= figure.width + 4, (figure.code, text)

    def test_bars_end_within_the_lines_of_the_grid(self, reports):
        """In Aarhus one series became worse by 1, and the best better by 6: the grid goes from -6 to 2."""
        (found,) = [one for one in figures(tables(reports["aarhus"])) if one.code == "waterfall"]
        numbers = [text.words for text in found.texts if text.anchor == "end"]
        assert numbers == ["-6", "-4", "-2", "0", "2"] * 2

    def test_subjects_are_named_while_there_is_room(self):
        for copies, named in ((4, True), (5, False)):
            found = figures(tables(summarise(copies_of_orlando(copies), allocation_visible=all_open)))
            (subjects,) = [one for one in found if one.code == "subjects"]
            assert any(text.words == "UCF-1-0" for text in subjects.texts) is named
            heights = sorted(
                text.y for text in subjects.texts if text.words.startswith("UCF") and text.x < 320
            )
            assert all(20 <= y <= subjects.height - 20 for y in heights)
            assert all(lower - upper >= 11 for upper, lower in pairwise(heights))
            assert "UCF-1-0, active: 0.09 to 0.00 cm²." in subjects.description

    def test_the_flow_has_the_numbers_of_its_table(self, reports):
        (flow,) = [one for one in figures(tables(reports["aarhus"])) if one.code == "flow"]
        words = [text.words for text in flow.texts]
        for expected in (
            "43 patients",
            "Not eligible: 1",
            "Declined: 3",
            "38 patients, 120 series",
            "29 patients, 36 series",
        ):
            assert expected in words

    def test_one_is_one_patient_in_the_flow_too(self):
        alone = Registry(registry_of(read_case("orlando")).patients[:1])
        found = figures(tables(summarise(alone, allocation_visible=all_open)))
        words = {text.words for one in found if one.code in ("flow", "flow-within") for text in one.texts}
        assert {"1 patient", "1 patient, 1 series", "1 subject", "0 patients, 0 series"} <= words
        assert not {"1 patients", "1 subjects"} & words

    def test_a_text_in_a_figure_is_text(self, reports):
        (flow,) = [one for one in figures(tables(reports["kansas"])) if one.code == "flow"]
        hostile = type(flow)(
            **{name: getattr(flow, name) for name in flow.__dataclass_fields__} | {"title": '<b> & "c"'}
        )
        assert "<title>&lt;b&gt; &amp;" in standalone_svg(hostile)

    def test_an_empty_registry_draws_nothing(self):
        assert figures(tables(summarise(Registry([])))) == []
