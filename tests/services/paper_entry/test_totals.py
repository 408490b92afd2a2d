"""Meeting totals: from a sheet of strokes to the score of golden example 1, sealed with everything else."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from survey_service.campaigns.rules import Mode
from survey_service.checking import check_everything
from survey_service.core.db import Database
from survey_service.core.errors import Conflict, Invalid
from survey_service.paper_entry.models import PaperLine
from survey_service.paper_entry.rules import ListKind
from survey_service.paper_entry.service import discard_batch
from survey_service.sealing.queries import get_snapshot, list_published
from survey_service.sealing.schemas import write_bulletin
from survey_service.sealing.verify_bulletin import verify
from tests.factories.campaigns import NOW
from tests.oracle.recount import recount
from tests.services.paper_entry.conftest import Desk
from tests.services.sealing.steps import CLOSED_AT, close, document, rows, seal

GOLDEN_1 = ["28", "20,4,1,2,0,1"]


def count(desk: Desk, lines: list[str] = GOLDEN_1, *, issued: int = 30) -> int:
    batch = desk.open(Mode.PAPER_TOTAL, issued=issued)
    desk.key_twice(batch, ListKind.TOTALS, lines, first=0)
    desk.close(batch)
    return batch


def figures(desk: Desk) -> dict[str, Any]:
    statement = "SELECT figures FROM mass_score WHERE campaign_id = :campaign ORDER BY subject_id LIMIT 1"
    found: dict[str, Any] = json.loads(rows(desk.world, statement)[0][0])
    return found


def test_golden_example_1_counted_by_hand(desk: Desk) -> None:
    count(desk)
    found = figures(desk)
    assert (found["score"], found["satisfaction_rate"]) == ("94.20", "96.00")
    assert (found["returned"], found["valid"]) == (28, 25)
    assert found["by_mode"]["paper_total"] == found["by_mode"]["paper_total"] | {"returned": 28, "n": 25}
    (row,) = rows(
        desk.world,
        "SELECT returned, valid, standing, invalid FROM tally_slice WHERE campaign_id = :campaign",
    )
    assert row == (28, 25, 25, 1)


def test_the_tally_is_what_the_oracle_counts(desk: Desk) -> None:
    count(desk)
    count(desk, ["10", "5,5,0,0,0,0"])
    with desk.database.reading() as session:
        counted = recount(session.connection(), desk.world.campaign_id)
    (stored,) = rows(desk.world, "SELECT counts FROM tally_slice WHERE campaign_id = :campaign")
    (by_hand,) = counted.values()
    assert json.loads(stored[0])["overall"] == {key: number for key, number in by_hand.items() if number}


def test_meetings_stand_beside_ballots(committed_desk: Desk) -> None:
    desk = committed_desk
    desk.world.vote(["satisfied"] * 6)
    count(desk)
    assert figures(desk)["returned"] == 34
    with desk.world.app.app_context():
        assert check_everything(is_thorough=True) == []


def test_a_changed_input_is_found(committed_desk: Desk) -> None:
    desk = committed_desk
    count(desk)
    with desk.database.unit_of_work() as session:
        session.execute(text("UPDATE tally_slice SET returned = 27 WHERE mode = 'paper_total'"))
    with desk.world.app.app_context():
        (line,) = check_everything(is_thorough=True)
    assert "paper_total" in line


def test_totals_that_do_not_add_up_are_not_counted(desk: Desk) -> None:
    with pytest.raises(Conflict, match="numbers_differ"):
        count(desk, ["27", "20,4,1,2,0,1"])
    with pytest.raises(Conflict, match="numbers_differ"):
        count(desk, ["28"])


def test_a_line_too_many_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid):
        count(desk, [*GOLDEN_1, "1,2,3,4,5,6"])


def test_more_hands_than_sheets_void(desk: Desk) -> None:
    count(desk, issued=27)
    assert (figures(desk)["status"], figures(desk)["reason"]) == ("void", "more_than_issued")


def test_the_database_keeps_the_totals(desk: Desk) -> None:
    count(desk)
    for statement in ("UPDATE paper_total SET number = 0", "DELETE FROM paper_total"):
        with pytest.raises(DBAPIError), desk.database.unit_of_work() as session:
            session.execute(text(statement))


@pytest.fixture
def committing_database(sqlite_database: Database) -> Database:
    """What is sealed is the same on both engines; `tests/services/sealing` looks at these."""
    return sqlite_database


def test_sealing_waits_for_open_paper(committed_desk: Desk) -> None:
    batch = committed_desk.open()
    committed_desk.key(batch, ListKind.BALLOTS, 1, ["1"], by=0)
    close(committed_desk.world)
    with pytest.raises(Conflict, match="paper_is_open"):
        seal(committed_desk.world)
    staff = committed_desk.people[0]
    committed_desk.do(discard_batch, staff=staff, batch_id=batch, reason="没有收齐", now=CLOSED_AT)
    seal(committed_desk.world)
    with committed_desk.database.reading() as session:
        assert session.query(PaperLine).count() == 0


def test_paper_is_sealed_and_published_with_all_others(committed_desk: Desk) -> None:
    desk = committed_desk
    desk.world.vote(["satisfied"] * 6)
    desk.count(desk.pile(6), ["1", "1", "9", "3", "2", "0"])
    count(desk)
    close(desk.world)
    seal(desk.world)
    with desk.world.app.app_context():
        assert check_everything(is_thorough=True) == []
    snapshot = json.loads(document(desk.world))
    subject = snapshot["subjects"][0]
    assert subject["ballots"] == {"count": 12, "excluded": 0, "invalid": 1, "weightless": 0, "totals": 28}
    assert subject["issued"] == {"household": 12, "paper": 30, "paper_total": 30}
    assert subject["figures"]["returned"] == 40
    with desk.database.reading() as session:
        bulletin = json.loads(
            "".join(
                write_bulletin(
                    formula_hash=snapshot["head"]["formula_hash"],
                    snapshot_digest=get_snapshot(session, desk.world.campaign_id).digest,
                    lists=list_published(session, desk.world.campaign_id),
                )
            )
        )
    assert [(one["count"], one["totals"]) for one in bulletin["items"]] == [(12, 28)]
    verify(bulletin, snapshot)


def test_a_meeting_alone_is_published_without_receipts(committed_desk: Desk) -> None:
    desk = committed_desk
    count(desk)
    close(desk.world, now=NOW)
    seal(desk.world)
    with desk.world.app.app_context():
        assert check_everything(is_thorough=True) == []
    with desk.database.reading() as session:
        (one,) = list_published(session, desk.world.campaign_id)
    assert (one.count, one.totals, one.listed) == (0, 28, [])
