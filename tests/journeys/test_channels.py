"""One village through every channel: phone, visit, paper, WeChat and panel, by households that overlap.

What comes out is compared with `SHEET`, which was computed by hand.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import settle
from tests.journeys.county import FORMULA, PASSWORD, TOWN, VILLAGES, County, eventually
from tests.journeys.handset import Handset, Page
from tests.support.installation import Installation, installation
from tests.support.servers import free_port
from tests.support.wechat import USER_AGENT, FakeWeChat

ELIGIBLE = {"villager": 30, "party_group_leader": 6}
CHANNELS = FORMULA | {
    "class_weights": {"villager": "0.6", "party_group_leader": "0.4"},
    "mode_weights": {"household": "1", "assisted": "1", "paper": "1", "open": "0.5", "panel": "1"},
}
SATISFIED, BASICALLY, DISSATISFIED = "satisfied", "basically_satisfied", "dissatisfied"

# ballots   class     mode       weight  satisfied 1  basically 0.75  dissatisfied 0.55   alone
#           villager  household    1          4             0                2            (4 + 1.1)/6 = 85 %
#           villager  assisted     1          1             4                0            (1 + 3)/5   = 80 %
#           villager  paper        1          0             6                0            4.5/6       = 75 %
#           villager  open         1/2        2             0                4            (2 + 2.2)/6 = 70 %
#           leader    panel        1          3             0                2            (3 + 1.1)/5 = 82 %
# villager  weighed: satisfied 4 + 1 + 2/2 = 6, basically 4 + 6 = 10, dissatisfied 2 + 4/2 = 4; together 20
#           score (6 + 10 x 0.75 + 4 x 0.55)/20 = (6 + 7.5 + 2.2)/20 = 15.7/20 = 78.5 %
#           satisfied at least basically (6 + 10)/20 = 80 %
# leader    score 82 %, satisfied 3/5 = 60 %
# together  score 0.6 x 78.5 + 0.4 x 82 = 47.1 + 32.8 = 79.9; satisfied 0.6 x 80 + 0.4 x 60 = 48 + 24 = 72
# turnout   6 + 5 + 6 + 6 + 5 = 28 of 30 + 6 = 36: 77.777… %
# The paper of the two households that had answered counts nowhere.
SHEET = {
    "status": "ok",
    "score": "79.90",
    "satisfaction_rate": "72.00",
    "eligible": 36,
    "returned": 28,
    "response_rate": "77.78",
    "by_class": {"villager": (23, 23, "78.50"), "party_group_leader": (5, 5, "82.00")},
    "by_mode": {
        "household": (6, 6, "85.00"),
        "assisted": (5, 5, "80.00"),
        "paper": (6, 6, "75.00"),
        "open": (6, 6, "70.00"),
        "panel": (5, 5, "82.00"),
    },
    "flags": [],
}


@pytest.fixture
def made(tmp_path: Path, wechat: FakeWeChat, postgresql_url: str, redis_url: str) -> Iterator[Installation]:
    """An installation on PostgreSQL and Redis with a service account."""
    settings = {name.upper(): value for name, value in wechat.settings.items()}
    settings["PUBLIC_URL"] = f"http://127.0.0.1:{free_port()}"
    with installation(tmp_path, database_url=postgresql_url, redis_url=redis_url, **settings) as running:
        yield running


@pytest.fixture
def home(made: Installation) -> str:
    return made.environment["PUBLIC_URL"]


@pytest.fixture
def county(made: Installation, home: str) -> County:
    office = settle(made, webs=1, first_port=int(home.rsplit(":", 1)[1]))
    office.open_campaign(formula=CHANNELS, eligible=dict.fromkeys(VILLAGES, ELIGIBLE))
    return office


class Visitor:
    """A person of the county who goes from house to house with a phone of the office."""

    def __init__(self, home: str) -> None:
        self._phone = Handset(home)
        self._phone.send("/staff", {"username": "county", "password": PASSWORD})

    def help(self, code: str, option: str) -> Page:
        """Type a household's code, hand the phone over, and take it back."""
        form = self._phone.send("/staff/visits", {"code": code})
        assert form.url.endswith(f"/s/{code}"), form.text
        sent = self._phone.send(f"/s/{code}", {"overall": option})
        assert self._phone.send("/staff/unlock", {"password": PASSWORD}).url.endswith("/staff/visits")
        return sent


def hire_second_keyer(county: County) -> str:
    """Give the town somebody who keys paper, and return his token."""
    made = county.installation.run(
        *["staff", "create", "--username", "keyer", "--role", "town_staff"],
        *["--organization", TOWN, "--password-stdin"],
        input=PASSWORD,
    )
    assert made.returncode == 0, made.stderr
    body = {"username": "keyer", "password": PASSWORD}
    token: str = county.staff("POST", "/auth/token", body, expect=201)["token"]
    return token


