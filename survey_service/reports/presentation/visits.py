"""Assisted visits as a page shows them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from survey_service.core.texts import text
from survey_service.organizations.models import Organization


@dataclass(frozen=True)
class VisitsPage:
    rules: Sequence[str]
    today: str
    stations: str
    error: str


@dataclass(frozen=True)
class StationChoice:
    code: str
    name: str
    is_chosen: bool


def visits_page(*, count: int, most: int, stations: Sequence[Organization], error: str) -> VisitsPage:
    names = "、".join(place.name for place in stations)
    return VisitsPage(
        rules=[text(f"visits.rule_{rule}") for rule in ("code", "lock", "look", "station")],
        today=text("visits.today", count=count, most=most),
        stations=text("visits.stations_yours", places=names) if stations else "",
        error=error,
    )


def station_choices(
    places: Sequence[Organization], stations: Collection[Organization]
) -> Sequence[StationChoice]:
    """Return the places at which somebody may be stationed."""
    chosen = {place.id for place in stations}
    return [StationChoice(place.code, place.name, place.id in chosen) for place in places]
