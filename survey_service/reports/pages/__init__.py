"""The pages of the staff, one module for each part of the work."""

from survey_service.reports.pages import campaigns, entrances, results, session
from survey_service.reports.pages.frame import pages

__all__ = ["campaigns", "entrances", "pages", "results", "session"]
