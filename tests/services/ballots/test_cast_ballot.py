"""The table of `domain.md` section 7: spent or free credential, known or unknown secret."""

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from survey_service.ballots.models import Ballot, BallotText, DirtyMark, Participation, Receipt
from survey_service.campaigns.rules import Mode, Revote
from survey_service.campaigns.service import close_campaign
from survey_service.core.errors import Conflict, Gone, NotFound
from survey_service.entrances.service import revoke_entrance
from tests.factories.campaigns import CLOSES_AT, NOW, OPENS_AT, World, start_campaign

TABLES = (Participation, Ballot, BallotText, Receipt, DirtyMark)


def count_rows(world: World) -> dict[str, int]:
    with world.app.extensions["database"].reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in TABLES
        }


def test_free_credential_and_unknown_secret_stores_everything_once(world: World) -> None:
    (issued,) = world.issue()
    cast = world.cast(world.open(issued.code), {"overall": "satisfied", "remark": "路灯坏了"})
    assert cast.is_new
    assert len(cast.receipt) == 13
    assert set(count_rows(world).values()) == {1}


def test_spent_credential_and_known_secret_with_the_same_answers_gives_the_same_receipt(world: World) -> None:
    (issued,) = world.issue()
    ticket, secret = world.open(issued.code), secrets.token_urlsafe(24)
    first = world.cast(ticket, {"overall": "satisfied", "remark": "好"}, secret=secret)
    again = world.cast(ticket, {"overall": "satisfied", "remark": "好"}, secret=secret)
    assert (again.receipt, again.is_new) == (first.receipt, False)
    assert count_rows(world)["ballot"] == 1


def test_spent_credential_and_unknown_secret_is_already_submitted(world: World) -> None:
    (issued,) = world.issue()
    world.cast(world.open(issued.code))
    with pytest.raises(Conflict, match="already_submitted"):
        world.cast(world.open(issued.code))
    assert set(count_rows(world).values()) == {1, 0}


def test_free_credential_and_known_secret_spends_nothing(world: World) -> None:
    first, second = world.issue(count=2)
    secret = secrets.token_urlsafe(24)
    world.cast(world.open(first.code), secret=secret)
    with pytest.raises(Conflict, match="secret_in_use"):
        world.cast(world.open(second.code), secret=secret)
    assert count_rows(world)["participation"] == 1
    assert world.cast(world.open(second.code)).is_new


@pytest.mark.parametrize("other", [{"overall": "dissatisfied"}, {"overall": "satisfied", "remark": "改了"}])
def test_other_answers_are_refused_while_revoting_is_not_allowed(world: World, other: dict[str, str]) -> None:
    (issued,) = world.issue()
    ticket, secret = world.open(issued.code), secrets.token_urlsafe(24)
    world.cast(ticket, secret=secret)
    with pytest.raises(Conflict, match="different_answers"):
        world.cast(ticket, other, secret=secret)


def test_other_answers_replace_the_ballot_where_revoting_is_allowed(world: World) -> None:
    revoting = start_campaign(world.app, revote=Revote.UNTIL_CLOSE)
    (issued,) = revoting.issue()
    ticket, secret = revoting.open(issued.code), secrets.token_urlsafe(24)
    first = revoting.cast(ticket, {"overall": "satisfied", "remark": "旧"}, secret=secret)
    again = revoting.cast(ticket, {"overall": "dissatisfied"}, secret=secret)
    assert again.receipt == first.receipt
    with world.app.extensions["database"].reading() as session:
        assert session.scalars(select(Ballot.answers)).all() == ['{"overall":"dissatisfied"}']
    rows = count_rows(world)
    assert (rows["participation"], rows["ballot_text"], rows["dirty_mark"]) == (1, 0, 2)


def test_the_same_secret_in_another_campaign_yields_other_ids(world: World) -> None:
    other = start_campaign(world.app)
    secret = secrets.token_urlsafe(24)
    receipts = {one.cast(one.open(one.issue()[0].code), secret=secret).receipt for one in (world, other)}
    assert len(receipts) == 2


def test_devices_count_once_each_through_a_posted_code(world: World) -> None:
    (posted,) = world.issue(Mode.OPEN)
    ticket = world.open(posted.code)
    world.cast(ticket, device="aa")
    world.cast(ticket, device="bb")
    with pytest.raises(Conflict, match="already_submitted"):
        world.cast(ticket, device="aa")


def test_the_window_is_the_gate(world: World) -> None:
    (issued,) = world.issue()
    opened = world.open(issued.code, now=CLOSES_AT - timedelta(minutes=1))
    late = world.open(issued.code, now=CLOSES_AT + timedelta(minutes=1))
    with pytest.raises(Gone):
        world.cast(world.open(issued.code), now=OPENS_AT - timedelta(seconds=1))
    with pytest.raises(Gone):
        world.cast(late, now=CLOSES_AT + timedelta(minutes=2))
    with pytest.raises(Gone):
        world.cast(opened, now=CLOSES_AT + timedelta(hours=24, seconds=1))
    assert world.cast(opened, now=CLOSES_AT + timedelta(hours=23)).is_new


def test_closing_by_hand_shuts_pages_opened_afterwards_only(world: World) -> None:
    first, second = world.issue(count=2)
    before = world.open(first.code, now=NOW)
    with world.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW + timedelta(minutes=1))
    after = world.open(second.code, now=NOW + timedelta(minutes=2))
    assert world.cast(before, now=NOW + timedelta(minutes=3)).is_new
    with pytest.raises(Gone):
        world.cast(after, now=NOW + timedelta(minutes=3))


def test_a_revoked_entrance_takes_no_ballot_of_an_open_page(world: World) -> None:
    (issued,) = world.issue()
    ticket = world.open(issued.code)
    with world.app.extensions["database"].unit_of_work() as session:
        revoke_entrance(session, staff=world.staff, keyring=world.keyring, raw_code=issued.code, now=NOW)
    with pytest.raises(NotFound, match="unknown_entrance"):
        world.cast(ticket)


def test_a_draft_takes_no_ballots(world: World) -> None:
    draft = start_campaign(world.app, is_launched=False)
    (issued,) = draft.issue()
    with pytest.raises(Gone):
        draft.cast(draft.open(issued.code))


def test_rows_of_one_ballot_share_no_value(world: World) -> None:
    (issued,) = world.issue()
    world.cast(world.open(issued.code), {"overall": "satisfied", "remark": "好"})
    with world.app.extensions["database"].reading() as session:
        participation = session.scalars(select(Participation.digest)).one()
        ballot = session.scalars(select(Ballot.id)).one()
        words = session.scalars(select(BallotText.id)).one()
    assert len({participation, ballot, words}) == 3
