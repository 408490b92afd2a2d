"""Load the demonstration through the real services: nothing is written past them."""

import random
import secrets
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.ballots.rules import BallotFlag, participation_digest
from survey_service.ballots.service import cast_ballot
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign, get_campaign_key, list_subjects
from survey_service.campaigns.rules import OPEN_MODES, Mode, OpenRequires, RaterClass
from survey_service.campaigns.service import create_campaign, launch_campaign
from survey_service.core.db import reading, unit_of_work
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.demonstration.clear_letters import load_letters
from survey_service.demonstration.opinions import load_opinions
from survey_service.demonstration.panel import PEOPLE, invite_panel
from survey_service.demonstration.paper import load_paper
from survey_service.demonstration.people import Account, create_accounts, renew_passwords
from survey_service.demonstration.printing import issue_by_group, print_and_hand_out
from survey_service.demonstration.rating import load_rating
from survey_service.demonstration.unusual import flags_for, propose_and_dispute
from survey_service.entrances.models import Entrance
from survey_service.entrances.rules import Ticket
from survey_service.entrances.service import create_entrances
from survey_service.insights.jobs import look_at_everything
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.queries import get_organization, select_subtree
from survey_service.organizations.rules import OrganizationKind, RosterSize
from survey_service.organizations.service import import_organizations, update_roster
from survey_service.questionnaires.queries import get_compiled
from survey_service.questionnaires.rules import Item, Plan
from survey_service.questionnaires.service import create_questionnaire
from survey_service.staff.models import StaffAccount

SEED = 445122109
PANEL_CODES = 8
PANEL_CLASSES = (RaterClass.VETERAN_CADRE, RaterClass.VILLAGER_REPRESENTATIVE)
OPTIONS = ("satisfied", "basically_satisfied", "dissatisfied", "not_informed")
OPINION_SHARE = 0.25
QUIET_VILLAGES = {0: 2, 1: 0}
"""The first village stays below the smallest cell that may be shown, the second without any ballot."""

FORMULA: dict[str, Any] = {
    "coefficients": {
        "satisfied": Decimal("1"),
        "basically_satisfied": Decimal("0.75"),
        "dissatisfied": Decimal("0.55"),
    },
    "positive": ["satisfied", "basically_satisfied"],
    "class_weights": {
        RaterClass.VILLAGER: Decimal("0.6"),
        RaterClass.VETERAN_CADRE: Decimal("0.2"),
        RaterClass.VILLAGER_REPRESENTATIVE: Decimal("0.2"),
    },
}
MODE_WEIGHTS = {Mode.HOUSEHOLD: Decimal(1), Mode.PANEL: Decimal(1)}
POSTED_MODES = {OpenRequires.DEVICE: Mode.OPEN_DEVICE, OpenRequires.WECHAT: Mode.OPEN}
"""The mode of a ballot that comes through a posted code."""


@dataclass(frozen=True)
class Demonstration:
    """What the terminal shows: accounts with fresh passwords, and one posted code to scan."""

    campaign_title: str
    accounts: Sequence[Account]
    posted: Sequence[tuple[str, str]]
    """Village and code of each posted entrance."""
    warnings: Sequence[str]


@dataclass(frozen=True)
class _Voter:
    entrance_id: int
    subject_id: int
    mode: Mode
    rater_class: RaterClass
    code_digest: bytes
    flag: BallotFlag | None = None


def words() -> dict[str, Any]:
    """Return the texts of the demonstration."""
    return tomllib.loads(_file("town.toml").decode())


def _file(name: str) -> bytes:
    return files("survey_service.demonstration").joinpath(name).read_bytes()


def load_demonstration(*, now: datetime, open_requires: OpenRequires) -> Demonstration:
    """Load everything at the first call; later calls only give the accounts new passwords.

    `open_requires` says what a posted code counts: devices, or WeChat accounts.
    """
    texts = words()
    with reading() as session:
        is_loaded = (
            session.scalar(select(Organization.id).where(Organization.code == texts["town"])) is not None
        )
    warnings: list[str] = []
    if not is_loaded:
        with unit_of_work() as session:
            _load_town(session, texts, random.Random(SEED))  # noqa: S311  Invented numbers, not secrets.
        with reading() as session:
            villages = _villages(session, texts)
        accounts = create_accounts(villages, texts, now)
        warnings = _load_campaign(texts, open_requires, now)
    else:
        accounts = renew_passwords(now)
    current_app.extensions["dispatcher"].drain()
    return _shown(texts, accounts, warnings)


