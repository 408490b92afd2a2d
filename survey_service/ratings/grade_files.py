"""Final grades as a file that proves itself: versioned JSON with an Ed25519 signature.

The signature is over the canonical JSON of `document`. Whoever has the public key of an installation
can check a file with a few lines of any language; `docs/ratings.md` has them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest, canonical_json
from survey_service.core.errors import Conflict
from survey_service.core.privacy import Keyring
from survey_service.ratings.grades import each_grade, scheme_of_cycle
from survey_service.ratings.models import RatingCycle
from survey_service.ratings.places import path_of_cycle
from survey_service.ratings.queries import get_cycle, list_decisions, list_subjects
from survey_service.ratings.rules import cycle_target
from survey_service.ratings.totals import show
from survey_service.ratings.vocabulary import DecisionKind
from survey_service.webhooks.queries import find_receivers
from survey_service.webhooks.rules import Topic
from survey_service.webhooks.service import announce

FORMAT = "rating-grades/1"
_PURPOSE = "rating-grades"
_AFTERWARDS = frozenset({DecisionKind.OBJECTION, DecisionKind.DOWNGRADE})

Json = dict[str, Any]


def _private_key(keyring: Keyring) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keyring.lasting(_PURPOSE))


def public_key(keyring: Keyring) -> str:
    """Return the key that others check our files with, as 64 hexadecimal digits."""
    return _private_key(keyring).public_key().public_bytes_raw().hex()


def sign_document(document: Mapping[str, Any], keyring: Keyring) -> Json:
    """Return a document with its digest, our key and the signature."""
    signature = _private_key(keyring).sign(canonical_json(document).encode())
    return {
        "document": document,
        "digest": canonical_digest(document),
        "key": public_key(keyring),
        "signature": signature.hex(),
    }


def is_genuine(envelope: Mapping[str, Any], *, key: str) -> bool:
    """Tell whether the holder of a key has signed exactly this document."""
    try:
        known = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        signed = canonical_json(envelope["document"]).encode()
        known.verify(bytes.fromhex(envelope["signature"]), signed)
    except (InvalidSignature, ValueError):
        return False
    return bool(envelope["key"] == key and envelope["digest"] == canonical_digest(envelope["document"]))


def export_grades(session: Session, *, cycle_id: int, issuer: str, keyring: Keyring) -> Json:
    """Return the final grades of a cycle, signed; the version rises with every grade changed afterwards.

    Raises NotFound, Conflict `wrong_step` before the grades are final.
    """
    cycle = get_cycle(session, cycle_id)
    if cycle.decided_at is None:
        raise Conflict("grades_not_final")
    envelope = sign_document(_document(session, cycle, issuer), keyring)
    facts = {"version": envelope["document"]["version"], "hash": envelope["digest"]}
    record(session, "ratings.sign", cycle_target(cycle_id), after=facts)
    return envelope


def push_grades(session: Session, *, cycle_id: int, issuer: str, keyring: Keyring, now: datetime) -> None:
    """Queue the signed grades for those who asked for them, once the last step of a cycle is done.

    Whoever changes a grade after that pushes again: the file has a version higher then.
    """
    cycle = get_cycle(session, cycle_id)
    if cycle.position < len(scheme_of_cycle(cycle).steps):
        return
    path = path_of_cycle(session, cycle_id=cycle_id)
    if find_receivers(session, topic=Topic.RATING_PUBLISHED, path=path):
        envelope = export_grades(session, cycle_id=cycle_id, issuer=issuer, keyring=keyring)
        announce(session, topic=Topic.RATING_PUBLISHED, path=path, data=envelope, now=now)


def _document(session: Session, cycle: RatingCycle, issuer: str) -> Json:
    assert cycle.decided_at is not None
    scheme, subjects = scheme_of_cycle(cycle), list_subjects(session, cycle.id)
    decisions = [one for made in list_decisions(session, cycle.id).values() for one in made]
    return {
        "format": FORMAT,
        "issuer": issuer,
        "version": 1 + sum(one.kind in _AFTERWARDS for one in decisions),
        "cycle": {
            "id": cycle.id,
            "title": cycle.title,
            "year": cycle.year,
            "decided_at": cycle.decided_at.astimezone(UTC).isoformat(),
        },
        "scheme": {
            "code": scheme.code,
            "version": scheme.version,
            "title": scheme.title,
            "hash": cycle.scheme_digest,
            "maximum": show(scheme.maximum),
            "grades": [{"grade": band.grade, "title": band.title} for band in scheme.bands],
        },
        "subject_kind": scheme.subject_kind.value,
        "grades": [
            {
                "organization_code": one.organization_code,
                "name": one.name,
                "field": one.row.field_code,
                "total": grade.total,
                "grade": one.row.grade_final,
                "excluded": one.row.exclusion is not None,
            }
            for one, grade in each_grade(session, cycle, subjects)
        ],
    }
