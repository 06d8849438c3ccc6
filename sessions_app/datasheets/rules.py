"""What is wrong across the cells of data sheets: one function for each rule, all in RULES.

A rule looks at values that were read; a cell that was refused already is not judged again.
Source: the data sheet format, "An import is all or nothing" and the notes at its columns.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sessions_app.datasheets.book import Book, Row
from stsclinic.clinical.dates import show_date
from stsclinic.clinical.scales import SCALES, scales_of

MEASURES = ("longest_mm", "widest_mm", "size_source", "ulcer", "inflammation")
"""What a gone lesion has not."""

SCORES = {"sessions": ("ptga", "phga"), "session_lesions": ("pga", "observer_pga")}
"""The scores that a protocol may not use; pain may be noted under any protocol."""


PROTOCOL = ("patients", "series")
"""What tells the protocol of a row."""


@dataclass(frozen=True)
class Rule:
    """A rule, and the sheets that it looks at: where a file has none of them, there is nothing new to find."""

    find: Callable[[Book], None]
    reads: Mapping[str, Mapping[str, Any]]
    """Each sheet with the values that the rows have of which it looks at no others; none: all rows."""


def reads(*sheets: str, **narrowed: Mapping[str, Any]) -> Callable[[Callable[[Book], None]], Rule]:
    """Make a rule that looks at these sheets, of some at rows with these values only."""
    all_of: dict[str, Mapping[str, Any]] = dict.fromkeys(sheets, {})
    return lambda find: Rule(find, all_of | narrowed)


def _is_given(row: Row, column: str) -> bool:
    return row.values[column] not in (None, "")


def _is_left_empty(row: Row, column: str) -> bool:
    """Whether nothing was written there, as against something that was refused."""
    return not _is_given(row, column) and column not in row.refused


@reads("patients")
def _enrolment(book: Book) -> None:
    for row in book.rows["patients"]:
        if _is_given(row, "not_enrolled_reason") and _is_given(row, "consented_on"):
            valid = "Leave one of the two empty: the reason is for one who never consented."
            book.refuse(row, "not_enrolled_reason", "This patient consented.", valid)
        if _is_given(row, "withdrawal_reason") and _is_left_empty(row, "withdrawn_on"):
            valid = "Give withdrawn_on too, or leave this empty."
            book.refuse(row, "withdrawal_reason", "There is no date of withdrawal.", valid)


@reads("series")
def _stop_reason(book: Book) -> None:
    for row in book.rows["series"]:
        if row.refused & {"status", "stop_reason"}:
            continue
        is_stopped = row.values["status"] == "stopped"
        if is_stopped and not _is_given(row, "stop_reason"):
            column = row.sheet.column("stop_reason")
            codes = ", ".join(column.vocabulary) if column and column.vocabulary else ""
            book.refuse(row, "stop_reason", "A stopped series needs its reason.", f"Valid is one of {codes}.")
        elif not is_stopped and _is_given(row, "stop_reason"):
            valid = "Leave it empty, or make the status stopped."
            book.refuse(row, "stop_reason", "The series is not stopped.", valid)


@reads("series_lesions", *PROTOCOL)
def _arms(book: Book) -> None:
    for row in book.rows["series_lesions"]:
        protocol = row.protocol
        if _is_given(row, "arm") and protocol is not None and not protocol.is_controlled:
            sentence = f"Protocol {protocol.code} has no arms."
            book.refuse(row, "arm", sentence, "Valid is nothing here: only a controlled protocol has arms.")


@reads("sessions")
def _session_order(book: Book) -> None:
    by_series: dict[tuple, list[Row]] = defaultdict(list)
    for row in book.by_key["sessions"].values():
        by_series[row.values["patient_id"], row.values["series_no"]].append(row)
    for rows in by_series.values():
        rows.sort(key=lambda row: row.values["session_no"])
        latest: Row | None = None
        for expected, row in enumerate(rows, start=1):
            before = rows[expected - 2].values["session_no"] if expected > 1 else 0
            if row.values["session_no"] != before + 1:
                valid = f"Valid is {before + 1}: the sessions of a series are numbered 1, 2, … without gaps."
                book.refuse(row, "session_no", f"Session {before + 1} is missing.", valid)
            held_on = row.values["held_on"]
            if held_on is None:
                continue
            if latest is not None and held_on < latest.values["held_on"]:
                day = show_date(latest.values["held_on"])
                sentence = f"Session {latest.values['session_no']} was held on {day}."
                valid = "Valid is that day or a later one: the date never falls as session_no rises."
                book.refuse(row, "held_on", sentence, valid)
            else:
                latest = row


@reads("sessions", "session_lesions", *PROTOCOL)
def _scores(book: Book) -> None:
    for sheet, columns in SCORES.items():
        for row in book.rows[sheet]:
            protocol = row.protocol
            if protocol is None:
                continue
            for column in columns:
                if not _is_given(row, column):
                    continue
                used = {scale.code for scale in scales_of(protocol)}
                if column not in used:
                    asked = ", ".join(sorted(SCALES[code].name for code in used)) or "none"
                    sentence = f"Protocol {protocol.code} does not use {SCALES[column].name}."
                    book.refuse(row, column, sentence, f"Valid is nothing here; its scores are: {asked}.")


@reads("session_lesions")
def _gone_lesions(book: Book) -> None:
    for row in book.rows["session_lesions"]:
        if row.values["status"] != "gone":
            continue
        for column in MEASURES:
            if _is_given(row, column):
                valid = "Leave it empty, or make the status present."
                book.refuse(row, column, "The lesion is gone.", valid)


@reads("injections", "sessions", "lesions", "series_lesions")
def _injections(book: Book) -> None:
    for row in book.rows["injections"]:
        if row.values["agent"] == "sts" and _is_left_empty(row, "concentration_mg_ml"):
            valid = "Give the mg/ml as labelled."
            book.refuse(row, "concentration_mg_ml", "Sodium thiosulfate needs its concentration.", valid)
        if row.treated is None and row.session is not None and row.lesion is not None:
            sentence = f"Series {row.values['series_no']} does not treat this lesion."
            book.refuse(
                row, "lesion_id", sentence, "Valid are the lesions that series_lesions lists for the series."
            )


@reads("side_effects")
def _side_effects(book: Book) -> None:
    for row in book.rows["side_effects"]:
        if row.values["term"] == "other" and _is_left_empty(row, "term_detail"):
            book.refuse(row, "term_detail", "The term `other` needs words.", "Say in words what happened.")
        onset_on, resolved_on = row.values["onset_on"], row.values["resolved_on"]
        if onset_on and resolved_on and resolved_on < onset_on:
            valid = "Valid is that day, a later one, or nothing."
            book.refuse(row, "resolved_on", f"It began only on {show_date(onset_on)}.", valid)
        if _is_given(row, "session_no") and _is_left_empty(row, "series_no"):
            book.refuse(row, "series_no", "A session needs its series.", "Give the series_no of the session.")


RULES: tuple[Rule, ...] = (
    _enrolment,
    _stop_reason,
    _arms,
    _session_order,
    _scores,
    _gone_lesions,
    _injections,
    _side_effects,
)
"""Every rule. Adding one is one function here."""
