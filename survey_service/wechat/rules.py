"""What WeChat asks for and answers, as data and pure functions (`domain.md` section 9)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha1
from hmac import compare_digest
from typing import Any
from urllib.parse import quote, urlencode

from survey_service.core.digests import DIGEST_BYTES, keyed_digest

SCOPE = "snsapi_base"
"""The only scope that voters are asked for: it shows nothing, asks nothing, and yields the openid alone."""

STATE_LIFE = timedelta(minutes=5)
CODE_LIFE = timedelta(minutes=5)
"""So long a code lives at WeChat; its result is kept as long, since WeChat may call back twice."""
LONGEST_STATE = 128
"""WeChat takes letters and digits only, and no more of them."""
_CLOCK_DIFFERENCE = timedelta(minutes=1)
"""By so much may the clocks of two machines of one installation differ."""
_TIME_BYTES = 5


class Provider(StrEnum):
    """Who says which person comes back."""

    WECHAT = "wechat"
    """The service account: it knows an openid, of voters and of staff."""
    WECOM = "wecom"
    """企业微信: it knows the members of a company, so staff only."""


class Reaction(StrEnum):
    """What to do about an error code."""

    RESTART = "restart"
    """The sign-in has to begin anew, once."""
    REFRESH = "refresh"
    """The token is no longer good: get another, try once more."""
    ALARM = "alarm"
    """The account is set up wrongly: trying again would not help, and staff have to know."""
    BACK_OFF = "back_off"
    """A quota is used up: leave WeChat alone for a while."""
    RETRY = "retry"
    """WeChat is busy: try again in a moment."""
    DECLINED = "declined"
    """The person takes no message: nothing to mend, and nothing to send again."""
    FAIL = "fail"


@dataclass(frozen=True)
class KnownError:
    reaction: Reaction
    meaning: str
    """For the log, since WeChat's own words may hold codes and tokens."""


ERRORS: Mapping[int, KnownError] = {
    -1: KnownError(Reaction.RETRY, "the system is busy"),
    40029: KnownError(Reaction.RESTART, "the code is not valid"),
    42003: KnownError(Reaction.RESTART, "the code has expired"),
    40163: KnownError(Reaction.RESTART, "the code has been used"),
    40001: KnownError(
        Reaction.REFRESH, "no valid token, or WECHAT_APP_SECRET or for gettoken WECOM_SECRET is wrong"
    ),
    40014: KnownError(Reaction.REFRESH, "the token is not valid"),
    42001: KnownError(Reaction.REFRESH, "the token has expired"),
    40013: KnownError(Reaction.ALARM, "WECHAT_APP_ID is wrong, or for gettoken WECOM_CORP_ID"),
    40125: KnownError(Reaction.ALARM, "WECHAT_APP_SECRET is wrong"),
    40243: KnownError(Reaction.ALARM, "the AppSecret is frozen in the console"),
    60020: KnownError(Reaction.ALARM, "this machine's address is missing in the application's list"),
    40164: KnownError(Reaction.ALARM, "this machine's address is missing in the account's list of addresses"),
    45009: KnownError(Reaction.BACK_OFF, "the quota of the day is used up"),
    45011: KnownError(Reaction.BACK_OFF, "the quota of the minute is used up"),
    43101: KnownError(Reaction.DECLINED, "the person has not subscribed, or has taken it back"),
    40003: KnownError(Reaction.FAIL, "the openid is not one of this account"),
    40037: KnownError(Reaction.ALARM, "the message's template is not one of this account"),
    41030: KnownError(Reaction.ALARM, "the page that the message opens is not allowed"),
    47003: KnownError(Reaction.ALARM, "the message's fields are not those of its template"),
}
_UNKNOWN = KnownError(Reaction.FAIL, "an error that this program does not know")


def known_error(code: int, *, has_token: bool) -> KnownError:
    """Return what an error code means; a call that sends no token has none to renew, so that is an alarm."""
    found = ERRORS.get(code, _UNKNOWN)
    if found.reaction is Reaction.REFRESH and not has_token:
        return KnownError(Reaction.ALARM, found.meaning)
    return found


def authorize_url(*, open_base: str, app_id: str, redirect_uri: str, state: str) -> str:
    """Return where WeChat's browser is sent; WeChat compares the order of the parameters."""
    parameters = {
        "appid": app_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": SCOPE,
        "state": state,
    }
    query = urlencode(parameters, quote_via=lambda value, *_: quote(value, safe=""))
    return f"{open_base}/connect/oauth2/authorize?{query}#wechat_redirect"


@dataclass(frozen=True)
class State:
    """What comes back from WeChat: when the sign-in began, where it leads, whether it was tried before."""

    started_at: datetime
    target: str
    is_second_try: bool = False


