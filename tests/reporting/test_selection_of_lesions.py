"""Body site, subtype and concentration: what they choose, checked by counting the rows of the sheets."""

from dataclasses import replace
from decimal import Decimal

import pytest

from stsclinic.reporting.disclosure import all_closed, all_open
from stsclinic.reporting.records import Registry
from stsclinic.reporting.selection import Selection
from stsclinic.reporting.summary import summarise
from tests.reporting.sheets import read_case, registry_of


@pytest.fixture(scope="module")
def sheets():
    return read_case("aarhus")


@pytest.fixture(scope="module")
def registry(sheets):
    return registry_of(sheets)


def test_a_body_site_keeps_its_lesions_and_the_series_that_treat_them(sheets, registry):
    lesions = {
        (row["patient_id"], row["lesion_id"]) for row in sheets["lesions"] if row["body_site"] == "thumb"
    }
    injections = [row for row in sheets["injections"] if (row["patient_id"], row["lesion_id"]) in lesions]
    series = {
        (row["patient_id"], row["series_no"])
        for row in sheets["series_lesions"]
        if (row["patient_id"], row["lesion_id"]) in lesions
    }
    report = summarise(registry, Selection(body_sites=frozenset({"thumb"})))
    assert report.cohort["injections"] == len(injections)
    assert len(report.series) + len(report.left_out) == len(series)
    assert report.cohort["patients_offered"] == len({patient for patient, _ in series})
    effects = [
        row
        for row in sheets["side_effects"]
        if (row["patient_id"], row["series_no"]) in series
        and (not row["lesion_id"] or (row["patient_id"], row["lesion_id"]) in lesions)
    ]
    assert sum(one["events"] for one in report.side_effects) == len(effects)


def test_every_site_together_is_everything_that_has_a_lesion(sheets, registry):
    sites = frozenset(row["body_site"] for row in sheets["lesions"])
    assert summarise(registry, Selection(body_sites=sites)).remission == summarise(registry).remission


def test_a_subtype_that_nobody_has_leaves_nobody(registry):
    assert summarise(registry, Selection(subtypes=frozenset({"metastatic"}))).cohort["patients_offered"] == 0


def test_a_lesion_of_another_subtype_is_taken_out_of_its_series(registry):
    (patient,) = [one for one in registry.patients if one.patient_id == "AAR-003"]
    lesions = {
        key: replace(one, subtype="iatrogenic") if key == "L01" else one
        for key, one in patient.lesions.items()
    }
    alone = Registry([replace(patient, lesions=lesions, series=patient.series[:1])])
    report = summarise(alone, Selection(subtypes=frozenset({"iatrogenic"})))
    (one,) = report.series
    assert [lesion.lesion_id for lesion in one.lesions] == ["L01"]
    assert one.course.treatments[0].ptga == patient.series[0].sessions[0].ptga


def test_a_concentration_keeps_the_series_in_which_it_was_used(sheets, registry):
    used = {
        (row["patient_id"], row["series_no"])
        for row in sheets["injections"]
        if row["concentration_mg_ml"] and Decimal(row["concentration_mg_ml"]) == 250
    }
    report = summarise(registry, Selection(concentrations=frozenset({Decimal("250.0")})))
    found = {
        (one.course.series.patient_id, str(one.course.series.series_no))
        for one in (*report.series, *report.left_out)
    }
    assert found == used
    assert len({patient for patient, _ in used}) == 4  # report 000, "Methods": four patients had 250 mg/ml


def test_a_closed_allocation_is_not_betrayed_by_its_concentration():
    """Choosing 40 mg/ml must not tell which series had it."""
    orlando = registry_of(read_case("orlando"))
    chosen = Selection(concentrations=frozenset({Decimal(40)}))
    assert summarise(orlando, chosen, allocation_visible=all_open).cohort["patients_offered"] == 5
    assert summarise(orlando, chosen, allocation_visible=all_closed).cohort["patients_offered"] == 0
