"""The voter's way to WeChat and back, and the cookie that remembers who came back.

The openid never leaves the call that asked WeChat for it: what goes on is a digest under a key of this
installation, the *account*. Nothing but that call makes one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from flask import Response, after_this_request, current_app, request

from survey_service.core import clock
from survey_service.core.config import Settings
from survey_service.core.digests import DIGEST_BYTES, keyed_digest, sign, verify
from survey_service.core.errors import Forbidden, Unavailable
from survey_service.core.http import CONTENT_SECURITY_POLICY, network_key, set_cookie
from survey_service.core.privacy import Keyring, current_keyring, new_key
from survey_service.core.rate_limits import RateLimit
from survey_service.wechat.client import HttpTransport, WeChatClient, WeChatRefusal
from survey_service.wechat.rules import (
    CODE_LIFE,
    Reaction,
    State,
    authorize_url,
    is_wechat_browser,
    issue_state,
    read_state,
)
from survey_service.wechat.store import MemoryStore, RedisStore, Store
from survey_service.wechat.tokens import TokenHolder

CALLBACK_PATH = "/wechat/callback"
BROWSER_COOKIE = "wechat_browser"
BROWSER_COOKIE_SECONDS = 3600
ACCOUNT_COOKIE = "wechat_account"
ACCOUNT_COOKIE_DAYS = 30
"""A ballot that waits on a phone for its network needs its account until it is sent."""
FRESH = timedelta(minutes=2)
"""So long a page opens without asking WeChat again: phones are handed on, and asking shows nothing."""
MOST_ACCOUNTS = 4
"""People of one household who share a phone; whoever signed in before them signs in again."""
MOST_AT_ONCE = 4
"""Half the threads of a web process: however slow WeChat is, the others serve household codes."""
SLOT_WAIT_SECONDS = 0.5
LONGEST_CODE = 512

_VIRTUAL = "virtual"
_TIME_BYTES = 5
_DAY = 24 * 3600


class SignInFailed(Unavailable):
    """WeChat did not say who came back; the voter may try again, or take another way."""

    code = "sign_in_failed"


class SignIn:
    """What an installation with a service account keeps in each process."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        assert settings.wechat_app_id
        self._keyring = keyring
        self.app_id = settings.wechat_app_id
        self.open_base = settings.wechat_open_base
        self.callback_url = f"{settings.public_url}{CALLBACK_PATH}"
        self.client = WeChatClient(
            HttpTransport(settings.wechat_api_base),
            app_id=self.app_id,
            app_secret=settings.wechat_app_secret,
        )
        url = settings.redis_url
        self.store: Store = RedisStore(url, name=self.app_id, keyring=keyring) if url else MemoryStore()
        self.tokens = TokenHolder(self.client, self.store)
        self.failures = RateLimit(count=60, seconds=60)
        self._slots = BoundedSemaphore(MOST_AT_ONCE)

    def account_of(self, code: str, *, browser: bytes) -> str | None:
        """Return the account that a code stands for, or None for a virtual one.

        The same browser may bring the same code several times, also at once. Raises WeChatRefusal.
        """
        key = keyed_digest(self._keyring.passing("wechat code"), code, browser).hex()
        found = self.store.get(key)
        if found is None:
            with self._slot(), self.store.lock(key):
                found = self.store.get(key) or self._exchange(code, key)
        return None if found == _VIRTUAL else found

    def _exchange(self, code: str, key: str) -> str:
        visitor = self.client.exchange_code(code)
        account = keyed_digest(self._keyring.lasting("wechat account"), self.app_id, visitor.openid).hex()
        result = _VIRTUAL if visitor.is_virtual else account
        self.store.put(key, result, seconds=CODE_LIFE.total_seconds())
        return result

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=SLOT_WAIT_SECONDS):
            raise WeChatRefusal(Reaction.BACK_OFF)
        try:
            yield
        finally:
            self._slots.release()


def install(settings: Settings, keyring: Keyring) -> SignIn | None:
    """Return the sign-in of an installation; None without a service account."""
    return SignIn(settings, keyring) if settings.wechat_app_id and settings.wechat_app_secret else None


def _current() -> SignIn | None:
    found: SignIn | None = current_app.extensions["wechat"]
    return found


def is_possible_here() -> bool:
    """Tell whether the request comes from a browser that can go to WeChat's sign-in and come back."""
    return _current() is not None and is_wechat_browser(request.headers.get("User-Agent", ""))


