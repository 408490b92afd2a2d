"""From two lists to ballots: what a closed batch leaves behind, and what it refuses to become."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from survey_service.ballots.models import Ballot, DirtyMark, Participation, Receipt
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import close_campaign
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.entrances.models import Entrance
from survey_service.paper_entry.models import PaperBatch, PaperLine, PaperStub
from survey_service.paper_entry.rules import BatchState, ListKind
from survey_service.paper_entry.service import discard_batch
from survey_service.tallies.models import TallyRow
from survey_service.tallies.service import find_difference
from tests.factories.campaigns import CLOSES_AT, NOW, OPENS_AT
from tests.services.paper_entry.conftest import Desk


def numbers(desk: Desk) -> dict[str, int]:
    with desk.database.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Participation, Ballot, Receipt, PaperStub, PaperLine)
        }


def tally(desk: Desk, mode: Mode = Mode.PAPER) -> Any:
    with desk.database.reading() as session:
        return session.scalars(
            select(TallyRow).where(TallyRow.campaign_id == desk.world.campaign_id, TallyRow.mode == mode)
        ).one()


def difference(desk: Desk) -> object:
    with desk.world.app.app_context(), desk.database.reading() as session:
        return find_difference(session, campaign_id=desk.world.campaign_id)


def test_a_batch_becomes_ballots_like_all_others(desk: Desk) -> None:
    batch = desk.count(desk.pile(6), ["1", "1", "2", "3", "9", "0"])
    assert (batch.state, batch.returned, batch.set_aside) == (BatchState.CLOSED, 6, 0)
    assert (batch.invalid, batch.blank, batch.partly_spoiled) == (1, 1, 0)
    assert numbers(desk) == {
        "participation": 6,
        "ballot": 6,
        "receipt": 6,
        "paper_stub": 0,
        "paper_line": 0,
    }, "the drafts are gone"
    row = tally(desk)
    assert (row.returned, row.valid, row.standing, row.invalid) == (6, 4, 4, 1)
    assert row.counts == (
        '{"overall":{"":1,"basically_satisfied":1,"dissatisfied":1,"satisfied":2,"spoiled":1}}'
    )
    assert difference(desk) is None


def test_a_code_spent_on_paper_cannot_be_spent_on_a_phone(desk: Desk) -> None:
    codes = desk.pile(5)
    desk.count(codes, ["1"] * 5)
    with pytest.raises(Conflict, match="already_submitted"):
        desk.world.cast(desk.world.open(codes[0]))


def test_a_stub_of_a_spent_code_takes_one_ballot_out_and_names_none(desk: Desk) -> None:
    codes = desk.pile(6)
    desk.world.cast(desk.world.open(codes[2]), {"overall": "dissatisfied"})
    batch = desk.count(codes, ["1"] * 6)
    assert (batch.returned, batch.set_aside) == (6, 1)
    assert tally(desk).returned == 5
    assert numbers(desk)["participation"] == numbers(desk)["ballot"] == 6
    assert difference(desk) is None


def test_which_ballot_is_taken_out_is_drawn_by_lot(desk: Desk) -> None:
    """All fifteen of one kind come by lot once in 78 million times."""
    codes = desk.pile(30)
    for code in codes[:15]:
        desk.world.cast(desk.world.open(code))
    desk.count(codes, ["1"] * 15 + ["3"] * 15)
    assert tally(desk).counts not in ('{"overall":{"satisfied":15}}', '{"overall":{"dissatisfied":15}}')


def test_the_keyer_is_told_nothing_of_spent_codes_before(desk: Desk) -> None:
    codes = desk.pile(5)
    for code in codes:
        desk.world.cast(desk.world.open(code))
    batch = desk.open()
    desk.key_twice(batch, ListKind.STUBS, codes)
    (stubs, _) = desk.read(batch).lists
    assert (stubs.is_ready, stubs.stub_differences) == (True, [])


def test_paper_of_few_is_not_counted_alone(desk: Desk) -> None:
    batch = desk.open()
    desk.key_twice(batch, ListKind.STUBS, desk.pile(4))
    desk.key_twice(batch, ListKind.BALLOTS, ["1"] * 4)
    with pytest.raises(Conflict, match="too_few_ballots"):
        desk.close(batch)
    assert numbers(desk)["participation"] == 0


def test_the_numbers_have_to_agree(desk: Desk) -> None:
    batch = desk.open()
    desk.key_twice(batch, ListKind.STUBS, desk.pile(6))
    desk.key_twice(batch, ListKind.BALLOTS, ["1"] * 5)
    with pytest.raises(Conflict, match="numbers_differ"):
        desk.close(batch)
    desk.settle(batch, ListKind.BALLOTS, by=2, lines={6: "0"})
    assert desk.close(batch).blank == 1, "who hands in a stub alone has abstained"


def test_a_batch_in_the_making_is_not_counted(desk: Desk) -> None:
    batch = desk.open()
    desk.key_twice(batch, ListKind.STUBS, desk.pile(5))
    desk.key(batch, ListKind.BALLOTS, 1, ["1"] * 5, by=0)
    with pytest.raises(Conflict, match="paper_differs"):
        desk.close(batch)


def test_more_returned_than_issued_is_counted_and_voids(desk: Desk) -> None:
    desk.count(desk.pile(6), ["1"] * 6, issued=5)
    with desk.database.reading() as session:
        status = session.execute(
            text("SELECT status FROM mass_score WHERE campaign_id = :id"), {"id": desk.world.campaign_id}
        ).scalar_one()
    assert status == "void"


def test_a_ballot_set_aside_was_returned_all_the_same(desk: Desk) -> None:
    codes = desk.pile(6)
    desk.world.cast(desk.world.open(codes[0]))
    desk.count(codes, ["1"] * 6, issued=5)
    with desk.database.reading() as session:
        statuses = session.scalars(text("SELECT status FROM mass_score")).all()
    assert "void" in statuses


def test_stubs_of_others_do_not_fit(desk: Desk) -> None:
    batch = desk.open()
    (other_village,) = desk.issue(1, village=1)
    (wall,) = desk.issue(1, mode=Mode.OPEN)
    own = desk.pile(1)[0]
    for code in (other_village.code, wall.code, "2222222222222", "nonsense"):
        with pytest.raises(Invalid) as refused:
            desk.key(batch, ListKind.STUBS, 1, [own, code], by=0)
        assert refused.value.errors == {"lines.1": ["请核对编号。不是这一批的票根请拿出来。"]}
    with pytest.raises(Invalid):
        desk.key(batch, ListKind.STUBS, 1, [own, own], by=0)
    desk.key(batch, ListKind.STUBS, 1, [f"http://localhost/s/{own.lower()}"], by=0)
    with pytest.raises(Invalid):
        desk.key(batch, ListKind.STUBS, 1, [own], by=0)


def test_stubs_of_another_class_do_not_fit(desk: Desk) -> None:
    batch = desk.open()
    own, other = (one.code for one in desk.issue(2))
    latest = select(func.max(Entrance.id)).scalar_subquery()
    with desk.database.unit_of_work() as session:
        session.execute(update(Entrance).where(Entrance.id == latest).values(rater_class="party_member"))
    with pytest.raises(Invalid):
        desk.key(batch, ListKind.STUBS, 1, [own, other], by=0)
    desk.key(batch, ListKind.STUBS, 1, [own], by=0)


def test_paper_is_counted_after_closing_until_sealing(desk: Desk) -> None:
    codes = desk.pile(5)
    desk.do(close_campaign, now=NOW)
    late = CLOSES_AT + timedelta(days=3)
    batch = desk.open(now=late)
    desk.key_twice(batch, ListKind.STUBS, codes)
    desk.key_twice(batch, ListKind.BALLOTS, ["1"] * 5)
    with desk.database.unit_of_work() as session:
        session.execute(text("UPDATE campaign SET frozen_at = opens_at"))
    with pytest.raises(Conflict, match="wrong_state"):
        desk.close(batch, now=late)
    with desk.database.unit_of_work() as session:
        session.execute(text("UPDATE campaign SET frozen_at = NULL"))
    assert desk.close(batch, now=late).returned == 5


def test_nobody_opens_a_batch_before_the_campaign_or_out_of_place(desk: Desk) -> None:
    with pytest.raises(Conflict, match="wrong_state"):
        desk.open(now=OPENS_AT - timedelta(hours=1))
    with pytest.raises(Invalid):
        desk.open(rater_class=RaterClass.VETERAN_CADRE)
    with pytest.raises(Invalid):
        desk.open(Mode.HOUSEHOLD)
    village = desk.people[0]
    with desk.database.reading() as session:
        path = session.scalar(
            text("SELECT path FROM organization WHERE code = :code"), {"code": desk.world.village_codes[0]}
        )
    inside = type(village)(village.id, village.name, village.role, village.organization_id, str(path))
    with pytest.raises(Forbidden):
        desk.open(staff=inside)


def test_a_discarded_batch_leaves_nothing_and_its_paper_can_be_keyed_anew(desk: Desk) -> None:
    codes, batch = desk.pile(5), desk.open()
    desk.key_twice(batch, ListKind.STUBS, codes)
    desk.do(discard_batch, staff=desk.people[0], batch_id=batch, reason="拿错了", now=NOW)
    assert set(numbers(desk).values()) == {0}
    with pytest.raises(Conflict, match="wrong_state"):
        desk.key(batch, ListKind.BALLOTS, 1, ["1"], by=0)
    assert desk.count(codes, ["1"] * 5).set_aside == 0


def test_the_database_keeps_what_was_counted(desk: Desk) -> None:
    batch = desk.count(desk.pile(5), ["1"] * 5)
    for statement in (
        "UPDATE paper_batch SET issued = 3 WHERE id = :id",
        "DELETE FROM paper_batch WHERE id = :id",
    ):
        with pytest.raises(DBAPIError), desk.database.unit_of_work() as session:
            session.execute(text(statement), {"id": batch.id})
    with desk.database.reading() as session:
        assert session.get_one(PaperBatch, batch.id).issued == 30


def test_ballots_have_marks_of_their_own(desk: Desk) -> None:
    """A rebuild rewrites the ballots that the marks name, so that nothing leads from them to the slots."""
    batch, codes = desk.open(), desk.pile(5)
    desk.key_twice(batch, ListKind.STUBS, codes)
    desk.key_twice(batch, ListKind.BALLOTS, ["1"] * 5)
    with desk.world.app.app_context(), desk.database.reading() as session:
        before = set(session.scalars(select(DirtyMark.ballot_id)))
    assert before == set()
    desk.world.app.extensions["dispatcher"].drain()
    desk.close(batch)
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DirtyMark)) == 0
