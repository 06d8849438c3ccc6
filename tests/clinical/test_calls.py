"""Whom to ring: a day before, on and after each call is due; what keeps it, moves it and takes it away."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic.clinical.calls import (
    OUTCOMES,
    URGENCY,
    Asked,
    Attempt,
    CallFacts,
    ClinicCalendar,
    OpenEffect,
    SessionToCall,
    VisitDue,
    calls_due,
    calls_until,
)

MONDAY = date(2026, 3, 2)
ALWAYS_OPEN = ClinicCalendar(closed_weekdays=frozenset())


def on(day):
    return MONDAY + timedelta(days=day)


def session(day=0, ref="s1", patient="P1", **more):
    return SessionToCall(ref=ref, patient=patient, held_on=on(day), **more)


def facts(*sessions, calendar=ALWAYS_OPEN, **more):
    return CallFacts(sessions=sessions, calendar=calendar, **more)


def keys(given_facts, day):
    return [call.key for call in calls_due(given_facts, on(day))]


@pytest.mark.parametrize(
    ("day", "digits", "expected"),
    [
        (0, True, []),
        (1, True, []),
        (2, True, ["session:s1:2"]),
        (3, False, ["session:s1:2"]),
        (6, True, ["session:s1:2"]),
        (7, True, ["session:s1:7"]),
        (13, True, ["session:s1:7"]),
        (14, True, ["session:s1:14"]),
        (14, False, ["session:s1:7"]),
        (21, False, ["session:s1:7"]),
        (22, False, []),
        (28, True, ["session:s1:14"]),
        (29, True, []),
    ],
)
def test_calls_after_a_session(day, digits, expected):
    assert keys(facts(session(digits_injected=digits)), day) == expected


def test_the_reason_says_what_and_when():
    (call,) = calls_due(facts(session()), on(2))
    assert (call.reason, call.due_on, call.urgency, call.patient, call.about) == (
        "48 hours after the session of 02-Mar-2026.",
        on(2),
        "after_session",
        "P1",
        "s1",
    )
    (call,) = calls_due(facts(session(digits_injected=True)), on(14))
    assert call.reason == "14 days after the session of 02-Mar-2026. A finger or toe was injected."


def test_a_visit_without_the_agent_is_not_rung_about():
    assert keys(facts(session(gave_agent=False)), 2) == []


@pytest.mark.parametrize(
    ("asked", "day", "expected"),
    [
        (1, 2, ["session:s1:2"]),
        (2, 2, []),
        (6, 7, ["session:s1:7"]),
        (7, 7, []),
        (8, 7, ["session:s1:7"]),
        (8, 8, []),
    ],
)
def test_asking_on_its_day_or_after_answers_a_call_whatever_the_way(asked, day, expected):
    one = Asked(patient="P1", on=on(asked))
    earlier = Asked(patient="P1", on=on(-3))
    assert keys(facts(session(), asked=(one, earlier)), day) == expected
    due = "session:s1:2" if day < 7 else "session:s1:7"
    assert keys(facts(session(), asked=(replace(one, patient="P2"),)), day) == [due]


@pytest.mark.parametrize(("seen", "is_said"), [(1, False), (2, True), (5, True)])
def test_a_visit_at_which_nobody_asked_answers_no_call(seen, is_said):
    (call,) = calls_due(facts(session(), session(seen, ref="s2", gave_agent=False)), on(5))
    assert call.key == "session:s1:2"
    said = f"That anybody asked on {on(seen):%d-%b-%Y} is not recorded."
    assert (said in call.reason) == is_said


def tried(day, key="session:s1:2", outcome="no_answer"):
    return Attempt(key=key, on=on(day), outcome=outcome)


def test_no_answer_keeps_a_call_with_its_tries_and_done_takes_it_away():
    tries = (tried(2), tried(3))
    other = tried(2, "session:s9:2", "done")
    (call,) = calls_due(facts(session(), attempts=(*tries, other)), on(3))
    assert call.tried == tries
    given_facts = facts(session(), attempts=(*tries, tried(4, outcome="done")))
    assert calls_due(given_facts, on(3))[0].tried == tries
    assert keys(given_facts, 4) == []
    assert keys(given_facts, 7) == ["session:s1:7"]
    assert {one.outcome for one in given_facts.attempts} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("attempts", "asked", "day", "expected"),
    [
        ([tried(2), tried(3)], [], 3, [2, 3]),
        ([tried(2), tried(3)], [], 7, [2, 3]),
        ([tried(2), tried(3), tried(7, "session:s1:7")], [], 8, [2, 3, 7]),
        ([tried(2), tried(7, "session:s1:7")], [], 14, [2, 7]),
        ([tried(2), tried(3, outcome="done")], [], 7, []),
        ([tried(2), tried(3, outcome="done"), tried(7, "session:s1:7")], [], 8, [7]),
        ([tried(2), tried(7, "session:s1:7")], [3], 8, [7]),
        ([tried(2), tried(3)], [3], 7, []),
        ([tried(2)], [1], 2, [2]),
        ([tried(2, "session:s10:2")], [], 7, []),
        ([tried(2), tried(9, "session:s1:7")], [], 8, [2]),
    ],
)
def test_tries_are_counted_over_all_calls_of_a_session_until_the_patient_is_reached(
    attempts, asked, day, expected
):
    given_facts = facts(
        session(digits_injected=True),
        attempts=tuple(attempts),
        asked=tuple(Asked(patient="P1", on=on(number)) for number in asked),
    )
    (call,) = calls_due(given_facts, on(day))
    assert [one.on for one in call.tried] == [on(number) for number in expected]


@pytest.mark.parametrize(
    ("held", "number", "calendar", "due"),
    [
        (0, 2, ClinicCalendar(), 2),
        (2, 2, ClinicCalendar(), 4),
        (3, 2, ClinicCalendar(), 7),
        (4, 2, ClinicCalendar(), 7),
        (4, 2, ClinicCalendar(holidays=frozenset({on(7)})), 8),
        (0, 7, ClinicCalendar(holidays=frozenset({on(7), on(8)})), 9),
        (0, 2, ClinicCalendar(holidays=frozenset({on(3)})), 2),
        (0, 2, ClinicCalendar(closed_weekdays=frozenset({2})), 3),
    ],
)
def test_a_call_on_a_closed_day_is_due_on_the_next_open_one(held, number, calendar, due):
    given_facts = facts(session(held), calendar=calendar)
    key = f"session:s1:{number}"
    assert key not in keys(given_facts, due - 1)
    assert key in keys(given_facts, due)


def test_a_clinic_is_open_on_some_day():
    with pytest.raises(ValueError, match="at least one day"):
        ClinicCalendar(closed_weekdays=frozenset(range(7)))


# Side effects


def effect(grade=2, term="injection_site_infection", onset=0, **more):
    return OpenEffect(ref="e1", patient="P1", term=term, onset_on=on(onset), grade=grade, **more)


@pytest.mark.parametrize(
    ("one", "waits", "urgency"),
    [
        (effect(1), 7, "side_effect"),
        (effect(2), 7, "side_effect"),
        (effect(None), 7, "side_effect"),
        (effect(1, is_serious=True), 2, "grave"),
        (effect(3), 2, "grave"),
        (effect(5), 2, "grave"),
        (effect(1, "digital_necrosis"), 2, "grave"),
        (effect(None, "skin_necrosis"), 2, "grave"),
    ],
)
def test_an_open_side_effect_is_on_the_list_until_it_is_over(one, waits, urgency):
    given_facts = facts(effects=(one,))
    for day, expected in ((0, "not_due"), (waits - 1, "not_due"), (waits, urgency), (waits + 400, urgency)):
        (call,) = calls_due(given_facts, on(day))
        assert (call.urgency, call.due_on) == (expected, on(waits))
    assert calls_due(facts(), on(waits)) == ()


@pytest.mark.parametrize(
    ("seen", "day", "expected"),
    [
        (7, 7, []),
        (7, 8, ["not_due"]),
        (7, 13, ["not_due"]),
        (7, 14, ["side_effect"]),
        (9, 15, ["not_due"]),
        (9, 16, ["side_effect"]),
        (0, 0, []),
    ],
)
def test_writing_how_it_is_takes_it_off_that_day_and_starts_the_week_anew(seen, day, expected):
    given_facts = facts(effects=(effect(seen_on=on(seen)),))
    assert [call.urgency for call in calls_due(given_facts, on(day))] == expected


def test_what_was_answered_about_anything_new_does_not_say_how_it_is():
    key = f"effect:e1:{on(0)}"
    given_facts = facts(
        session(9, gave_agent=False),
        effects=(effect(),),
        asked=(Asked(patient="P1", on=on(9)),),
        attempts=(tried(8, key, "done"),),
    )
    (call,) = calls_due(given_facts, on(9))
    assert (call.key, call.urgency) == (key, "side_effect")


def test_one_answer_does_not_answer_for_another():
    other = replace(effect(1, "nausea"), ref="e2")
    given_facts = facts(effects=(effect(seen_on=on(7)), other))
    assert keys(given_facts, 7) == [f"effect:e2:{on(0)}"]


def test_what_is_not_due_yet_stands_at_the_end_and_in_the_calendar_on_its_day():
    given_facts = facts(session(), effects=(effect(4, seen_on=on(1), onset=-1),), calendar=ClinicCalendar())
    assert [call.urgency for call in calls_due(given_facts, on(2))] == ["after_session", "not_due"]
    assert [call.urgency for call in calls_due(given_facts, on(3))] == ["grave", "after_session"]
    found = calls_until(given_facts, on(2), on(6))
    assert [(call.urgency, call.due_on) for call in found] == [("grave", on(3)), ("after_session", on(2))]


def test_no_answer_about_a_side_effect_keeps_it():
    tries = (tried(7, f"effect:e1:{on(0)}"),)
    (call,) = calls_due(facts(effects=(effect(where="L01 (left thumb)"),), attempts=tries), on(8))
    assert call.tried == tries
    assert call.reason == (
        "Injection site infection, grade 2, L01 (left thumb), open since 02-Mar-2026. Not asked about since."
    )
    (call,) = calls_due(facts(effects=(effect(seen_on=on(1)),)), on(8))
    assert call.reason.endswith("open since 02-Mar-2026. Last asked about on 03-Mar-2026.")


# Visits


def visit(kind="treatment", opens=6, closes=31, state="overdue"):
    return VisitDue(
        ref="r1",
        patient="P1",
        kind=kind,
        opens_on=on(opens),
        closes_on=None if closes is None else on(closes),
        state=state,
        series_no=2,
    )


def test_a_missed_visit_is_rung_about_from_the_day_after_and_again_after_an_answer():
    given_facts = facts(visits=(visit(closes=1),))
    assert keys(given_facts, 1) == []
    (call,) = calls_due(given_facts, on(2))
    assert call.reason == "The treatment of series 2 was missed: its window closed on 03-Mar-2026."
    assert call.urgency == "missed_visit"
    done = (Attempt(key=call.key, on=on(3), outcome="done"),)
    again = facts(visits=(visit(closes=1),), attempts=done)
    assert keys(again, 9) == []
    (second,) = calls_due(again, on(10))
    assert second.key != call.key
    assert second.reason.endswith("Last rung about on 05-Mar-2026.")


@pytest.mark.parametrize("state", ["not_yet", "due"])
def test_a_treatment_in_its_window_is_not_rung_about(state):
    assert keys(facts(visits=(visit(state=state),)), 100) == []


def test_a_follow_up_is_rung_about_once_in_its_window():
    due = visit("follow_up", opens=84, closes=112, state="due")
    assert keys(facts(visits=(replace(due, state="not_yet"),)), 83) == []
    (call,) = calls_due(facts(visits=(due,)), on(84))
    assert call.reason == "The follow-up of series 2 is due from 25-May-2026 to 22-Jun-2026."
    done = (Attempt(key=call.key, on=on(84), outcome="done"),)
    assert keys(facts(visits=(due,), attempts=done), 112) == []
    assert len(keys(facts(visits=(replace(due, state="overdue"),), attempts=done), 113)) == 1


def test_a_window_is_never_moved():
    saturday = visit("follow_up", opens=5, closes=40, state="due")
    (call,) = calls_until(facts(visits=(saturday,), calendar=ClinicCalendar()), on(5), on(7))
    assert call.due_on == on(7)
    assert "from 07-Mar-2026" in call.reason
    sunday = facts(visits=(visit(closes=4),), calendar=ClinicCalendar())
    (call,) = calls_until(sunday, on(5), on(7))
    assert call.due_on == on(7)
    assert "closed on 06-Mar-2026" in call.reason


# The list


def test_the_most_urgent_comes_first_then_the_longest_due():
    given_facts = facts(
        session(-3, ref="s1", patient="P2"),
        session(-2, ref="s2", patient="P3"),
        effects=(
            replace(effect(2, onset=-8), patient="P4", ref="e2"),
            replace(effect(3, onset=-2), patient="P5", ref="e3"),
        ),
        visits=(
            replace(visit(closes=-9), patient="P6"),
            replace(visit("follow_up", opens=-5, closes=9, state="due"), patient="P7", ref="r2"),
        ),
    )
    given_facts = replace(
        given_facts,
        effects=(*given_facts.effects, replace(effect(4, onset=-9, seen_on=on(-1)), patient="P0", ref="e9")),
    )
    found = calls_due(given_facts, on(0))
    assert [call.patient for call in found] == ["P5", "P4", "P2", "P3", "P6", "P7", "P0"]
    assert [call.urgency for call in found] == [
        "grave",
        "side_effect",
        "after_session",
        "after_session",
        "missed_visit",
        "follow_up",
        "not_due",
    ]
    assert set(URGENCY) == {call.urgency for call in found}


def test_a_calendar_shows_what_becomes_due_and_what_is_answered_at_no_visit_yet():
    given_facts = facts(session(digits_injected=True))
    found = calls_until(given_facts, on(0), on(14))
    assert [(call.key, call.due_on) for call in found] == [
        ("session:s1:2", on(2)),
        ("session:s1:7", on(7)),
        ("session:s1:14", on(14)),
    ]
    assert calls_due(given_facts, on(0)) == ()


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=8, unique=True),
    st.integers(0, 100),
    st.frozensets(st.integers(0, 120), max_size=20),
    st.frozensets(st.integers(0, 6), max_size=6),
)
def test_over_a_course_no_call_is_listed_twice_nor_on_a_closed_day(days, today, holidays, weekend):
    calendar = ClinicCalendar(holidays=frozenset(on(day) for day in holidays), closed_weekdays=weekend)
    sessions = [session(day, ref=f"s{day}", digits_injected=True) for day in sorted(days) if day <= today]
    found = calls_due(facts(*sessions, calendar=calendar), on(today))
    assert len({call.key for call in found}) == len(found)
    for call in found:
        assert calendar.is_open(call.due_on)
        assert call.due_on <= on(today)
        held_on = next(one.held_on for one in sessions if one.ref == call.about)
        number = int(call.key.rsplit(":", 1)[1])
        assert call.due_on == calendar.open_from(held_on + timedelta(days=number))
    assert len({call.about for call in found}) == len(found)
