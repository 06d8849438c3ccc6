"""What injections add up to in columns is what one counts one by one, wherever a block of patients ends."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from statistics import median
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from stsclinic.clinical.dosing import syringes
from stsclinic.reporting import amounts
from stsclinic.reporting.amounts import Amounts
from stsclinic.reporting.injected import Injected, solution_of
from stsclinic.reporting.records import (
    InjectionRecord,
    LesionRecord,
    PatientRecord,
    Registry,
    SeriesRecord,
    SessionRecord,
)
from stsclinic.reporting.selection import Selection, choose

LESIONS = ("L1", "L2", "L3")
SITES = {"L1": "elbow", "L2": "thumb"}
SOLUTIONS = (("sts", Decimal(150)), ("sts", Decimal(250)), ("saline", None), ("", None))
"""The last one: its allocation is closed."""

injections = st.lists(
    st.builds(
        lambda lesion_id, solution, volume: InjectionRecord(lesion_id, *solution, volume),
        st.sampled_from(LESIONS),
        st.sampled_from(SOLUTIONS),
        st.sampled_from((Decimal(0), Decimal("0.05"), Decimal("0.5"), Decimal(1), Decimal("1.001"))),
    ),
    max_size=4,
)
session = st.builds(
    lambda number, kind, given_: SessionRecord(number, kind, date(2024, 1, 1), injections=given_),
    st.integers(1, 9),
    st.sampled_from(("treatment", "follow_up")),
    injections,
)
sessions = st.lists(session, max_size=3, unique_by=lambda one: one.session_no)


def registry_of(patients):
    """For each patient, and each of the series, the sessions."""
    return Registry(
        [
            PatientRecord(
                f"P{number}",
                "aarhus",
                "female",
                "lcssc",
                lesions={lesion_id: LesionRecord(lesion_id, site) for lesion_id, site in SITES.items()},
                series=[
                    SeriesRecord(
                        f"P{number}",
                        series_no,
                        "own",
                        1,
                        None,
                        False,
                        "completed",
                        "",
                        date(2024, 1, 1),
                        {"L1": "", "L3": ""},
                        its_sessions,
                    )
                    for series_no, its_sessions in enumerate(of_patient, 1)
                ],
            )
            for number, of_patient in enumerate(patients)
        ]
    )


registries = st.lists(st.lists(sessions, max_size=3), max_size=5).map(registry_of)


def counted(those):
    """The same, one by one."""
    sessions = {id(one.session): one for one in those}
    filled, told = defaultdict(Decimal), [one for one in those if one.injection.agent]
    for one in told:
        filled[id(one.session), solution_of(one.injection)] += one.injection.volume_ml
    with_mg = [one.injection for one in told if one.injection.agent == "sts"]
    volumes = [one.injection.volume_ml for one in those]
    return Amounts(
        injections=len(those),
        sessions=len(sessions),
        treatments=sum(one.session.kind == "treatment" for one in sessions.values()),
        patients=len({one.course.patient.patient_id for one in those}),
        volume_ml=sum(volumes, Decimal(0)),
        median_volume_ml=median(volumes) if volumes else None,
        dose_mg=sum((one.concentration_mg_ml * one.volume_ml for one in with_mg), Decimal(0))
        if told
        else None,
        syringes=sum(map(syringes, filled.values())) if told else None,
        concentrations=sorted({one.concentration_mg_ml for one in with_mg}),
        closed=len(those) - len(told),
        sessions_told=len({id(one.session) for one in told}),
    )


@settings(max_examples=80, deadline=None)
@given(registries, st.sampled_from((1, 3, 50_000)), st.data())
def test_groups_add_up_to_what_is_counted_one_by_one(registry, block, data):
    chosen = choose(registry, Selection())
    injected = Injected(chosen)
    treated = [course for course in chosen.courses if data.draw(st.booleans())]
    marks = {
        (id(course), lesion): data.draw(st.integers(0, 1)) for course in treated for lesion in ("L1", "L3")
    }

    def treatment(one):
        number = one.course.treatments.index(one.session) + 1 if one.session.kind == "treatment" else 0
        return min(number, 2)

    groupings = (
        (injected.all.groups, lambda one: "all"),
        (injected.by_site, lambda one: SITES.get(one.injection.lesion_id, "")),
        (injected.by_label, lambda one: solution_of(one.injection).label),
        (injected.by_treatment(2), treatment),
        (
            injected.by_lesion(treated, [*marks.values()], ["no", "yes", "other"]),
            lambda one: ("no", "yes", "other")[marks.get((id(one.course), one.injection.lesion_id), 2)],
        ),
    )
    was, amounts.BLOCK = amounts.BLOCK, block
    try:
        for groups, name_of in groupings:
            assert {name_of(one) for one in injected} <= set(groups.names)
            for name in groups.names:
                those = [one for one in injected if name_of(one) == name]
                part = groups.part(name)
                assert part.amounts == counted(those)
                assert len(part.injections_behind.keys) == len(those)
                assert part.treatments_behind.find() == [
                    one for one in part.sessions_behind.find() if one.session.kind == "treatment"
                ]
                assert len(part.sessions_behind.keys) == part.amounts.sessions
                assert len(part.patients_behind.keys) == part.amounts.patients
                assert len(part.closed_behind.keys) == part.amounts.closed
            assert groups.part("nothing of the kind") is None
    finally:
        amounts.BLOCK = was


@settings(max_examples=80, deadline=None)
@given(registries)
def test_the_label_of_what_was_injected_at_a_session(registry):
    chosen = choose(registry, Selection())
    wanted, expected = [], []
    for course in chosen.courses:
        for session_no in range(11):
            (found,) = [one for one in course.sessions if one.session_no == session_no] or [None]
            given_ = found.injections if found else []
            for lesion_id in (*LESIONS, "L4", ""):
                labels = [solution_of(one).label for one in given_ if lesion_id in ("", one.lesion_id)]
                # A lesion has one; of several, the last.
                labels = set(labels if not lesion_id else labels[-1:])
                wanted.append((course.place, session_no, lesion_id))
                expected.append(labels.pop() if len(labels) == 1 else None)
    assert Injected(chosen).labels_at(wanted) == expected


def test_sessions_without_injections_are_added_up_in_blocks_too():
    """Each has a place for each group and solution."""
    visits = [SessionRecord(number, "follow_up", date(2024, 1, 1)) for number in range(1, 101)]
    injected = Injected(choose(registry_of([[visits]] * 40), Selection()))
    with patch.object(amounts, "BLOCK", 1000):
        blocks = injected._adding_up._blocks
    assert (
        max(one.sessions.stop - one.sessions.start for one in blocks) <= 1000 // amounts.SESSION_COSTS + 100
    )
    assert blocks[-1].sessions.stop == 4000
    assert injected.by_label.amounts == []
