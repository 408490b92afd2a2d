"""A town with a running campaign, and people of every role."""

from tests.http.reports.conftest import people, town

__all__ = ["people", "town"]
