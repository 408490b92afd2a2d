"""A city to measure on: villages, one campaign with a form of twelve questions, and codes to vote with.

Everything is made by the product's own services; only the ballots that lie there before the first measured
one are written past them (`stored.py`).
"""

import csv
import io
import json
import random
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.app import create_app
from survey_service.ballots.schemas import shown_item
from survey_service.campaigns.queries import get_campaign, list_subjects
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import create_campaign, launch_campaign
from survey_service.core import clock
from survey_service.core.config import load_settings
from survey_service.core.db import unit_of_work
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.entrances.models import Entrance
from survey_service.entrances.rules import Ticket, credential_mac, issue_ticket
from survey_service.entrances.service import MAX_CODES_PER_CALL, IssuedCode, create_entrances
from survey_service.organizations.queries import get_organization
from survey_service.organizations.service import import_organizations
from survey_service.questionnaires.queries import get_compiled
from survey_service.questionnaires.rules import Item
from survey_service.questionnaires.service import create_questionnaire
from survey_service.staff.rules import Role
from survey_service.staff.service import create_account

VILLAGES_PER_TOWN = 16
HOUSEHOLDS = 4_000
CITY_CODE = "990000000000"
USERNAME = "bench"
SEED = 20261121
OPTIONS = ("satisfied", "basically_satisfied", "dissatisfied", "not_informed")
WEIGHTS = (14, 4, 1, 1)
QUESTIONS = (
    "政治功能发挥情况",
    "组织生活严格情况",
    "班子团结协作情况",
    "党员作用发挥情况",
    "联系服务群众情况",
    "为民办事解难情况",
    "村务财务公开情况",
    "集体经济发展情况",
    "环境整治成效情况",
    "矛盾纠纷化解情况",
    "文明乡风建设情况",
    "廉洁自律履职情况",
)
ITEM_KEYS = tuple(f"indicator{number:02}" for number, _ in enumerate(QUESTIONS, 1))
FORMULA: dict[str, Any] = {
    "coefficients": {
        "satisfied": Decimal(1),
        "basically_satisfied": Decimal("0.75"),
        "dissatisfied": Decimal("0.55"),
    },
    "positive": ["satisfied", "basically_satisfied"],
    "class_weights": {RaterClass.VILLAGER: Decimal(1)},
    "mode_weights": {Mode.HOUSEHOLD: Decimal(1), Mode.OPEN_DEVICE: Decimal(1)},
}


@dataclass(frozen=True)
class City:
    """What the load needs to know about a loaded city."""

    campaign_id: int
    subject_ids: Sequence[int]
    posted_code: str
    household_code: str
    password: str
    questions: str
    """The form as JSON, as a template needs it."""
    submissions: Path
    """A prepared ballot a line: path, tab, JSON body."""


def tree_file(*, counties: int, towns: int, villages: int) -> bytes:
    """Return a CSV file with one city and so many organizations of each kind below it."""
    rows: list[tuple[object, ...]] = [("code", "name", "parent_code", "kind", "households", "members")]
    rows.append((CITY_CODE, "示例市", "", "city", "", ""))
    county_codes = [f"9900{number:02}000000" for number in range(1, counties + 1)]
    rows += [(code, f"示例{code[4:6]}县", CITY_CODE, "county", "", "") for code in county_codes]
    town_codes = []
    for number in range(towns):
        parent = county_codes[number % counties]
        town_codes.append(f"{parent[:6]}{number // counties + 1:03}000")
        rows.append((town_codes[-1], f"示例第{number + 1}镇", parent, "town", "", ""))
    for number in range(villages):
        parent = town_codes[number % towns]
        code = f"{parent[:9]}{number // towns + 201:03}"
        rows.append((code, f"示例第{number + 1}村村委会", parent, "village", HOUSEHOLDS, 30))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def application(database_url: str) -> Flask:
    """Return the product's application on a database; its keys come from the environment."""
    return create_app(replace(load_settings(), database_url=database_url))


