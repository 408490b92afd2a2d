"""A phone lets a desktop in: the desktop shows a code and a number, the phone scans and picks the number.

Whoever is sent somebody else's code by a message does not see the number, and three are offered.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey_service.core.digests import plain_digest
from survey_service.core.errors import Forbidden
from survey_service.staff.models import DesktopRequest, StaffAccount
from survey_service.staff.passwords import encode
from survey_service.staff.queries import get_account
from survey_service.staff.rules import TokenKind
from survey_service.staff.service import Grant, Proof, open_session, record_act

LIFETIME = timedelta(minutes=2)
_NUMBERS = range(10, 100)
_CHOICES = 3


@dataclass(frozen=True)
class Desktop:
    """What a desktop that waits knows: the code that it shows, its own secret, and its number."""

    code: str
    secret: str = field(repr=False)
    number: int


def _digest(kind: str, value: str) -> bytes:
    return plain_digest(kind, encode(value))


def begin_waiting(session: Session, *, client: str, now: datetime) -> Desktop:
    """Let a desktop wait for a phone; whoever waited in vain is forgotten."""
    session.execute(delete(DesktopRequest).where(DesktopRequest.expires_at <= now))
    desktop = Desktop(secrets.token_urlsafe(12), secrets.token_urlsafe(32), secrets.choice(_NUMBERS))
    session.add(
        DesktopRequest(
            code_digest=_digest("desktop code", desktop.code),
            secret_digest=_digest("desktop secret", desktop.secret),
            number=desktop.number,
            client=client,
            expires_at=now + LIFETIME,
        )
    )
    return desktop


def _find(session: Session, code: str, now: datetime) -> DesktopRequest:
    statement = select(DesktopRequest).where(
        DesktopRequest.code_digest == _digest("desktop code", code), DesktopRequest.expires_at > now
    )
    found = session.scalar(statement.with_for_update())
    if found is None:
        raise Forbidden("page_expired")
    return found


@dataclass(frozen=True)
class Question:
    """What the phone asks: which browser wants in, and which of these numbers it shows."""

    client: str
    numbers: tuple[int, ...]


def ask(session: Session, *, code: str, now: datetime) -> Question:
    """Return what to ask on the phone, always the same for a code; raises Forbidden `page_expired`."""
    waiting = _find(session, code, now)
    if waiting.staff_id is not None:
        raise Forbidden("page_expired")
    others = [one for one in _NUMBERS if one != waiting.number]
    seed = int.from_bytes(waiting.code_digest, "big")
    numbers = {waiting.number}
    while len(numbers) < _CHOICES:
        seed, place = divmod(seed, len(others))
        numbers.add(others[place])
    return Question(waiting.client, tuple(sorted(numbers)))


def let_in(session: Session, *, code: str, number: int, staff_id: int, now: datetime) -> bool:
    """Let the desktop in that shows this number; another number ends its waiting, and False is returned."""
    waiting = _find(session, code, now)
    account = get_account(session, staff_id=staff_id)
    is_right = waiting.number == number and waiting.staff_id is None
    record_act(session, "session.let_in", account, after={"client": waiting.client, "is_right": is_right})
    if is_right:
        waiting.staff_id = staff_id
    else:
        session.delete(waiting)
    return is_right


def enter(session: Session, *, code: str, secret: str, client: str, now: datetime) -> Grant | None:
    """Open the session of a desktop that was let in, once; None while it waits.

    Raises Forbidden `page_expired`, also for a browser that is not the one that showed the code, and what
    `open_session` raises.
    """
    waiting = _find(session, code, now)
    if not secrets.compare_digest(waiting.secret_digest, _digest("desktop secret", secret)):
        raise Forbidden("page_expired")
    if waiting.staff_id is None:
        return None
    session.delete(waiting)
    hashed = select(StaffAccount.password_hash).where(StaffAccount.id == waiting.staff_id)
    proof = Proof(waiting.staff_id, session.scalars(hashed).one())
    return open_session(session, proof=proof, kind=TokenKind.COOKIE, now=now, client=client)
