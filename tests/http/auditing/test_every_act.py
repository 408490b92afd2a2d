"""All acts of staff, done once through the API: each leaves its entry, and no entry holds a secret."""

import ast
import json
import secrets
from base64 import b32decode
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

import survey_service
from survey_service.auditing.rules import Entry
from survey_service.core import clock
from survey_service.core.privacy import Keyring
from survey_service.entrances.batches import destroy_due_keys
from survey_service.entrances.codes import grouped
from survey_service.opinions.author_acts import record_acts
from survey_service.opinions.jobs import sweep_texts
from survey_service.organizations.queries import list_ancestors
from survey_service.ratings.models import RatingMove
from survey_service.ratings.presets import preset_text
from survey_service.reminders.service import remind_branches, switch_reminders
from survey_service.retention.jobs import sweep_retention
from survey_service.rotation import rotate_keys
from survey_service.staff.bindings import bind, unbind
from survey_service.staff.desktops import begin_waiting, let_in
from survey_service.staff.models import StaffAccount
from survey_service.staff.one_time_codes import code_of_step, step_at
from survey_service.staff.rules import Role
from survey_service.wechat.rules import Provider
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import World, start_campaign
from tests.factories.letters import letter_content
from tests.factories.organizations.files import csv_file
from tests.factories.staff.offices import PASSWORD
from tests.http.campaigns.callers import campaign_body, form_body
from tests.http.reports.conftest import People

PACKAGE = Path(survey_service.__file__).parent
OPINION = "村主任家门口的路灯坏了三个月"
OWN_PASSWORD = "Yuhua-2027"
WRONG_PASSWORD = "Wrong-2026"
REASON = "原来写错了"


def spoken_actions() -> set[str]:
    """Return the actions that services speak of, as they stand in the code."""
    return {
        action
        for source in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Call) and name_of(node).lstrip("_").startswith("record")
        for action in literals(node.args[1:2])
    }


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def literals(arguments: list[ast.expr]) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


