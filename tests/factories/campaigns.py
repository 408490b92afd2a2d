"""A town with a running campaign: the small world of everything from a scan to a score."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from survey_service.ballots.rules import BallotFlag, participation_digest
from survey_service.ballots.service import CastBallot, cast_ballot
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign_key
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import create_campaign, launch_campaign
from survey_service.core.permissions import Identity
from survey_service.entrances.queries import open_entrance
from survey_service.entrances.rules import Ticket
from survey_service.entrances.service import IssuedCode, create_entrances
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind
from survey_service.questionnaires.queries import get_compiled
from survey_service.questionnaires.rules import Item
from survey_service.questionnaires.service import create_questionnaire
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from tests.factories.organizations.tree import create_organization, create_town
from tests.factories.staff.offices import add_person

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
OPENS_AT = NOW - timedelta(days=1)
CLOSES_AT = NOW + timedelta(days=7)

ITEMS = (
    Item(
        key="overall",
        kind="rating",
        text="总体评价",
        required=True,
        weight=Decimal(1),
        option_set="satisfaction4",
    ),
    Item(key="remark", kind="text", text="意见建议", max_length=500),
)
FORMULA: dict[str, Any] = {
    "coefficients": {"satisfied": "1", "basically_satisfied": "0.75", "dissatisfied": "0.55"},
    "positive": ["satisfied", "basically_satisfied"],
    "class_weights": {"villager": Decimal(1)},
    "mode_weights": {"household": Decimal(1), "panel": Decimal(1), "open_device": Decimal(0)},
}


@dataclass
class World:
    """A town, its staff, and a campaign over its villages; ids and plain values only."""

    app: Flask
    town_code: str
    village_codes: list[str]
    staff: Identity
    campaign_id: int
    version_id: int

    @property
    def keyring(self) -> Any:
        return self.app.extensions["keyring"]

    def issue(
        self,
        mode: Mode = Mode.HOUSEHOLD,
        *,
        village: int = 0,
        count: int = 1,
        rater_class: RaterClass = RaterClass.VILLAGER,
        now: datetime = NOW,
    ) -> list[IssuedCode]:
        """Make entrances for one village."""
        with self.app.extensions["database"].unit_of_work() as session:
            return create_entrances(
                session,
                staff=self.staff,
                keyring=self.keyring,
                campaign_id=self.campaign_id,
                organization_codes=[self.village_codes[village]],
                mode=mode,
                rater_class=rater_class,
                count=count,
                now=now,
            )

    def open(self, code: str, *, now: datetime = NOW) -> Ticket:
        """Open a one-time code, and return its ticket."""
        with self.app.extensions["database"].reading() as session:
            entrance = open_entrance(session, keyring=self.keyring, raw_code=code, now=now)
        return Ticket(
            entrance_id=entrance.entrance_id,
            campaign_id=entrance.campaign_id,
            subject_id=entrance.subject_id,
            version_id=entrance.version_id,
            rater_class=entrance.rater_class,
            mode=Mode.OPEN_DEVICE if entrance.is_posted else entrance.mode,
            place_id=entrance.entrance_id if entrance.is_posted else 0,
            opened_at=now,
            code_digest=entrance.code_digest,
            credential="",
        )

    def cast(
        self,
        ticket: Ticket,
        answers: dict[str, Any] | None = None,
        *,
        secret: str | None = None,
        device: str | None = None,
        now: datetime = NOW,
        flag: BallotFlag | None = None,
    ) -> CastBallot:
        """Cast a ballot in a unit of work of its own."""
        with self.app.app_context(), self.app.extensions["database"].single_statements() as session:
            return self.cast_in(session, ticket, answers, secret=secret, device=device, now=now, flag=flag)

    def cast_in(
        self,
        session: Session,
        ticket: Ticket,
        answers: dict[str, Any] | None = None,
        *,
        secret: str | None = None,
        device: str | None = None,
        now: datetime = NOW,
        flag: BallotFlag | None = None,
    ) -> CastBallot:
        """Cast a ballot in a unit of work that the test holds."""
        plan = get_compiled(session, ticket.version_id).plan
        key = get_campaign_key(session, keyring=self.keyring, campaign_id=self.campaign_id)
        kind, value = ("device", device) if device else ("slot", str(ticket.entrance_id))
        return cast_ballot(
            session,
            ticket=ticket,
            participation=participation_digest(key, kind=kind, value=value),
            secret=secret or secrets.token_urlsafe(24),
            plan=plan,
            checked=plan.check(answers or {"overall": "satisfied"}),
            now=now,
            flag=flag,
        )

    def vote(
        self,
        answers: Sequence[str],
        *,
        village: int = 0,
        mode: Mode = Mode.HOUSEHOLD,
        rater_class: RaterClass = RaterClass.VILLAGER,
        flag: BallotFlag | None = None,
    ) -> None:
        """Cast one ballot with a fresh code for each option of `overall`."""
        issued = self.issue(mode, village=village, count=len(answers), rater_class=rater_class)
        for one, option in zip(issued, answers, strict=True):
            self.cast(self.open(one.code), {"overall": option}, flag=flag)

    def drain(self) -> None:
        """Run the jobs that follow from what was done."""
        self.app.extensions["dispatcher"].drain()


def start_campaign(
    app: Flask, *, villages: int = 2, is_launched: bool = True, items: Sequence[Item] = ITEMS, **changes: Any
) -> World:
    """Make a town with villages and a campaign that is open at NOW; beside it a second one, as noise."""
    with app.app_context(), app.extensions["database"].unit_of_work() as session:
        town = create_town(session, villages=0, name="汤溪镇")
        places = [
            create_organization(
                session,
                OrganizationKind.VILLAGE,
                parent=town,
                name=f"第{number}村",
                households=100,
                members=20,
                villagers=300,
            )
            for number in range(1, villages + 1)
        ]
        person = add_person(session, f"town.staff.{town.id}", Role.TOWN_STAFF, town)
        staff = identity(person, town)
        campaign = add_campaign(session, app, staff, town, items=items, **changes)
        if is_launched:
            launch_campaign(session, campaign_id=campaign.id, now=OPENS_AT)
        return World(
            app=app,
            town_code=town.code,
            village_codes=[place.code for place in places],
            staff=staff,
            campaign_id=campaign.id,
            version_id=campaign.questionnaire_version_id,
        )


def identity(person: StaffAccount, place: Organization) -> Identity:
    """Return who a staff account is for the services."""
    return Identity(person.id, person.display_name, person.role, place.id, place.path)


def add_campaign(
    session: Session,
    app: Flask,
    staff: Identity,
    town: Organization,
    *,
    items: Sequence[Item] = ITEMS,
    **changes: Any,
) -> Campaign:
    """Store a draft over all villages of a town."""
    version = create_questionnaire(session, staff=staff, title="测评表", items=items, now=NOW)
    arguments: dict[str, Any] = {
        "title": "2026年度测评",
        "questionnaire_id": version.questionnaire_id,
        "opens_at": OPENS_AT,
        "closes_at": CLOSES_AT,
        "formula": FORMULA,
        "under": town.code,
    }
    return create_campaign(
        session, staff=staff, keyring=app.extensions["keyring"], now=NOW, **arguments | changes
    )
