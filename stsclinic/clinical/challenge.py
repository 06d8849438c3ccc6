"""Did a reaction abate after the drug was stopped, and come back when it was given again?

Facts and dates, no judgement of the cause. A drug that is given on single days counts as stopped while no
further dose is given. Source: CIOMS I form, boxes 20 and 21.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from stsclinic.clinical.dates import show_date


@dataclass(frozen=True)
class Challenge:
    """What the box says: `yes`, `no`, `not_applicable` or `unknown`; and the facts."""

    code: str
    facts: str

    @property
    def words(self) -> str:
        return f"{ANSWER_WORDS[self.code]}: {self.facts}"


ANSWER_WORDS = {"yes": "Yes", "no": "No", "not_applicable": "Does not apply", "unknown": "Not known"}


def abated_after_stopping(
    *,
    given_on: Sequence[date],
    onset_on: date,
    resolved_on: date | None,
    outcome: str,
    is_over: bool,
    on: date,
) -> Challenge:
    """Box 20.

    Args:
        given_on: every day on which the drug was given, before and after the onset.
        is_over: whether the reaction is over, with or without a recorded end.
        on: the day of the report.
    """
    if not any(day <= onset_on for day in given_on):
        return Challenge("not_applicable", "nothing was given before it began")
    later = sorted(day for day in given_on if day > onset_on)
    if is_over and resolved_on is None and outcome != "fatal" and later:
        return Challenge("unknown", "it is over, and the day is not recorded")
    during = [day for day in later if not is_over or resolved_on is None or day <= resolved_on]
    if during:
        return Challenge(
            "not_applicable", f"it was given again on {show_date(during[0])}, while it was there"
        )
    if outcome == "fatal":
        return Challenge("no", "it was fatal")
    if not is_over:
        return Challenge("no", f"still there on {show_date(on)}, and not given since it began")
    end = f"over on {show_date(resolved_on)}" if resolved_on else "it is over, and the day is not recorded"
    return Challenge("yes", f"{end}; not given in between")


def reappeared_after_giving_again(
    *,
    given_on: Sequence[date],
    onset_on: date,
    resolved_on: date | None,
    is_over: bool,
    same_onsets: Sequence[date],
) -> Challenge:
    """Box 21.

    Args:
        same_onsets: the onsets of the patient's other side effects of the same term.
    """
    later = sorted(day for day in given_on if day > (resolved_on or onset_on))
    if not later:
        return Challenge("not_applicable", "it was not given again")
    if not is_over:
        return Challenge("not_applicable", "it was not over when it was given again")
    if resolved_on is None:
        return Challenge("unknown", "it is over, and the day is not recorded")
    again = sorted(day for day in same_onsets if day >= later[0])
    if again:
        return Challenge(
            "yes", f"given again on {show_date(later[0])}, and began again on {show_date(again[0])}"
        )
    return Challenge("no", f"given again on {show_date(later[0])}; no further one is recorded")
