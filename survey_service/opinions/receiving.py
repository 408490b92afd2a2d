"""How an opinion is stored: redacted, its original encrypted, its author known by nothing but his secret."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import insert
from sqlalchemy.orm import Session

from survey_service.core.errors import Conflict, Invalid, Unavailable
from survey_service.core.events import publish
from survey_service.core.plain_text import is_clean
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text as sentence
from survey_service.opinions.author_acts import await_coming
from survey_service.opinions.models import Opinion, OpinionAllowance, OpinionOriginal, OpinionPhoto
from survey_service.opinions.places import place_above, place_at
from survey_service.opinions.queries import ID_BITS, find_by_query_code, position_of
from survey_service.opinions.redaction import redact
from survey_service.opinions.rules import (
    MAX_TEXT_LENGTH,
    OPINIONS_PER_CREDENTIAL,
    Category,
    Level,
    OpinionReceived,
    Policy,
    Source,
    Topic,
    concealed_level,
    derive_query_code,
    digest_content,
    digest_query_code,
    is_meaningful,
    receive,
)
from survey_service.opinions.statements import insert_once
from survey_service.opinions.vault import open_vault, original_label, photo_label
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import list_ancestors


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody wrote; `about` is the level whose people he reports."""

    text: str
    category: Category | None = None
    topic: Topic | None = None
    may_publish: bool = False
    about: Level | None = None
    photos: Sequence[bytes] = field(default=(), repr=False)
    """Drawn anew, as JPEG."""


@dataclass(frozen=True)
class Origin:
    """Where an opinion comes from."""

    organization: Organization
    source: Source
    letter_id: int | None = None


@dataclass(frozen=True)
class Allowance:
    """Of what credential an opinion takes one of three places; `campaign_id` is 0 for boxes."""

    campaign_id: int
    digest: bytes
    month: str = ""


@dataclass(frozen=True)
class Received:
    """The answer to an author, and whether the opinion was stored just now."""

    query_code: str
    is_new: bool


def check_text(written: str) -> str:
    """Return the words as they are kept; raises Invalid `invalid_opinion` for what is nothing or too much."""
    words = written.replace("\r\n", "\n").strip()
    if not is_clean(words):
        raise _refused("strange_characters")
    if len(words) > MAX_TEXT_LENGTH:
        raise _refused("too_long", most=MAX_TEXT_LENGTH, length=len(words))
    if not is_meaningful(words):
        raise _refused("empty")
    return words


def _refused(kind: str, **values: object) -> Invalid:
    return Invalid("invalid_opinion", errors={"text": [sentence(f"opinions.text_{kind}", **values)]})


def receive_opinion(
    session: Session,
    *,
    keyring: Keyring,
    policy: Policy,
    draft: Draft,
    origin: Origin,
    secret: str,
    allowance: Allowance,
    today: date,
) -> Received:
    """Store an author's opinion once; the same secret and words again are answered alike.

    Raises Invalid `invalid_opinion`, Conflict `different_opinion` for a secret with other words, and
    `opinions_used_up` for a credential that has written three.
    """
    words = check_text(draft.text)
    query_code = derive_query_code(secret)
    if (known := _find_known(session, query_code, secret, words)) is not None:
        return known
    _spend(session, allowance)
    author = {
        "query_digest": digest_query_code(query_code),
        "content_digest": digest_content(secret, words),
    }
    opinion_id = _store(session, keyring, policy, draft, words, origin, author, today)
    if opinion_id is None:
        # Somebody with the same secret was faster: the place that was taken here is given back.
        session.rollback()
        if (known := _find_known(session, query_code, secret, words)) is None:
            raise Unavailable
        return known
    await_coming(session, opinion_id=opinion_id, path=origin.organization.path, today=today)
    publish(session, OpinionReceived(allowance.campaign_id))
    return Received(query_code, is_new=True)


def _find_known(session: Session, query_code: str, secret: str, words: str) -> Received | None:
    opinion = find_by_query_code(session, query_code)
    if opinion is None:
        return None
    if opinion.content_digest != digest_content(secret, words):
        raise Conflict("different_opinion")
    return Received(query_code, is_new=False)


def _spend(session: Session, allowance: Allowance) -> None:
    """Take the next of a credential's places."""
    for number in range(1, OPINIONS_PER_CREDENTIAL + 1):
        if insert_once(session, OpinionAllowance, vars(allowance) | {"number": number}):
            return
    raise Conflict("opinions_used_up")


def store_anonymous(
    session: Session, *, keyring: Keyring, policy: Policy, draft: Draft, origin: Origin, today: date
) -> int:
    """Store an opinion whose author cannot come back, from paper or from a ballot, and return its id."""
    words = check_text(draft.text)
    opinion_id = _store(session, keyring, policy, draft, words, origin, {}, today)
    if opinion_id is None:
        raise Unavailable
    publish(session, OpinionReceived(0))
    return opinion_id


def _store(
    session: Session,
    keyring: Keyring,
    policy: Policy,
    draft: Draft,
    words: str,
    origin: Origin,
    author: dict[str, bytes],
    today: date,
) -> int | None:
    """Insert an opinion with its original and photos, or return None where a key stands already."""
    opinion_id = secrets.randbelow((1 << ID_BITS) - 1) + 1
    row = _row(session, policy, draft, words, origin, today, opinion_id)
    if not insert_once(session, Opinion, row | author):
        return None
    vault = open_vault(session, keyring=keyring)
    original = vault.close(words.encode(), label=original_label(opinion_id))
    session.execute(insert(OpinionOriginal), [{"opinion_id": opinion_id, "sealed": original}])
    photos = [
        {
            "opinion_id": opinion_id,
            "number": number,
            "sealed": vault.close(photo, label=photo_label(opinion_id, number)),
            "is_shown": False,
        }
        for number, photo in enumerate(draft.photos, 1)
    ]
    if photos:
        session.execute(insert(OpinionPhoto), photos)
    return opinion_id


def _row(
    session: Session,
    policy: Policy,
    draft: Draft,
    words: str,
    origin: Origin,
    today: date,
    opinion_id: int,
) -> dict[str, object]:
    ancestors = list_ancestors(session, path=origin.organization.path)
    level = concealed_level(words, draft.category, draft.about)
    concealed = place_at(ancestors, level) if level else None
    standing = receive(draft.category, today, policy)
    return {
        "id": opinion_id,
        "position": position_of(standing.due, opinion_id),
        "organization_id": origin.organization.id,
        "handler_id": place_above(ancestors, concealed).id,
        # Where nobody stands above it, a place has to hear what is said of it.
        "concealed_id": concealed.id if concealed is not None and concealed.parent_id else None,
        "letter_id": origin.letter_id,
        "source": origin.source,
        "category": draft.category,
        "is_report_by_author": draft.category is Category.REPORT,
        "topic": draft.topic,
        "level": None,
        "state": standing.state,
        "is_open": True,
        "received_on": today,
        "since": standing.since,
        "due_on": standing.due,
        "is_extended": False,
        "is_reopened": False,
        "text": redact(words).text,
        "may_publish": draft.may_publish,
        "version": 1,
    }