def _load_town(session: Session, texts: dict[str, Any], rng: random.Random) -> None:
    import_organizations(session, content=_file("town.csv"), filename="town.csv", within_path=None)
    for village in _villages(session, texts):
        households = rng.randint(180, 520)
        sizes: dict[RosterSize, int | None] = {
            RosterSize.HOUSEHOLDS: households,
            RosterSize.MEMBERS: rng.randint(14, 38),
            RosterSize.VILLAGERS: households * 3 + rng.randint(0, households),
        }
        update_roster(session, code=village.code, sizes=sizes, is_generated=True)


def _villages(session: Session, texts: dict[str, Any]) -> list[Organization]:
    town = get_organization(session, code=texts["town"])
    villages = select_subtree(town.path).where(Organization.kind == OrganizationKind.VILLAGE)
    return list(session.scalars(villages.order_by(Organization.code)))


def _load_campaign(texts: dict[str, Any], open_requires: OpenRequires, now: datetime) -> list[str]:
    with unit_of_work() as session:
        staff = _town_staff(session, texts)
        campaign = _create_campaign(session, staff, texts, open_requires, now)
        _create_entrances(session, staff, campaign.id, texts, now)
        warnings = launch_campaign(session, campaign_id=campaign.id, now=now).warnings
        campaign_id = campaign.id
        codes = [village.code for village in _villages(session, texts)]
    print_and_hand_out(staff=staff, campaign_id=campaign_id, villages=codes, now=now)
    _cast_ballots(campaign_id, texts, now)
    with unit_of_work() as session:
        load_paper(session, staff=staff, campaign_id=campaign_id, now=now)
        load_rating(session, staff=staff, title=texts["rating"], campaign_id=campaign_id, now=now)
        load_letters(session, staff=staff, campaign_id=campaign_id, now=now)
        load_opinions(session, staff=staff, villages=_villages(session, texts), now=now)
    look_at_everything()
    return warnings


def _town_staff(session: Session, texts: dict[str, Any]) -> Identity:
    town = get_organization(session, code=texts["town"])
    account = session.scalars(select(StaffAccount).where(StaffAccount.username == "town")).one()
    return Identity(account.id, account.display_name, account.role, town.id, town.path)


def _create_campaign(
    session: Session, staff: Identity, texts: dict[str, Any], open_requires: OpenRequires, now: datetime
) -> Campaign:
    version = create_questionnaire(
        session, staff=staff, title=texts["questionnaire"], items=list(_items(texts)), now=now
    )
    return create_campaign(
        session,
        staff=staff,
        keyring=current_keyring(),
        title=texts["campaign"],
        questionnaire_id=version.questionnaire_id,
        opens_at=now - timedelta(days=2),
        closes_at=now + timedelta(days=5),
        formula=FORMULA | {"mode_weights": MODE_WEIGHTS | {POSTED_MODES[open_requires]: Decimal(1)}},
        now=now,
        under=texts["town"],
        eligible={village.code: _eligible(village) for village in _villages(session, texts)},
        open_requires=open_requires,
    )


def _eligible(village: Organization) -> dict[str, int]:
    households = village.households or 0
    sizes: dict[str, int] = {RaterClass.VILLAGER: households}
    return sizes | dict.fromkeys(PANEL_CLASSES, PANEL_CODES) | {PANEL_CLASSES[0]: PANEL_CODES + PEOPLE}


def _items(texts: dict[str, Any]) -> Iterator[Item]:
    for indicator in texts["indicators"]:
        yield Item(
            key=indicator["key"],
            kind="rating",
            text=indicator["text"],
            required=True,
            weight=Decimal(1),
            option_set="satisfaction4",
        )
    yield Item(key="opinion", kind="text", text=texts["opinion_item"], max_length=500)


def _create_entrances(
    session: Session, staff: Identity, campaign_id: int, texts: dict[str, Any], now: datetime
) -> None:
    codes = [village.code for village in _villages(session, texts)]
    wanted = [(Mode.OPEN, RaterClass.VILLAGER, 1)]
    wanted += [(Mode.PANEL, rater_class, PANEL_CODES) for rater_class in PANEL_CLASSES]
    for mode, rater_class, count in wanted:
        create_entrances(
            session,
            staff=staff,
            keyring=current_keyring(),
            campaign_id=campaign_id,
            organization_codes=codes,
            mode=mode,
            rater_class=rater_class,
            count=count,
            place=texts["place"] if mode is Mode.OPEN else "",
            now=now,
        )
    issue_by_group(
        session, staff=staff, campaign_id=campaign_id, villages=codes, groups=texts["groups"], now=now
    )
    invite_panel(session, staff=staff, campaign_id=campaign_id, rater_class=PANEL_CLASSES[0], now=now)


