"""The pages of the staff, one module for each part of the work."""

from survey_service.reports.pages import (
    account_imports,
    accounts,
    anomalies,
    audit,
    campaigns,
    clear_letters,
    entrances,
    opinions,
    organizations,
    questionnaires,
    rating_outlook,
    rating_sheets,
    rating_work,
    ratings,
    results,
    second_factor,
    session,
)
from survey_service.reports.pages.frame import pages

__all__ = [
    "account_imports",
    "accounts",
    "anomalies",
    "audit",
    "campaigns",
    "clear_letters",
    "entrances",
    "opinions",
    "organizations",
    "pages",
    "questionnaires",
    "rating_outlook",
    "rating_sheets",
    "rating_work",
    "ratings",
    "results",
    "second_factor",
    "session",
]
