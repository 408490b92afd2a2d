"""Revoke and reissue by serial: nobody learns who has voted, and nobody votes twice."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from survey_service.ballots.models import Participation
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound
from survey_service.entrances.batches import code_in_clear
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.rules import RevokedAs
from survey_service.entrances.slot_queries import CodeCounts, count_codes
from survey_service.entrances.slots import ChosenSlots, reissue_slots, revoke_slots
from survey_service.mass_evaluation.queries import list_scores
from tests.factories.campaigns import CLOSES_AT, NOW, OPENS_AT, World, start_campaign
from tests.services.entrances.test_making_codes import at_village, find

EARLY = OPENS_AT - timedelta(days=1)


def chosen(world: World, *serials: int, **changes: Any) -> ChosenSlots:
    given: dict[str, Any] = {"mode": Mode.HOUSEHOLD, "rater_class": RaterClass.VILLAGER}
    return ChosenSlots(world.village_codes[0], serials=serials, **given | changes)


def revoke(world: World, *serials: int, how: RevokedAs = RevokedAs.LOST, **changes: Any) -> int:
    given: dict[str, Any] = {"staff": world.staff, "now": NOW} | changes
    with unit_of_work() as session:
        return revoke_slots(
            session,
            campaign_id=world.campaign_id,
            chosen=chosen(world, *serials),
            revoked_as=how,
            **given,
        )


def reissue(world: World, *serials: int, **changes: Any) -> int:
    given: dict[str, Any] = {"staff": world.staff, "now": NOW} | changes
    with unit_of_work() as session:
        return reissue_slots(
            session,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            chosen=chosen(world, *serials),
            **given,
        )


def present_code(world: World, serial: int) -> str:
    with reading() as session:
        slot, batch = session.execute(
            select(Entrance, CodeBatch)
            .join(CodeBatch, CodeBatch.id == Entrance.batch_id)
            .where(Entrance.campaign_id == world.campaign_id, Entrance.serial == serial)
        ).one()
        return code_in_clear(world.keyring, batch, slot)


def counts(world: World) -> CodeCounts:
    with reading() as session:
        [found] = count_codes(session, campaign_id=world.campaign_id, within_path=world.staff.path)
    return found


def test_undelivered_letters_open_nothing(world: World) -> None:
    issued = world.issue(count=5)
    assert revoke(world, 2, 4, how=RevokedAs.UNDELIVERED, now=EARLY) == 2
    assert revoke(world, 4, 5, how=RevokedAs.LOST, now=EARLY) == 2
    found = counts(world)
    assert (found.made, found.undelivered, found.revoked, found.in_use, found.printed) == (5, 2, 1, 2, 2)
    for one in issued:
        if one.serial in {1, 3}:
            assert find(world, one.code)
        else:
            with pytest.raises(NotFound):
                find(world, one.code)


def test_nothing_is_undelivered_once_the_vote_has_begun(world: World) -> None:
    world.issue(count=2)
    with pytest.raises(Conflict, match="voting_has_begun"):
        revoke(world, 1, how=RevokedAs.UNDELIVERED, now=OPENS_AT)
    assert revoke(world, 1, how=RevokedAs.LOST) == 1


def test_reissue_changes_the_code_and_keeps_the_slot(world: World) -> None:
    old, kept = world.issue(count=2)
    before = world.open(old.code).entrance_id
    assert reissue(world, 1) == 1
    with pytest.raises(NotFound):
        find(world, old.code)
    fresh = present_code(world, 1)
    assert fresh != old.code
    assert world.open(fresh).entrance_id == before
    assert find(world, kept.code)
    assert (counts(world).reissued, counts(world).printed) == (1, 1)


def test_a_spent_slot_stays_spent(world: World) -> None:
    [old] = world.issue()
    world.cast(world.open(old.code))
    reissue(world, 1)
    with pytest.raises(Conflict, match="already_submitted"):
        world.cast(world.open(present_code(world, 1)))
    with reading() as session:
        found = session.scalars(
            select(Participation).where(Participation.campaign_id == world.campaign_id)
        ).all()
    assert len(found) == 1


def test_a_form_that_was_open_during_the_reissue_sends_nothing(world: World) -> None:
    [old] = world.issue()
    ticket = world.open(old.code)
    reissue(world, 1)
    with pytest.raises(NotFound, match="unknown_entrance"):
        world.cast(ticket)


def test_a_revoked_slot_opens_again_by_reissue(world: World) -> None:
    world.issue()
    revoke(world, 1, how=RevokedAs.UNDELIVERED, now=EARLY)
    reissue(world, 1)
    assert find(world, present_code(world, 1))
    assert (counts(world).undelivered, counts(world).in_use) == (0, 1)


@pytest.mark.parametrize("act", [revoke, reissue])
def test_spent_and_free_slots_look_the_same(world: World, act: Any) -> None:
    """No statement of either use case reads who has taken part, and both answer the same."""
    spent, _ = world.issue(count=2)
    world.cast(world.open(spent.code))
    statements: list[str] = []
    engine = world.app.extensions["database"].engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    answers = [act(world, 1), act(world, 2)]
    assert answers == [1, 1]
    assert not [one for one in statements if "participation" in one or "ballot" in one]


@pytest.mark.parametrize("act", [revoke, reissue])
def test_who_and_when_and_which(world: World, act: Any) -> None:
    world.issue(count=2)
    world.issue(Mode.PANEL, count=9)
    with pytest.raises(Forbidden):
        act(world, 1, staff=at_village(world))
    with pytest.raises(Invalid) as caught:
        act(world, 1, 3, 4)
    assert "3-4" in caught.value.errors["serials"][0]
    with pytest.raises(Conflict, match="wrong_state"):
        act(world, 1, now=CLOSES_AT + timedelta(seconds=1))
    other = start_campaign(world.app)
    with pytest.raises(Invalid):
        act(other, 1)
    assert (counts_of_households(world).revoked, counts_of_households(world).reissued) == (0, 0)


def counts_of_households(world: World) -> CodeCounts:
    with reading() as session:
        found = count_codes(session, campaign_id=world.campaign_id, within_path=world.staff.path)
    return next(one for one in found if one.mode is Mode.HOUSEHOLD)


def test_ballots_of_slots_that_were_revoked_later_void_nothing(world: World) -> None:
    world.vote(["satisfied"] * 6)
    revoke(world, 1, 2, 3, 4, 5, 6)
    world.drain()
    with reading() as session:
        figures = [score.figures for score in list_scores(session, world.campaign_id).values()]
    assert not any("more_than_issued" in one for one in figures)