def load_city(database_url: str, *, villages: int, slots: int, folder: Path) -> City:
    """Load a city with so many household codes, and write a ballot for each."""
    app = application(database_url)
    now = clock.now()
    with app.app_context():
        staff, password = _load_staff(villages, now)
        with unit_of_work() as session:
            campaign_id = _load_campaign(session, staff, now)
        posted = _issue(staff, campaign_id, Mode.OPEN, 1, now)
        household = _issue(staff, campaign_id, Mode.HOUSEHOLD, -(-slots // villages), now)
        city = _describe(campaign_id, posted, household, password, now, folder / "submissions")
    app.extensions["database"].engine.dispose()
    return city


def _load_staff(villages: int, now: datetime) -> tuple[Identity, str]:
    file = tree_file(counties=1, towns=-(-villages // VILLAGES_PER_TOWN), villages=villages)
    with unit_of_work() as session:
        import_organizations(session, content=file, filename="city.csv", within_path=None)
        created = create_account(
            session, username=USERNAME, role=Role.COUNTY_ADMIN, organization_code=CITY_CODE, now=now
        )
        created.account.must_change_password = False
        assert created.password is not None
        city = get_organization(session, code=CITY_CODE)
        identity = Identity(created.account.id, USERNAME, Role.COUNTY_ADMIN, city.id, city.path)
        return identity, created.password


def _load_campaign(session: Session, staff: Identity, now: datetime) -> int:
    items = [
        Item(key=key, kind="rating", text=text, required=True, weight=Decimal(1), option_set="satisfaction4")
        for key, text in zip(ITEM_KEYS, QUESTIONS, strict=True)
    ]
    version = create_questionnaire(session, staff=staff, title="党员群众满意度测评表", items=items, now=now)
    campaign = create_campaign(
        session,
        staff=staff,
        keyring=current_keyring(),
        title="党员群众满意度测评",
        questionnaire_id=version.questionnaire_id,
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=5),
        formula=FORMULA,
        now=now,
        under=CITY_CODE,
    )
    launch_campaign(session, campaign_id=campaign.id, now=now)
    return campaign.id


def _issue(staff: Identity, campaign_id: int, mode: Mode, count: int, now: datetime) -> list[IssuedCode]:
    """Issue codes for every village, in as many calls as the service's limit makes necessary."""
    issued: list[IssuedCode] = []
    with unit_of_work() as session:
        codes = [subject.organization_code for subject in list_subjects(session, campaign_id)]
    per_call = MAX_CODES_PER_CALL // len(codes)
    while count > 0:
        with unit_of_work() as session:
            issued += create_entrances(
                session,
                staff=staff,
                keyring=current_keyring(),
                campaign_id=campaign_id,
                organization_codes=codes,
                mode=mode,
                rater_class=RaterClass.VILLAGER,
                count=min(count, per_call),
                now=now,
            )
        count -= per_call
    return issued


def _describe(
    campaign_id: int,
    posted: Sequence[IssuedCode],
    household: Sequence[IssuedCode],
    password: str,
    now: datetime,
    submissions: Path,
) -> City:
    with unit_of_work() as session:
        subjects = list_subjects(session, campaign_id)
        version = get_compiled(session, get_campaign(session, campaign_id).questionnaire_version_id)
        slots = _slots_by_code(session, campaign_id, household)
    tickets = (_ticket(slot, version.id, now) for slot in slots)
    _write_submissions(submissions, household, tickets)
    return City(
        campaign_id=campaign_id,
        subject_ids=[subject.subject_id for subject in subjects],
        posted_code=posted[0].code,
        household_code=household[-1].code,
        password=password,
        questions=json.dumps([shown_item(item) for item in version.plan.items], ensure_ascii=False),
        submissions=submissions,
    )


def _slots_by_code(session: Session, campaign_id: int, issued: Sequence[IssuedCode]) -> list[Entrance]:
    """Return the slot behind each code, in the order of the codes."""
    statement = select(Entrance).where(Entrance.campaign_id == campaign_id, Entrance.serial.is_not(None))
    # Both lists come in the order of the rows' ids: a call's codes, and the calls one after another.
    slots = list(session.scalars(statement.order_by(Entrance.id)))
    assert [slot.serial for slot in slots] == [one.serial for one in issued]
    return slots


def _ticket(slot: Entrance, version_id: int, now: datetime) -> str:
    ticket = Ticket(
        entrance_id=slot.id,
        campaign_id=slot.campaign_id,
        subject_id=slot.subject_id,
        version_id=version_id,
        rater_class=slot.rater_class,
        mode=slot.mode,
        place_id=0,
        opened_at=now,
        code_digest=slot.code_digest,
        credential=credential_mac("slot", str(slot.id)),
    )
    return issue_ticket(current_keyring().passing("ticket"), ticket)


def _write_submissions(file: Path, issued: Sequence[IssuedCode], tickets: Iterator[str]) -> None:
    rng = random.Random(SEED)  # noqa: S311  Invented ballots, not secrets.
    lines = [
        f"/api/v1/entrances/{one.code}/ballots\t{_body(ticket, rng)}\n"
        for one, ticket in zip(issued, tickets, strict=True)
    ]
    # Ballots come from all over the city at once, not village by village.
    rng.shuffle(lines)
    file.write_text("".join(lines), "utf-8")


def _body(ticket: str, rng: random.Random) -> str:
    answers = dict(zip(ITEM_KEYS, rng.choices(OPTIONS, WEIGHTS, k=len(ITEM_KEYS)), strict=True))
    return json.dumps({"ticket": ticket, "secret": secrets.token_urlsafe(24), "answers": answers})


class Supply:
    """The prepared ballots of one database, each handed out once."""

    def __init__(self, submissions: Path, folder: Path) -> None:
        self._lines = submissions.read_text("utf-8").splitlines(keepends=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "next"
        self._used = 0

    def take(self, most: int) -> Path:
        """Write the next ballots to a file and return it."""
        self._file.write_text("".join(self._lines[self._used : self._used + most]), "utf-8")
        return self._file

    def spend(self, count: int, *, most: int) -> None:
        """Leave out what has been sent; raises RuntimeError when it was more than there was."""
        self._used += count
        if count > most or self._used > len(self._lines):
            raise RuntimeError("this machine is faster than was prepared for: pass a larger --slots")
