"""Deadlines over weekends, holidays, worked weekends, and years that nobody has announced yet."""

from datetime import date
from pathlib import Path

import pytest

from survey_service.opinions.policy import load_calendar, read_days
from survey_service.opinions.rules import DEFAULT_DAYS, Category
from survey_service.opinions.working_days import Deadline, read_calendar

CALENDAR = load_calendar(None)
SATURDAY = 5


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 22), 3, date(2026, 11, 25)),
        (date(2026, 9, 18), 1, date(2026, 9, 20)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
    ],
)
def test_working_days_are_counted_over_holidays_and_worked_weekends(
    start: date, days: int, end: date
) -> None:
    assert CALENDAR.after(start, days) == Deadline(end, is_exact=True)
    assert CALENDAR.between(start, end) == days


@pytest.mark.parametrize(("year", "free"), [(2025, 28), (2026, 33)])
def test_the_shipped_years_are_those_of_the_notices(year: int, free: int) -> None:
    # 国办发明电〔2024〕12号: 1 + 8 + 3 + 5 + 3 + 8 days; 国办发明电〔2025〕7号: 3 + 9 + 3 + 5 + 3 + 3 + 7.
    announced = CALENDAR.years[year]
    assert len(announced.holidays) == free
    assert all(day.weekday() >= SATURDAY for day in announced.workdays)
    assert CALENDAR.between(date(year - 1, 12, 31), date(year, 12, 31)) == 248


def test_a_year_without_data_falls_back_to_weekends_and_says_so() -> None:
    assert CALENDAR.after(date(2026, 12, 31), 1) == Deadline(date(2027, 1, 1), is_exact=False)
    assert CALENDAR.after(date(2031, 10, 3), 1) == Deadline(date(2031, 10, 6), is_exact=False)


def test_a_file_of_the_installation_replaces_years(tmp_path: Path) -> None:
    own = tmp_path / "holidays.toml"
    own.write_text("[2027]\nholidays = [[2027-01-01, 2027-01-03]]\nworkdays = [2027-01-09]\n", "utf-8")
    calendar = load_calendar(own)
    assert calendar.after(date(2026, 12, 31), 1) == Deadline(date(2027, 1, 4), is_exact=True)
    assert calendar.is_working(date(2027, 1, 9))
    assert not calendar.is_working(date(2026, 10, 1))


@pytest.mark.parametrize(
    "plain",
    [
        {"next": {}},
        {"2027": {"holidays": [date(2026, 1, 1)]}},
        {"2027": {"holidays": ["2027-01-01"]}},
        {"2027": {"holidays": [[date(2027, 1, 3), date(2027, 1, 1)]]}},
        {"2027": {"holidays": [date(2027, 1, 2)], "workdays": [date(2027, 1, 2)]}},
        {"2027": {"weekends": []}},
        {"2027": []},
    ],
)
def test_a_file_that_says_something_else_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"2026|2027|next"):
        read_calendar(plain)


def test_the_days_of_a_category_are_configured() -> None:
    assert read_days("") == DEFAULT_DAYS
    assert read_days("enquiry=2, complaint = 10") == {
        **DEFAULT_DAYS,
        Category.ENQUIRY: 2,
        Category.COMPLAINT: 10,
    }


@pytest.mark.parametrize("written", ["enquiry", "enquiry=0", "wish=3", "enquiry=x", "enquiry=366"])
def test_days_that_are_none_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_days(written)
