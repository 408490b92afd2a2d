"""Entrances: who may make them, how they are numbered, and that no one-time code is stored."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from survey_service.auditing.models import AuditEntry
from survey_service.ballots.service import withdraw_unused_campaign
from survey_service.campaigns.queries import list_subjects, lock_campaign, lock_subjects
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import close_campaign
from survey_service.core.db import Base, current_database, reading, unit_of_work
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound
from survey_service.entrances.codes import grouped
from survey_service.entrances.models import CodeBatch
from survey_service.entrances.queries import (
    first_posted,
    issued_by_subject,
    list_posted_elsewhere,
    open_entrance,
)
from survey_service.entrances.service import (
    MAX_CODES_PER_CALL,
    IssuedCode,
    create_entrances,
    create_preview,
    revoke_entrance,
)
from survey_service.organizations.models import Organization
from survey_service.tallies.queries import list_slices
from tests.factories.campaigns import CLOSES_AT, FORMULA, NOW, OPENS_AT, World, start_campaign
from tests.support.databases import wait_until_somebody_waits


def make(world: World, **changes: Any) -> list[IssuedCode]:
    """Make entrances for the first village."""
    given: dict[str, Any] = {
        "staff": world.staff,
        "organization_codes": world.village_codes[:1],
        "mode": Mode.HOUSEHOLD,
        "rater_class": RaterClass.VILLAGER,
        "now": NOW,
    }
    with unit_of_work() as session:
        return create_entrances(
            session, keyring=world.keyring, campaign_id=world.campaign_id, **given | changes
        )


def find(world: World, raw_code: str) -> tuple[int, Mode]:
    """Return campaign and mode behind a code."""
    with reading() as session:
        entrance = open_entrance(session, keyring=world.keyring, raw_code=raw_code, now=NOW)
    return entrance.campaign_id, entrance.mode


def revoke(world: World, code: str, **changes: Any) -> None:
    with unit_of_work() as session:
        given: dict[str, Any] = {"staff": world.staff, "now": NOW} | changes
        revoke_entrance(session, keyring=world.keyring, raw_code=code, **given)


def stored_values() -> str:
    """Return every value of every table as one text."""
    with reading() as session:
        rows = [row for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    values = [value for row in rows for value in row]
    return "\n".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in values)


def test_no_table_holds_a_one_time_code(world: World) -> None:
    issued = [*make(world, count=5), *make(world, mode=Mode.PANEL, idempotency_key="k")]
    everything = stored_values()
    for one in issued:
        for written in (one.code, one.code.lower(), grouped(one.code), one.code[:-1]):
            assert written not in everything


def test_a_posted_code_is_kept_since_it_hangs_on_a_wall(world: World) -> None:
    assert make(world, mode=Mode.OPEN)[0].code in stored_values()


def test_a_code_opens_its_own_campaign(world: World) -> None:
    other = start_campaign(world.app)
    for one in (world, other):
        assert find(one, make(one)[0].code) == (one.campaign_id, Mode.HOUSEHOLD)


def test_serials_go_on_by_subject_mode_and_class(world: World) -> None:
    first = make(world, count=2)
    second = make(world, count=2, organization_codes=world.village_codes)
    panel = make(world, mode=Mode.PANEL)
    assert [one.serial for one in (*first, *second, *panel)] == [1, 2, 3, 4, 1, 2, 1]
    assert [one.organization_code for one in second] == [
        code for code in world.village_codes for _ in range(2)
    ]
    assert len({one.code for one in (*first, *second, *panel)}) == 7


def test_posted_codes_have_a_place_and_no_serial(world: World) -> None:
    issued = make(world, mode=Mode.OPEN, count=2, place="村口")
    assert [(one.serial, one.place) for one in issued] == [(None, "村口")] * 2
    assert len({one.code for one in issued}) == 2


@pytest.mark.parametrize("mode", [Mode.HOUSEHOLD, Mode.OPEN])
def test_the_same_key_gives_the_same_batch(world: World, mode: Mode) -> None:
    first = make(world, mode=mode, count=3, idempotency_key="k")
    assert make(world, mode=mode, count=3, idempotency_key="k") == first
    assert make(world, mode=mode, count=3, idempotency_key="other") != first


def test_that_codes_were_shown_again_stands_in_the_audit_trail(world: World) -> None:
    for _ in range(2):
        make(world, idempotency_key="k")
    with reading() as session:
        acts = session.scalars(select(AuditEntry.after).where(AuditEntry.action == "entrances.create"))
        told = [json.loads(act or "").get("shown_again", False) for act in acts.all()[-2:]]
    assert sorted(told) == [False, True]


@pytest.mark.parametrize("change", [{"count": 2}, {"mode": Mode.PANEL}, {"place": "村口"}])
def test_a_key_is_not_used_for_something_else(world: World, change: dict[str, Any]) -> None:
    make(world, idempotency_key="k")
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        make(world, idempotency_key="k", **change)


def test_a_key_belongs_to_its_campaign(world: World) -> None:
    other = start_campaign(world.app)
    assert make(world, idempotency_key="k") != make(other, idempotency_key="k")


def test_what_was_handed_out_is_not_shown_again(world: World) -> None:
    make(world, idempotency_key="k")
    with unit_of_work() as session:
        session.scalars(select(CodeBatch)).one().wrapped_key = None
    with pytest.raises(Conflict, match="codes_handed_out"):
        make(world, idempotency_key="k")


def test_calls_at_the_same_time_share_no_serial(committed_world: World) -> None:
    world = committed_world

    def make_some(key: str | None) -> list[IssuedCode]:
        with world.app.app_context():
            return make(world, count=20, idempotency_key=key)

    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(make_some, [None, None, "k", "k"]))
    assert sorted(one.serial or 0 for batch in batches[:3] for one in batch) == list(range(1, 61))
    assert batches[2] == batches[3]


def test_who_makes_codes_and_who_changes_the_campaign_do_not_wait_for_each_other_in_a_ring(
    postgresql_committed_world: World,
) -> None:
    world = postgresql_committed_world

    def make_one() -> list[IssuedCode]:
        with world.app.app_context():
            return make(world)

    with world.app.app_context(), ThreadPoolExecutor(1) as other:
        with unit_of_work() as session:
            campaign = lock_campaign(session, world.campaign_id)
            making = other.submit(make_one)
            wait_until_somebody_waits(current_database())
            lock_subjects(
                session, campaign.id, [one.subject_id for one in list_subjects(session, campaign.id)]
            )
        assert len(making.result()) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rater_class": RaterClass.PARTY_MEMBER}, "rater_class"),
        ({"organization_codes": ["nowhere"]}, "organization_codes"),
        ({"mode": Mode.PAPER}, "mode"),
        ({"mode": Mode.OPEN_DEVICE}, "mode"),
        ({"count": MAX_CODES_PER_CALL + 1}, "count"),
    ],
)
def test_what_cannot_be_made_is_named(world: World, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(world, **changes)
    assert caught.value.errors.keys() == {field}


def test_a_neighbours_village_is_not_in_the_campaign(world: World) -> None:
    other = start_campaign(world.app)
    with pytest.raises(Invalid):
        make(world, organization_codes=other.village_codes)


def at_village(world: World) -> Any:
    """Return staff who belong to the first village itself."""
    with reading() as session:
        village = session.scalars(
            select(Organization).where(Organization.code == world.village_codes[0])
        ).one()
    return replace(world.staff, organization_id=village.id, path=village.path)


def test_the_rated_do_not_make_or_revoke_codes(world: World) -> None:
    for mode in (Mode.HOUSEHOLD, Mode.PANEL, Mode.OPEN):
        with pytest.raises(Forbidden):
            make(world, mode=mode, staff=at_village(world))
    [issued] = make(world)
    with pytest.raises(Forbidden):
        revoke(world, issued.code, staff=at_village(world))
    assert find(world, issued.code)


def test_codes_are_made_in_draft_and_while_open(world: World) -> None:
    draft = start_campaign(world.app, is_launched=False)
    assert make(draft)
    with pytest.raises(Conflict, match="wrong_state"):
        make(world, now=CLOSES_AT + timedelta(seconds=1))
    with unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW)
        withdraw_unused_campaign(session, campaign_id=draft.campaign_id, now=NOW)
    for one in (world, draft):
        with pytest.raises(Conflict, match="wrong_state"):
            make(one)


def test_a_revoked_code_is_unknown(world: World) -> None:
    kept, revoked = make(world, count=2)
    revoke(world, f" {grouped(revoked.code).lower()} ")
    for call in (find, revoke):
        with pytest.raises(NotFound, match="unknown_entrance"):
            call(world, revoked.code)
    assert find(world, kept.code)
    with reading() as session:
        assert [*issued_by_subject(session, campaign_id=world.campaign_id).values()] == [{Mode.HOUSEHOLD: 2}]


def test_a_code_that_was_revoked_before_the_vote_was_never_issued(world: World) -> None:
    _, returned = make(world, count=2)
    revoke(world, returned.code, now=OPENS_AT - timedelta(days=1))
    with reading() as session:
        assert [*issued_by_subject(session, campaign_id=world.campaign_id).values()] == [{Mode.HOUSEHOLD: 1}]


@pytest.mark.parametrize("code", ["", "x", "2222222222222", "0000000000000", "汤溪", "\0"])
def test_what_is_no_code_is_unknown(world: World, code: str) -> None:
    for call in (find, revoke):
        with pytest.raises(NotFound, match="unknown_entrance"):
            call(world, code)


def test_each_place_of_posting_counts_apart(world: World) -> None:
    wall, shop = make(world, mode=Mode.OPEN, place="公告栏") + make(world, mode=Mode.OPEN, place="小卖部")
    for code, device in ((wall.code, "a"), (wall.code, "b"), (shop.code, "c")):
        world.cast(world.open(code), device=device)
    world.drain()
    with reading() as session:
        slices = list(list_slices(session, world.campaign_id))
    assert sorted(row.returned for row in slices) == [1, 2]
    assert len({row.place_id for row in slices}) == 2


def test_a_preview_is_no_entrance_for_others(world: World) -> None:
    with unit_of_work() as session:
        preview = create_preview(
            session,
            staff=world.staff,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            organization_code=world.village_codes[0],
        )
    assert find(world, preview.code) == (world.campaign_id, Mode.OPEN)
    with reading() as session:
        others = list_posted_elsewhere(
            session, campaign_id=world.campaign_id, rater_class=RaterClass.VILLAGER
        )
        entrance = open_entrance(session, keyring=world.keyring, raw_code=preview.code, now=NOW)
        posted = first_posted(session, campaign_id=world.campaign_id, subject_id=entrance.subject_id)
    assert (others, posted, entrance.is_preview) == ([], None, True)


def test_the_wall_of_each_village_is_listed_once(world: World) -> None:
    first, second = make(world, mode=Mode.OPEN, count=2)
    other = make(world, mode=Mode.OPEN, organization_codes=world.village_codes[1:])[0]
    revoke(world, first.code)
    with reading() as session:
        listed = list_posted_elsewhere(
            session, campaign_id=world.campaign_id, rater_class=RaterClass.VILLAGER
        )
    assert listed == [(second.code, "第1村"), (other.code, "第2村")]


def test_household_codes_made_after_launch_change_nothing_that_was_frozen(world: World) -> None:
    given = FORMULA | {"mode_weights": {}}
    running = start_campaign(world.app, formula=given)
    with reading() as session:
        before = session.execute(select(Base.metadata.tables["campaign"])).all()
    make(running)
    with reading() as session:
        assert session.execute(select(Base.metadata.tables["campaign"])).all() == before
