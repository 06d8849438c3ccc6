"""Boxes 20 and 21 of the CIOMS I form, by a table of cases."""

from datetime import date

import pytest

from stsclinic.clinical.challenge import abated_after_stopping, reappeared_after_giving_again

ONSET, END, TODAY = date(2026, 3, 10), date(2026, 3, 20), date(2026, 6, 1)
BEFORE, ON, DURING, LAST, AFTER, LATER = (
    date(2026, 3, 2), ONSET, date(2026, 3, 15), END, date(2026, 3, 21), date(2026, 4, 1)
)  # fmt: skip


@pytest.mark.parametrize(
    ("given_on", "resolved_on", "outcome", "is_over", "code", "facts"),
    [
        ([], END, "recovered", True, "not_applicable", "nothing was given before it began"),
        ([AFTER], END, "recovered", True, "not_applicable", "nothing was given before it began"),
        ([BEFORE], END, "recovered", True, "yes", "over on 20-Mar-2026; not given in between"),
        ([ON], END, "recovered", True, "yes", "over on 20-Mar-2026; not given in between"),
        ([BEFORE, AFTER], END, "recovered", True, "yes", "over on 20-Mar-2026; not given in between"),
        ([BEFORE, LAST], END, "recovered", True, "not_applicable", "it was given again on 20-Mar-2026, while it was there"),
        ([LATER, DURING, BEFORE], END, "recovered", True, "not_applicable",
         "it was given again on 15-Mar-2026, while it was there"),
        ([BEFORE], None, "recovered", True, "yes", "it is over, and the day is not recorded; not given in between"),
        ([BEFORE, LATER], None, "recovered", True, "unknown", "it is over, and the day is not recorded"),
        ([BEFORE], None, "", False, "no", "still there on 01-Jun-2026, and not given since it began"),
        ([BEFORE, LATER], None, "", False, "not_applicable", "it was given again on 01-Apr-2026, while it was there"),
        ([BEFORE], END, "fatal", True, "no", "it was fatal"),
        ([BEFORE], None, "fatal", True, "no", "it was fatal"),
    ],
)  # fmt: skip
def test_abated_after_stopping(given_on, resolved_on, outcome, is_over, code, facts):
    found = abated_after_stopping(
        given_on=given_on, onset_on=ONSET, resolved_on=resolved_on, outcome=outcome, is_over=is_over, on=TODAY
    )
    assert (found.code, found.facts) == (code, facts)


@pytest.mark.parametrize(
    ("given_on", "resolved_on", "is_over", "same_onsets", "code", "facts"),
    [
        ([BEFORE], END, True, [], "not_applicable", "it was not given again"),
        ([BEFORE, LAST], END, True, [], "not_applicable", "it was not given again"),
        ([BEFORE, AFTER], END, True, [], "no", "given again on 21-Mar-2026; no further one is recorded"),
        ([BEFORE, AFTER], END, True, [BEFORE, LAST], "no", "given again on 21-Mar-2026; no further one is recorded"),
        ([BEFORE, AFTER], END, True, [AFTER], "yes", "given again on 21-Mar-2026, and began again on 21-Mar-2026"),
        ([LATER, AFTER], END, True, [LATER, TODAY], "yes",
         "given again on 21-Mar-2026, and began again on 01-Apr-2026"),
        ([BEFORE, DURING], None, False, [], "not_applicable", "it was not over when it was given again"),
        ([BEFORE, LATER], None, True, [], "unknown", "it is over, and the day is not recorded"),
    ],
)  # fmt: skip
def test_reappeared_after_giving_again(given_on, resolved_on, is_over, same_onsets, code, facts):
    found = reappeared_after_giving_again(
        given_on=given_on, onset_on=ONSET, resolved_on=resolved_on, is_over=is_over, same_onsets=same_onsets
    )
    assert (found.code, found.facts) == (code, facts)
    assert found.words.endswith(facts) and found.words.split(":")[0] in (
        "Yes",
        "No",
        "Does not apply",
        "Not known",
    )
