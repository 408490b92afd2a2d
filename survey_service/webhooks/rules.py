"""What is sent to other systems, how it is signed, when it is tried again, and where it may go."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from survey_service.core.events import Event


class Topic(StrEnum):
    """What a receiver can ask to be told."""

    OPINION_RECEIVED = "opinion.received"
    OPINION_CHANGED = "opinion.changed"
    WARNING_RAISED = "warning.raised"
    RATING_PUBLISHED = "rating.published"
    REMINDER_MADE = "reminder.made"
    PING = "webhook.ping"
    """Sent on demand, so that a receiver can be tried out; everybody gets it."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was tried often enough; a person may send it again."""


class DeliveryFault(StrEnum):
    """Why an attempt failed before there was an answer."""

    FORBIDDEN_ADDRESS = "forbidden_address"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    NO_TRUST = "no_trust"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class DeliveryQueued(Event):
    """Something waits to be sent."""


@dataclass(frozen=True)
class Attempt:
    """What came of one attempt: the status of the answer, or why there was none."""

    status: int | None = None
    fault: DeliveryFault | None = None

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """Tell whether trying again is of no use: the receiver says that it is gone."""
        return self.is_accepted or self.status == _GONE


_GONE = 410
_DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000)
)
MOST_ATTEMPTS = 1 + len(_DELAYS)
"""Nine attempts over two days (the schedule of the Standard Webhooks specification, without its first)."""


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """Return when to try again after so many failed attempts, or None when that was the last."""
    return now + _DELAYS[attempts - 1] if attempts < MOST_ATTEMPTS else None


ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"
SECRET_PREFIX = "whsec_"  # noqa: S105  It marks a secret and is none.


def show_secret(secret: bytes) -> str:
    """Write a secret as receivers configure it."""
    return SECRET_PREFIX + b64encode(secret).decode()


def sign(secret: bytes, *, message_id: str, sent_at: datetime, body: bytes) -> Mapping[str, str]:
    """Return the headers that prove sender, moment and content (Standard Webhooks, HMAC-SHA256).

    A receiver refuses a time that is more than five minutes off, and an id that it has seen.
    """
    seconds = str(int(sent_at.timestamp()))
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    signature = b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return {ID_HEADER: message_id, TIME_HEADER: seconds, SIGNATURE_HEADER: f"v1,{signature}"}


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether headers fit a body: the check that a receiver makes, beside that of the time."""
    signed = b".".join((headers[ID_HEADER].encode(), headers[TIME_HEADER].encode(), body))
    expected = hmac.digest(b64decode(secret.removeprefix(SECRET_PREFIX)), signed, "sha256")
    given = headers[SIGNATURE_HEADER].removeprefix("v1,")
    return hmac.compare_digest(b64encode(expected).decode(), given)


def write_body(topic: Topic, *, at: datetime, data: Mapping[str, object]) -> str:
    """Return the JSON that is sent, and sent again."""
    return json.dumps({"type": topic, "timestamp": at.isoformat(), "data": data}, ensure_ascii=False)


@dataclass(frozen=True)
class Reach:
    """Where messages may go: https and public addresses, unless the installation allows more."""

    allows_http: bool = False
    allows_private: bool = False


MAX_URL_LENGTH = 500
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


class UrlFault(StrEnum):
    """Why an address is refused; the sentences are `webhooks.url_<fault>`."""

    MALFORMED = "malformed"
    NOT_HTTPS = "not_https"
    HAS_USER = "has_user"
    PRIVATE = "private"


def check_url(url: str, reach: Reach) -> UrlFault | None:
    """Return what speaks against an address as it is written; where its name leads shows only later."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return UrlFault.MALFORMED
    if parts.scheme not in {"http", "https"} or port == 0 or not url.isascii() or not url.isprintable():
        return UrlFault.MALFORMED
    if parts.scheme == "http" and not reach.allows_http:
        return UrlFault.NOT_HTTPS
    if "@" in parts.netloc:
        return UrlFault.HAS_USER
    if " " in url or parts.fragment or _HOST.fullmatch(_bracketed(parts.hostname or "")) is None:
        return UrlFault.MALFORMED
    return UrlFault.PRIVATE if _names_private(parts.hostname or "", reach) else None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _names_private(host: str, reach: Reach) -> bool:
    if reach.allows_private:
        return False
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses behind a gateway (RFC 6052)."""


def is_public(address: str) -> bool:
    """Tell whether an address, also one that stands inside another, lies on the open internet.

    Raises ValueError for what is no address.
    """
    found = ip_address(address.partition("%")[0])
    return all(one.is_global and not one.is_multicast for one in (found, *_inner(found)))


def _inner(address: IPv4Address | IPv6Address) -> Sequence[IPv4Address]:
    if isinstance(address, IPv4Address):
        return ()
    translated = IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None
    teredo = address.teredo[1] if address.teredo else None
    return [one for one in (address.ipv4_mapped, address.sixtofour, teredo, translated) if one is not None]
