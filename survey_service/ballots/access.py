"""Between the request and the service: credentials from cookies, tickets, and what is kept in the process.

Everything a person could be known by ends here: what goes on to the service is a keyed digest.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Response, current_app, request
from sqlalchemy.orm import Session

from survey_service.ballots.intake import IntakeWatch
from survey_service.ballots.rules import FlagLimits, participation_digest
from survey_service.campaigns.queries import get_campaign_key
from survey_service.campaigns.rules import Mode, OpenRequires, State
from survey_service.core import clock
from survey_service.core.config import Settings
from survey_service.core.digests import sign, verify
from survey_service.core.errors import Forbidden, Unauthorized
from survey_service.core.http import public_url, set_cookie
from survey_service.core.privacy import Keyring, current_keyring
from survey_service.core.rate_limits import RateLimit
from survey_service.entrances import codes
from survey_service.entrances.queries import OpenedEntrance, digest_code
from survey_service.entrances.rules import Ticket, credential_mac, issue_ticket, read_ticket
from survey_service.wechat import sign_in

DEVICE_COOKIE = "device"
DEVICE_COOKIE_DAYS = 400
"""The longest life that browsers grant a cookie."""
ANSWERED_COOKIE_DAYS = 60
VISIT_COOKIE = "visit"
VISIT_LIFETIME = timedelta(minutes=30)
"""Nobody is hurried; whoever takes longer asks for the code to be typed again."""
_VISIT = "assisted visit"
_DAY = 24 * 3600
_DEVICE_BYTES = 16

Rated = tuple[int, int]
"""A campaign, and a subject of it that was rated."""


@dataclass(frozen=True)
class Credential:
    """What counts once: a slot, a device or an account; `value` never leaves this request but as a digest."""

    kind: str
    value: str

    @property
    def mac(self) -> str:
        return credential_mac(self.kind, self.value)


@dataclass(frozen=True)
class Holder:
    """Who opens an entrance: by which credential, and whether this phone may be told that it has voted."""

    credential: Credential
    is_known: bool
    device: str | None = None
    """The device that the answer must name in a cookie; None where something else is the credential."""


class SignInRequired(Unauthorized):
    """A posted code asks for WeChat, and nobody has signed in; `entrance` is what was opened."""

    code = "sign_in_required"

    def __init__(self, entrance: OpenedEntrance) -> None:
        # Opened inside WeChat, the page itself leads to the sign-in and back.
        page = f"{public_url()}/s/{entrance.code}"
        super().__init__(extra={"sign_in_url": page})
        self.entrance = entrance


class VoterLimits:
    """Limits on the voter's way, by credential and by failed look-ups.

    `by_network` is a wide backstop that does not exist unless the operator configures it.
    """

    def __init__(self, ballots_per_network: int = 0) -> None:
        self.by_network = RateLimit(count=ballots_per_network, seconds=60) if ballots_per_network else None
        self.posts = RateLimit(count=20, seconds=60)
        self.different_answers = RateLimit(count=3, seconds=3600)
        self.disputes = RateLimit(count=5, seconds=3600)
        self.failed_codes = RateLimit(count=60, seconds=60)


def limits() -> VoterLimits:
    """Return the limits of this process."""
    found: VoterLimits = current_app.extensions["voter_limits"]
    return found


def _device_key(keyring: Keyring) -> bytes:
    return keyring.lasting("device cookie")


def known_device() -> str | None:
    """Return the device id of a valid device cookie."""
    payload = verify(_device_key(current_keyring()), request.cookies.get(DEVICE_COOKIE, ""))
    return payload.hex() if payload is not None else None


def make_device() -> str:
    """Return a fresh device id."""
    return secrets.token_hex(_DEVICE_BYTES)


def set_device_cookie(response: Response, device: str) -> None:
    signed = sign(_device_key(current_keyring()), bytes.fromhex(device))
    set_cookie(response, DEVICE_COOKIE, signed, max_age=DEVICE_COOKIE_DAYS * _DAY)


def resolve_mode(entrance: OpenedEntrance) -> Mode:
    """Return the mode of a ballot.

    A posted code becomes `open_device` without WeChat, a slot `assisted` on the phone of who helps.
    """
    if entrance.is_posted:
        return entrance.mode if asks_for_wechat(entrance) else Mode.OPEN_DEVICE
    return Mode.ASSISTED if is_visit(entrance) else entrance.mode


def let_visit_begin(response: Response, entrance: OpenedEntrance, now: datetime) -> None:
    """Let this browser open one slot as an assisted visit, for so long as a villager needs."""
    until = int((now + VISIT_LIFETIME).timestamp())
    signed = sign(current_keyring().passing(_VISIT), f"{entrance.entrance_id}.{until}".encode())
    age = int(VISIT_LIFETIME.total_seconds())
    set_cookie(response, VISIT_COOKIE, signed, max_age=age)


def is_visit(entrance: OpenedEntrance) -> bool:
    """Tell whether this browser opens a slot in an assisted visit."""
    signed = request.cookies.get(VISIT_COOKIE)
    if signed is None:
        return False
    now = clock.now()
    found = (verify(key, signed) for key in current_keyring().believed(_VISIT, now=now))
    payload = next((one for one in found if one is not None), b"0.0")
    entrance_id, _, until = payload.decode().partition(".")
    return int(entrance_id) == entrance.entrance_id and now.timestamp() < int(until)


def end_visit(response: Response) -> None:
    """Leave nothing of a visit on the phone of who helped."""
    response.delete_cookie(VISIT_COOKIE)


def asks_for_wechat(entrance: OpenedEntrance) -> bool:
    """Tell whether a code opens for WeChat accounts only; a preview counts nothing and opens for all."""
    wants_account = entrance.open_requires is OpenRequires.WECHAT and not entrance.is_preview
    return entrance.is_posted and wants_account


def identify(entrance: OpenedEntrance) -> Holder:
    """Return who opens an entrance; raises SignInRequired."""
    if not entrance.is_posted:
        return Holder(Credential("slot", str(entrance.entrance_id)), is_known=False)
    if asks_for_wechat(entrance):
        account = next(iter(sign_in.known_accounts()), None)
        if account is None:
            raise SignInRequired(entrance)
        # The account is known on every phone; that it has voted, only the phone that it voted on may tell.
        has_voted_here = _voted_cookie(entrance.campaign_id) in request.cookies
        return Holder(Credential("openid", account), is_known=has_voted_here)
    known = known_device()
    device = known or make_device()
    return Holder(Credential("device", device), is_known=known is not None, device=device)


def should_sign_in_again(entrance: OpenedEntrance) -> bool:
    """Tell whether a phone has to ask WeChat anew who holds it: too long ago, or after a ballot."""
    is_asked = asks_for_wechat(entrance) and entrance.state is State.OPEN
    return is_asked and not sign_in.is_fresh() and sign_in.is_possible_here()


def make_ticket(entrance: OpenedEntrance, credential: Credential, opened_at: datetime) -> str:
    """Issue the ticket of a page that was opened now."""
    ticket = Ticket(
        entrance_id=entrance.entrance_id,
        campaign_id=entrance.campaign_id,
        subject_id=entrance.subject_id,
        version_id=entrance.version_id,
        rater_class=entrance.rater_class,
        mode=resolve_mode(entrance),
        place_id=entrance.entrance_id if entrance.is_posted else 0,
        opened_at=opened_at,
        code_digest=entrance.code_digest,
        credential=credential.mac,
        is_preview=entrance.is_preview,
    )
    return issue_ticket(current_keyring().passing("ticket"), ticket)


def check_ticket(signed: object, raw_code: str) -> tuple[Ticket, Credential]:
    """Return the ticket and the credential of a submit; raises Forbidden `bad_ticket`.

    The ticket must be ours, must be of this code, and must have been opened with the credential that is
    presented now.
    """
    keyring = current_keyring()
    ticket = _read_ticket(keyring, signed) if isinstance(signed, str) else None
    code = codes.normalize(raw_code)
    if ticket is None or code is None or ticket.code_digest != digest_code(keyring, code):
        raise Forbidden("bad_ticket")
    credential = _presented(ticket)
    if credential is None or credential.mac != ticket.credential:
        raise Forbidden("bad_ticket")
    return ticket, credential


def _read_ticket(keyring: Keyring, signed: str) -> Ticket | None:
    found = (read_ticket(key, signed) for key in keyring.believed("ticket", now=clock.now()))
    return next((ticket for ticket in found if ticket is not None), None)


def _presented(ticket: Ticket) -> Credential | None:
    if ticket.mode not in {Mode.OPEN, Mode.OPEN_DEVICE}:
        return Credential("slot", str(ticket.entrance_id))
    if ticket.mode is Mode.OPEN:
        accounts = (Credential("openid", account) for account in sign_in.known_accounts())
        return next((one for one in accounts if one.mac == ticket.credential), None)
    device = known_device()
    return Credential("device", device) if device else None


def digest_credential(session: Session, campaign_id: int, credential: Credential) -> bytes:
    """Return the participation digest of a credential; the campaign key is unwrapped once in a process."""
    keys: dict[int, bytes] = current_app.extensions["campaign_keys"]
    key = keys.get(campaign_id)
    if key is None:
        key = get_campaign_key(session, keyring=current_keyring(), campaign_id=campaign_id)
        keys[campaign_id] = key
    return participation_digest(key, kind=credential.kind, value=credential.value)


_ANSWERED = "answered_"
_RATED = re.compile(r"(\d{1,19})-(\d{1,19})", re.ASCII)


def _answered_cookie(entrance_id: int) -> str:
    return f"{_ANSWERED}{entrance_id}"


def _rated_cookie(code_digest: bytes) -> str:
    """Name the mark of a panel's code: one for all campaigns of its sitting, which are one person's."""
    return f"{_ANSWERED}{code_digest.hex()}"


def _voted_cookie(campaign_id: int) -> str:
    return f"voted_{campaign_id}"


def count_codes(ticket: Ticket) -> int:
    """Return with how many one-time codes this browser has voted, the present one included."""
    cookies: str = request.environ.get("HTTP_COOKIE", "")
    own = _answered_cookie(ticket.entrance_id), _rated_cookie(ticket.code_digest)
    return cookies.count(_ANSWERED) + (not any(f"{name}=" in cookies for name in own))


def remember_answered(response: Response, ticket: Ticket) -> None:
    """Let this device alone know that it has voted through a one-time code, or by a WeChat account."""
    if ticket.mode is Mode.OPEN:
        set_cookie(response, _voted_cookie(ticket.campaign_id), "1", max_age=ANSWERED_COOKIE_DAYS * _DAY)
    elif ticket.place_id == 0 and ticket.subject_id and ticket.mode is not Mode.ASSISTED:
        name = _answered_cookie(ticket.entrance_id)
        set_cookie(response, name, "1", max_age=ANSWERED_COOKIE_DAYS * _DAY)


def is_remembered(entrance: OpenedEntrance, cookies: Mapping[str, str]) -> bool:
    """Tell whether this device has voted through this one-time code."""
    return _answered_cookie(entrance.entrance_id) in cookies


def rated_here(code_digest: bytes) -> frozenset[Rated]:
    """Return what this device has rated with a panel's code."""
    parts = request.cookies.get(_rated_cookie(code_digest), "").split(".")
    found = (_RATED.fullmatch(part) for part in parts)
    return frozenset((int(one[1]), int(one[2])) for one in found if one)


def set_rated(response: Response, code_digest: bytes, rated: Iterable[Rated]) -> None:
    """Let this device alone know what it has rated with a panel's code."""
    value = ".".join(f"{campaign_id}-{subject_id}" for campaign_id, subject_id in sorted(rated))
    set_cookie(response, _rated_cookie(code_digest), value, max_age=ANSWERED_COOKIE_DAYS * _DAY)


def watch() -> IntakeWatch:
    """Return what this process remembers of the ballots that have just come in."""
    found: IntakeWatch = current_app.extensions["intake_watch"]
    return found


def install(settings: Settings) -> dict[str, object]:
    """Return what the application keeps in memory for the voter's way."""
    limits = FlagLimits(
        seconds_per_item=settings.flag_seconds_per_item,
        burst_ballots=settings.flag_burst_ballots,
        codes_per_browser=settings.flag_codes_per_browser,
        serial_run=settings.flag_serial_run,
    )
    return {
        "voter_limits": VoterLimits(settings.address_ballots_per_minute),
        "campaign_keys": {},
        "intake_watch": IntakeWatch(limits),
    }
