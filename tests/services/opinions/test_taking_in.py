"""Texts of ballots become opinions after the last ballot: from ten upwards, and with no link to any."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from survey_service.campaigns.service import close_campaign
from survey_service.core.db import reading, unit_of_work
from survey_service.opinions.allowances import list_unstirred
from survey_service.opinions.jobs import sweep_allowances, sweep_texts
from survey_service.opinions.models import Opinion, OpinionAllowance
from survey_service.opinions.policy import current_policy
from survey_service.opinions.rules import Source, State
from survey_service.opinions.taking_in import list_waiting, take_in_texts
from tests.factories.campaigns import CLOSES_AT, NOW, World

AFTER = CLOSES_AT + timedelta(hours=25)


def vote(world: World, texts: list[str], *, village: int = 0) -> None:
    for issued, words in zip(world.issue(village=village, count=len(texts)), texts, strict=True):
        world.cast(world.open(issued.code), {"overall": "satisfied", "remark": words})


def take_in(world: World, now: object = AFTER) -> int:
    with unit_of_work() as session:
        return take_in_texts(
            session,
            keyring=world.keyring,
            policy=current_policy(),
            campaign_id=world.campaign_id,
            now=now,  # type: ignore[arg-type]
        )


def opinions() -> list[Opinion]:
    with reading() as session:
        return list(session.scalars(select(Opinion)))


def test_ten_texts_become_opinions_once_and_nine_never(world: World) -> None:
    vote(world, [f"第{number}条意见" for number in range(9)] + ["电话13812345678"])
    vote(world, [f"少{number}" for number in range(9)], village=1)
    assert take_in(world, NOW) == 0
    assert take_in(world, CLOSES_AT + timedelta(hours=1)) == 0, "a ballot can still come"
    assert [take_in(world), take_in(world)] == [10, 0]
    found = opinions()
    assert {one.source for one in found} == {Source.BALLOT}
    assert {one.state for one in found} == {State.RECEIVED}
    assert all(one.query_digest is None for one in found)
    assert not any("13812345678" in one.text or "少" in one.text for one in found)


def test_faces_and_blanks_become_none(world: World) -> None:
    vote(world, ["好"] * 10 + ["😀", "。。"])
    assert take_in(world) == 10


def test_the_sweep_finds_campaigns_that_are_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading() as session:
        assert list_waiting(session, now=NOW) == []
        assert world.campaign_id in list_waiting(session, now=AFTER)
    vote(world, ["好"] * 10)
    monkeypatch.setattr("survey_service.core.clock.now", lambda: AFTER)
    sweep_texts()
    assert len(opinions()) == 10
    with reading() as session:
        assert list_waiting(session, now=AFTER) == []


def test_a_closed_campaign_is_waited_for_until_its_grace_ends(world: World) -> None:
    with unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW)
    vote_end = NOW + timedelta(hours=23)
    with reading() as session:
        assert world.campaign_id not in list_waiting(session, now=vote_end)


def test_what_is_left_of_writing_is_written_anew_and_forgotten(world: World) -> None:
    with unit_of_work() as session:
        for number in (1, 2, 3):
            session.add(OpinionAllowance(campaign_id=world.campaign_id, digest=b"d" * 16, number=number))
        session.add(OpinionAllowance(campaign_id=0, digest=b"b" * 16, number=1, month="2026-10"))
        session.add(OpinionAllowance(campaign_id=0, digest=b"b" * 16, number=1 + 1, month="2026-11"))
    with reading() as session:
        assert sorted(list_unstirred(session)) == [0, world.campaign_id]
    with time_machine.travel(NOW, tick=False):
        sweep_allowances()
    with reading() as session:
        assert list_unstirred(session) == []
        assert session.scalar(select(func.count()).select_from(OpinionAllowance)) == 4
