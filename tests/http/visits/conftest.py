"""A town with staff who go from house to house."""

from tests.http.reports.conftest import people, town

__all__ = ["people", "town"]
