"""A county with a running campaign, people at every level, and opinions on their way."""

import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.test import TestResponse

from survey_service.core.permissions import Identity
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import viewer_of, visible_to
from survey_service.opinions.rules import Placement, may_see
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.reports.conftest import People

LAMP = "村口的路灯坏了三个月，晚上看不见路。"
REPORT = "村支书冒领低保，我要举报。"


@dataclass
class OpinionWorld:
    """The world of a campaign, and a client for whoever works at one of its places."""

    world: World
    people: People

    @cached_property
    def county_code(self) -> str:
        with self.world.app.extensions["database"].reading() as session:
            return list_ancestors(session, path=self.world.staff.path)[0].code

    @cached_property
    def county(self) -> FlaskClient:
        return self.people.system(Role.COUNTY_ADMIN, self.county_code)

    @cached_property
    def town(self) -> FlaskClient:
        return self.people.system(Role.TOWN_STAFF, self.world.town_code)

    @cached_property
    def secretary(self) -> FlaskClient:
        return self.people.system(Role.BRANCH_SECRETARY, self.village)

    @cached_property
    def neighbour(self) -> FlaskClient:
        return self.people.system(Role.BRANCH_SECRETARY, self.world.village_codes[1])

    @property
    def village(self) -> str:
        return self.world.village_codes[0]

    def place(self, code: str) -> Organization:
        with self.world.app.extensions["database"].reading() as session:
            return get_organization(session, code=code)

    def send(
        self, text: str = LAMP, *, code: str = "", secret: str = "", client: Any = None, **more: Any
    ) -> TestResponse:
        """Write an opinion through a household's code of the first village."""
        client = client or self.world.app.test_client()
        code = code or self.world.issue()[0].code
        ticket = client.get(f"/api/v1/entrances/{code}/opinions").json["ticket"]
        body = {"ticket": ticket, "secret": secret or secrets.token_urlsafe(24), "text": text}
        return client.post(f"/api/v1/entrances/{code}/opinions", json=body | more)

    def write(self, text: str = LAMP, **more: Any) -> tuple[int, str]:
        """Write an opinion, and return its id and its query code."""
        before = self.ids(self.county)
        answer = self.send(text, **more)
        assert answer.status_code == 201, answer.text
        (found,) = self.ids(self.county) - before
        return found, answer.json["query_code"]

    def ids(self, client: FlaskClient, query: str = "") -> set[int]:
        """Return everything that somebody's list holds."""
        found: set[int] = set()
        cursor = ""
        while cursor is not None:
            page = client.get(f"/api/v1/opinions?cursor={cursor}&{query}").json
            found |= {item["id"] for item in page["items"]}
            cursor = page["next_cursor"]
        return found

    def act(self, client: FlaskClient, opinion_id: int, action: str, **body: Any) -> TestResponse:
        return client.post(f"/api/v1/opinions/{opinion_id}/{action}", json=body)

    def hand_on(self, client: FlaskClient, opinion_id: int, to: str) -> TestResponse:
        return self.act(client, opinion_id, "transfer", organization_code=to, remark="归口办理")

    def triage(self, opinion_id: int, **more: Any) -> TestResponse:
        body = {"category": "complaint", "level": "village"} | more
        return self.act(self.town, opinion_id, "triage", **body)

    def look(self, query_code: str) -> Any:
        return self.world.app.test_client().get(f"/api/v1/opinions/{query_code}").json

    def rate(self, query_code: str, verdict: str) -> TestResponse:
        client = self.world.app.test_client()
        return client.post(f"/api/v1/opinions/{query_code}/verdict", json={"verdict": verdict})

    def agreement(self) -> list[tuple[int, str]]:
        """Return where the gate in SQL and the pure rule differ, over all cases and people."""
        with self.world.app.extensions["database"].reading() as session:
            opinions = session.scalars(
                select(Opinion).options(
                    joinedload(Opinion.organization),
                    joinedload(Opinion.handler),
                    joinedload(Opinion.concealed),
                )
            ).all()
            people = [
                Identity(1, "", role, 0, place.path)
                for role in (Role.COUNTY_ADMIN, Role.TOWN_STAFF, Role.BRANCH_SECRETARY)
                for place in session.scalars(select(Organization))
            ]
            return [
                (one.id, f"{person.role} {person.path}")
                for person in people
                for one in opinions
                if (one.id in set(session.scalars(select(Opinion.id).where(visible_to(person)))))
                is not may_see(viewer_of(person), _placement(one))
            ]


def _placement(one: Opinion) -> Placement:
    return Placement(one.organization.path, one.handler.path, one.state, one.concealed and one.concealed.path)