@dataclass
class Story:
    """What a county does in a year, and every secret that comes by."""

    world: World
    people: People
    secrets: set[str] = field(default_factory=lambda: {PASSWORD, OWN_PASSWORD, WRONG_PASSWORD, OPINION})

    def run(self) -> None:
        self.office = self.sign_in(self.hire_county())
        self.accounts()
        self.organizations()
        form = self.questionnaires()
        self.campaign(form)
        self.paper()
        self.print_run()
        self.letter()
        self.webhook()
        self.phones()
        self.visit()
        self.voter()
        self.opinions()
        self.anomalies()
        self.paper_batches()
        self.reminders()
        self.end()
        self.ratings()
        self.change_master_key()

    def hire_county(self) -> str:
        with self.world.app.extensions["database"].reading() as session:
            self.county = list_ancestors(session, path=self.world.staff.path)[0].code
        return self.people.hire(Role.COUNTY_ADMIN, self.county)

    def sign_in(self, name: str, password: str = PASSWORD) -> FlaskClient:
        client = self.world.app.test_client()
        answer = client.post("/api/v1/auth/token", json={"username": name, "password": password})
        assert answer.status_code == 201, answer.text
        self.secrets.add(answer.json["token"])
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.json['token']}"
        return client

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = self.office.open(f"/api/v1{path}", method=method, json=body, **options)
        assert answer.status_code < 300, (method, path, answer.text)
        return answer.json if answer.is_json and answer.data else answer.data

    def accounts(self) -> None:
        body = {"username": "new.person", "role": "town_staff", "organization_code": self.world.town_code}
        made = self.call("POST", "/staff", body)
        self.secrets.add(made["password"])
        wrong = {"username": "new.person", "password": WRONG_PASSWORD}
        assert self.world.app.test_client().post("/api/v1/auth/token", json=wrong).status_code == 401
        person = self.sign_in("new.person", made["password"])
        passwords = {"password": made["password"], "new_password": OWN_PASSWORD}
        assert person.put("/api/v1/auth/password", json=passwords).status_code == 204
        assert self.sign_in("new.person", OWN_PASSWORD).delete("/api/v1/auth/token").status_code == 204
        self.secrets.add(self.call("POST", f"/staff/{made['staff']['id']}/reset-password")["password"])
        self.manage(f"/staff/{made['staff']['id']}")
        self.import_people()

        self.second_factor()

    def second_factor(self) -> None:
        browser = self.people.browser(Role.AUDITOR, self.county)
        browser.get("/staff/second-factor")
        page = browser.post("/staff/second-factor", {"password": PASSWORD}).text
        key = page.split('class="secret">')[1].split("<")[0]
        code = code_of_step(b32decode("".join(key.split())), step_at(clock.now()))
        codes = browser.post("/staff/second-factor/confirm", {"one_time_code": code}).text
        recovery = [part.split("<")[0] for part in codes.split('class="secret">')[1:]]
        fields = {"password": PASSWORD, "one_time_code": recovery[0]}
        assert browser.post("/staff/second-factor/off", fields).status_code == 303
        browser.get("/staff/account")
        assert browser.post("/staff/sign-out-everywhere").status_code == 303
        self.secrets |= {key, *recovery}

    def manage(self, person: str) -> None:
        self.call("POST", f"{person}/disable")
        self.secrets.add(self.call("POST", f"{person}/enable")["password"])
        for act in ("unlock", "end-sessions"):
            self.call("POST", f"{person}/{act}")
        self.call("DELETE", f"{person}/second-factor")
        successor = self.call("POST", f"{person}/hand-over", {"display_name": "接班人"})
        self.secrets.add(successor["password"])
        with self.world.app.extensions["database"].unit_of_work() as session:
            session.get_one(StaffAccount, successor["staff"]["id"]).approved_at = None
        self.call("POST", f"/staff/{successor['staff']['id']}/approve")

    def import_people(self) -> None:
        rows = [("张三", "党支部书记", self.world.village_codes[0])]
        file = (BytesIO(csv_file(*rows, headings=("姓名", "角色", "组织编码"))), "人员.csv")
        made = self.office.post("/api/v1/staff/import", data={"file": file}).json
        self.call("POST", "/staff/slips", {"slips": made["slips"]})
        self.secrets |= {made["slips"], made["items"][0]["password"]}

    def organizations(self) -> None:
        headings = ("code", "name", "parent_code", "kind", "members")
        rows = [
            ("NEW", "新村", self.world.town_code, "village", 5),
            (self.world.village_codes[0], "第1村", self.world.town_code, "village", 21),
        ]
        upload = {"file": (BytesIO(csv_file(*rows, headings=headings)), "村.csv")}
        assert self.office.post("/api/v1/organizations/import", data=upload).status_code == 200
        self.call("PATCH", "/organizations/NEW", {"members": 6})

    def questionnaires(self) -> int:
        form: int = self.call("POST", "/questionnaires", form_body())["id"]
        self.call("PUT", f"/questionnaires/{form}", form_body(title="改过的测评表"))
        return form

    def campaign(self, form: int) -> None:
        unwanted = self.call("POST", "/campaigns", campaign_body(self.world, form))["id"]
        self.call("POST", f"/campaigns/{unwanted}/withdraw")
        self.place = f"/campaigns/{self.call('POST', '/campaigns', campaign_body(self.world, form))['id']}"
        self.call("PUT", self.place, campaign_body(self.world, form, title="改过的测评"))
        recording = {"file": (BytesIO(b"ID3 speech"), "a.mp3")}
        assert self.office.put(f"/api/v1{self.place}/recording", data=recording).status_code == 200
        village = self.world.village_codes[0]
        self.codes = self.issue("household", 6) + self.issue("open", 1)
        self.keep(self.call("POST", f"{self.place}/preview", {"organization_code": village})["items"])
        self.call("POST", f"{self.place}/launch")
        self.call("PATCH", self.place, {"title": "又改过的测评", "reason": REASON})

    def issue(self, mode: str, count: int) -> list[str]:
        wanted = {"organization_code": self.world.village_codes[0], "mode": mode, "count": count}
        return self.keep(
            self.call("POST", f"{self.place}/entrances", wanted | {"rater_class": "villager"})["items"]
        )

    def keep(self, items: list[dict[str, Any]]) -> list[str]:
        codes = [item["code"] for item in items]
        self.secrets |= {*codes, *map(grouped, codes)}
        return codes

    def paper(self) -> None:
        village = self.world.village_codes[0]
        for layout in ("sheet", "poster"):
            self.call("POST", f"{self.place}/posters", {"organization_code": village, "layout": layout})
        self.call("DELETE", f"/entrances/{self.codes[5]}")
        self.call("GET", f"{self.place}/scores.xlsx")

    def print_run(self) -> None:
        """Another village gets its codes by villagers' groups, on paper that is handed out."""
        village = self.world.village_codes[1]
        groups = [{"organization_code": village, "group": "一组", "count": 4}]
        self.call("POST", f"{self.place}/household-codes", {"items": groups})
        run = self.call("POST", f"{self.place}/print-runs", {"layout": "labels_24"})["id"]
        self.world.drain()
        self.call("GET", f"{self.place}/print-runs/{run}/parts.zip")
        slots = {"organization_code": village, "mode": "household", "serials": "1"}
        self.call("POST", f"{self.place}/slots/reissue", slots)
        self.call("POST", f"{self.place}/slots/revoke", slots | {"serials": "2", "as": "lost"})
        self.call("GET", f"{self.place}/serials.xlsx")
        self.world.drain()
        self.call("POST", f"{self.place}/hand-outs", {})

    def letter(self) -> None:
        """A village writes, the town sends back, and takes down what it approved."""
        village = self.world.village_codes[0]
        secretary = self.sign_in(self.people.hire(Role.BRANCH_SECRETARY, village, name="letter.writer"))

        def write(method: str, address: str, body: Any = None) -> Any:
            answer = secretary.open(f"/api/v1{address}", method=method, json=body)
            assert answer.status_code < 300, answer.text
            return answer.json

        wanted = {"organization_code": village, "content": letter_content()}
        made = write("POST", "/clear-letters", wanted)
        place = f"/clear-letters/{made['id']}"
        write("POST", f"{place}/submit")
        self.call("POST", f"{place}/send-back", {"remark": REASON})
        revision = self.call("GET", place)["revision"]
        write("PUT", f"{place}/draft", {"revision": revision, "content": letter_content()})
        write("POST", f"{place}/submit")
        self.call("POST", f"{place}/approve", {})
        self.call("POST", f"{place}/print", {})
        self.call("POST", f"{place}/withdraw", {"reason": REASON})

    def webhook(self) -> None:
        wanted = {"organization_code": self.county, "title": "县平台", "url": "https://1.1.1.1/hook"}
        made = self.call("POST", "/webhooks", wanted | {"topics": ["opinion.received"]})
        place = f"/webhooks/{made['id']}"
        self.secrets |= {made["secret"], self.call("POST", f"{place}/secret")["secret"]}
        sent = self.call("POST", f"{place}/ping")["id"]
        self.call("POST", f"{place}/deliveries/{sent}/redeliver")
        self.call("POST", f"{place}/disable")
        self.call("POST", f"{place}/enable")
        self.call("DELETE", place)

    def phones(self) -> None:
        """Somebody binds a phone, lets a desktop in by it, and takes the phone back."""
        database = self.world.app.extensions["database"]
        name = self.people.hire(Role.TOWN_STAFF, self.world.town_code, name="phone.owner")
        with database.unit_of_work() as session:
            account = session.scalars(select(StaffAccount).where(StaffAccount.username == name)).one()
            bind(session, staff_id=account.id, provider=Provider.WECHAT, digest=b"0" * 16, now=clock.now())
            desktop = begin_waiting(session, client="chrome.windows", now=clock.now())
            by = {"staff_id": account.id, "now": clock.now()}
            assert let_in(session, code=desktop.code, number=desktop.number, **by)
            unbind(session, staff_id=account.id, provider=Provider.WECHAT)
        self.secrets |= {desktop.code, desktop.secret}

    def visit(self) -> None:
        """A clerk of the town begins a visit, for whom the county says where he is stationed."""
        helper = self.people.browser(Role.TOWN_STAFF, self.world.town_code)
        with self.world.app.extensions["database"].reading() as session:
            named = StaffAccount.username == f"town_staff.{self.world.town_code}".lower()
            staff_id = session.scalars(select(StaffAccount.id).where(named)).one()
        self.call("PUT", f"/staff/{staff_id}/stations", {"organization_codes": ["NEW"]})
        helper.get("/staff/visits")
        assert helper.post("/staff/visits", {"code": self.codes[0]}).status_code == 303
        helper.get("/staff/unlock")
        assert helper.post("/staff/unlock", {"password": PASSWORD}).status_code == 303

    def voter(self) -> None:
        phone = self.world.app.test_client()
        for code in reversed(self.codes[:5]):
            ticket = phone.get(f"/api/v1/entrances/{code}").json["ticket"]
            ballot = {"ticket": ticket, "secret": secrets.token_urlsafe(24)}
            answers = {"overall": "satisfied", "remark": OPINION}
            sent = phone.post(f"/api/v1/entrances/{code}/ballots", json=ballot | {"answers": answers})
            self.secrets |= {ticket, ballot["secret"], sent.json["receipt"]}

    def opinions(self) -> None:
        village = self.world.village_codes[0]
        box = self.call("POST", "/opinion-boxes", {"organization_code": village, "place": "村口"})
        self.call("POST", f"/opinion-boxes/{box['id']}/poster")
        self.call("DELETE", f"/opinion-boxes/{box['id']}")
        keyed = self.call("POST", "/opinions", {"organization_code": village, "text": OPINION})["id"]
        self.call("POST", f"/opinions/{keyed}/original", {"reason": REASON})
        phone = self.world.app.test_client()
        form = phone.get(f"/api/v1/entrances/{self.codes[0]}/opinions").json
        body = {"ticket": form["ticket"], "secret": secrets.token_urlsafe(24), "text": OPINION}
        sent = phone.post(f"/api/v1/entrances/{self.codes[0]}/opinions", json=body).json
        self.secrets |= {form["ticket"], body["secret"], sent["query_code"]}
        self.call("POST", f"/opinions/{keyed}/triage", {"category": "complaint", "level": "town"})
        self.call("POST", f"/opinions/{keyed}/answer", {"public_text": REASON})

    def anomalies(self) -> None:
        """The county proposes twice; the town is not above it, so a colleague in the county decides."""
        colleague = self.sign_in(self.people.hire(Role.COUNTY_ADMIN, self.county, name="colleague"))
        group = {
            "organization_code": self.world.village_codes[0],
            "rater_class": "villager",
            "mode": "household",
            "flag": "too_fast",
            "reason": REASON,
        }
        for decision in ("decline", "confirm"):
            made = self.call("POST", f"{self.place}/exclusions", group)["id"]
            address = f"/api/v1{self.place}/exclusions/{made}/{decision}"
            assert colleague.post(address, json={"reason": REASON}).status_code == 200
        phone = self.world.app.test_client()
        ticket = phone.get(f"/api/v1/entrances/{self.codes[0]}").json["ticket"]
        sent = phone.post(f"/api/v1/entrances/{self.codes[0]}/disputes", json={"ticket": ticket})
        assert sent.json == {"state": "noted"}
        self.secrets.add(ticket)
        ruling = {"organization_code": self.world.village_codes[0], "decision": "hold", "reason": REASON}
        self.call("POST", f"{self.place}/disputes", ruling)

    def paper_batches(self) -> None:
        """One batch is given up, another one keyed by two, settled by one of them, confirmed and closed."""
        second = self.sign_in(self.people.hire(Role.COUNTY_ADMIN, self.county, name="second.keyer"))
        place = {"organization_code": self.world.village_codes[0], "rater_class": "villager", "issued": 30}
        batches = f"{self.place}/paper-batches"
        given_up, counted = (
            f"{batches}/{self.call('POST', batches, place | {'mode': 'paper_total'})['id']}" for _ in range(2)
        )
        self.call("POST", f"{given_up}/discard", {"reason": REASON})
        plain = {name: place[name] for name in ("organization_code", "rater_class")}
        self.call("POST", f"{self.place}/paper-ballots", plain | {"mode": "paper_total"})
        lines = {"lines": ["28", "20,4,1,2,0,1"], "first": 0}
        self.call("PUT", f"{counted}/totals/first", lines)
        self.call("POST", f"{counted}/totals/first/restart")
        self.call("PUT", f"{counted}/totals/first", lines)
        self.call("POST", f"{counted}/totals/first/finish")
        address = f"/api/v1{counted}/totals"
        assert second.put(f"{address}/second", json=lines | {"lines": ["28"]}).status_code == 200
        assert second.post(f"{address}/second/finish").status_code == 200
        self.call("PUT", f"{counted}/totals/settlement", {"lines": {"1": "20,4,1,2,0,1"}})
        assert second.post(f"{address}/settlement/confirm").status_code == 200
        self.call("POST", f"{counted}/close")

    def reminders(self) -> None:
        database, campaign_id = self.world.app.extensions["database"], self.world.campaign_id
        tomorrow = clock.now() + timedelta(days=1)
        with database.unit_of_work() as session:
            switch_reminders(session, campaign_id=campaign_id, is_on=True, now=clock.now())
        with database.unit_of_work() as session:
            remind_branches(session, campaign_id=campaign_id, now=tomorrow)

    def change_master_key(self) -> None:
        present = Keyring(secret_key="secret", master_key="another")
        with self.world.app.app_context():
            rotate_keys(earlier=self.world.keyring, present=present, is_forced=True)

    def end(self) -> None:
        self.world.drain()
        self.call("POST", f"{self.place}/close")
        with self.world.app.extensions["database"].unit_of_work() as session:
            destroy_due_keys(session, now=clock.now() + timedelta(days=60))
            record_acts(session, now=clock.now() + timedelta(days=1))
        self.call("POST", f"{self.place}/seal")
        eligible = {self.world.village_codes[0]: {"villager": 90}}
        self.call("POST", f"{self.place}/corrections", {"eligible": eligible, "reason": REASON})
        with self.world.app.app_context():
            sweep_texts()
            sweep_retention()

    def ratings(self) -> None:
        self.call("POST", "/schemes", {"source": preset_text("feicheng-branch-star")})
        village = self.world.village_codes[0]
        body = {"scheme": "feicheng-branch-star", "title": "评星定级", "organization_codes": [village]}
        place = f"/rating-cycles/{self.call('POST', '/rating-cycles', body)['id']}"
        categories = ("leadership", "operation", "activity", "members", "guarantee")
        points = dict.fromkeys(categories, "12") | {"rural_effect": "40"}
        self.call("PUT", f"{place}/subjects/{village}/scores", {"by": "town", "points": points})
        self.call("PUT", f"{place}/subjects/{village}/findings", {"findings": {"supervision_problem": ""}})
        self.call("POST", f"{place}/self")
        self.call("POST", f"{place}/send-back", {"to": "self", "remark": REASON})
        self.around_sheets(f"{place}/subjects/{village}")
        self.call("PUT", f"{place}/deadlines/self", {"due_on": "2026-11-29"})
        for step in ("self", "town_assessment"):
            self.call("POST", f"{place}/{step}")
        self.call("PUT", f"{place}/decisions/{village}", {"grade": "star3", "reason": REASON})
        self.call("POST", f"{place}/county_review")
        raised = {"organization_code": village, "text": REASON}
        objection = self.call("POST", f"{place}/objections", raised)["id"]
        self.call("POST", f"{place}/objections/{objection}/outcome", {"outcome": REASON, "grade": "star4"})
        with self.world.app.extensions["database"].unit_of_work() as session:
            for move in session.scalars(select(RatingMove)):
                move.at -= timedelta(days=6)
        self.call("POST", f"{place}/public_notice")
        lower = {"grade": "low", "trigger": "petition", "reason": REASON}
        self.call("POST", f"{place}/downgrades/{village}", lower)
        self.after_rating(place, body, village, dict.fromkeys(categories, "1") | {"rural_effect": "1"})

    def after_rating(self, place: str, body: dict[str, Any], village: str, points: dict[str, str]) -> None:
        """The grades leave as a file and come in again; a second cycle falls, and somebody answers."""
        file = self.call("GET", f"{place}/grades/file")
        self.call("POST", "/rating-history", {"file": file, "key": file["key"]})
        again = f"/rating-cycles/{self.call('POST', '/rating-cycles', body)['id']}"
        self.call("PUT", f"{again}/subjects/{village}/scores", {"by": "town", "points": points})
        self.call("POST", f"{again}/warnings/check")
        [found] = self.call("GET", "/rating-warnings")["items"]
        self.call("PUT", f"/rating-warnings/{found['id']}/answer", {"answer": REASON})

    def around_sheets(self, subject: str) -> None:
        link = {"by": "town", "indicator": "members", "url": "https://village.example/list"}
        made = self.call("POST", f"{subject}/evidence/links", link)["id"]
        self.call("DELETE", f"{subject}/evidence/{made}")
        self.call("POST", f"{subject}/submit", {"by": "town"})
        self.call("POST", f"{subject}/return", {"by": "town", "remark": REASON})
        self.call("POST", f"{subject}/submit", {"by": "town"})
        visit = {"visited_on": "2026-11-20", "visitors": "专班", "outcome": "confirmed", "text": REASON}
        self.call("POST", f"{subject}/visits", visit)


@pytest.fixture
def story(committing_app: Flask, frozen_clock: None) -> Story:
    """Tell the story on a database of its own: sealing commits, and cleans the files."""
    story = Story(start_campaign(committing_app), People(committing_app))
    story.run()
    return story


def entries_of(story: Story) -> list[Entry]:
    return read_chain(story.world.app.extensions["database"])


def test_every_act_leaves_its_entry_and_no_entry_holds_a_secret(story: Story) -> None:
    entries = entries_of(story)
    assert spoken_actions() - {entry.action for entry in entries} == set(), (
        "an act is missing in the story above"
    )
    written = json.dumps([asdict(entry) for entry in entries], ensure_ascii=False)
    assert [secret for secret in story.secrets if secret in written] == []
    assert len(story.secrets) >= 40
