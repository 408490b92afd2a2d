"""Working days: weekends, the holidays that the State Council announces, and the weekends worked for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class Deadline:
    """A day, and whether the holidays on the way to it are known."""

    day: date
    is_exact: bool


@dataclass(frozen=True)
class Year:
    """What one year's announcement says: free days, and weekends that are worked."""

    holidays: frozenset[date]
    workdays: frozenset[date]


@dataclass(frozen=True)
class WorkingDays:
    """A calendar; a year that it does not know has weekends and nothing else."""

    years: Mapping[int, Year] = field(default_factory=lambda: MappingProxyType({}))

    def knows(self, year: int) -> bool:
        return year in self.years

    def is_working(self, day: date) -> bool:
        """Tell whether offices work on a day."""
        year = self.years.get(day.year)
        if year is not None and day in year.holidays | year.workdays:
            return day in year.workdays
        return day.weekday() < _SATURDAY

    def after(self, start: date, days: int) -> Deadline:
        """Return the working day that is `days` working days after a day; 0 or less gives the day itself."""
        day, is_exact = start, self.knows(start.year)
        while days > 0:
            day += _DAY
            days -= self.is_working(day)
            is_exact = is_exact and self.knows(day.year)
        return Deadline(day, is_exact)

    def between(self, start: date, end: date) -> int:
        """Return how many working days lie after `start`, up to and including `end`."""
        days = range(max(0, (end - start).days))
        return sum(self.is_working(start + _DAY * (number + 1)) for number in days)

    def overridden_by(self, other: "WorkingDays") -> "WorkingDays":
        """Return a calendar in which the years of another stand in the place of one's own."""
        return WorkingDays(MappingProxyType({**self.years, **other.years}))


def read_calendar(plain: Mapping[str, Any]) -> WorkingDays:
    """Read `{"2026": {"holidays": […], "workdays": […]}}`; raises ValueError naming what is wrong.

    A holiday is a date or a span `[first, last]`.
    """
    years = {_read_year(name): _read_days(name, days) for name, days in plain.items()}
    return WorkingDays(MappingProxyType(years))


def _read_year(name: str) -> int:
    if not (name.isascii() and name.isdigit() and len(name) == 4):
        raise ValueError(f"{name} is no year")
    return int(name)


def _read_days(name: str, plain: Any) -> Year:
    if not isinstance(plain, dict) or plain.keys() - {"holidays", "workdays"}:
        raise ValueError(f"{name} holds something else than holidays and workdays")
    holidays = frozenset(day for entry in plain.get("holidays", []) for day in _read_span(name, entry))
    workdays = frozenset(day for entry in plain.get("workdays", []) for day in _read_span(name, entry))
    if strange := {day for day in holidays | workdays if day.year != int(name)}:
        raise ValueError(f"{name} holds {min(strange)}")
    if both := holidays & workdays:
        raise ValueError(f"{min(both)} is a holiday and a workday")
    return Year(holidays, workdays)


def _read_span(name: str, entry: Any) -> tuple[date, ...]:
    span = entry if isinstance(entry, list) else [entry, entry]
    if len(span) != 2 or not all(type(day) is date for day in span) or span[0] > span[1]:
        raise ValueError(f"{name} holds {entry!r}, which is no day and no span of days")
    return tuple(span[0] + _DAY * number for number in range((span[1] - span[0]).days + 1))
