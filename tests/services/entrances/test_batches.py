"""How long codes can be shown: until they are handed out, a week at most, never after the campaign."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import Mode, RaterClass, State
from survey_service.campaigns.service import close_campaign
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Forbidden, Gone, Invalid
from survey_service.entrances import issuing
from survey_service.entrances.batches import destroy_due_keys, hand_out, has_due_keys
from survey_service.entrances.issuing import Households, IssuedHouseholds, issue_household_codes
from survey_service.entrances.models import CodeBatch, Entrance, HouseholdGroup
from survey_service.entrances.queries import open_entrance
from survey_service.entrances.rules import KEY_LIFETIME
from survey_service.entrances.slot_queries import count_codes, list_serials
from tests.factories.campaigns import CLOSES_AT, NOW, World, start_campaign
from tests.services.entrances.test_making_codes import at_village, make

WEEK = KEY_LIFETIME


def issue(world: World, *households: Households, **changes: Any) -> IssuedHouseholds:
    given: dict[str, Any] = {"staff": world.staff, "keyring": world.keyring, "now": NOW} | changes
    with unit_of_work() as session:
        return issue_household_codes(session, campaign_id=world.campaign_id, households=households, **given)


def batches(world: World) -> list[CodeBatch]:
    with reading() as session:
        return list(
            session.scalars(
                select(CodeBatch).where(CodeBatch.campaign_id == world.campaign_id).order_by(CodeBatch.id)
            )
        )


def keys(world: World) -> list[bool]:
    """Return for each batch whether its codes can still be shown."""
    return [batch.wrapped_key is not None for batch in batches(world)]


def sweep(now: datetime) -> None:
    with unit_of_work() as session:
        destroy_due_keys(session, now=now)


def test_each_subject_has_a_batch_with_a_key_of_its_own(world: World) -> None:
    make(world, organization_codes=world.village_codes, count=2)
    first, second = batches(world)
    assert first.subject_id != second.subject_id
    assert (first.mode, first.rater_class) == (Mode.HOUSEHOLD, RaterClass.VILLAGER)
    with unit_of_work() as session:
        hand_out(session, [session.get_one(CodeBatch, first.id)], NOW)
    assert keys(world) == [False, True]


def test_the_days_of_a_key_begin_when_its_codes_are_shown(world: World) -> None:
    make(world, are_shown=False)
    shown_later = NOW + timedelta(days=3)
    sweep(NOW + WEEK)
    assert keys(world) == [True]
    make(world, idempotency_key="k", are_shown=False)
    make(world, idempotency_key="k", now=shown_later)
    closing_later(world)
    sweep(NOW + timedelta(days=3) + WEEK)
    assert keys(world) == [True, True]
    sweep(NOW + timedelta(days=3, seconds=1) + WEEK)
    assert keys(world) == [True, False]
    with pytest.raises(Conflict, match="codes_handed_out"):
        make(world, idempotency_key="k", now=NOW)


def closing_later(world: World) -> None:
    """Let the campaign go on for a month."""
    with unit_of_work() as session:
        session.get_one(Campaign, world.campaign_id).closes_at += timedelta(days=30)


def test_unspent_codes_die_with_their_campaign(world: World) -> None:
    other = start_campaign(world.app)
    make(other)
    [issued] = make(world, are_shown=False)
    with unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW)
    sweep(NOW)
    assert (keys(world), keys(other)) == ([False], [True])
    with reading() as session:
        later = NOW + timedelta(seconds=1)
        opened = open_entrance(session, keyring=world.keyring, raw_code=issued.code, now=later)
    assert opened.state is State.CLOSED
    with pytest.raises(Gone):
        world.cast(world.open(issued.code, now=later), now=later)
    sweep(CLOSES_AT + timedelta(seconds=1))
    assert keys(other) == [False]


def test_a_sweep_without_work_writes_nothing(world: World) -> None:
    make(world)
    with reading() as session:
        assert not has_due_keys(session, now=NOW)


def test_no_batch_is_handed_out_with_its_key(world: World) -> None:
    make(world)
    with pytest.raises(IntegrityError), unit_of_work() as session:
        session.execute(update(CodeBatch).values(handed_out_at=NOW))


def test_households_are_numbered_by_group(world: World) -> None:
    first, second = world.village_codes
    issued = issue(
        world,
        Households(first, 2, "一组"),
        Households(second, 1, "东组"),
        Households(first, 3, "二组"),
        Households(first, 1),
    )
    assert issued == IssuedHouseholds(codes=7, organizations=2)
    with reading() as session:
        rows = list(
            list_serials(
                session, campaign_id=world.campaign_id, within_path=world.staff.path, mode=Mode.HOUSEHOLD
            )
        )
    found = [(row.organization_code, row.serial, row.group) for row in rows]
    assert found == [
        (first, 1, "一组"),
        (first, 2, "一组"),
        (first, 3, "二组"),
        (first, 4, "二组"),
        (first, 5, "二组"),
        (first, 6, ""),
        (second, 1, "东组"),
    ]


def test_later_households_follow_the_earlier_ones(world: World) -> None:
    code = world.village_codes[0]
    make(world, count=2)
    issue(world, Households(code, 2, "三组"))
    with reading() as session:
        [group] = session.scalars(
            select(HouseholdGroup).where(HouseholdGroup.campaign_id == world.campaign_id)
        )
    assert (group.name, group.first_serial, group.last_serial) == ("三组", 3, 4)


def test_the_same_key_issues_once(world: World) -> None:
    wanted = Households(world.village_codes[0], 3)
    for _ in range(2):
        assert issue(world, wanted, idempotency_key="k").codes == 3
    with reading() as session:
        slots = session.scalars(select(Entrance.serial).where(Entrance.campaign_id == world.campaign_id))
        assert sorted(slots) == [1, 2, 3]
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        issue(world, Households(world.village_codes[0], 4), idempotency_key="k")


def test_bulk_codes_open_the_form_like_any_other(world: World) -> None:
    """The rows that are written past the ORM are those that it would write."""
    issue(world, Households(world.village_codes[0], 1))
    make(world)
    with reading() as session:
        bulk, single = session.execute(
            select(
                Entrance.mode,
                Entrance.rater_class,
                Entrance.issue,
                Entrance.place,
                Entrance.is_preview,
                Entrance.revoked_at,
                Entrance.code,
            )
            .where(Entrance.campaign_id == world.campaign_id)
            .order_by(Entrance.serial)
        ).all()
    assert bulk == single


def test_who_may_not_issue_and_what_cannot_be_issued(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = world.village_codes[0]
    with pytest.raises(Forbidden):
        issue(world, Households(code, 1), staff=at_village(world))
    with pytest.raises(Invalid):
        issue(world, Households("nowhere", 1))
    with pytest.raises(Conflict, match="wrong_state"):
        issue(world, Households(code, 1), now=CLOSES_AT + timedelta(seconds=1))
    monkeypatch.setattr(issuing, "MAX_HOUSEHOLDS_PER_SUBJECT", 2)
    with pytest.raises(Invalid):
        issue(world, Households(code, 2), Households(code, 1))
    assert keys(world) == []


def test_what_became_of_the_codes_is_counted(world: World) -> None:
    code = world.village_codes[0]
    make(world, count=3)
    issue(world, Households(code, 4))
    with unit_of_work() as session:
        batch = session.get_one(CodeBatch, batches(world)[0].id)
        hand_out(session, [batch], NOW)
    with reading() as session:
        [counts] = count_codes(session, campaign_id=world.campaign_id, within_path=world.staff.path)
    numbers = (counts.made, counts.printed, counts.handed_out, counts.printable, counts.in_use)
    assert numbers == (7, 3, 3, 4, 7)


def test_slots_are_stored_in_the_order_of_their_serials(world: World) -> None:
    """The intake tells codes that come one after another by the ids of their slots."""
    world.issue(Mode.HOUSEHOLD, count=40)
    with reading() as session:
        serials = session.scalars(select(Entrance.serial).where(Entrance.serial > 0).order_by(Entrance.id))
        assert serials.all() == list(range(1, 41))
