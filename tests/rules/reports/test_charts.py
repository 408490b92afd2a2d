"""The geometry of the drawings."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.reports.charts import (
    COLUMNS_HEIGHT,
    FLOW_WIDTH,
    Scale,
    columns,
    percent,
    scale_for,
    share,
    stack,
    streams,
)


@pytest.mark.parametrize(
    ("part", "whole", "width"),
    [(1, 4, "25%"), (1, 3, "33.33%"), (0, 5, "0%"), (7, 5, "100%"), (3, None, "0%"), (0, 0, "0%")],
)
def test_a_share_of_the_width_stays_inside(part: int, whole: int | None, width: str) -> None:
    assert share(part, whole) == width


def test_negative_places_do_not_leave_the_drawing() -> None:
    assert percent(Fraction(-3)) == "0%"


@pytest.mark.parametrize(
    ("lows", "low"), [([], 0), (["83.82", "87.25"], 80), (["80.00"], 80), (["4.10"], 0), (["100.00"], 90)]
)
def test_a_scale_begins_at_the_full_ten_below(lows: list[str], low: int) -> None:
    assert scale_for(lows) == Scale(low)


def test_a_score_is_a_dot_on_its_interval() -> None:
    whisker = Scale(80).whisker("90.00", ["85.00", "95.00"])
    assert (whisker.low, whisker.dot, whisker.high) == ("25%", "50%", "75%")
    assert [tick.label for tick in Scale(50).ticks] == ["50", "75", "100"]
    assert [tick.x for tick in Scale(50).ticks] == ["0%", "50%", "100%"]


def test_without_an_interval_there_is_only_the_dot() -> None:
    whisker = Scale(0).whisker("40.00", None)
    assert (whisker.has_interval, whisker.dot) == (False, "40%")


def test_few_columns_leave_the_rest_of_the_width_free() -> None:
    [column] = columns([("11月22日", 5)])
    assert float(column.width.rstrip("%")) < 15
    assert (column.height, column.y, column.value) == (COLUMNS_HEIGHT, 0, 5)


@given(st.lists(st.integers(-3, 10_000), max_size=40))
def test_columns_stay_inside_the_drawing(values: list[int]) -> None:
    for column in columns([("", value) for value in values]):
        assert 0 <= column.height <= COLUMNS_HEIGHT
        assert column.y + column.height == COLUMNS_HEIGHT
        assert float(column.x.rstrip("%")) + float(column.width.rstrip("%")) <= 100.01


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=6))
def test_the_parts_of_a_bar_fill_it(numbers: list[int]) -> None:
    parts = stack([(str(number), number) for number in numbers])
    filled = sum(float(part.width.rstrip("%")) for part in parts)
    assert filled == pytest.approx(100 if sum(numbers) else 0, abs=0.05)
    assert [part.tone for part in parts] == list(range(1, len(numbers) + 1))


def test_streams_lead_from_part_to_part() -> None:
    """Two of the first part stay and one falls; the only one of the second rises; a newcomer joins it."""
    found = streams(2, {(0, 0): 2, (0, 1): 1, (1, 0): 1, (-1, 1): 4})
    assert [(one.step, one.number) for one in found] == [(0, 2), (-1, 1), (1, 1)]
    assert found[0].points == "0.0,0 500.0,0 250.0,100 0.0,100"
    assert found[1].points == "500.0,0 750.0,0 1000.0,100 875.0,100"


@given(st.dictionaries(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), st.integers(0, 50)))
def test_streams_stay_inside_the_drawing(flows: dict[tuple[int, int], int]) -> None:
    for one in streams(4, flows):
        places = [float(point.split(",")[0]) for point in one.points.split()]
        assert all(0 <= place <= FLOW_WIDTH for place in places)
        assert places[0] < places[1]
