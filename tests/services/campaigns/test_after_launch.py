"""Corrections, closing and withdrawing."""

from datetime import timedelta
from typing import Any

import pytest

from survey_service.campaigns.queries import list_corrections
from survey_service.campaigns.rules import State
from survey_service.core.db import reading
from survey_service.core.errors import Conflict, Invalid
from tests.factories.campaigns import CLOSES_AT, NOW, OPENS_AT, World
from tests.services.campaigns.steps import close, correct, create, launch, read, state_of, withdraw

LATER = CLOSES_AT + timedelta(days=3)


def corrections_of(campaign_id: int) -> list[tuple[str, str, str, str]]:
    with reading() as session:
        found = list_corrections(session, campaign_id)
    return [(one.field, one.before, one.after, one.reason) for one in found]


def test_typing_errors_are_corrected_and_kept(world: World) -> None:
    correct(world, world.campaign_id, title="2026年度评议", notice="新告知")
    correct(world, world.campaign_id, title="2026 年度评议", reason="还是不对")
    campaign = read(world.campaign_id)
    assert (campaign.title, campaign.notice) == ("2026 年度评议", "新告知")
    assert corrections_of(world.campaign_id) == [
        ("title", "2026年度测评", "2026年度评议", "写错了"),
        ("notice", "", "新告知", "写错了"),
        ("title", "2026年度评议", "2026 年度评议", "还是不对"),
    ]


def test_a_notice_can_be_emptied(world: World) -> None:
    correct(world, world.campaign_id, notice="告知")
    correct(world, world.campaign_id, notice="")
    assert read(world.campaign_id).notice == ""


def test_a_later_end_takes_the_grace_time_along(world: World) -> None:
    correct(world, world.campaign_id, closes_at=LATER)
    campaign = read(world.campaign_id)
    assert (campaign.closes_at, campaign.accepts_until) == (LATER, LATER + timedelta(hours=24))
    assert corrections_of(world.campaign_id) == [
        ("closes_at", "2026-11-28T01:00:00+00:00", "2026-12-01T01:00:00+00:00", "写错了")
    ]


def test_what_is_right_already_leaves_no_correction(world: World) -> None:
    correct(world, world.campaign_id, title=read(world.campaign_id).title, closes_at=CLOSES_AT)
    assert corrections_of(world.campaign_id) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "_"),
        ({"closes_at": NOW}, "closes_at"),
        ({"closes_at": OPENS_AT - timedelta(days=1)}, "closes_at"),
    ],
)
def test_corrections_that_mean_nothing_are_refused(world: World, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        correct(world, world.campaign_id, **changes)
    assert caught.value.errors.keys() == {field}


def test_a_scheduled_campaign_is_not_moved_before_its_beginning(world: World) -> None:
    campaign_id = create(world, opens_at=NOW + timedelta(days=1))
    launch(campaign_id)
    with pytest.raises(Invalid):
        correct(world, campaign_id, closes_at=NOW + timedelta(hours=12))


def test_nothing_else_can_be_corrected(world: World) -> None:
    with pytest.raises(Conflict, match="frozen") as caught:
        correct(world, world.campaign_id, title="新题", others=["formula", "opens_at"])
    assert caught.value.errors.keys() == {"formula", "opens_at"}
    assert read(world.campaign_id).title == "2026年度测评"


def test_a_draft_is_replaced_and_not_corrected(world: World) -> None:
    with pytest.raises(Conflict, match="wrong_state"):
        correct(world, create(world), title="新题")


def test_what_has_ended_is_frozen(world: World) -> None:
    with pytest.raises(Conflict, match="frozen"):
        correct(world, world.campaign_id, closes_at=LATER, now=CLOSES_AT + timedelta(seconds=1))
    close(world.campaign_id)
    with pytest.raises(Conflict, match="frozen"):
        correct(world, world.campaign_id, title="新题")


def test_closing_ends_the_window_now(world: World) -> None:
    close(world.campaign_id)
    campaign = read(world.campaign_id)
    assert campaign.window.state(NOW) is State.CLOSED
    assert (campaign.window.ends_at, campaign.accepts_until) == (NOW, NOW + timedelta(hours=24))


def test_closing_after_the_end_keeps_the_end(world: World) -> None:
    close(world.campaign_id, now=LATER)
    assert read(world.campaign_id).accepts_until == CLOSES_AT + timedelta(hours=24)


def test_each_transition_has_its_state(world: World) -> None:
    draft, withdrawn, closed = create(world), create(world), create(world)
    withdraw(withdrawn)
    launch(closed)
    close(closed)
    for step in (
        lambda: close(draft),
        lambda: close(withdrawn),
        lambda: close(closed),
        lambda: withdraw(closed),
        lambda: withdraw(withdrawn),
    ):
        with pytest.raises(Conflict, match="wrong_state"):
            step()


def test_a_campaign_is_withdrawn_before_its_first_ballot_only(world: World) -> None:
    world.vote(["satisfied"])
    with pytest.raises(Conflict, match="wrong_state"):
        withdraw(world.campaign_id)
    assert state_of(world.campaign_id) is State.OPEN
    unused = create(world)
    launch(unused)
    withdraw(unused)
    assert state_of(unused) is State.WITHDRAWN
