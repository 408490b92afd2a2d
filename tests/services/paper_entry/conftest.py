"""A town office with people who key paper, and piles of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import Database
from survey_service.core.permissions import Identity
from survey_service.entrances.service import IssuedCode
from survey_service.paper_entry.closing import close_batch
from survey_service.paper_entry.keying import (
    confirm_settlement,
    finish_keying,
    key_lines,
    settle_differences,
)
from survey_service.paper_entry.rules import Keying, ListKind
from survey_service.paper_entry.service import BatchView, open_batch, read_batch
from tests.factories.campaigns import NOW, World
from tests.services.anomalies.conftest import add_town_person


@dataclass
class Desk:
    """Three people of a town, and what they do with the paper of the first village."""

    world: World
    people: Sequence[Identity]

    @property
    def database(self) -> Database:
        database: Database = self.world.app.extensions["database"]
        return database

    def do(self, act: Any, **arguments: Any) -> Any:
        """Do something to a batch in a unit of work of its own."""
        with self.world.app.app_context(), self.database.unit_of_work() as session:
            return act(session, campaign_id=self.world.campaign_id, **arguments)

    def open(self, mode: Mode = Mode.PAPER, *, issued: int = 30, now: datetime = NOW, **changes: Any) -> int:
        place = {
            "staff": self.people[0],
            "organization_code": self.world.village_codes[0],
            "rater_class": RaterClass.VILLAGER,
        }
        batch = self.do(open_batch, mode=mode, issued=issued, now=now, **place | changes)
        return int(batch.id)

    def key(
        self, batch: int, kind: ListKind, look: int, lines: Sequence[str], *, by: int, first: int = 1
    ) -> None:
        self.do(
            key_lines,
            staff=self.people[by],
            keyring=self.world.keyring,
            batch_id=batch,
            kind=kind,
            keying=Keying(look),
            lines=lines,
            first=first,
        )

    def finish(self, batch: int, kind: ListKind, look: int, *, by: int) -> None:
        self.do(finish_keying, staff=self.people[by], batch_id=batch, kind=kind, keying=Keying(look))

    def key_twice(
        self,
        batch: int,
        kind: ListKind,
        lines: Sequence[str],
        *,
        second: Sequence[str] | None = None,
        first: int = 1,
    ) -> None:
        """Let the first two people key a list each, and finish."""
        for look, typed in ((1, lines), (2, lines if second is None else second)):
            self.key(batch, kind, look, typed, by=look - 1, first=first)
            self.finish(batch, kind, look, by=look - 1)

    def settle(self, batch: int, kind: ListKind, *, by: int, **found: Any) -> None:
        self.do(
            settle_differences,
            staff=self.people[by],
            keyring=self.world.keyring,
            batch_id=batch,
            kind=kind,
            **found,
        )

    def confirm(self, batch: int, kind: ListKind, *, by: int) -> None:
        self.do(confirm_settlement, staff=self.people[by], batch_id=batch, kind=kind)

    def close(self, batch: int, *, now: datetime = NOW) -> Any:
        closed = self.do(
            close_batch, staff=self.people[0], keyring=self.world.keyring, batch_id=batch, now=now
        )
        self.world.drain()
        return closed

    def read(self, batch: int) -> BatchView:
        with self.world.app.app_context(), self.database.reading() as session:
            return read_batch(session, campaign_id=self.world.campaign_id, batch_id=batch)

    def pile(self, number: int, *, rater_class: RaterClass = RaterClass.VILLAGER) -> list[str]:
        """Return the codes on as many stubs."""
        return [one.code for one in self.issue(number, rater_class=rater_class)]

    def issue(self, number: int, **changes: Any) -> list[IssuedCode]:
        return self.world.issue(count=number, **changes)

    def count(self, codes: Sequence[str], lines: Sequence[str], *, issued: int = 30) -> Any:
        """Key a batch twice without a difference, and close it."""
        batch = self.open(issued=issued)
        self.key_twice(batch, ListKind.STUBS, codes)
        self.key_twice(batch, ListKind.BALLOTS, lines)
        return self.close(batch)


def open_desk(world: World) -> Desk:
    with world.app.extensions["database"].unit_of_work() as session:
        return Desk(world, [add_town_person(session, world, f"keyer{n}") for n in (1, 2, 3)])


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


@pytest.fixture
def committed_desk(committed_world: World) -> Desk:
    """With real commits: sealing needs them."""
    return open_desk(committed_world)
