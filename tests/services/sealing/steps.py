"""What staff does to a campaign at its end, and what can be seen of it in the tables."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from survey_service.campaigns.service import close_campaign
from survey_service.core.db import Database, see_one_snapshot
from survey_service.sealing.queries import get_snapshot, read_document
from survey_service.sealing.running import seal_campaign
from tests.factories.campaigns import NOW, World

CLOSED_AT = NOW + timedelta(hours=1)


def database_of(world: World) -> Database:
    database: Database = world.app.extensions["database"]
    return database


def close(world: World, *, now: datetime = CLOSED_AT) -> None:
    with database_of(world).unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=now)


def seal(world: World) -> None:
    with world.app.app_context():
        seal_campaign(world.campaign_id, staff=world.staff)


def document(world: World, version: int | None = None) -> str:
    """Return the snapshot as it is handed out."""
    with database_of(world).reading() as session:
        see_one_snapshot(session)
        return "".join(read_document(session, get_snapshot(session, world.campaign_id, version)))


def rows(world: World, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement in which `:campaign` is the world's campaign."""
    with database_of(world).reading() as session:
        return [tuple(row) for row in session.execute(text(statement), {"campaign": world.campaign_id})]


def count(world: World, table: str) -> int:
    number: int = rows(world, f"SELECT count(*) FROM {table} WHERE campaign_id = :campaign")[0][0]
    return number
