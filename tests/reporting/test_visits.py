"""What visits tell in columns is what one reads session by session, however the sessions are kept."""

import math
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stsclinic.reporting.columns import Columns, Parts, SessionsOf, StoredSessions
from stsclinic.reporting.records import (
    AssessmentRecord,
    InfusionRecord,
    InjectionRecord,
    SeriesRecord,
    SessionRecord,
)
from stsclinic.reporting.visits import IN_ORDER, Visits

LESIONS = ("L1", "L2", "b")
SEEN = (AssessmentRecord("gone"), AssessmentRecord("present", Decimal(3), Decimal(2)))
GIVEN = (("sts", Decimal(150), Decimal("0.5"), None), ("saline", None, Decimal("0.5"), Decimal(3)))
INFUSION = InfusionRecord(Decimal(25), 60)

score = st.none() | st.integers(1, 10)
session = st.builds(
    SessionRecord,
    st.integers(1, 9),
    st.sampled_from(("treatment", "follow_up")),
    st.dates(date(2024, 1, 1), date(2024, 1, 5)),
    score,
    score,
    st.dictionaries(st.sampled_from(LESIONS), st.sampled_from(SEEN)),
    st.dictionaries(st.sampled_from(LESIONS), st.sampled_from(GIVEN)).map(
        lambda given_: [InjectionRecord(lesion, *kind) for lesion, kind in sorted(given_.items())]
    ),
    st.none() | st.just(INFUSION),
)
series = st.builds(
    SeriesRecord,
    st.just("P1"),
    st.integers(1, 9),
    st.just("own"),
    st.just(1),
    st.none(),
    st.just(False),
    st.just("completed"),
    st.just(""),
    st.just(date(2024, 1, 1)),
    st.dictionaries(st.sampled_from(LESIONS), st.just("")),
    st.lists(session, max_size=5, unique_by=lambda one: one.session_no).map(
        lambda sessions: sorted(sessions, key=lambda one: one.session_no)
    ),
)


def stored(all_series):
    """The same series, their sessions in columns."""
    sessions = [session for one in all_series for session in sorted(one.sessions, key=IN_ORDER)]
    facts = list(dict.fromkeys(_facts(one) for one in sessions))
    kept = StoredSessions(
        facts=facts,
        fact=np.array([facts.index(_facts(one)) for one in sessions], dtype=np.int32),
        day=np.array([one.held_on.toordinal() for one in sessions], dtype=np.int32),
        infusions={place: one.infusion for place, one in enumerate(sessions) if one.infusion},
    )
    kept.seen = parts([list(one.assessments.items()) for one in sessions], SEEN)
    kept.given = parts(
        [
            [
                (
                    given_.lesion_id,
                    (given_.agent, given_.concentration_mg_ml, given_.volume_ml, given_.pain_vas),
                )
                for given_ in one.injections
            ]
            for one in sessions
        ],
        GIVEN,
    )
    stops = np.cumsum([len(one.sessions) for one in all_series]).tolist()
    return [
        replace(one, sessions=SessionsOf(kept, stop - len(one.sessions), stop))
        for one, stop in zip(all_series, stops, strict=True)
    ]


def _facts(one):
    return one.session_no, one.kind, one.ptga, one.phga


def parts(of_sessions, kinds):
    rows = [row for one in of_sessions for row in one]
    columns = Columns(
        LESIONS,
        kinds,
        np.array([LESIONS.index(lesion) for lesion, _ in rows], dtype=np.int32),
        np.array([kinds.index(kind) for _, kind in rows], dtype=np.int32),
    )
    stops = np.cumsum([len(one) for one in of_sessions], dtype=np.int64)
    return Parts(columns, stops - np.array([len(one) for one in of_sessions], dtype=np.int64), stops)


def half_stored(all_series):
    """Every second one, as where some series of a trial are concealed."""
    return [
        one if place % 2 else two
        for place, (one, two) in enumerate(zip(all_series, stored(all_series), strict=True))
    ]


def from_two_stores(all_series):
    middle = len(all_series) // 2
    return [*stored(all_series[:middle]), *stored(all_series[middle:])]


def known(column):
    return [None if math.isnan(one) else int(one) for one in column.tolist()]


def lesions_of_rows(gathered, lesion, visits):
    """The place of the session, the ID and the kind of each row, and the series of its lesion, None of another."""
    return {
        (
            session,
            gathered.lesion_ids[row],
            gathered.kinds[kind],
            None if place < 0 else visits.lesion_ids[place],
        )
        for session, row, kind, place in zip(
            gathered.session.tolist(),
            gathered.lesion.tolist(),
            gathered.kind.tolist(),
            lesion.tolist(),
            strict=True,
        )
    }


@pytest.mark.parametrize("kept", [list, stored, half_stored, from_two_stores])
@settings(max_examples=100, deadline=None)
@given(all_series=st.lists(series, max_size=5))
def test_columns_are_what_one_reads(kept, all_series):
    visits = Visits(kept(all_series))
    sessions = [sorted(one.sessions, key=IN_ORDER) for one in all_series]
    treatments = [[one for one in of if one.kind == "treatment"] for of in sessions]
    flat = [one for of in sessions for one in of]
    assert visits.counts.tolist() == [len(one) for one in sessions]
    assert visits.treatment_counts == [len(one) for one in treatments]
    assert visits.session_no.tolist() == [one.session_no for one in flat]
    assert visits.day.tolist() == [one.held_on.toordinal() for one in flat]
    assert visits.injections.tolist() == [len(one.injections) for one in flat]
    assert visits.has_infusion == [any(one.infusion for one in of) for of in sessions]
    for place, of in enumerate(treatments):
        if of:
            ends = of[0], of[-1]
            assert [days[place] for days in visits.treatment_days] == [
                one.held_on.toordinal() for one in ends
            ]
            assert visits.has_end_scores[place] == all(one.ptga and one.phga for one in ends)
    for horizon, within in (("end_of_treatment", treatments), ("follow_up", sessions)):
        for places in (None, range(len(all_series))[::-1]):
            scores = visits.scores_within(horizon, None if places is None else np.array(places, dtype=int))
            wanted = within if places is None else [within[place] for place in places]
            assert known(scores.last("phga")) == [of[-1].phga if of else None for of in wanted]
            assert known(scores.before("ptga", 2)) == [of[1].ptga if len(of) > 1 else None for of in wanted]


@pytest.mark.parametrize("kept", [list, stored, half_stored, from_two_stores])
@settings(max_examples=100, deadline=None)
@given(all_series=st.lists(series, max_size=5))
def test_rows_stand_at_their_session_and_lesion(kept, all_series):
    visits = Visits(kept(all_series))
    flat = [(one, session) for one in all_series for session in sorted(one.sessions, key=IN_ORDER)]
    seen = {
        (place, lesion, found, lesion if lesion in one.lesions else None)
        for place, (one, session) in enumerate(flat)
        for lesion, found in session.assessments.items()
    }
    given_ = {
        (
            place,
            found.lesion_id,
            (found.agent, found.concentration_mg_ml, found.volume_ml, found.pain_vas),
            found.lesion_id if found.lesion_id in one.lesions else None,
        )
        for place, (one, session) in enumerate(flat)
        for found in session.injections
    }
    assert lesions_of_rows(visits.seen, visits.lesion_seen, visits) == seen
    assert lesions_of_rows(visits.given, visits.lesion_given, visits) == given_
    assert [session for one in kept(all_series) for session in sorted(one.sessions, key=IN_ORDER)] == [
        session for _, session in flat
    ]