def let_form_lead_on(response: Response) -> Response:
    """Allow the form of a page to end at WeChat: browsers hold its whole way against the page's policy."""
    sign_in = _current()
    if sign_in is not None:
        allowed = f"form-action 'self' {sign_in.open_base}"
        policy = CONTENT_SECURITY_POLICY.replace("form-action 'self'", allowed)
        response.headers["Content-Security-Policy"] = policy
    return response


def begin(target: str) -> Response:
    """Send the browser to WeChat, and from there back to `target`, a path of ours."""
    return _lead_to_wechat(State(clock.now(), target))


def _lead_to_wechat(state: State) -> Response:
    sign_in = _current()
    assert sign_in is not None
    browser = _known_browser() or new_key()
    key = current_keyring().passing("wechat state")
    url = authorize_url(
        open_base=sign_in.open_base,
        app_id=sign_in.app_id,
        redirect_uri=sign_in.callback_url,
        state=issue_state(key, state, browser=browser),
    )
    # Written by hand: the framework's own redirect would write the address anew, in its own order and case.
    response = Response(status=303, headers={"Location": url})
    signed = sign(current_keyring().passing("wechat browser"), browser)
    set_cookie(response, BROWSER_COOKIE, signed, max_age=BROWSER_COOKIE_SECONDS)
    return response


def _known_browser() -> bytes | None:
    return verify(current_keyring().passing("wechat browser"), request.cookies.get(BROWSER_COOKIE, ""))


def finish(*, code: str, written_state: str) -> Response:
    """Take the voter who comes back from WeChat, and lead on to the page that he wanted.

    Raises Forbidden `sign_in_refused` or `virtual_identity`, and SignInFailed. A refusal ends no session.
    """
    sign_in, browser = _current(), _known_browser()
    key, now = current_keyring().passing("wechat state"), clock.now()
    state = read_state(key, written_state, browser=browser, now=now) if browser is not None else None
    if sign_in is None or browser is None or state is None or not 0 < len(code) <= LONGEST_CODE:
        raise Forbidden("sign_in_refused")
    try:
        account = _account(sign_in, code, browser)
    except WeChatRefusal as refusal:
        if refusal.reaction is Reaction.RESTART and not state.is_second_try:
            return _lead_to_wechat(State(now, state.target, is_second_try=True))
        raise SignInFailed(extra={"again": state.target}) from refusal
    if account is None:
        raise Forbidden("virtual_identity", extra={"again": state.target})
    response = Response(status=303, headers={"Location": state.target})
    _remember(response, [account, *known_accounts()], now)
    return response


def _account(sign_in: SignIn, code: str, browser: bytes) -> str | None:
    """Exchange a code; invented ones count against whoever tries many."""
    network = network_key()
    if sign_in.failures.is_exhausted(network):
        sign_in.failures.hit(network)
    try:
        return sign_in.account_of(code, browser=browser)
    except WeChatRefusal as refusal:
        if refusal.reaction is Reaction.RESTART:
            sign_in.failures.hit(network)
        raise


def _remember(response: Response, accounts: list[str], signed_in_at: datetime | None) -> None:
    """Write the accounts that used this phone, the last one first, and when that one signed in."""
    kept = list(dict.fromkeys(accounts))[:MOST_ACCOUNTS]
    moment = int(signed_in_at.timestamp()) if signed_in_at else 0
    payload = moment.to_bytes(_TIME_BYTES, "big") + bytes.fromhex("".join(kept))
    signed = sign(current_keyring().lasting("wechat session"), payload)
    set_cookie(response, ACCOUNT_COOKIE, signed, max_age=ACCOUNT_COOKIE_DAYS * _DAY)


def _session() -> bytes:
    signed = request.cookies.get(ACCOUNT_COOKIE, "")
    return verify(current_keyring().lasting("wechat session"), signed) or bytes(_TIME_BYTES)


def known_accounts() -> list[str]:
    """Return the accounts that have signed in on this phone, the last one first."""
    rest = _session()[_TIME_BYTES:]
    return [rest[start : start + DIGEST_BYTES].hex() for start in range(0, len(rest), DIGEST_BYTES)]


def is_fresh() -> bool:
    """Tell whether somebody has signed in a moment ago and has sent nothing since."""
    moment = int.from_bytes(_session()[:_TIME_BYTES], "big")
    return clock.now().timestamp() - moment <= FRESH.total_seconds()


def end_visit() -> None:
    """Let the next page ask WeChat again who holds the phone; a ballot under way keeps its account."""

    @after_this_request
    def forget_when(response: Response) -> Response:
        _remember(response, known_accounts(), None)
        return response
