"""The report's figures, each drawn from its tables, so that figure and table cannot differ.

What a table does not hold (a closed allocation, a hidden number, a list that is not shared) is not drawn.
"""

from collections.abc import Sequence

from stsclinic.drawing import Figure
from stsclinic.reporting.figures.flow import flow_figure, within_figure
from stsclinic.reporting.figures.how_sure import how_sure_figure
from stsclinic.reporting.figures.lanes import lanes_figure
from stsclinic.reporting.figures.remission import gone_figure, remission_figure
from stsclinic.reporting.figures.scores import scores_figure, sizes_figure, subjects_figure, waterfall_figure
from stsclinic.reporting.tables import Table

SECTION_OF = {
    "how-sure": "summary",
    "flow": "flow",
    "flow-within": "flow",
    "scores": "scores",
    "waterfall": "scores",
    "sizes": "scores",
    "remission": "remission",
    "time-to-gone": "remission",
    "side-effects": "side_effects",
    "subjects": "controlled",
}
"""The part of the report in which a figure stands, by its code."""


def figures(tables: Sequence[Table], lanes_from: int = 0) -> list[Figure]:
    """The figures of these tables, in the order in which they are read; those without data are left out.

    Args:
        lanes_from: a patient, counted from 0, of the part of the lanes that is drawn.
    """
    by_code = {table.code: table for table in tables}
    drawn = (
        how_sure_figure(by_code),
        flow_figure(by_code),
        within_figure(by_code),
        scores_figure(by_code),
        waterfall_figure(by_code),
        sizes_figure(by_code),
        remission_figure(by_code),
        gone_figure(by_code),
        lanes_figure(by_code, lanes_from),
        subjects_figure(by_code),
    )
    return [one for one in drawn if one is not None]