def issue_state(key: bytes, state: State, *, browser: bytes) -> str:
    """Write a state that only this browser can bring back, in hexadecimal digits."""
    payload = int(state.started_at.timestamp()).to_bytes(_TIME_BYTES, "big")
    payload += bytes([state.is_second_try]) + state.target.encode("ascii")
    written = (payload + keyed_digest(key, browser, payload)).hex()
    if len(written) > LONGEST_STATE:
        raise ValueError("the target is too long for a state")
    return written


def read_state(key: bytes, written: str, *, browser: bytes, now: datetime) -> State | None:
    """Return the state, or None when it is not ours, of another browser, or older than five minutes."""
    try:
        raw = bytes.fromhex(written)
    except ValueError:
        return None
    payload, mac = raw[:-DIGEST_BYTES], raw[-DIGEST_BYTES:]
    if not compare_digest(mac, keyed_digest(key, browser, payload)):
        return None
    started_at = datetime.fromtimestamp(int.from_bytes(payload[:_TIME_BYTES], "big"), tz=now.tzinfo)
    if not -_CLOCK_DIFFERENCE <= now - started_at <= STATE_LIFE:
        return None
    return State(started_at, payload[_TIME_BYTES + 1 :].decode("ascii"), bool(payload[_TIME_BYTES]))


@dataclass(frozen=True)
class Visitor:
    """Whom a code stands for; a virtual one is the same for everybody who looks at a snapshot of a page."""

    openid: str
    is_virtual: bool


def read_visitor(answer: Mapping[str, Any]) -> Visitor:
    """Read the answer to a code; raises ValueError when it names nobody."""
    openid = answer.get("openid")
    if not isinstance(openid, str) or not openid:
        raise ValueError("the answer names no openid")
    return Visitor(openid, is_virtual=answer.get("is_snapshotuser") == 1)


def read_member(answer: Mapping[str, Any]) -> Visitor:
    """Read 企业微信's answer to a code; people outside of the company are as good as nobody.

    Raises ValueError when it names nobody at all.
    """
    member = answer.get("userid")
    if isinstance(member, str) and member:
        return Visitor(member, is_virtual=False)
    return Visitor(read_visitor(answer).openid, is_virtual=True)


@dataclass(frozen=True)
class Lease:
    """A token or ticket and for how many seconds it is good."""

    value: str
    seconds: int


def read_lease(answer: Mapping[str, Any], name: str) -> Lease:
    """Read a token or ticket; raises ValueError when there is none."""
    value, seconds = answer.get(name), answer.get("expires_in")
    if not isinstance(value, str) or not value or not isinstance(seconds, int):
        raise ValueError(f"the answer holds no {name}")
    return Lease(value, seconds)


@dataclass(frozen=True)
class Message:
    """A message for somebody who has subscribed to its template: one for each time that he agreed.

    `fields` are the template's, by key (`thing1`, `date2`, …); WeChat refuses a `thing` of over 20
    characters. A tap opens `page`, an address of ours.
    """

    template_id: str
    fields: Mapping[str, str]
    page: str = ""

    def addressed_to(self, openid: str) -> Mapping[str, object]:
        """Return the body of `message/subscribe/bizsend`."""
        data = {key: {"value": value} for key, value in self.fields.items()}
        page = {"page": self.page} if self.page else {}
        return {"touser": openid, "template_id": self.template_id, "data": data} | page


def read_nothing(answer: Mapping[str, Any]) -> None:
    """Read an answer that only says that all is well; raises ValueError where it does not."""
    if answer.get("errcode") != 0:
        raise ValueError("the answer does not say that all is well")


def page_signature(*, ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Return the signature of a page that uses the JS-SDK; `url` without its fragment."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return sha1(text.encode()).hexdigest()  # noqa: S324  WeChat asks for SHA-1.


def provider_of_browser(user_agent: str) -> Provider | None:
    """Return whose browser it says it is: a hint, and never a proof.

    企业微信 calls itself WeChat, too, but knows nothing of service accounts.
    """
    if "wxwork" in user_agent.lower():
        return Provider.WECOM
    return Provider.WECHAT if "MicroMessenger" in user_agent else None


_VERIFICATION_FILE = re.compile(r"(?:MP|WW)_verify_([A-Za-z0-9]{1,64})\.txt")


def read_verification_files(listed: str) -> Mapping[str, str]:
    """Return the files by which a domain is proven, name to content; raises ValueError.

    The names stand in a list with commas; the content is the part of the name that differs.
    """
    files: dict[str, str] = {}
    for name in filter(None, (part.strip() for part in listed.split(","))):
        found = _VERIFICATION_FILE.fullmatch(name)
        if found is None:
            raise ValueError(f"{name!r} is no MP_verify_….txt or WW_verify_….txt")
        files[name] = found[1]
    return files
