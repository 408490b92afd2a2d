"""The people around a running campaign."""

from tests.http.campaigns.conftest import (
    auditor,
    county,
    everybody,
    neighbour,
    offices,
    secretary,
    stranger,
    town,
)

__all__ = ["auditor", "county", "everybody", "neighbour", "offices", "secretary", "stranger", "town"]
