"""The way to WeChat or 企业微信 and back, and the cookie that remembers who came back.

The openid never leaves the call that asked WeChat for it: what goes on is a digest under a key of this
installation, the *account*. Nothing but that call makes one. Voters come by the service account; staff by
that or by 企业微信.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
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
from survey_service.wechat.client import CompanyClient, HttpTransport, WeChatClient, WeChatRefusal
from survey_service.wechat.rules import (
    CODE_LIFE,
    Provider,
    Reaction,
    State,
    Visitor,
    authorize_url,
    issue_state,
    provider_of_browser,
    read_state,
)
from survey_service.wechat.store import MemoryStore, RedisStore, Store
from survey_service.wechat.tokens import ServiceAccountTokens, TokenHolder

CALLBACK_PATHS: Mapping[Provider, str] = {one: f"/{one}/callback" for one in Provider}
BROWSER_COOKIE = "wechat_browser"
BROWSER_COOKIE_SECONDS = 3600
ACCOUNT_COOKIES: Mapping[Provider, str] = {one: f"{one}_account" for one in Provider}
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
_NO_CODE = "check"
_TIME_BYTES = 5
_DAY = 24 * 3600


class SignInFailed(Unavailable):
    """WeChat did not say who came back; the voter may try again, or take another way."""

    code = "sign_in_failed"


class SignIn(ABC):
    """What an installation keeps in each process for one provider."""

    def __init__(self, settings: Settings, keyring: Keyring, *, provider: Provider, app_id: str) -> None:
        self._keyring = keyring
        self.provider = provider
        self.app_id = app_id
        self.open_base = settings.wechat_open_base
        self.callback_url = f"{settings.public_url}{CALLBACK_PATHS[provider]}"
        url = settings.redis_url
        self.store: Store = RedisStore(url, name=app_id, keyring=keyring) if url else MemoryStore()
        self.failures = RateLimit(count=60, seconds=60)
        self._slots = BoundedSemaphore(MOST_AT_ONCE)

    @abstractmethod
    def visitor_of(self, code: str) -> Visitor:
        """Ask the provider whom a code stands for; raises WeChatRefusal."""

    @abstractmethod
    def check(self) -> None:
        """Ask the provider whether it takes this installation for what it says; raises WeChatRefusal."""

    def account_of(self, code: str, *, browser: bytes) -> str | None:
        """Return the account that a code stands for, or None for a virtual one.

        The same browser may bring the same code several times, also at once. Raises WeChatRefusal.
        """
        key = keyed_digest(self._keyring.passing(f"{self.provider} code"), code, browser).hex()
        found = self.store.get(key)
        if found is None:
            with self._slot(), self.store.lock(key):
                found = self.store.get(key) or self._exchange(code, key)
        return None if found == _VIRTUAL else found

    def _exchange(self, code: str, key: str) -> str:
        visitor = self.visitor_of(code)
        key_of_accounts = self._keyring.lasting(f"{self.provider} account")
        account = keyed_digest(key_of_accounts, self.app_id, visitor.openid).hex()
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


class ServiceAccountSignIn(SignIn):
    """The sign-in by a service account."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        assert settings.wechat_app_id
        super().__init__(settings, keyring, provider=Provider.WECHAT, app_id=settings.wechat_app_id)
        transport = HttpTransport(settings.wechat_api_base)
        self.client = WeChatClient(transport, app_id=self.app_id, app_secret=settings.wechat_app_secret)
        self.tokens = ServiceAccountTokens(self.client, self.store)

    def visitor_of(self, code: str) -> Visitor:
        return self.client.exchange_code(code)

    def check(self) -> None:
        self.tokens.page_ticket()


class CompanySignIn(SignIn):
    """The sign-in by 企业微信."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        assert settings.wecom_corp_id
        super().__init__(settings, keyring, provider=Provider.WECOM, app_id=settings.wecom_corp_id)
        transport = HttpTransport(settings.wecom_api_base)
        self.client = CompanyClient(transport, corp_id=self.app_id, secret=settings.wecom_secret)
        self.tokens = TokenHolder(self.client, self.store)

    def visitor_of(self, code: str) -> Visitor:
        return self.tokens.call(lambda token: self.client.exchange_code(code, token))

    def check(self) -> None:
        """Bring a code that nobody was given: the call that takes codes looks at the caller's address."""
        try:
            self.visitor_of(_NO_CODE)
        except WeChatRefusal as refusal:
            if refusal.reaction is not Reaction.RESTART:
                raise


def install(settings: Settings, keyring: Keyring) -> dict[str, SignIn | None]:
    """Return the sign-ins of an installation, by their providers; None without an account there."""
    has_service_account = settings.wechat_app_id and settings.wechat_app_secret
    has_company = settings.wecom_corp_id and settings.wecom_secret
    return {
        Provider.WECHAT: ServiceAccountSignIn(settings, keyring) if has_service_account else None,
        Provider.WECOM: CompanySignIn(settings, keyring) if has_company else None,
    }


