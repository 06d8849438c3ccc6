"""Words and columns that several tables share."""

from collections.abc import Mapping, Sequence

from stsclinic.reporting.scores import SCALES
from stsclinic.reporting.statistics.wilson import wilson_interval
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.table import Column

LEVELS = {"by_lesion": "Lesions", "by_series": "Series", "by_patient": "Patients"}


def time_labels(report: Report) -> Mapping[str, str]:
    """The words of the times at which scores are told."""
    return {one["time"]: time_words(one["time"]) for scale in SCALES for one in report.scores[scale]}


def time_words(time: str) -> str:
    return "Before the last" if time == "last" else f"Before treatment {time.removeprefix('before_')}"


def interval_columns(
    decimals: int, unit: str = "", computed_from: Sequence[str] = ()
) -> tuple[Column, Column]:
    return (
        Column("ci95_low", "95% CI from", "number", unit, decimals, computed_from=computed_from),
        Column("ci95_high", "95% CI to", "number", unit, decimals, computed_from=computed_from),
    )


WILSON_FOOTNOTE = "Shares of patients have Wilson's 95% interval."


def share_columns(counted: str) -> tuple[Column, ...]:
    """Of how many, the share and its interval, beside the count in a column of this code."""
    needs = (counted, "of")
    return (
        Column("of", "Of", "count"),
        Column("percent", "Share", "number", "%", 1, computed_from=needs),
        *interval_columns(1, "%", needs),
    )


def share_values(inside: int, total: int) -> tuple[int, float | None, float | None, float | None]:
    """The values of `share_columns`: a share of patients, with Wilson's interval."""
    found = wilson_interval(inside, total)
    low, high = (None, None) if found is None else (100 * end for end in found)
    return total, 100 * inside / total if total else None, low, high