def _cast_ballots(campaign_id: int, texts: dict[str, Any], now: datetime) -> None:
    rng = random.Random(SEED)  # noqa: S311  Invented ballots, not secrets.
    with reading() as session:
        campaign = get_campaign(session, campaign_id)
        plan = get_compiled(session, campaign.questionnaire_version_id).plan
        key = get_campaign_key(session, keyring=current_keyring(), campaign_id=campaign_id)
        voters = list(_choose_voters(session, campaign, rng))
        version_id = campaign.questionnaire_version_id
    for voter, goodwill in voters:
        _cast(campaign_id, version_id, key, plan, voter, _answers(plan, texts, goodwill, rng), now)
    with unit_of_work() as session:
        spent = next(voter.entrance_id for voter, _ in voters if voter.flag is BallotFlag.SERIAL_ORDER)
        propose_and_dispute(
            session,
            staff=_town_staff(session, texts),
            campaign_id=campaign_id,
            key=key,
            spent=spent,
            reason=texts["exclusion_reason"],
            now=now,
        )


def _choose_voters(
    session: Session, campaign: Campaign, rng: random.Random
) -> Iterator[tuple[_Voter, float]]:
    """Yield who votes, with how kindly his village looks at its branch (0 to 1)."""
    for position, subject in enumerate(list_subjects(session, campaign.id)):
        goodwill = rng.uniform(0.55, 0.95)
        entrances = session.scalars(
            select(Entrance)
            .where(Entrance.campaign_id == campaign.id, Entrance.subject_id == subject.subject_id)
            .order_by(Entrance.id)
        ).all()
        voters = [voter for entrance in entrances for voter in _voters_of(entrance, campaign, rng)]
        rng.shuffle(voters)
        voters = voters[: QUIET_VILLAGES.get(position, len(voters))]
        flags = flags_for(position, [voter.mode for voter in voters])
        for voter, flag in zip(voters, flags, strict=True):
            yield replace(voter, flag=flag), goodwill


def _voters_of(entrance: Entrance, campaign: Campaign, rng: random.Random) -> Iterator[_Voter]:
    """Yield the ballots that come through an entrance: some through a posted one, at most one by a slot."""
    is_posted = entrance.mode is Mode.OPEN
    number = rng.randint(4, 12) if is_posted else int(rng.random() < 0.55)
    for _ in range(number):
        yield _Voter(
            entrance.id,
            entrance.subject_id or 0,
            POSTED_MODES[campaign.open_requires] if is_posted else entrance.mode,
            entrance.rater_class,
            entrance.code_digest,
        )


def _answers(plan: Plan, texts: dict[str, Any], goodwill: float, rng: random.Random) -> dict[str, str]:
    bad = 1 - goodwill
    weights = (goodwill, bad * 0.55, bad * 0.3, bad * 0.15)
    answers = {item.key: rng.choices(OPTIONS, weights)[0] for item in plan.items if item.kind == "rating"}
    if rng.random() < OPINION_SHARE:
        answers["opinion"] = rng.choice(texts["opinions"])
    return answers


def _cast(
    campaign_id: int,
    version_id: int,
    key: bytes,
    plan: Plan,
    voter: _Voter,
    answers: dict[str, str],
    now: datetime,
) -> None:
    is_posted = voter.mode in OPEN_MODES
    # One draw of chance is as good a device as it is an account.
    kind, value = ("device", secrets.token_hex(16)) if is_posted else ("slot", str(voter.entrance_id))
    ticket = Ticket(
        entrance_id=voter.entrance_id,
        campaign_id=campaign_id,
        subject_id=voter.subject_id,
        version_id=version_id,
        rater_class=voter.rater_class,
        mode=voter.mode,
        place_id=voter.entrance_id if is_posted else 0,
        opened_at=now,
        code_digest=voter.code_digest,
        credential="",
    )
    with unit_of_work() as session:
        cast_ballot(
            session,
            ticket=ticket,
            participation=participation_digest(key, kind=kind, value=value),
            secret=secrets.token_urlsafe(24),
            plan=plan,
            checked=plan.check(answers),
            now=now,
            flag=voter.flag,
        )


def _shown(texts: dict[str, Any], accounts: Sequence[Account], warnings: Sequence[str]) -> Demonstration:
    with reading() as session:
        posted = session.execute(
            select(Organization.name, Entrance.code)
            .join(Subject, Subject.organization_id == Organization.id)
            .join(Entrance, Entrance.subject_id == Subject.id)
            .where(Entrance.mode == Mode.OPEN, Entrance.is_preview.is_(False), Entrance.revoked_at.is_(None))
            .order_by(Entrance.id)
        )
        codes = [(name, code) for name, code in posted if code is not None]
    return Demonstration(texts["campaign"], accounts, codes, warnings)