def _current(by: Provider) -> SignIn | None:
    found: SignIn | None = current_app.extensions[by]
    return found


def provider_here() -> Provider | None:
    """Return where the request's browser can go to sign in and come back from."""
    provider = provider_of_browser(request.headers.get("User-Agent", ""))
    return provider if provider is not None and _current(provider) is not None else None


def installed() -> list[SignIn]:
    """Return the sign-ins of this installation."""
    return [found for found in map(_current, Provider) if found is not None]


def is_installed() -> bool:
    """Tell whether anybody can sign in by any provider."""
    return bool(installed())


def is_possible_here() -> bool:
    """Tell whether the request comes from a browser in which voters can sign in."""
    return provider_here() is Provider.WECHAT


def let_form_lead_on(response: Response) -> Response:
    """Allow the form of a page to end at WeChat: browsers hold its whole way against the page's policy."""
    sign_in = _current(Provider.WECHAT)
    if sign_in is not None:
        allowed = f"form-action 'self' {sign_in.open_base}"
        policy = CONTENT_SECURITY_POLICY.replace("form-action 'self'", allowed)
        response.headers["Content-Security-Policy"] = policy
    return response


def begin(target: str, *, by: Provider = Provider.WECHAT) -> Response:
    """Send the browser to the provider, and from there back to `target`, a path of ours."""
    return _lead_away(State(clock.now(), target), by)


def _lead_away(state: State, by: Provider) -> Response:
    sign_in = _current(by)
    assert sign_in is not None
    browser = _known_browser() or new_key()
    key = current_keyring().passing(f"{by} state")
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


def finish(*, by: Provider, code: str, written_state: str) -> Response:
    """Take the person who comes back, and lead on to the page that he wanted.

    Raises Forbidden `sign_in_refused` or `virtual_identity`, and SignInFailed. A refusal ends no session.
    """
    sign_in, browser = _current(by), _known_browser()
    key, now = current_keyring().passing(f"{by} state"), clock.now()
    state = read_state(key, written_state, browser=browser, now=now) if browser is not None else None
    if sign_in is None or browser is None or state is None or not 0 < len(code) <= LONGEST_CODE:
        raise Forbidden("sign_in_refused")
    try:
        account = _account(sign_in, code, browser)
    except WeChatRefusal as refusal:
        if refusal.reaction is Reaction.RESTART and not state.is_second_try:
            return _lead_away(State(now, state.target, is_second_try=True), by)
        raise SignInFailed(extra={"again": state.target}) from refusal
    if account is None:
        raise Forbidden("virtual_identity", extra={"again": state.target})
    response = Response(status=303, headers={"Location": state.target})
    _remember(response, by, [account, *known_accounts(by)], now)
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


def _remember(response: Response, by: Provider, accounts: list[str], signed_in_at: datetime | None) -> None:
    """Write the accounts that used this phone, the last one first, and when that one signed in."""
    kept = list(dict.fromkeys(accounts))[:MOST_ACCOUNTS]
    moment = int(signed_in_at.timestamp()) if signed_in_at else 0
    payload = moment.to_bytes(_TIME_BYTES, "big") + bytes.fromhex("".join(kept))
    signed = sign(current_keyring().lasting(f"{by} session"), payload)
    set_cookie(response, ACCOUNT_COOKIES[by], signed, max_age=ACCOUNT_COOKIE_DAYS * _DAY)


def _session(by: Provider) -> bytes:
    signed = request.cookies.get(ACCOUNT_COOKIES[by], "")
    return verify(current_keyring().lasting(f"{by} session"), signed) or bytes(_TIME_BYTES)


def known_accounts(by: Provider = Provider.WECHAT) -> list[str]:
    """Return the accounts that have signed in on this phone, the last one first."""
    rest = _session(by)[_TIME_BYTES:]
    return [rest[start : start + DIGEST_BYTES].hex() for start in range(0, len(rest), DIGEST_BYTES)]


def is_fresh(by: Provider = Provider.WECHAT) -> bool:
    """Tell whether somebody has signed in a moment ago and has sent nothing since."""
    moment = int.from_bytes(_session(by)[:_TIME_BYTES], "big")
    return clock.now().timestamp() - moment <= FRESH.total_seconds()


def end_visit(by: Provider = Provider.WECHAT) -> None:
    """Let the next page ask again who holds the phone; a ballot under way keeps its account."""

    @after_this_request
    def forget_when(response: Response) -> Response:
        _remember(response, by, known_accounts(by), None)
        return response
