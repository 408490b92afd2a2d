"""Events: facts in the past tense that a service reports and that are told on after the commit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_KEY = "events"


@dataclass(frozen=True)
class Event:
    """A fact; the fields of a subclass are the arguments of the jobs that follow it."""


def publish(session: "Session", event: Event) -> None:
    """Remember an event until the unit of work has been committed; a rollback forgets it."""
    session.info.setdefault(_KEY, []).append(event)


def take_events(session: "Session") -> list[Event]:
    """Return the remembered events and forget them."""
    events: list[Event] = session.info.pop(_KEY, [])
    return events
