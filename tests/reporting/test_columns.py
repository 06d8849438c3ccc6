"""What stands in columns is what the records say, and lesions judged in columns are judged as one by one."""

from datetime import date
from decimal import Decimal
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stsclinic.clinical.remission import HORIZON, baseline_and_end, judge_lesion, ptga_change
from stsclinic.reporting import columns
from stsclinic.reporting.columns import (
    Columns,
    GivenRows,
    LesionPlaces,
    SeenRows,
    given_at,
    seen_at,
)
from stsclinic.reporting.disclosure import all_open
from stsclinic.reporting.outcomes import sessions_within
from stsclinic.reporting.records import AssessmentRecord, InjectionRecord, SessionRecord
from stsclinic.reporting.summary import summarise
from tests.reporting.registries import make_sheets, moods
from tests.reporting.sheets import registry_of

LESIONS = ("L1", "L2", "L10", "b")
SEEN = [AssessmentRecord("gone"), *(AssessmentRecord("present", Decimal(mm), Decimal(2)) for mm in (3, 4))]
GIVEN = [("sts", Decimal(150), Decimal("0.5"), None), ("saline", None, Decimal("0.5"), Decimal(3))]


def kinds_by_lesion(kinds):
    return st.dictionaries(st.sampled_from(LESIONS), st.sampled_from(kinds))


sessions = st.lists(
    st.tuples(st.sampled_from(("first", "second", "plain")), kinds_by_lesion(SEEN), kinds_by_lesion(GIVEN)),
    max_size=8,
)


def columns_of(rows, lesion_ids, kinds):
    """The rows of sessions in columns, and where each session's begin and end."""
    flat = [one for of_session in rows for one in of_session.items()]
    stops = np.cumsum([len(one) for one in rows]).tolist()
    columns = Columns(
        lesion_ids,
        kinds,
        np.array([lesion_ids.index(lesion) for lesion, _ in flat], dtype=np.int32),
        np.array([kinds.index(kind) for _, kind in flat], dtype=np.int32),
    )
    return columns, list(zip([0, *stops], stops, strict=False))


def stored(drawn):
    """The sessions as records; those of `first` and `second` have their rows in columns that number differently."""
    found = {}
    for name, lesion_ids, turn in (("first", LESIONS, 1), ("second", LESIONS[::-1], -1)):
        places = [place for place, one in enumerate(drawn) if one[0] == name]
        seen, seen_ends = columns_of([drawn[place][1] for place in places], lesion_ids, SEEN[::turn])
        given_, given_ends = columns_of([drawn[place][2] for place in places], lesion_ids, GIVEN[::turn])
        for place, seen_end, given_end in zip(places, seen_ends, given_ends, strict=True):
            found[place] = SeenRows(seen, *seen_end), GivenRows(given_, *given_end)
    for place, (name, seen, given_) in enumerate(drawn):
        if name == "plain":
            found[place] = seen, [InjectionRecord(lesion, *kind) for lesion, kind in given_.items()]
    return [
        SessionRecord(place + 1, "treatment", date(2024, 1, 31), None, None, *found[place])
        for place in range(len(drawn))
    ]


def rows_of(gathered):
    return [
        (session, gathered.lesion_ids[lesion], gathered.kinds[kind])
        for session, lesion, kind in zip(
            gathered.session.tolist(), gathered.lesion.tolist(), gathered.kind.tolist(), strict=True
        )
    ]


@settings(max_examples=200)
@given(sessions)
def test_rows_come_out_of_columns_as_out_of_records(drawn):
    records = stored(drawn)
    for record, (_name, seen, given_) in zip(records, drawn, strict=True):
        assert record.assessments == seen
        assert record.injections == [InjectionRecord(lesion, *kind) for lesion, kind in given_.items()]
        assert [record.assessments.get(lesion) for lesion in LESIONS] == [seen.get(one) for one in LESIONS]
    for gathered, part in ((seen_at(records), 1), (given_at(records), 2)):
        assert rows_of(gathered) == [
            (place, lesion, kind) for place, one in enumerate(drawn) for lesion, kind in one[part].items()
        ]


@settings(max_examples=200)
@given(
    drawn=sessions,
    owners=st.lists(st.integers(0, 6), min_size=8, max_size=8),
    listed=st.lists(st.tuples(st.integers(0, 6), st.sampled_from((*LESIONS, "other"))), unique=True),
)
def test_the_lesion_of_a_row_is_found_where_its_owner_has_it(drawn, owners, listed):
    rows = seen_at(stored(drawn))
    places = LesionPlaces(
        np.array([owner for owner, _ in listed], dtype=int), [lesion for _, lesion in listed]
    )
    found = places.find(rows, np.array(owners)).tolist()
    place_of = {one: place for place, one in enumerate(listed)}
    assert found == [place_of.get((owners[session], lesion), -1) for session, lesion, _ in rows_of(rows)]


@settings(max_examples=60, deadline=None)
@given(moods)
def test_a_lesion_among_all_is_judged_as_by_itself(mood):
    report = summarise(registry_of(make_sheets(mood)), allocation_visible=all_open)
    for one in (*report.series, *report.left_out):
        assert [lesion.lesion_id for lesion in one.lesions] == list(one.course.series.lesions)
        for lesion in one.lesions:
            for horizon in HORIZON:
                within = sessions_within(one.course, horizon)
                seen = [
                    session.assessments[lesion.lesion_id]
                    for session in within
                    if lesion.lesion_id in session.assessments
                ]
                found = lesion.seen_at(horizon)
                assert (found.baseline, found.end) == baseline_and_end(seen)
                judged = judge_lesion(seen, ptga_change([session.ptga for session in within]))
                assert lesion.outcomes[horizon] == judged.outcome
                assert found.watched == watched(within, lesion.lesion_id)


def watched(within, lesion_id):
    """For how many days the lesion was followed, and whether it was then seen gone, counted by hand."""
    injected = [
        place
        for place, session in enumerate(within)
        if any(given_.lesion_id == lesion_id for given_ in session.injections)
    ]
    later = (
        [session for session in within[injected[0] + 1 :] if lesion_id in session.assessments]
        if injected
        else []
    )
    if not later:
        return None
    gone = [session for session in later if session.assessments[lesion_id].status == "gone"]
    until = (gone or later[-1:])[0].held_on
    return (until - within[injected[0]].held_on).days, bool(gone)


@settings(max_examples=200)
@given(
    keys=st.lists(st.integers(0, 60), unique=True),
    wanted=st.lists(st.integers(-1, 80)),
    block=st.sampled_from((1, 3, 100)),
    far_apart=st.sampled_from((0, 1, 8)),
)
def test_keys_are_found_however_far_apart_they_lie(keys, wanted, block, far_apart):
    with patch.multiple(columns, BLOCK=block, FAR_APART=far_apart):
        found = columns.Lookup(np.array(keys, dtype=np.int64)).find(np.array(wanted, dtype=np.int64))
    place_of = {key: place for place, key in enumerate(keys)}
    assert found.tolist() == [place_of.get(one, columns.NOWHERE) for one in wanted]


@pytest.mark.parametrize(
    ("count", "size"), [(127, 1), (128, 1), (129, 2), (2**15 - 1, 2), (2**15, 2), (2**15 + 1, 4), (2**20, 4)]
)
def test_places_are_kept_whole_in_as_little_memory_as_they_need(count, size):
    places = np.array([0, count - 1], dtype=np.int32)
    assert columns.small(places, count).tolist() == places.tolist()
    assert columns.small(places, count).itemsize == size
