"""Every alert: a day before, on, and after each edge; what is not recorded; what must stay hidden."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.alerts import (
    ALERTS,
    LEVELS,
    MAY_BETRAY_ALLOCATION,
    Alert,
    alert_help,
    alerts_of,
    without_allocation,
)
from stsclinic.clinical.dates import PartialDate
from stsclinic.clinical.facts import (
    EarlierSeries,
    Facts,
    InjectionFacts,
    MedicationFacts,
    PatientFacts,
    PreviousInfusion,
    PreviousInjection,
    PreviousVisit,
    RecalledLot,
    SeriesFacts,
    SessionFacts,
    SideEffectFacts,
    SizeFacts,
)
from stsclinic.clinical.protocols import (
    BIWEEKLY,
    IV,
    LONGTERM,
    PLACEBO3,
    SHIPPED,
    WEEKLY4,
    ProtocolDefinition,
)
from stsclinic.clinical.rounds import REGION
from stsclinic.clinical.sources import REPORTS, cite
from stsclinic.clinical.terms import BODY_SITE, DIGITS, SIDE_EFFECT_TERM

D = Decimal
TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
BARE = ProtocolDefinition(code="bare", name="Bare", source="")

WELL = PatientFacts(
    sex="female",
    birth_year=1970,
    hypersensitivity="no",
    pregnant="no",
    breast_feeding="no",
    raynaud="no",
    consented_on=date(2026, 1, 5),
)
ELBOW = InjectionFacts(
    lesion_id="L01", body_site="elbow", laterality="left", concentration_mg_ml=D(150), volume_ml=D("0.5")
)
THUMB = replace(ELBOW, lesion_id="L02", body_site="thumb", laterality="right")


def facts(protocol=WEEKLY4, *, patient=None, injections=(ELBOW,), session=None, series=None, **more):
    return Facts(
        protocol=protocol,
        patient=replace(WELL, **(patient or {})),
        session=SessionFacts(held_on=TODAY, injections=tuple(injections), **(session or {})),
        series=SeriesFacts(**(series or {})),
        **more,
    )


def found(*args, **kwargs):
    return alerts_of(facts(*args, **kwargs))


def codes(*args, **kwargs):
    return [alert.code for alert in found(*args, **kwargs)]


def one(code, *args, **kwargs):
    alerts = [alert for alert in found(*args, **kwargs) if alert.code == code]
    assert len(alerts) == 1, alerts
    return alerts[0]


# The table


def test_the_table_holds_every_alert_of_the_clinic_once():
    assert [(entry.level, entry.code) for entry in ALERTS] == [
        ("stop", "hypersensitivity"),
        ("stop", "pregnancy"),
        ("stop", "breast_feeding"),
        ("stop", "no_consent"),
        ("stop", "withdrawn"),
        ("stop", "too_young"),
        ("ask", "hypersensitivity_not_recorded"),
        ("ask", "pregnancy_not_recorded"),
        ("ask", "breast_feeding_not_recorded"),
        ("ask", "birth_year_not_recorded"),
        ("ask", "raynaud_not_recorded"),
        ("acknowledge", "vasodilator_stopped"),
        ("acknowledge", "no_vasodilator"),
        ("acknowledge", "concentration_increased"),
        ("acknowledge", "concentration_needs_approval"),
        ("acknowledge", "unresolved_side_effect"),
        ("acknowledge", "above_maximum"),
        ("acknowledge", "not_yet_tolerated"),
        ("acknowledge", "too_early"),
        ("acknowledge", "too_late"),
        ("acknowledge", "recalled_lot"),
        ("inform", "more_than_planned"),
        ("inform", "missing_follow_up"),
        ("inform", "ptga_worse"),
        ("inform", "lesion_grew"),
    ]


OURS = {"recalled_lot", "more_than_planned", "missing_follow_up", "ptga_worse", "lesion_grew"}


def test_every_entry_has_its_meaning_its_source_and_the_field_it_asks_for():
    for entry, line in zip(ALERTS, alert_help(), strict=True):
        assert (line.code, line.level, line.meaning, line.source) == (
            entry.code,
            entry.level,
            entry.meaning,
            entry.source,
        )
        assert line.level_words == LEVELS[entry.level]
        assert line.source_words == cite(entry.source)
        assert entry.meaning.endswith(".")
        assert entry.source == "" if entry.code in OURS else set(entry.source.split(", ")) <= set(REPORTS)
        assert bool(entry.field) == (entry.level == "ask")


@pytest.mark.parametrize("protocol", SHIPPED, ids=lambda protocol: protocol.code)
def test_an_ordinary_first_session_is_silent(protocol):
    usual = protocol.usual_concentration_mg_ml
    injections = [] if usual is None else [replace(ELBOW, concentration_mg_ml=usual, volume_ml=D("0.4"))]
    session = {"infusion_g": protocol.usual_infusion_g}
    assert codes(protocol, injections=injections, session=session) == []


# Stop


@pytest.mark.parametrize("protocol", SHIPPED, ids=lambda protocol: protocol.code)
@pytest.mark.parametrize(
    ("field", "code"), [("hypersensitivity", "hypersensitivity"), ("pregnant", "pregnancy")]
)
def test_hypersensitivity_and_pregnancy_stop_every_treatment(protocol, field, code):
    alert = one(code, protocol, injections=(), patient={field: "yes"})
    assert alert.level == "stop"
    assert alert.blocks
    assert code not in codes(protocol, injections=(), patient={field: "no"})
    assert codes(protocol, injections=(), patient={field: "yes"}, session={"kind": "assessment"}) == []


def test_pregnancy_stops_whatever_the_recorded_sex():
    assert "pregnancy" in codes(patient={"sex": "male", "pregnant": "yes"})


def test_breast_feeding_stops_where_the_protocol_excludes_it():
    assert "breast_feeding" in codes(PLACEBO3, injections=(), patient={"breast_feeding": "yes"})
    assert codes(WEEKLY4, patient={"breast_feeding": "yes"}) == []


@pytest.mark.parametrize("kind", ["treatment", "follow_up", "assessment"])
@pytest.mark.parametrize(
    ("consented_on", "stops"), [(None, True), (TODAY + DAY, True), (TODAY, False), (TODAY - DAY, False)]
)
def test_consent_must_be_there_on_the_day(kind, consented_on, stops):
    got = codes(BARE, injections=(), patient={"consented_on": consented_on}, session={"kind": kind})
    assert got == (["no_consent"] if stops else [])


def test_an_alert_names_its_reports_in_words():
    words = one("no_vasodilator", injections=(THUMB,), patient={"raynaud": "yes"}).source_words
    assert words == "Coimbra: letter, doi:10.1016/j.abd.2025.501222"
    assert cite("000, 004") == f"{REPORTS['000']}; {REPORTS['004']}"


def test_late_consent_is_told_with_both_dates():
    reason = one("no_consent", patient={"consented_on": TODAY + DAY}).reason
    assert "21-Nov-2026" in reason
    assert "20-Nov-2026" in reason


@pytest.mark.parametrize("kind", ["treatment", "follow_up", "assessment"])
@pytest.mark.parametrize(
    ("withdrawn_on", "stops"), [(None, False), (TODAY + DAY, False), (TODAY, True), (TODAY - DAY, True)]
)
def test_nothing_follows_a_withdrawal(kind, withdrawn_on, stops):
    got = codes(BARE, injections=(), patient={"withdrawn_on": withdrawn_on}, session={"kind": kind})
    assert got == (["withdrawn"] if stops else [])


@pytest.mark.parametrize("protocol", [WEEKLY4, PLACEBO3], ids=lambda protocol: protocol.code)
@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ({"birth_year": 2009}, ["too_young"]),
        ({"birth_year": 2008}, []),
        ({"birth_year": 2007}, []),
        ({"birth_year": 2030}, ["too_young"]),
        ({"birth_year": None}, ["birth_year_not_recorded"]),
        ({"birth_year": 2008, "birth_on": TODAY.replace(year=2008) - DAY}, []),
        ({"birth_year": 2008, "birth_on": TODAY.replace(year=2008)}, []),
        ({"birth_year": 2008, "birth_on": TODAY.replace(year=2008) + DAY}, ["too_young"]),
    ],
)
def test_too_young(protocol, born, expected):
    assert codes(protocol, injections=(), patient=born) == expected


def test_a_protocol_without_an_age_asks_for_none():
    assert codes(BIWEEKLY, injections=(), patient={"birth_year": None}) == []
    assert codes(BIWEEKLY, injections=(), patient={"birth_year": 2020}) == []


# Ask


@pytest.mark.parametrize(
    ("field", "sex", "expected"),
    [
        ("hypersensitivity", "female", "hypersensitivity_not_recorded"),
        ("hypersensitivity", "male", "hypersensitivity_not_recorded"),
        ("pregnant", "female", "pregnancy_not_recorded"),
        ("pregnant", "other", "pregnancy_not_recorded"),
        ("pregnant", "unknown", "pregnancy_not_recorded"),
        ("pregnant", "male", None),
        ("breast_feeding", "female", "breast_feeding_not_recorded"),
        ("breast_feeding", "unknown", "breast_feeding_not_recorded"),
        ("breast_feeding", "male", None),
    ],
)
def test_what_is_not_recorded_is_asked_for(field, sex, expected):
    alerts = found(PLACEBO3, injections=(), patient={field: "", "sex": sex})
    assert [alert.code for alert in alerts] == ([] if expected is None else [expected])
    assert all(alert.level == "ask" and alert.blocks and alert.field for alert in alerts)
    assert codes(PLACEBO3, injections=(), patient={field: ""}, session={"kind": "assessment"}) == []


def test_breast_feeding_is_asked_only_where_the_protocol_excludes_it():
    assert codes(WEEKLY4, patient={"breast_feeding": ""}) == []


def test_the_fields_that_are_asked_for_are_columns_of_the_patients_sheet():
    empty = {"hypersensitivity": "", "pregnant": "", "breast_feeding": "", "raynaud": "", "birth_year": None}
    asked = [
        alert.field for alert in found(PLACEBO3, injections=(THUMB,), patient=empty) if alert.level == "ask"
    ]
    assert asked == ["sts_hypersensitivity", "pregnant", "breast_feeding", "birth_year", "raynaud"]


def test_raynaud_is_asked_only_for_a_finger_or_toe():
    assert codes(patient={"raynaud": ""}) == []
    assert codes(injections=(THUMB,), patient={"raynaud": ""}) == ["raynaud_not_recorded"]
    assert (
        "L02 (right thumb)"
        in one("raynaud_not_recorded", injections=(THUMB,), patient={"raynaud": ""}).reason
    )


# Vasodilators


def vasodilator(started="2010", stopped="", role="vasodilator"):
    return MedicationFacts(
        name="bosentan",
        role=role,
        started_on=PartialDate.parse(started) if started else None,
        stopped_on=PartialDate.parse(stopped) if stopped else None,
    )


@pytest.mark.parametrize(
    ("raynaud", "medications", "expected"),
    [
        ("yes", [], "no_vasodilator"),
        ("yes", [vasodilator()], None),
        ("yes", [vasodilator(role="calcium_channel_blocker")], "no_vasodilator"),
        ("yes", [vasodilator(stopped="2026-11-21")], None),
        ("yes", [vasodilator(stopped="2026-11-20")], "vasodilator_stopped"),
        ("yes", [vasodilator(stopped="2026-05-20")], "vasodilator_stopped"),
        ("yes", [vasodilator(stopped="2026-05-19")], "no_vasodilator"),
        ("yes", [vasodilator(stopped="2026-11")], "vasodilator_stopped"),
        ("yes", [vasodilator(stopped="2026-05")], "vasodilator_stopped"),
        ("yes", [vasodilator(stopped="2026-04")], "no_vasodilator"),
        ("yes", [vasodilator(stopped="2026")], "vasodilator_stopped"),
        ("yes", [vasodilator(stopped="2025")], "no_vasodilator"),
        ("yes", [vasodilator(started="2026-11-21")], "no_vasodilator"),
        ("yes", [vasodilator(started="2026-11")], "no_vasodilator"),
        ("yes", [vasodilator(stopped="2026-11-01"), vasodilator(started="2026-11-20")], None),
        ("unknown", [], "no_vasodilator"),
        ("unknown", [vasodilator(stopped="2026-11-01")], "vasodilator_stopped"),
        ("unknown", [vasodilator()], None),
        ("no", [], None),
        ("no", [vasodilator(stopped="2026-11-01")], None),
    ],
)
def test_vasodilators(raynaud, medications, expected):
    got = codes(injections=(THUMB,), patient={"raynaud": raynaud}, medications=tuple(medications))
    assert got == ([] if expected is None else [expected])


@pytest.mark.parametrize("site", BODY_SITE)
def test_only_fingers_and_toes_are_at_risk(site):
    injections = (replace(THUMB, body_site=site),)
    got = codes(injections=injections, patient={"raynaud": "yes"})
    assert got == (["no_vasodilator"] if site in DIGITS else [])


def test_a_missing_vasodilator_is_acknowledged_once_per_series_a_stopped_one_each_time():
    series = {"no_vasodilator_acknowledged": True}
    assert codes(injections=(THUMB,), patient={"raynaud": "yes"}, series=series) == []
    got = codes(
        injections=(THUMB,),
        patient={"raynaud": "yes"},
        series=series,
        medications=(vasodilator(stopped="2026-11-01"),),
    )
    assert got == ["vasodilator_stopped"]


def test_saline_in_a_finger_is_injected_too():
    saline = replace(THUMB, agent="saline", concentration_mg_ml=None, volume_ml=D("0.1"))
    assert codes(PLACEBO3, injections=(saline,), patient={"raynaud": "yes"}) == ["no_vasodilator"]


def test_the_reasons_of_a_vasodilator():
    stopped = (vasodilator(stopped="2026-09"),)
    reason = one(
        "vasodilator_stopped", injections=(THUMB,), patient={"raynaud": "yes"}, medications=stopped
    ).reason
    assert reason == (
        "L02 (right thumb); the patient has Raynaud's phenomenon; no vasodilator is known to be taken on 20-Nov-2026,"
        " and within the 6 months before, bosentan was stopped in Sep-2026 (the day is not known)."
    )
    reason = one("no_vasodilator", injections=(THUMB,), patient={"raynaud": "unknown"}).reason
    assert "is not known" in reason
    assert reason.endswith(
        "no vasodilator is known to be taken on 20-Nov-2026 or to have been stopped in the 6 months before"
        " (recorded: none)."
    )
    longer = (vasodilator(stopped="2025-01-02"),)
    reason = one("no_vasodilator", injections=(THUMB,), patient={"raynaud": "yes"}, medications=longer).reason
    assert reason.endswith("(recorded: bosentan, started 2010, stopped 02-Jan-2025).")


# Concentration


def earlier(concentration, days=7, lesion="L01", salt_form=""):
    return PreviousInjection(
        lesion_id=lesion,
        given_on=TODAY - days * DAY,
        concentration_mg_ml=None if concentration is None else D(concentration),
        salt_form=salt_form,
    )


@pytest.mark.parametrize(
    ("now", "previous", "speaks"),
    [
        ("150", [], False),
        ("150", [earlier(150)], False),
        ("150.1", [earlier(150)], True),
        ("149.9", [earlier(150)], False),
        ("250", [earlier(150)], True),
        ("250", [earlier(250, 14), earlier(150, 7)], True),
        ("250", [earlier(250, 7), earlier(150, 14)], False),
        ("250", [earlier(150, 14), earlier(None, 7)], True),
        ("250", [earlier(None, 7)], False),
        ("250", [earlier(150, lesion="L09")], False),
        ("250", [earlier(150, -1)], False),
        ("250", [earlier(150, 0)], True),
        ("250", [earlier(250, 7), earlier(150, -1)], False),
        (None, [earlier(150)], False),
    ],
)
def test_a_higher_concentration_than_the_lesions_last(now, previous, speaks):
    injections = (replace(ELBOW, concentration_mg_ml=None if now is None else D(now)),)
    alerts = found(BARE, injections=injections, previous_injections=tuple(previous))
    assert [(a.code, a.lesion_id, a.betrays_allocation) for a in alerts] == (
        [("concentration_increased", "L01", True)] if speaks else []
    )


@pytest.mark.parametrize(
    ("now", "now_form", "before", "before_form", "speaks"),
    [
        ("150", "anhydrous", "150", "pentahydrate", True),
        ("150", "pentahydrate", "150", "anhydrous", False),
        ("95.55", "anhydrous", "150", "pentahydrate", False),
        ("95.56", "anhydrous", "150", "pentahydrate", True),
        ("150", "", "150", "pentahydrate", False),
        ("150", "anhydrous", "150", "", False),
        ("200", "pentahydrate", "150", "anhydrous", True),
    ],
)
def test_the_salt_form_counts_where_both_are_recorded(now, now_form, before, before_form, speaks):
    injections = (replace(ELBOW, concentration_mg_ml=D(now), salt_form=now_form),)
    got = codes(BARE, injections=injections, previous_injections=(earlier(before, salt_form=before_form),))
    assert got == (["concentration_increased"] if speaks else [])


def test_one_alert_tells_each_lesion_with_its_own_last_injection():
    strong = [replace(ELBOW, concentration_mg_ml=D(250)), replace(THUMB, concentration_mg_ml=D(250))]
    alerts = found(BARE, injections=strong, previous_injections=(earlier(150), earlier(200, 14, "L02")))
    assert [(alert.lesion_id, alert.reason) for alert in alerts] == [
        (
            "",
            "L01 (left elbow): 250 mg/ml, on 13-Nov-2026 it was 150 mg/ml;"
            " L02 (right thumb): 250 mg/ml, on 06-Nov-2026 it was 200 mg/ml.",
        )
    ]
    (alert,) = found(BARE, injections=strong, previous_injections=(earlier(150),))
    assert alert.lesion_id == "L01"
    assert "L02" not in alert.reason


def test_saline_has_no_concentration():
    saline = replace(ELBOW, agent="saline", concentration_mg_ml=D(250))
    assert codes(injections=(saline,), previous_injections=(earlier(150),)) == []


@pytest.mark.parametrize(
    ("concentration", "approved_on", "speaks"),
    [
        ("150", None, False),
        ("150.1", None, True),
        ("250", None, True),
        ("250", TODAY + DAY, True),
        ("250", TODAY, False),
        ("250", TODAY - DAY, False),
    ],
)
def test_a_concentration_that_needs_an_approval(concentration, approved_on, speaks):
    injections = (replace(ELBOW, concentration_mg_ml=D(concentration)), THUMB)
    alerts = found(injections=injections, series={"high_concentration_approved_on": approved_on})
    assert [(a.code, a.betrays_allocation) for a in alerts] == (
        [("concentration_needs_approval", True)] if speaks else []
    )


def test_one_protocols_approval_is_anothers_usual_concentration():
    injections = (replace(ELBOW, concentration_mg_ml=D(250)),)
    assert codes(BIWEEKLY, injections=injections) == codes(LONGTERM, injections=injections) == []
    undemanding = replace(WEEKLY4, needs_approval_above_usual=False)
    assert codes(undemanding, injections=injections) == []


# Side effects


def side_effect(term="injection_site_infection", lesion="L01", onset=-5, resolved=None, outcome=""):
    return SideEffectFacts(
        term=term,
        lesion_id=lesion,
        onset_on=TODAY + onset * DAY,
        resolved_on=None if resolved is None else TODAY + resolved * DAY,
        outcome=outcome,
    )


@pytest.mark.parametrize(
    ("effect", "speaks"),
    [
        (side_effect(), True),
        (side_effect(onset=0), True),
        (side_effect(onset=1), False),
        (side_effect(resolved=1), True),
        (side_effect(resolved=0), False),
        (side_effect(resolved=-1), False),
        (side_effect(outcome="recovered"), False),
        (side_effect(outcome="recovered_with_sequelae"), False),
        (side_effect(outcome="recovering"), True),
        (side_effect(outcome="not_recovered"), True),
        (side_effect(outcome="unknown"), True),
        (side_effect(outcome="recovered", resolved=1), True),
        (side_effect(lesion="L02"), False),
        (side_effect(lesion=""), True),
    ],
)
def test_an_unresolved_side_effect(effect, speaks):
    alerts = found(side_effects=(effect,))
    assert [(a.code, a.lesion_id) for a in alerts] == (
        [("unresolved_side_effect", effect.lesion_id)] if speaks else []
    )


@pytest.mark.parametrize("term", SIDE_EFFECT_TERM)
def test_which_side_effects_speak(term):
    speaks = term in {"injection_site_infection", "skin_necrosis", "digital_necrosis", "skin_ulceration"}
    assert bool(codes(side_effects=(side_effect(term),))) is speaks


def test_side_effects_of_one_lesion_are_one_alert_and_need_an_injection():
    effects = (side_effect(), side_effect("skin_ulceration", onset=-3), side_effect(lesion=""))
    alerts = found(side_effects=effects)
    assert [alert.lesion_id for alert in alerts] == ["L01", ""]
    assert alerts[0].reason == (
        "L01 (left elbow): injection site infection since 15-Nov-2026, skin ulceration since 17-Nov-2026,"
        " not resolved on 20-Nov-2026."
    )
    assert codes(injections=(), side_effects=effects) == []


# Maxima


@pytest.mark.parametrize(
    ("protocol", "volumes", "concentration", "expected"),
    [
        (PLACEBO3, ["0.4"], "40", []),
        (PLACEBO3, ["0.401"], "40", [("L1", "volume_ml", False), ("", "dose_mg", True)]),
        (PLACEBO3, ["0.401"], None, [("L1", "volume_ml", False)]),
        (PLACEBO3, ["0.4", "0.001"], "40", [("", "dose_mg", True)]),
        (PLACEBO3, ["0.2"], "80", []),
        (PLACEBO3, ["0.2"], "80.1", [("", "dose_mg", True)]),
        (BIWEEKLY, ["2", "2", "1"], "250", []),
        (BIWEEKLY, ["2", "2", "1.001"], "250", [("", "volume_ml", False)]),
        (LONGTERM, ["1", "1", "1"], "250", []),
        (LONGTERM, ["1.001", "0.5", "2"], "250", [("L1", "volume_ml", False), ("L3", "volume_ml", False)]),
        (WEEKLY4, ["20"], "150", []),
        (PLACEBO3, [None], "40", []),
    ],
)
def test_volumes_and_doses_above_the_maximum(protocol, volumes, concentration, expected):
    injections = [
        InjectionFacts(
            lesion_id=f"L{number}",
            volume_ml=None if volume is None else D(volume),
            concentration_mg_ml=None if concentration is None else D(concentration),
        )
        for number, volume in enumerate(volumes, start=1)
    ]
    alerts = found(protocol, injections=injections)
    assert {alert.code for alert in alerts} <= {"above_maximum"}
    assert [(a.lesion_id, a.measure, a.betrays_allocation) for a in alerts] == expected
    assert len({alert.key for alert in alerts}) == len(alerts)


def test_the_trials_volume_holds_in_either_arm():
    saline = InjectionFacts(lesion_id="L02", agent="saline", volume_ml=D("0.401"))
    alerts = found(PLACEBO3, injections=(saline,))
    assert [alert.reason for alert in alerts] == [
        "L02: 0.401 ml; protocol placebo3 allows at most 0.4 ml per lesion."
    ]
    assert without_allocation(alerts) == alerts


@pytest.mark.parametrize(("grams", "speaks"), [("25", False), ("25.1", True)])
def test_an_infusion_above_the_maximum(grams, speaks):
    history = tuple(PreviousInfusion(given_on=TODAY - n * DAY, dose_g=D(25)) for n in (2, 4, 6))
    alerts = found(IV, injections=(), session={"infusion_g": D(grams)}, previous_infusions=history)
    assert [(a.code, a.measure) for a in alerts] == ([("above_maximum", "infusion_g")] if speaks else [])


@pytest.mark.parametrize(
    ("grams", "grades", "speaks"),
    [
        ("12.5", [], False),
        ("12.6", [], True),
        ("25", [None, None], True),
        ("25", [None, None, None], False),
        ("25", [1, 1, 1], False),
        ("25", [None, None, 2], True),
        ("25", [2, None, None, None], False),
        ("25", [None, None, None, 3], True),
        ("25", [None, None, None, 3, None, None], True),
        ("10", [3, 3], False),
    ],
)
def test_an_infusion_before_enough_were_tolerated(grams, grades, speaks):
    history = [
        PreviousInfusion(given_on=TODAY - (len(grades) - n) * DAY, dose_g=D("12.5"), worst_grade=grade)
        for n, grade in enumerate(grades)
    ]
    for order in (history, history[::-1]):
        got = codes(IV, injections=(), session={"infusion_g": D(grams)}, previous_infusions=tuple(order))
        assert got == (["not_yet_tolerated"] if speaks else [])


def test_an_infusion_that_comes_later_was_not_tolerated_yet():
    history = tuple(PreviousInfusion(given_on=TODAY + n * DAY, dose_g=D("12.5")) for n in (-2, -1, 1))
    reason = one(
        "not_yet_tolerated", IV, injections=(), session={"infusion_g": D(25)}, previous_infusions=history
    ).reason
    assert "grade 2 or more: 2; protocol iv asks for 3" in reason


def test_an_earlier_infusion_of_the_same_day_counts():
    history = tuple(PreviousInfusion(given_on=TODAY - n * DAY, dose_g=D("12.5")) for n in (2, 1, 0))
    assert codes(IV, injections=(), session={"infusion_g": D(25)}, previous_infusions=history) == []


def test_protocols_without_infusion_limits_say_nothing_of_them():
    assert codes(WEEKLY4, session={"infusion_g": D(500)}) == []


# Windows


@pytest.mark.parametrize(
    ("days", "expected"),
    [(5, ["too_early"]), (6, []), (31, []), (32, ["too_late"])],
)
def test_a_treatment_outside_its_window(days, expected):
    assert codes(series={"previous_treatment_on": TODAY - days * DAY}) == expected


@pytest.mark.parametrize(
    ("protocol", "first", "last", "expected"),
    [
        (WEEKLY4, 104, 83, ["too_early"]),
        (WEEKLY4, 105, 84, []),
        (WEEKLY4, 133, 112, []),
        (WEEKLY4, 134, 113, ["too_late"]),
        (PLACEBO3, 83, 20, ["too_early"]),
        (PLACEBO3, 84, 20, []),
        (PLACEBO3, 98, 20, []),
        (PLACEBO3, 99, 20, ["too_late"]),
        (BIWEEKLY, 400, 300, []),
    ],
)
def test_a_follow_up_outside_its_window(protocol, first, last, expected):
    series = {"first_treatment_on": TODAY - first * DAY, "previous_treatment_on": TODAY - last * DAY}
    assert codes(protocol, injections=(), session={"kind": "follow_up"}, series=series) == expected


def test_an_assessment_has_no_window():
    series = {"first_treatment_on": TODAY - DAY, "previous_treatment_on": TODAY - DAY}
    assert codes(injections=(), session={"kind": "assessment"}, series=series) == []


def test_the_reason_counts_the_days():
    assert one("too_early", series={"previous_treatment_on": TODAY - 5 * DAY}).reason == (
        "5 days after the treatment before of 15-Nov-2026, on 20-Nov-2026; protocol weekly4 asks for"
        " 6 to 31 days (1 day too early)."
    )
    series = {"first_treatment_on": TODAY - 200 * DAY, "previous_treatment_on": TODAY - 120 * DAY}
    assert (
        "120 days after the last treatment of 23-Jul-2026"
        in one("too_late", injections=(), session={"kind": "follow_up"}, series=series).reason
    )


@pytest.mark.parametrize(
    ("low", "high", "days", "words"), [(7, None, 3, "at least 7 days"), (None, 7, 9, "at most 7 days")]
)
def test_a_window_with_one_end(low, high, days, words):
    protocol = replace(BARE, interval_min_days=low, interval_max_days=high)
    (alert,) = found(protocol, series={"previous_treatment_on": TODAY - days * DAY})
    assert words in alert.reason


# The rounds of a visit


@pytest.mark.parametrize(
    ("sites", "volumes", "regions"),
    [
        (["hand_dorsum", "hand_dorsum", "index_finger"], ["2", "2", "1"], []),
        (["hand_dorsum", "hand_dorsum", "index_finger", "elbow"], ["2", "2", "1", "5"], []),
        (["hand_dorsum", "hand_dorsum", "index_finger", "elbow"], ["2", "2", "1", "5.001"], ["the elbows"]),
        (["hand_dorsum", "thumb", "elbow"], ["3", "2.001", "6"], ["the hands", "the elbows"]),
        (["elbow", "elbow"], ["2.5", "2.501"], ["the elbows"]),
        (["", ""], ["2.5", "2.501"], ["lesions without a recorded site"]),
    ],
)
def test_the_volume_of_a_visit_counts_by_round(sites, volumes, regions):
    injections = [
        InjectionFacts(lesion_id=f"L{n}", body_site=site, concentration_mg_ml=D(250), volume_ml=D(volume))
        for n, (site, volume) in enumerate(zip(sites, volumes, strict=True))
    ]
    alerts = found(BIWEEKLY, injections=injections)
    assert [alert.code for alert in alerts] == ["above_maximum"] * len(regions)
    for alert, region in zip(alerts, regions, strict=True):
        assert alert.reason.startswith(f"In {region}: ")
        assert alert.reason.endswith("ml; protocol biweekly allows at most 5 ml per round.")


def test_every_body_site_is_in_one_region():
    assert set(REGION) == set(BODY_SITE)


# A recalled lot


@pytest.mark.parametrize(
    ("used", "speaks"),
    [("A 12-3", True), ("a12.3", True), ("A1234", False), ("A12", False), ("", False), ("  ", False)],
)
@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_recalled_lot_speaks_whenever_it_was_recalled(used, speaks, days):
    recalled = (RecalledLot(lot_number="A12-3", recalled_on=TODAY + days * DAY, reason="Particles"),)
    alerts = found(injections=(replace(ELBOW, lot_number=used),), recalled_lots=recalled)
    assert [(a.code, a.level, a.betrays_allocation) for a in alerts] == (
        [("recalled_lot", "acknowledge", True)] if speaks else []
    )


def test_a_recalled_lot_without_a_number_is_no_lot():
    nameless = (RecalledLot(lot_number=" - ", recalled_on=TODAY),)
    assert codes(injections=(ELBOW,), recalled_lots=nameless) == []


def test_a_recalled_vial_speaks_once_whether_or_not_an_injection_tells_its_lot():
    lots = (RecalledLot(lot_number="X1", recalled_on=TODAY),)
    (alone,) = found(session={"vial_lots": ("x-1", "Y2")}, recalled_lots=lots)
    assert alone.reason.startswith("A vial: lot X1 was recalled")
    given = (replace(ELBOW, lot_number="X1"),)
    (told,) = found(injections=given, session={"vial_lots": ("X1",)}, recalled_lots=lots)
    assert told.reason.startswith("L01")


def test_lesions_of_one_recalled_lot_are_one_alert():
    lots = (RecalledLot(lot_number="X1", recalled_on=TODAY), RecalledLot(lot_number="X2", recalled_on=TODAY))
    injections = [replace(ELBOW, lot_number="X1"), replace(THUMB, lot_number="x1")]
    (alert,) = found(injections=injections, recalled_lots=lots)
    assert alert.reason == "L01 (left elbow), L02 (right thumb): lot X1 was recalled on 20-Nov-2026."
    assert len(found(injections=[injections[0], replace(THUMB, lot_number="X2")], recalled_lots=lots)) == 2


# What informs


def visit(days, ptga=None, kind="treatment", **sizes):
    """So many days ago; sizes as `L01="6x5"`."""
    return PreviousVisit(
        held_on=TODAY - days * DAY,
        kind=kind,
        ptga=ptga,
        sizes=tuple(size(lesion, text) for lesion, text in sizes.items()),
    )


def size(lesion, text):
    longest, widest = (D(part) if part else None for part in text.split("x"))
    return SizeFacts(lesion_id=lesion, longest_mm=longest, widest_mm=widest)


@pytest.mark.parametrize(
    ("protocol", "kinds", "kind", "speaks"),
    [
        (WEEKLY4, ["treatment"] * 3, "treatment", False),
        (WEEKLY4, ["treatment"] * 4, "treatment", True),
        (WEEKLY4, ["treatment"] * 4, "follow_up", False),
        (WEEKLY4, ["treatment"] * 4, "assessment", False),
        (WEEKLY4, ["treatment"] * 3 + ["assessment", "follow_up"], "treatment", False),
        (PLACEBO3, ["treatment"] * 3, "treatment", True),
        (LONGTERM, ["treatment"] * 40, "treatment", False),
    ],
)
def test_more_treatments_than_planned(protocol, kinds, kind, speaks):
    before = tuple(visit(100 - n, kind=kind) for n, kind in enumerate(kinds))
    alerts = found(protocol, injections=(), session={"kind": kind}, previous_visits=before)
    assert [(a.code, a.level) for a in alerts] == ([("more_than_planned", "inform")] if speaks else [])
    if protocol is WEEKLY4 and speaks:
        assert alerts[0].reason == "This is treatment 5 of the series; protocol weekly4 plans 4."


@pytest.mark.parametrize(
    ("protocol", "sessions", "stop_reason", "expected"),
    [
        (WEEKLY4, [visit(140), visit(112)], "", []),
        (WEEKLY4, [visit(140), visit(113)], "", ["missing_follow_up"]),
        (WEEKLY4, [visit(140), visit(114)], "", ["missing_follow_up"]),
        (WEEKLY4, [visit(140), visit(113)], "disease_flare", ["missing_follow_up"]),
        (WEEKLY4, [visit(140), visit(113)], "lost_to_follow_up", []),
        (WEEKLY4, [visit(140), visit(113), visit(1, kind="follow_up")], "", []),
        (WEEKLY4, [visit(140), visit(113), visit(1, kind="assessment")], "", ["missing_follow_up"]),
        (WEEKLY4, [visit(140), visit(120, kind="follow_up"), visit(113)], "", ["missing_follow_up"]),
        (WEEKLY4, [visit(300, kind="assessment")], "", []),
        (WEEKLY4, [], "", []),
        (PLACEBO3, [visit(98), visit(30)], "", []),
        (PLACEBO3, [visit(99), visit(30)], "", ["missing_follow_up"]),
        (BIWEEKLY, [visit(900)], "", []),
    ],
)
def test_a_missing_follow_up(protocol, sessions, stop_reason, expected):
    before = EarlierSeries(series_no=1, protocol=protocol, sessions=tuple(sessions), stop_reason=stop_reason)
    assert codes(earlier_series=before) == expected
    assert codes(injections=(), session={"kind": "assessment"}, earlier_series=before) == []
    assert codes(earlier_series=before, previous_visits=(visit(7, kind="assessment"),)) == expected
    assert codes(earlier_series=before, previous_visits=(visit(7),)) == []


def test_the_reason_of_a_missing_follow_up():
    before = EarlierSeries(series_no=2, protocol=WEEKLY4, sessions=(visit(113),))
    assert one("missing_follow_up", earlier_series=before).reason == (
        "Series 2 had no follow-up after its last treatment of 30-Jul-2026; its window closed on 19-Nov-2026."
    )


@pytest.mark.parametrize(
    ("before", "now", "since"),
    [
        ([], 10, None),
        ([None], 10, None),
        ([5], None, None),
        ([5], 7, None),
        ([5], 8, 5),
        ([5], 9, 5),
        ([7, 4], 7, 4),
        ([7, 4], 6, None),
        ([7, None, 4, None], 7, 4),
        ([5, 7], 8, 5),
        ([5, 7, 8], 9, None),
        ([5, 7, 8], 10, None),
        ([5, 8], 8, None),
        ([5, 8], 10, None),
        ([3, 7], 10, 7),
        ([5, 8, 6], 8, 5),
    ],
)
def test_a_patient_who_is_worse(before, now, since):
    visits = tuple(visit(7 * (len(before) - n), score) for n, score in enumerate(before))
    alerts = found(injections=(), protocol=LONGTERM, session={"ptga": now}, previous_visits=visits)
    assert [(a.code, a.level) for a in alerts] == ([] if since is None else [("ptga_worse", "inform")])
    if since is not None:
        assert alerts[0].reason.endswith(f"it was {since} (worse by {now - since}).")


@pytest.mark.parametrize(
    ("points", "now", "speaks"), [(None, 10, False), (5, 5, False), (5, 6, True), (1, 2, True)]
)
def test_how_much_worse_belongs_to_the_protocol(points, now, speaks):
    protocol = replace(LONGTERM, ptga_worse_by=points)
    got = codes(protocol, injections=(), session={"ptga": now}, previous_visits=(visit(7, 1),))
    assert got == (["ptga_worse"] if speaks else [])


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (["6x5", "6x5"], "6x5", None),
        (["6x5", "6x5"], "6x4.9", None),
        (["6x5", "6x5"], "6x5.1", "0.306 cm²"),
        (["6x5"], "9x9", None),
        (["6x5", "9x9"], "9x9", "0.81 cm²"),
        (["6x5", "6x5", "9x9"], "9x9", None),
        (["6x5", "6x5", "9x9"], "8x9", None),
        (["6x5", "6x5", "9x9"], "9x9.5", "0.855 cm²"),
        (["6x5", "3x3", "2x2"], "5x5", None),
        (["x5", "6x5"], "9x9", "0.81 cm²"),
        (["6x5", "6x5"], "9x", None),
        (["x", "6x"], "9x9", None),
    ],
)
def test_a_lesion_that_grew_after_two_treatments(before, now, told):
    visits = tuple(visit(7 * (len(before) - n), L01=text) for n, text in enumerate(before))
    sizes = (size("L01", now), size("L02", "50x50"))
    alerts = found(
        LONGTERM, injections=(), session={"sizes": sizes, "kind": "follow_up"}, previous_visits=visits
    )
    assert [(a.code, a.level, a.lesion_id) for a in alerts] == (
        [] if told is None else [("lesion_grew", "inform", "L01")]
    )
    if told is not None:
        assert told in alerts[0].reason


def test_only_treatments_count_before_a_lesion_grew():
    visits = (visit(21, L01="6x5"), visit(14, kind="assessment", L01="6x5"))
    session = {"sizes": (size("L01", "9x9"),), "kind": "assessment"}
    assert codes(LONGTERM, injections=(), session=session, previous_visits=visits) == []


# All together


def test_a_key_holds_the_facts_so_that_it_asks_again_when_they_change():
    def key(concentration, volume="0.5"):
        injections = (replace(ELBOW, concentration_mg_ml=D(concentration), volume_ml=D(volume)),)
        return one(
            "concentration_increased", BARE, injections=injections, previous_injections=(earlier(150),)
        ).key

    assert key(250) == key(250, "0.7")
    assert key(250) != key(200)
    assert key(250).startswith("concentration_increased:L01:")
    keys = [
        alert.key
        for alert in found(
            injections=(replace(THUMB, concentration_mg_ml=D(250)),), patient={"raynaud": "yes"}
        )
    ]
    assert len(keys) == len(set(keys)) == 2


def test_only_what_must_be_acknowledged_needs_a_note_and_only_stops_and_asks_block():
    for entry in ALERTS:
        alert = Alert(code=entry.code, level=entry.level, title=entry.title, reason="", source=entry.source)
        assert alert.needs_note == (entry.level == "acknowledge")
        assert alert.blocks == (entry.level in ("stop", "ask"))


def test_stops_come_first_and_every_alert_has_its_words():
    alerts = found(
        injections=(replace(THUMB, concentration_mg_ml=D(250)),),
        patient={"hypersensitivity": "yes", "pregnant": "", "raynaud": "yes", "consented_on": None},
        series={"previous_treatment_on": TODAY - 2 * DAY},
        previous_injections=(earlier(150, lesion="L02"),),
        side_effects=(side_effect("digital_necrosis", "L02"),),
    )
    assert [alert.code for alert in alerts] == [
        "hypersensitivity",
        "no_consent",
        "pregnancy_not_recorded",
        "no_vasodilator",
        "concentration_increased",
        "concentration_needs_approval",
        "unresolved_side_effect",
        "too_early",
    ]
    assert all(alert.reason.endswith(".") and alert.source for alert in alerts)
    assert [alert.blocks for alert in alerts] == [True] * 3 + [False] * 5
    assert [alert.code for alert in alerts if alert not in without_allocation(alerts)] == [
        "concentration_increased",
        "concentration_needs_approval",
    ]


def test_what_betrays_an_allocation_is_known_by_its_code():
    strong = replace(ELBOW, concentration_mg_ml=D(250), volume_ml=D(1), lot_number="X1")
    over = replace(PLACEBO3, needs_approval_above_usual=True)
    betraying = [
        *found(
            over,
            injections=(strong,),
            previous_injections=(earlier(40),),
            recalled_lots=(RecalledLot(lot_number="X1", recalled_on=TODAY),),
        ),
        *found(IV, injections=(), session={"infusion_g": D(26)}),
    ]
    assert {alert.code for alert in betraying if alert.betrays_allocation} == MAY_BETRAY_ALLOCATION


arms = st.booleans()
measures = st.decimals(min_value=D("0.001"), max_value=2, places=3)


@given(st.lists(st.tuples(arms, measures, st.sampled_from(sorted(BODY_SITE))), min_size=2, max_size=2), arms)
def test_what_is_shown_of_a_closed_trial_is_the_same_whichever_arm_a_lesion_is_in(rows, was_treated):
    """Swapping agent and saline between the two lesions changes nothing that the blinded may read."""

    def shown(swap):
        injections = tuple(
            InjectionFacts(
                lesion_id=f"L{number}",
                body_site=site,
                volume_ml=volume,
                agent="sts" if is_active != swap else "saline",
                concentration_mg_ml=D(250) if is_active != swap else None,
            )
            for number, (is_active, volume, site) in enumerate(rows)
        )
        previous = tuple(
            earlier(40 if is_active != swap else None, lesion=f"L{number}")
            for number, (is_active, _, _) in enumerate(rows)
        )
        return without_allocation(
            found(
                replace(PLACEBO3, needs_approval_above_usual=True),
                injections=injections,
                patient={"raynaud": "yes"},
                previous_injections=previous if was_treated else (),
                series={"previous_treatment_on": TODAY - 30 * DAY},
            )
        )

    assert shown(swap=False) == shown(swap=True)
