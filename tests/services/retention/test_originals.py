"""Originals and photos of opinions end a year after their case; cases that go on keep them."""

from datetime import date, timedelta

from sqlalchemy import func, select, update

from survey_service.core.db import reading, unit_of_work
from survey_service.opinions.models import Opinion, OpinionOriginal, OpinionStep
from survey_service.opinions.policy import current_policy
from survey_service.opinions.receiving import Draft, Origin, store_anonymous
from survey_service.opinions.rules import Action, Source, State
from survey_service.organizations.queries import get_organization
from survey_service.retention.rules import schedule
from survey_service.retention.service import run_schedule
from tests.factories.campaigns import NOW, World


def originals_after(days: int) -> int:
    rules = schedule(credential_days=180, text_years=None, original_days=365)
    with unit_of_work() as session:
        run_schedule(session, schedule=rules, now=NOW + timedelta(days=days))
    with reading() as session:
        return session.scalar(select(func.count()).select_from(OpinionOriginal)) or 0


def test_an_original_ends_a_year_after_its_case(world: World) -> None:
    with unit_of_work() as session:
        origin = Origin(get_organization(session, code=world.village_codes[0]), Source.PAPER)
        ids = [
            store_anonymous(
                session,
                keyring=world.keyring,
                policy=current_policy(),
                draft=Draft(text=words),
                origin=origin,
                today=date(2026, 11, 21),
            )
            for words in ("办完的", "没办完的")
        ]
        ended = {"state": State.CLOSED, "is_open": False}
        session.execute(update(Opinion).where(Opinion.id == ids[0]).values(ended))
        step = {"action": Action.CLOSE, "state": State.CLOSED, "taken_on": date(2026, 11, 21)}
        session.add(OpinionStep(opinion_id=ids[0], number=1, **step))
    assert [originals_after(364), originals_after(367), originals_after(4000)] == [2, 1, 1]
