"""Ballots of which the test knows everything, the end of their campaign, and what the tables hold then."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from survey_service.ballots.rules import BallotKeys, derive_keys
from survey_service.campaigns.rules import Mode
from survey_service.campaigns.service import close_campaign
from survey_service.core.db import Database, see_one_snapshot
from survey_service.core.events import take_events
from survey_service.sealing.queries import get_snapshot, read_document
from survey_service.sealing.running import seal_campaign
from tests.factories.campaigns import NOW, World

CLOSED_AT = NOW + timedelta(hours=1)
OPTIONS = ("satisfied", "basically_satisfied", "dissatisfied", "not_informed")


@dataclass(frozen=True)
class Known:
    """A ballot as only its voter knows it."""

    subject_id: int
    secret: str
    receipt: str
    remark: str

    def keys(self, world: World) -> BallotKeys:
        return derive_keys(
            campaign_id=world.campaign_id,
            subject_id=self.subject_id,
            secret=self.secret,
            text_items=("remark",),
        )


def database_of(world: World) -> Database:
    database: Database = world.app.extensions["database"]
    return database


def cast_known(world: World, number: int, *, village: int = 0, mode: Mode = Mode.HOUSEHOLD) -> list[Known]:
    """Cast ballots with remarks, one after another."""
    cast = []
    for position, issued in enumerate(world.issue(mode, village=village, count=number)):
        ticket, secret = world.open(issued.code), secrets.token_urlsafe(24)
        answers = {"overall": OPTIONS[position % 4], "remark": f"第{position}条意见"}
        device = secrets.token_hex(16) if mode is Mode.OPEN else None
        receipt = world.cast(ticket, answers, secret=secret, device=device).receipt
        cast.append(Known(ticket.subject_id, secret, receipt, answers["remark"]))
    return cast


def close(world: World, *, now: datetime = CLOSED_AT) -> None:
    """Close so that nobody hears of it: what no recount has seen is the hardest to seal."""
    with database_of(world).unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=now)
        take_events(session)


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


def column(world: World, name: str, table: str) -> list[Any]:
    """Return one column of a table's rows of the world's campaign, sorted."""
    return sorted(row[0] for row in rows(world, f"SELECT {name} FROM {table} WHERE campaign_id = :campaign"))


def count(world: World, table: str) -> int:
    number: int = rows(world, f"SELECT count(*) FROM {table} WHERE campaign_id = :campaign")[0][0]
    return number


def contents(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that sealing must keep: answers, texts and receipts without their ids."""
    columns = {
        "ballot": "subject_id, rater_class, mode, place_id, answers",
        "ballot_text": "subject_id, item, text",
        "receipt": "subject_id, receipt",
    }
    return {
        table: sorted(rows(world, f"SELECT {names} FROM {table} WHERE campaign_id = :campaign"))
        for table, names in columns.items()
    }
