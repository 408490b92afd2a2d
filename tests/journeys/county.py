"""A county office that works only through the command line and the JSON API of the contract."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.installation import Answer, Installation
from tests.support.patience import PATIENCE_SECONDS

PASSWORD = "Journey-2026-ok"
COUNTY, TOWN = "100000000000", "100001000000"
VILLAGES = ["100001001000", "100001002000"]
TREE = "\n".join(
    [
        "code,name,parent_code,kind,households,members,villagers",
        f"{COUNTY},试验县,,county,,,",
        f"{TOWN},试验镇,{COUNTY},town,,,",
        f"{VILLAGES[0]},甲村,{TOWN},village,100,20,300",
        f"{VILLAGES[1]},乙村,{TOWN},village,100,20,300",
    ]
)
ITEM = {
    "key": "overall",
    "kind": "rating",
    "text": "总体评价",
    "option_set": "satisfaction4",
    "weight": "1",
    "required": True,
}
REMARK = {"key": "remark", "kind": "text", "text": "意见建议", "max_length": 500, "required": False}
FORMULA = {
    "coefficients": {"satisfied": "1", "basically_satisfied": "0.75", "dissatisfied": "0.55"},
    "positive": ["satisfied", "basically_satisfied"],
    "class_weights": {"villager": "1"},
    "mode_weights": {"household": "1", "open_device": "1"},
}


@dataclass
class County:
    """Who drives a journey: the staff's side by token, the voters' side without one."""

    installation: Installation
    token: str = ""
    campaign_id: int = 0
    _serial: int = field(default=0)

    def move_in(self) -> None:
        """Migrate, import the tree, make an account, sign in."""
        (self.installation.folder / "tree.csv").write_text(TREE, "utf-8")
        for arguments in (["migrate"], ["organizations", "import", "tree.csv"]):
            done = self.installation.run(*arguments)
            assert done.returncode == 0, done.stderr
        made = self.installation.run(
            *["staff", "create", "--username", "county", "--role", "county_admin"],
            *["--organization", COUNTY, "--password-stdin"],
            input=PASSWORD,
        )
        assert made.returncode == 0, made.stderr

    def sign_in(self) -> None:
        body = {"username": "county", "password": PASSWORD}
        self.token = self.staff("POST", "/auth/token", body, expect=201)["token"]

    def staff(self, method: str, path: str, body: Any = None, *, expect: int = 200, web: int = 0) -> Any:
        """Call the API as staff; the answer must be the expected one."""
        answer = self.installation.call(method, f"/api/v1{path}", body, token=self.token, web=web)
        assert answer.status == expect, answer.body
        return answer.body

    def open_campaign(self, *, items: Sequence[Any] = (ITEM, REMARK), **changes: Any) -> None:
        """Make a questionnaire and a campaign over both villages, and launch it."""
        body = {"title": "测评表", "items": list(items)}
        form = self.staff("POST", "/questionnaires", body, expect=201)
        campaign = {
            "title": "2026年度测评",
            "questionnaire_id": form["id"],
            "under": TOWN,
            "opens_at": "2020-01-01T00:00:00+08:00",
            "closes_at": "2099-01-01T00:00:00+08:00",
            "formula": FORMULA,
        }
        made = self.staff("POST", "/campaigns", campaign | changes, expect=201)
        self.campaign_id = made["id"]
        self.staff("POST", f"/campaigns/{self.campaign_id}/launch")

    def issue(self, count: int, *, village: int = 0, mode: str = "household") -> list[str]:
        """Make entrances and return their codes."""
        body = {
            "organization_code": VILLAGES[village],
            "mode": mode,
            "rater_class": "villager",
            "count": count,
        }
        made = self.staff("POST", f"/campaigns/{self.campaign_id}/entrances", body, expect=201)
        return [item["code"] for item in made["items"]]

    def open(self, code: str, *, web: int = 0) -> str:
        answer = self.installation.call("GET", f"/api/v1/entrances/{code}", web=web)
        assert answer.status == 200, answer.body
        ticket: str = answer.body["ticket"]
        return ticket

    def post(
        self,
        code: str,
        ticket: str,
        option: str = "satisfied",
        *,
        secret: str | None = None,
        web: int = 0,
        remark: str = "",
    ) -> Answer:
        """Send a ballot once."""
        answers = {"overall": option} | ({"remark": remark} if remark else {})
        body = {"ticket": ticket, "secret": secret or secrets.token_urlsafe(24), "answers": answers}
        return self.installation.call("POST", f"/api/v1/entrances/{code}/ballots", body, web=web)

    def vote(self, options: list[str], *, village: int = 0) -> None:
        """Cast one ballot with a code of its own for each option, on all web processes in turn."""
        for position, (code, option) in enumerate(
            zip(self.issue(len(options), village=village), options, strict=True)
        ):
            answer = self.post(code, self.open(code, web=position), option, web=position)
            assert answer.status == 201, answer.body

    def score(self, village: int = 0) -> dict[str, Any]:
        items = self.staff("GET", f"/campaigns/{self.campaign_id}/scores")["items"]
        return next(item for item in items if item["organization_code"] == VILLAGES[village])

    def returned(self) -> int:
        items = self.staff("GET", f"/campaigns/{self.campaign_id}/progress")["items"]
        return sum(item["returned"] for item in items)


def eventually(what: Callable[[], Any], expected: Any, *, every: float = 0.2) -> None:
    """Wait until something has its expected value, and look every so many seconds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := what()) != expected:
        assert time.monotonic() < deadline, f"still {found}, not {expected}"
        time.sleep(every)
