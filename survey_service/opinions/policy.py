"""The deadlines of this installation: the shipped holidays, its own file beside them, and its days."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from flask import current_app

from survey_service.core.config import Settings
from survey_service.opinions.rules import DEFAULT_DAYS, Category, Policy
from survey_service.opinions.working_days import WorkingDays, read_calendar

_MOST_DAYS = 365


def load_policy(settings: Settings) -> Policy:
    """Read the holidays and the days of an installation; raises ValueError naming what is wrong."""
    return Policy(load_calendar(settings.holidays_file), read_days(settings.opinion_days))


def load_calendar(path: Path | None) -> WorkingDays:
    """Return the shipped holidays, and in their place the years of the installation's own file."""
    shipped = files("survey_service.opinions").joinpath("holidays.toml").read_text("utf-8")
    calendar = read_calendar(tomllib.loads(shipped))
    if path is None:
        return calendar
    return calendar.overridden_by(read_calendar(tomllib.loads(path.read_text("utf-8"))))


def read_days(written: str) -> Mapping[Category, int]:
    """Read `enquiry=3, complaint=10`; what is not named keeps its preset. Raises ValueError."""
    named = dict(_read_one(part) for part in written.split(",") if part.strip())
    return {**DEFAULT_DAYS, **named}


def _read_one(part: str) -> tuple[Category, int]:
    name, _, number = part.partition("=")
    days = int(number)
    if not 1 <= days <= _MOST_DAYS:
        raise ValueError(f"{part.strip()}: a deadline has 1 to {_MOST_DAYS} days")
    return Category(name.strip()), days


def current_policy() -> Policy:
    """Return the deadlines of the running application."""
    policy: Policy = current_app.extensions["opinion_policy"]
    return policy
