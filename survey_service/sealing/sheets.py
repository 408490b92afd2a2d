"""The seal sheet: on paper, signed and filed, what nobody can change afterwards without being noticed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from survey_service.auditing.queries import get_head
from survey_service.campaigns.queries import get_campaign
from survey_service.core.clock import local_text
from survey_service.core.qr import ErrorCorrection
from survey_service.core.texts import text
from survey_service.core.typesetting import printable, typeset
from survey_service.organizations.models import Organization
from survey_service.sealing.presentation import grouped
from survey_service.sealing.queries import get_snapshot, list_names, list_published

_WORDS = (
    "title",
    "intro",
    "lists",
    "code",
    "name",
    "count",
    "digest",
    "bulletin",
    "signed",
    "watched",
    "dated",
)


@dataclass(frozen=True)
class SealedList:
    """One list of receipts; `digest` is the SHA-256 of the receipts joined by line ends."""

    code: str
    name: str
    count: int
    digest: str


@dataclass(frozen=True)
class SealSheet:
    """`facts` are labels with values, digests in groups; `bulletin_url` leads to the public page."""

    campaign: str
    facts: Sequence[tuple[str, str]]
    lists: Sequence[SealedList]
    bulletin_url: str


def prepare_sheet(session: Session, *, campaign_id: int, public_url: str) -> SealSheet:
    """Return what stands on the seal sheet; raises NotFound, and Conflict `not_sealed`."""
    snapshot, campaign = get_snapshot(session, campaign_id), get_campaign(session, campaign_id)
    assert campaign.sealed_at is not None
    names, head = list_names(session, campaign_id), get_head(session)
    facts = {
        "organizer": session.get_one(Organization, campaign.organization_id).name,
        "window": f"{local_text(campaign.opens_at)} — {local_text(campaign.window.ends_at)}",
        "sealed_at": local_text(campaign.sealed_at),
        "version": text("sealing.sheet_version_number", version=snapshot.version),
        "snapshot_digest": grouped(snapshot.digest),
        "formula_hash": grouped(campaign.formula_hash or ""),
        "audit_head": grouped(head.digest),
    }
    labels = {name: text(f"sealing.{name}", seq=head.seq) for name in facts}
    return SealSheet(
        campaign=campaign.title,
        facts=[(labels[name], value) for name, value in facts.items()],
        lists=[
            SealedList(one.organization_code, names.get(one.organization_code, ""), one.count, one.digest)
            for one in list_published(session, campaign_id)
        ],
        bulletin_url=f"{public_url}/b/{campaign_id}",
    )


def render_sheet(sheet: SealSheet) -> bytes:
    """Return the PDF, on as many A4 pages as the lists need; raises PrintError."""
    document = {
        "campaign": printable(sheet.campaign),
        "facts": [[label, printable(value)] for label, value in sheet.facts],
        "lists": [[one.code, printable(one.name), one.count, grouped(one.digest)] for one in sheet.lists],
        "codes": [{"url": sheet.bulletin_url}],
        "words": {name: text(f"sealing.sheet_{name}") for name in _WORDS},
    }
    return typeset("sealing/print/seal.typ", document, level=ErrorCorrection.MEDIUM, mask=None)
