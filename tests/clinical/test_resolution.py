"""Is a side effect over? A table of ends, outcomes and days."""

from datetime import date

import pytest

from stsclinic.clinical.resolution import is_over

END = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("resolved_on", "outcome", "on", "over"),
    [
        (None, "", None, False),
        (None, "", END, False),
        (None, "recovering", None, False),
        (None, "not_recovered", END, False),
        (None, "unknown", None, False),
        (None, "recovered", None, True),
        (None, "recovered_with_sequelae", END, True),
        (None, "fatal", None, True),
        (END, "", None, True),
        (END, "", date(2026, 3, 9), False),
        (END, "", END, True),
        (END, "", date(2026, 3, 11), True),
        (END, "recovered", date(2026, 3, 9), False),
    ],
)
def test_the_end_or_an_outcome_ends_it(resolved_on, outcome, on, over):
    assert is_over(resolved_on=resolved_on, outcome=outcome, on=on) is over
