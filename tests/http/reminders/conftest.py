"""A town with a running campaign, and people of every role."""

from tests.http.reports.conftest import elsewhere, people, town

__all__ = ["elsewhere", "people", "town"]
