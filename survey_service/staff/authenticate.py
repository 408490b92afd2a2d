"""Who is calling: the token of a request, the browser's cookie, and the proof against forged forms."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from flask import Response, current_app, g, request

from survey_service.core import clock
from survey_service.core.audit import SAFE_METHODS
from survey_service.core.db import reading, unit_of_work
from survey_service.core.digests import keyed_digest
from survey_service.core.errors import Forbidden, Locked
from survey_service.core.http import wants_page
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.staff import service, tokens
from survey_service.staff.rules import TokenKind
from survey_service.staff.service import Grant
from survey_service.staff.tokens import LiveToken

COOKIE_NAME = "staff_session"
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
_CSRF_PURPOSE = "csrf"
OWN_ACCOUNT_CALLS = "/api/v1/auth/"
"""Open without the second factor that a role needs: signing in and out, and one's own password."""
UNLOCK_PAGE = "/staff/unlock"
OPEN_WHILE_LOCKED = frozenset({UNLOCK_PAGE, "/staff/sign-out"})
OWN_SITES = frozenset({"same-origin", "none"})
"""`none`: the person started it, by the address line or by loading again."""


@dataclass(frozen=True)
class PresentedToken:
    """A token as a request carries it, not yet believed."""

    kind: TokenKind
    token: str = field(repr=False)


def presented_token() -> PresentedToken | None:
    """Return the token of the request; a bearer token leaves the cookie unread."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return PresentedToken(TokenKind.BEARER, token.strip())
    cookie = request.cookies.get(COOKIE_NAME)
    return PresentedToken(TokenKind.COOKIE, cookie) if cookie else None


def authenticate() -> Identity | None:
    """Return the staff member behind the request, or None.

    Raises Forbidden for a form not our own, and Locked while somebody else votes on the phone.
    """
    presented = presented_token()
    if presented is None:
        return None
    now = clock.now()
    with reading() as session:
        live = tokens.authenticate_token(session, token=presented.token, kind=presented.kind, now=now)
    if live is None:
        return None
    if live.is_locked and request.path not in OPEN_WHILE_LOCKED:
        raise Locked("session_locked")
    _refuse_forgery(presented, now)
    _remember_missing_factor(live)
    if live.is_touch_due:
        with unit_of_work() as session:
            tokens.touch_token(session, token=presented.token, now=now)
    return live.identity


def _remember_missing_factor(live: LiveToken) -> None:
    """Refuse calls without the second factor that a role needs; pages lead to where it is set up."""
    required = current_app.extensions["settings"].require_second_factor
    g.must_enrol = live.identity.role in required and not live.has_second_factor
    if g.must_enrol and not wants_page() and not request.path.startswith(OWN_ACCOUNT_CALLS):
        raise Forbidden("second_factor_missing")


def _refuse_forgery(presented: PresentedToken, now: datetime) -> None:
    """Raise Forbidden where another site may be using the browser's cookie to change something."""
    if presented.kind is not TokenKind.COOKIE or request.method in SAFE_METHODS:
        return
    refuse_other_sites()
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    ours = (
        _csrf_token_of(presented.token, key) for key in current_keyring().believed(_CSRF_PURPOSE, now=now)
    )
    if not any(hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in ours):
        raise Forbidden("page_expired")


def refuse_other_sites() -> None:
    """Raise Forbidden when the browser says that a page of another site sent the request."""
    site = request.headers.get("Sec-Fetch-Site")
    # Browsers name the site only over https and on this machine; elsewhere the origin has to do.
    is_own = _is_own_origin(request.headers.get("Origin")) if site is None else site in OWN_SITES
    if not is_own:
        raise Forbidden("page_expired")


def _is_own_origin(origin: str | None) -> bool:
    # Our pages send no referrer, for which browsers write "null" as the origin of a form: it says nothing.
    if origin is None or origin == "null":
        return True
    public = urlsplit(current_app.extensions["settings"].public_url)
    return origin in {f"{public.scheme}://{public.netloc}", request.host_url.rstrip("/")}


def _csrf_token_of(token: str, key: bytes) -> str:
    return keyed_digest(key, service.token_digest(token)).hex()


def csrf_token() -> str:
    """Return the value of the hidden field `csrf_token` for forms of the present session."""
    cookie = request.cookies.get(COOKIE_NAME)
    return _csrf_token_of(cookie, current_keyring().passing(_CSRF_PURPOSE)) if cookie else ""


def set_session_cookie(response: Response, grant: Grant) -> None:
    """Hand a token to the browser; the server ends the session, the browser forgets it when it closes."""
    response.set_cookie(
        COOKIE_NAME,
        grant.token,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=current_app.extensions["settings"].is_https,
    )


def delete_session_cookie(response: Response) -> None:
    """Take the token away from the browser."""
    response.delete_cookie(COOKIE_NAME, path="/", httponly=True, samesite="Lax")
