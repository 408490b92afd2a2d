"""Signing in at the edge without a password: by WeChat or 企业微信, and at a desktop by a phone."""

import json
from dataclasses import asdict, dataclass

from flask import Response, current_app, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.digests import sign, verify
from survey_service.core.errors import Forbidden
from survey_service.core.http import network_key, set_cookie
from survey_service.core.permissions import current_staff
from survey_service.core.privacy import current_keyring
from survey_service.core.rate_limits import RateLimit
from survey_service.staff import bindings, desktops, rules
from survey_service.staff.authenticate import refuse_other_sites
from survey_service.staff.desktops import Desktop
from survey_service.staff.rules import TokenKind
from survey_service.staff.service import Grant
from survey_service.staff.sign_in import open_proven, prove
from survey_service.wechat import sign_in as wechat
from survey_service.wechat.rules import Provider

DESKTOP_COOKIE = "staff_desktop"
DESKTOPS_PER_NETWORK = 60
"""A minute: a whole office stands behind one address."""


@dataclass(frozen=True)
class Phone:
    """Whose phone it is, as the provider said a moment ago."""

    provider: Provider
    account: str

    @property
    def digest(self) -> bytes:
        return bindings.binding_digest(current_keyring(), self.provider, self.account)


def phone_here() -> Phone | None:
    """Return whose phone the request comes from; None where the provider has to be asked first."""
    provider = wechat.provider_here()
    if provider is None or not wechat.is_fresh(provider):
        return None
    account = next(iter(wechat.known_accounts(provider)), None)
    return Phone(provider, account) if account else None


def _this_phone() -> Phone:
    phone = phone_here()
    if phone is None:
        raise Forbidden("page_expired")
    return phone


def sign_in_by_phone(phone: Phone) -> Grant:
    """Open the session of its holder; raises Unauthorized `not_bound` and SecondFactorRequired."""
    with reading() as session:
        username, proof = bindings.find_bound(session, provider=phone.provider, digest=phone.digest)
    return open_proven(username, proof, TokenKind.COOKIE, "")


def bind_and_sign_in(*, username: str, password: str, one_time_code: str) -> Grant:
    """Bind this phone by the password of the printed slip, or one's own, and open a session.

    Raises as `sign_in`, and Conflict `bound_to_another` before a session is opened.
    """
    refuse_other_sites()
    phone = _this_phone()
    proof = prove(username, password)
    with reading() as session:
        bindings.refuse_another(
            session, staff_id=proof.staff_id, provider=phone.provider, digest=phone.digest
        )
    grant = open_proven(username, proof, TokenKind.COOKIE, one_time_code)
    _bind(phone, proof.staff_id)
    return grant


def _bind(phone: Phone, staff_id: int) -> None:
    with unit_of_work() as session:
        bindings.bind(
            session, staff_id=staff_id, provider=phone.provider, digest=phone.digest, now=clock.now()
        )


def bind_own_phone(*, password: str) -> None:
    """Bind this phone to the caller, who proves his password again."""
    phone = _this_phone()
    prove(current_staff().username, password)
    _bind(phone, current_staff().id)


def wait_for_phone() -> Response:
    """Let the browser show a code; it remembers the code and its own secret in a cookie."""
    refuse_other_sites()
    limit: RateLimit = current_app.extensions.setdefault(
        "desktop_limit", RateLimit(count=DESKTOPS_PER_NETWORK, seconds=60)
    )
    limit.hit(network_key())
    client = rules.describe_client(request.user_agent.string)
    with unit_of_work() as session:
        desktop = desktops.begin_waiting(session, client=client, now=clock.now())
    response = Response(status=303, headers={"Location": "/staff/desktop"})
    signed = sign(current_keyring().passing("desktop"), json.dumps(asdict(desktop)).encode())
    lifetime = int(desktops.LIFETIME.total_seconds())
    set_cookie(response, DESKTOP_COOKIE, signed, max_age=lifetime, path="/staff")
    return response


def waiting_desktop() -> Desktop:
    """Return what this browser shows; raises Forbidden when it shows nothing any more."""
    known = verify(current_keyring().passing("desktop"), request.cookies.get(DESKTOP_COOKIE, ""))
    if known is None:
        raise Forbidden("page_expired")
    return Desktop(**json.loads(known))


def enter_from_desktop(desktop: Desktop) -> Grant | None:
    """Open the session of a desktop that a phone has let in; None while it waits."""
    client = rules.describe_client(request.user_agent.string)
    with unit_of_work() as session:
        return desktops.enter(
            session, code=desktop.code, secret=desktop.secret, client=client, now=clock.now()
        )
