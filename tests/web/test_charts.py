"""The geometry of charts: where points land, what breaks a line, and that lines differ without colour."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stsclinic import charts
from stsclinic.charts import Line, line_chart, marker, ticks


def chart(*lines, **options):
    words = {"title": "Scores", "x_label": "Session", "y_label": "Score"} | options
    return line_chart(lines, **words)


def corners(d: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", d)]


def test_points_land_where_their_values_say():
    drawn = chart(Line("PtGA", [(1, 0), (2, 5), (3, 10)]), y_range=(0, 10))
    (low, middle, high) = corners(drawn.lines[0].d)
    assert low == (charts.LEFT + 16, charts.BOTTOM)
    assert middle == ((charts.LEFT + charts.RIGHT) / 2, (charts.TOP + charts.BOTTOM) / 2)
    assert high == (charts.RIGHT - 16, charts.TOP)


def test_positions_keep_the_distances_of_uneven_dates():
    drawn = chart(Line("PtGA", [(0, 7), (7, 5), (28, 3)]))
    first, second, third = (x for x, _ in corners(drawn.lines[0].d))
    assert (third - first) / (second - first) == pytest.approx(4, abs=0.01)


def test_points_are_drawn_in_the_order_of_x():
    there = chart(Line("PtGA", [(1, 7), (2, 5), (3, 4)]))
    back = chart(Line("PtGA", [(3, 4), (1, 7), (2, 5)]))
    assert there.lines[0].d == back.lines[0].d


def test_a_missing_value_breaks_the_line_and_has_no_mark():
    drawn = chart(Line("PtGA", [(1, 7), (2, 6), (3, None), (4, 5)]), y_range=(0, 10))
    assert re.sub(r"[^ML]", "", drawn.lines[0].d) == "MLM"
    assert [mark.title for mark in drawn.lines[0].marks] == ["PtGA, 1: 7", "PtGA, 2: 6", "PtGA, 4: 5"]


def test_a_single_point_stands_in_the_middle():
    drawn = chart(Line("PtGA", [(5, 7)]))
    assert corners(drawn.lines[0].d) == [
        ((charts.LEFT + charts.RIGHT) / 2, pytest.approx(charts.TOP, abs=70))
    ]
    assert len(drawn.lines[0].marks) == 1


def test_the_table_holds_every_number_that_is_drawn():
    drawn = chart(
        Line("PtGA", [(1, 7), (2, None)]),
        Line("PhGA", [(2, 4), (3, 2)]),
        x_words={1: "01-Nov", 2: "08-Nov", 3: "15-Nov"},
    )
    assert [column.label for column in drawn.table.columns] == ["Session", "PtGA", "PhGA"]
    assert drawn.table.rows == (("01-Nov", "7", ""), ("08-Nov", "", "4"), ("15-Nov", "", "2"))


def test_units_are_said_with_the_points():
    drawn = chart(Line("Volume", [(1, "0.55")]), unit="ml")
    assert drawn.lines[0].marks[0].title == "Volume, 1: 0.55 ml"
    assert drawn.table.columns[1].unit == "ml"


def test_every_line_has_its_own_marker():
    shapes = {marker(number, 0, 0) for number in range(1, charts.MOST_LINES + 1)}
    assert len(shapes) == charts.MOST_LINES


@pytest.mark.parametrize(
    ("lines", "options", "words"),
    [
        ([], {}, "one to 6 lines"),
        ([Line(str(n), [(1, 1)]) for n in range(7)], {}, "one to 6 lines"),
        ([Line("a", [(1, 11)])], {"y_range": (0, 10)}, "outside 0 to 10"),
        ([Line("a", [(1, 0)])], {"y_range": (1, 10)}, "outside 1 to 10"),
        ([Line("a", [(1, 3)])], {"y_range": (5, 5)}, "lower and a higher"),
    ],
)
def test_what_cannot_be_drawn_is_refused(lines, options, words):
    with pytest.raises(ValueError, match=words):
        chart(*lines, **options)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (1, 10, [2, 4, 6, 8, 10]),
        (0, 4, [0, 1, 2, 3, 4]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 900, [0, 200, 400, 600, 800]),
        (-100, 100, [-100, -50, 0, 50, 100]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == expected


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_on_the_axis_and_are_few(low, extent):
    high = low + extent
    found = ticks(low, high)
    assert 2 <= len(found) <= 6
    assert all(low - extent * 1e-3 <= tick <= high + extent * 1e-3 for tick in found)
    assert found == sorted(set(found))


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.none() | st.decimals(0, 40, places=2)),
        min_size=1,
        max_size=30,
        unique_by=lambda point: point[0],
    )
)
def test_every_recorded_point_has_a_mark_inside_the_plot(points):
    drawn = chart(Line("Volume", points), unit="ml")
    placed = corners(drawn.lines[0].d)
    assert len(placed) == len(drawn.lines[0].marks) == sum(y is not None for _, y in points)
    assert all(charts.LEFT <= x <= charts.RIGHT and charts.TOP <= y <= charts.BOTTOM for x, y in placed)
    assert len(drawn.table.rows) == len(points)


@given(st.integers(1, 60), st.integers(1, 14))
def test_words_under_the_axis_never_run_into_one_another(many, length):
    word = "w" * length
    drawn = chart(Line("PtGA", [(x, 5) for x in range(many)]), x_words={x: word for x in range(many)})
    worded = [float(tick.at) for tick in drawn.x_ticks if tick.label]
    assert len(drawn.x_ticks) == many
    assert worded
    room = length * charts.LABEL_UNITS_PER_CHARACTER
    assert all(later - earlier >= room for earlier, later in zip(worded, worded[1:], strict=False))
