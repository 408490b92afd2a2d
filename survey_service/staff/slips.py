"""Slips with one-time passwords: what stands on them, how a page keeps them for an hour, and the PDF.

A password exists in the answer that made it and nowhere else. That answer carries the slips encrypted, so
that the person who got it can print them, and print them again when the paper jams.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from survey_service.core.clock import local_text
from survey_service.core.errors import Forbidden
from survey_service.core.privacy import Keyring
from survey_service.core.qr import BULK_MASK, ErrorCorrection
from survey_service.core.texts import text
from survey_service.core.typesetting import printable, typeset
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import ids_on_path
from survey_service.staff.queries import organizations_by_id
from survey_service.staff.service import NewPassword

SIGN_IN_PATH = "/staff"
PRINTABLE_FOR = timedelta(hours=1)
_PURPOSE = "slips"
_WORDS = ("title", "address", "username", "password", "step_1", "step_2", "step_3", "cut")


@dataclass(frozen=True)
class Slip:
    """What one person gets on paper; `area` stands above the organization, `until` ends the password."""

    name: str
    role: str
    area: str
    organization: str
    username: str
    password: str = field(repr=False)
    until: str


def make_slips(session: Session, *, made: Sequence[NewPassword]) -> list[Slip]:
    """Return the slips of new passwords, town by town and village by village (by their codes)."""
    ids = {one for new in made for one in ids_on_path(new.account.organization.path)}
    places = organizations_by_id(session, ids)
    lines = [[places[one] for one in ids_on_path(new.account.organization.path)] for new in made]
    order = sorted(range(len(made)), key=lambda index: [place.code for place in lines[index]])
    return [_slip(made[index], lines[index]) for index in order]


def _slip(new: NewPassword, line: Sequence[Organization]) -> Slip:
    account = new.account
    assert new.password is not None
    assert account.password_expires_at is not None
    return Slip(
        name=account.display_name,
        role=text(f"staff.role_{account.role}"),
        area="".join(place.name for place in line[:-1]),
        organization=line[-1].name,
        username=account.username,
        password=new.password,
        until=local_text(account.password_expires_at),
    )


def hide_slips(slips: Sequence[Slip], *, keyring: Keyring, staff_id: int, now: datetime) -> str:
    """Encrypt slips for the page of the person who made them."""
    until = (now + PRINTABLE_FOR).isoformat()
    content = {"staff_id": staff_id, "until": until, "slips": [asdict(slip) for slip in slips]}
    return keyring.hide(zlib.compress(json.dumps(content).encode()), purpose=_PURPOSE)


def reveal_slips(hidden: str, *, keyring: Keyring, staff_id: int, now: datetime) -> list[Slip]:
    """Return the slips of a page; raises Forbidden `page_expired` after an hour, and for anybody else."""
    packed = keyring.reveal(hidden, purpose=_PURPOSE, now=now)
    if packed is None:
        raise Forbidden("page_expired")
    content = json.loads(zlib.decompress(packed))
    if content["staff_id"] != staff_id or now >= datetime.fromisoformat(content["until"]):
        raise Forbidden("page_expired")
    return [Slip(**slip) for slip in content["slips"]]


def render_slips(slips: Sequence[Slip], *, public_url: str) -> bytes:
    """Return the PDF: eight slips on an A4 page, with lines to cut along; raises PrintError."""
    url = f"{public_url}{SIGN_IN_PATH}"
    document = {
        "address": url.split("://", 1)[-1],
        "codes": [{"url": url}],
        "slips": [{name: printable(value) for name, value in asdict(slip).items()} for slip in slips],
        "words": {name: text(f"print.slip_{name}") for name in _WORDS},
        "until_words": [text("print.slip_until", until=slip.until) for slip in slips],
    }
    return typeset("staff/print/slips.typ", document, level=ErrorCorrection.MEDIUM, mask=BULK_MASK)
