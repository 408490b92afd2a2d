"""Clear letters in the demonstration: villages of one town, each at another point of the way."""

import random
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.clear_letters.rules import Contact, Content, Section, SectionKind, Table
from survey_service.clear_letters.service import (
    add_readings,
    approve_letter,
    create_letter,
    save_draft,
    send_back_letter,
    submit_letter,
)
from survey_service.clear_letters.tables import read_table
from survey_service.core.clock import local_day
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization
from survey_service.organizations.rules import place_name
from survey_service.reports.presentation.letter_forms import last_quarter
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role

SEED = 109
ANSWERS_WITHIN = timedelta(days=12)
DAYS_READ = 6


def load_letters(session: Session, *, staff: Identity, campaign_id: int, now: datetime) -> None:
    """Write the letters through the services, as their secretaries and the town would."""
    rng = random.Random(SEED)  # noqa: S311  Invented numbers, not secrets.
    source = files("survey_service.demonstration").joinpath("letters.toml").read_text("utf-8")
    for letter in tomllib.loads(source)["letters"]:
        _load(session, letter, staff, campaign_id, rng, now)


def _load(
    session: Session,
    letter: dict[str, Any],
    town: Identity,
    campaign_id: int,
    rng: random.Random,
    now: datetime,
) -> None:
    village = get_organization(session, code=letter["village"])
    secretary = _secretary(session, village)
    content = _content(letter, village, local_day(now))
    row = create_letter(
        session,
        staff=secretary,
        organization_code=village.code,
        content=content,
        campaign_id=campaign_id,
        now=now - timedelta(days=DAYS_READ + 2),
    )
    given: dict[str, Any] = {"letter_id": row.letter.id, "now": now - timedelta(days=DAYS_READ)}
    for step in letter["steps"]:
        if step == "submit":
            submit_letter(session, staff=secretary, **given)
        elif step == "send_back":
            send_back_letter(session, staff=town, remark=letter["remark"], **given)
        elif step == "revise":
            revised = _content(letter | {"work_done": letter["revised"]}, village, local_day(now))
            save_draft(
                session,
                staff=secretary,
                revision=row.letter.revision,
                content=revised,
                campaign_id=campaign_id,
                **given,
            )
            submit_letter(session, staff=secretary, **given)
        elif step == "approve":
            approve_letter(session, staff=town, **given)
            add_readings(session, counted=_readings(row.letter.id, rng, now))


def _secretary(session: Session, village: Organization) -> Identity:
    account = session.scalars(
        select(StaffAccount).where(
            StaffAccount.organization_id == village.id, StaffAccount.role == Role.BRANCH_SECRETARY
        )
    ).first()
    assert account is not None
    return Identity(account.id, account.display_name, account.role, village.id, village.path)


def _readings(letter_id: int, rng: random.Random, now: datetime) -> dict[tuple[int, date], int]:
    """Return openings that begin with a crowd and become fewer from day to day."""
    today = local_day(now)
    return {
        (letter_id, today - timedelta(days=DAYS_READ - day)): rng.randint(60, 180) // (day + 1)
        for day in range(DAYS_READ)
    }


def _content(letter: dict[str, Any], village: Organization, today: date) -> Content:
    first, last = last_quarter(today)
    title = text(
        "clear_letters.template_title",
        place=place_name(village.name),
        year=first.year,
        quarter=last.month // 3,
    )
    return Content(
        title=title,
        period_from=first,
        period_to=last,
        greeting=letter["greeting"],
        work_done=tuple(letter["work_done"]),
        sections={kind: Section(letter.get(kind, ""), tuple(_tables(letter, kind))) for kind in SectionKind},
        promises=tuple(letter.get("promises", ())),
        contacts=tuple(Contact(*one) for one in letter["contacts"]),
        answer_by=today + ANSWERS_WITHIN,
        reply_place=letter.get("reply_place", ""),
    )


def _tables(letter: dict[str, Any], kind: SectionKind) -> Iterator[Table]:
    table = letter.get("tables", {}).get(kind)
    if table is not None:
        yield Table(table["title"], read_table(table["rows"]))
