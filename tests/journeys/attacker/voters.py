"""Three hundred people who vote one after another, each from an own address: only the test knows it all."""

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from random import Random
from typing import Any

from sqlalchemy import select

from survey_service.ballots.access import DEVICE_COOKIE
from survey_service.ballots.rules import derive_keys, participation_digest
from survey_service.campaigns.queries import get_campaign_key
from survey_service.core.db import Database
from survey_service.core.digests import verify
from survey_service.core.privacy import Keyring
from survey_service.entrances.codes import normalize
from survey_service.entrances.models import Entrance
from survey_service.entrances.queries import digest_code
from tests.journeys.county import ITEM, REMARK, County
from tests.support.patience import PATIENCE_SECONDS

SEED = 20_261_122
HOUSEHOLDS, PASSERS_BY = 110, 40
"""In each of the two villages; those who pass by vote with the posted code."""
ARRIVAL = {"key": "known", "kind": "number", "text": "只有测试知道的数", "required": True}
OPTIONS = ("satisfied", "basically_satisfied", "dissatisfied", "not_informed")
RACES = 5


@dataclass
class Voter:
    """A person, how he came in, and what he answered: `known` stands in his ballot and in his text alone."""

    village: int
    code: str
    is_passing_by: bool
    known: int
    address: str
    user_agent: str = field(default_factory=lambda: f"Phone/{secrets.token_hex(8)}")
    openid: str = field(default_factory=lambda: f"o{secrets.token_urlsafe(20)}")
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    ticket: str = ""
    cookie: str = ""
    receipt: str = ""
    digest: bytes = b""
    subject_id: int = 0

    @property
    def pile(self) -> tuple[int, bool]:
        """What the ballot tells about its voter anyway: the village, and the kind of code."""
        return self.village, self.is_passing_by

    @property
    def remark(self) -> str:
        return f"第{self.known}条意见"

    def vote(self, port: int) -> None:
        opened = self._call(port, "GET", f"/api/v1/entrances/{self.code}?openid={self.openid}")
        self.ticket = opened["ticket"]
        self.receipt = self._post(port, self.secret)["receipt"]

    def vote_again(self, port: int) -> None:
        """Send the same ballot twice at once, and another one: all of it leads to refusals and conflicts."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: self._post(port, self.secret), range(2)))
        assert self._post(port, secrets.token_urlsafe(24))["code"] == "already_submitted"

    def _post(self, port: int, secret: str) -> Any:
        answers = {"overall": OPTIONS[self.known % 4], "known": str(self.known), "remark": self.remark}
        body = {"ticket": self.ticket, "secret": secret, "answers": answers}
        return self._call(port, "POST", f"/api/v1/entrances/{self.code}/ballots", body)

    def _call(self, port: int, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection(
            "127.0.0.1", port, timeout=PATIENCE_SECONDS, source_address=(self.address, 0)
        )
        headers = {"User-Agent": self.user_agent, "Content-Type": "application/json"}
        headers |= {"X-Forwarded-For": self.address, "X-Openid": self.openid}
        headers |= {"Cookie": f"{DEVICE_COOKIE}={self.cookie}"} if self.cookie else {}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        for given in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = given.partition(";")[0].partition("=")
            self.cookie = value if name == DEVICE_COOKIE else self.cookie
        content = json.loads(answer.read())
        connection.close()
        return content

    def traces(self, keyring: Keyring) -> Iterator[tuple[str, bytes]]:
        """Yield what must stand in no log and no dump, in the forms in which it could."""
        words = {"address": self.address, "user agent": self.user_agent, "openid": self.openid}
        words |= {"secret": self.secret, "ticket": self.ticket}
        words |= {"cookie": self.cookie} if self.is_passing_by else {"code": self.code}
        yield from ((name, word.encode()) for name, word in words.items())
        if self.is_passing_by:
            yield "device", self.device(keyring).encode()
            yield "device", bytes.fromhex(self.device(keyring))

    def digests(self) -> Iterator[tuple[str, bytes]]:
        """Yield the participation's digest in the forms in which it could be written."""
        yield "digest", self.digest
        yield "digest in hexadecimal", self.digest.hex().encode()
        yield "digest in base64", b64encode(self.digest).rstrip(b"=")

    def ids(self, campaign_id: int) -> Iterator[bytes]:
        """Yield the ids that would follow if something that is known of the voter were the secret."""
        for secret in (self.secret, self.code, self.ticket, self.cookie, self.receipt, self.digest.hex()):
            keys = derive_keys(
                campaign_id=campaign_id,
                subject_id=self.subject_id,
                secret=secret,
                text_items=(REMARK["key"],),
            )
            yield from (keys.ballot_id, *keys.text_ids.values())

    def device(self, keyring: Keyring) -> str:
        payload = verify(keyring.lasting("device cookie"), self.cookie)
        assert payload is not None
        return payload.hex()


def gather(county: County) -> list[Voter]:
    """Return voters in the order in which they will come: villages and kinds of codes mixed."""
    county.open_campaign(items=(ITEM, ARRIVAL, REMARK))
    random = Random(SEED)
    doors = [
        (village, code, is_passing_by)
        for village in (0, 1)
        for is_passing_by, codes in (
            (False, county.issue(HOUSEHOLDS, village=village)),
            (True, county.issue(1, village=village, mode="open") * PASSERS_BY),
        )
        for code in codes
    ]
    random.shuffle(doors)
    known = random.sample(range(10_000, 99_999), len(doors))
    return [
        Voter(village, code, is_passing_by, number, f"127.{100 + n % 100}.{1 + n // 100}.{7 + n % 200}")
        for n, ((village, code, is_passing_by), number) in enumerate(zip(doors, known, strict=True))
    ]


def go_to_vote(voters: Sequence[Voter], port: int) -> None:
    for voter in voters:
        voter.vote(port)
    for voter in voters[:: len(voters) // RACES]:
        voter.vote_again(port)


def compute_digests(voters: Sequence[Voter], county: County, keyring: Keyring) -> None:
    """Do what an administrator with the master key can do while a campaign is open."""
    database = Database(county.installation.environment["DATABASE_URL"])
    with database.reading() as session:
        key = get_campaign_key(session, keyring=keyring, campaign_id=county.campaign_id)
        columns = select(Entrance.code_digest, Entrance.id, Entrance.subject_id)
        entrances = {digest: found for digest, *found in session.execute(columns)}
    for voter in voters:
        slot, voter.subject_id = entrances[digest_code(keyring, normalize(voter.code) or "")]
        kind, value = ("device", voter.device(keyring)) if voter.is_passing_by else ("slot", str(slot))
        voter.digest = participation_digest(key, kind=kind, value=value)
    database.engine.dispose()
