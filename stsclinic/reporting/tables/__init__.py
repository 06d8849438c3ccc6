"""The report as readable tables, in the order in which it is read.

Page, PDF, CSV, XLSX and JSON render these same tables. Rows hold raw values (codes, numbers, dates,
None); a column says how its values read, and cell_text() writes one as people read it.
"""

from stsclinic.reporting.injected import Injected
from stsclinic.reporting.summary import Report
from stsclinic.reporting.tables.characteristics import characteristics_table, earlier_table
from stsclinic.reporting.tables.cohort import cohort_tables
from stsclinic.reporting.tables.controlled import controlled_tables
from stsclinic.reporting.tables.doses import dose_tables
from stsclinic.reporting.tables.flow import flow_tables
from stsclinic.reporting.tables.lists import list_tables
from stsclinic.reporting.tables.remission import remission_tables
from stsclinic.reporting.tables.scores import score_tables
from stsclinic.reporting.tables.side_effects import side_effect_tables
from stsclinic.reporting.tables.subjects import subjects_table
from stsclinic.reporting.tables.summary import summary_tables
from stsclinic.reporting.tables.table import (
    HIDDEN,
    NOTHING,
    SECTION,
    Column,
    Share,
    Spread,
    Table,
    cell_text,
    in_numbers,
)

__all__ = [
    "HIDDEN",
    "NOTHING",
    "SECTION",
    "Column",
    "Share",
    "Spread",
    "Table",
    "cell_text",
    "in_numbers",
    "tables",
]


def tables(report: Report) -> list[Table]:
    """All tables of a report. What the report does not know (a closed allocation) has no table or column."""
    injected = Injected(report.chosen)
    found = [
        *summary_tables(report),
        *flow_tables(report),
        *cohort_tables(report),
        characteristics_table(report, injected),
        *filter(None, [earlier_table(report), subjects_table(report)]),
        *score_tables(report),
        *remission_tables(report),
        *dose_tables(report, injected),
        *side_effect_tables(report, injected),
        *controlled_tables(report),
        *list_tables(report),
    ]
    order = list(SECTION)
    return sorted(found, key=lambda table: order.index(table.section))