def key_paper(county: County, stubs: Sequence[str], lines: Sequence[str]) -> dict[str, Any]:
    """Key a pile of stubs and a pile of ballots twice, by two people, and close the batch."""
    batches = f"/campaigns/{county.campaign_id}/paper-batches"
    body = {"organization_code": VILLAGES[0], "rater_class": "villager", "mode": "paper", "issued": 20}
    batch = f"{batches}/{county.staff('POST', batches, body, expect=201)['id']}"
    for look, token in (("first", county.token), ("second", hire_second_keyer(county))):
        for pile, keyed in (("stubs", stubs), ("ballots", lines)):
            address = f"/api/v1{batch}/{pile}/{look}"
            saved = county.installation.call("PUT", address, {"lines": keyed}, token=token)
            finished = county.installation.call("POST", f"{address}/finish", token=token)
            assert (saved.status, finished.status) == (200, 200), saved.body
    county.staff("POST", f"{batch}/close")
    closed: dict[str, Any] = county.staff("GET", batch)
    return closed


def invite(county: County, count: int) -> list[str]:
    """Make codes for a panel of the town, which rates both villages."""
    body = {"organization_code": TOWN, "mode": "panel", "rater_class": "party_group_leader", "count": count}
    made = county.staff("POST", f"/campaigns/{county.campaign_id}/entrances", body, expect=201)
    return [item["code"] for item in made["items"]]


def figures(county: County) -> dict[str, Any]:
    """Return what the sheet says of a village: parts as returned, n, and score."""
    score = county.score()
    parts = {
        name: {key: (one["returned"], one["n"], one["score"]) for key, one in (score[name] or {}).items()}
        for name in ("by_class", "by_mode")
    }
    return {name: parts.get(name, score[name]) for name in SHEET}


def accepted(page: Page) -> bool:
    """Tell whether a ballot was taken; the only other answer here is that another one came before it."""
    assert page.status in {200, 409}, page.text
    assert 'name="overall"' not in page.text, "the form came back"
    return page.status == 200


def test_a_village_counts_once_whatever_the_channel(county: County, home: str, wechat: FakeWeChat) -> None:
    codes = county.issue(20)
    own, visited, on_paper = codes[:6], codes[6:11], codes[11:17]

    # Three generations on one handset, and three households on handsets of their own.
    family = Handset(home)
    phones = [family] * 3 + [Handset(home) for _ in own[3:]]
    for phone, code, option in zip(phones, own, [SATISFIED] * 4 + [DISSATISFIED] * 2, strict=True):
        assert accepted(phone.send(f"/s/{code}", {"overall": option}))
    assert not accepted(Handset(home).send(f"/s/{own[0]}", {"overall": DISSATISFIED}))

    # Visits; who answered on a phone is refused at the visit, and the other way round.
    visitor = Visitor(home)
    for code, option in zip(visited, [SATISFIED] + [BASICALLY] * 4, strict=True):
        assert accepted(visitor.help(code, option))
    assert not accepted(visitor.help(own[1], DISSATISFIED))
    assert not accepted(Handset(home).send(f"/s/{visited[0]}", {"overall": DISSATISFIED}))

    # Paper; two of its stubs belong to households that have answered, and as many ballots are set aside.
    batch = key_paper(county, [own[0], visited[0], *on_paper], ["2"] * 8)
    assert (batch["returned"], batch["set_aside"]) == (8, 2)
    assert not accepted(Handset(home).send(f"/s/{on_paper[0]}", {"overall": DISSATISFIED}))
    assert not accepted(visitor.help(on_paper[1], DISSATISFIED))

    # A posted code by WeChat: everybody once, on whatever phone.
    (posted,) = county.issue(1, mode="open")
    people = ["grandmother", "father", "daughter", "aunt", "uncle", "cousin"]
    handset = Handset(home, USER_AGENT)
    for person, option in zip(people, [SATISFIED] * 2 + [DISSATISFIED] * 4, strict=True):
        wechat.hand_phone_to(person)
        assert accepted(handset.send(f"/s/{posted}", {"overall": option}))
    wechat.hand_phone_to("aunt")
    assert not accepted(Handset(home, USER_AGENT).send(f"/s/{posted}", {"overall": SATISFIED}))

    # A panel rates both villages, each once.
    invited = invite(county, 6)
    for code, option in zip(invited[:5], [SATISFIED] * 3 + [DISSATISFIED] * 2, strict=True):
        member = Handset(home)
        for village in VILLAGES:
            assert accepted(member.send(f"/s/{code}/of/{village}", {"overall": option}))
    again = Handset(home).send(f"/s/{invited[0]}/of/{VILLAGES[0]}", {"overall": DISSATISFIED})
    assert not accepted(again)

    county.staff("POST", f"/campaigns/{county.campaign_id}/close")
    eventually(lambda: figures(county), SHEET)
    assert county.returned() == SHEET["returned"] + 5, "the panel alone has rated the other village"
    check = county.installation.run("rebuild", "--check")
    assert check.returncode == 0, check.stderr
