"""What the public page is given."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from survey_service.auditing.queries import get_head
from survey_service.campaigns.queries import get_campaign
from survey_service.core.texts import text
from survey_service.sealing.queries import count_published, find_published, get_snapshot

_GROUP = 8


@dataclass(frozen=True)
class BulletinPage:
    """`answer` is one line about the typed receipt, empty as long as none was typed."""

    title: str
    action: str
    count: int
    typed: str
    answer: str
    is_found: bool
    snapshot_digest: str
    formula_hash: str
    bulletin_url: str
    audit_seq: int
    audit_digest: str


def read_bulletin(session: Session, *, campaign_id: int, typed: str, receipt: str | None) -> BulletinPage:
    """Look a receipt up in the published lists; raises NotFound, and Conflict `not_sealed`."""
    snapshot = get_snapshot(session, campaign_id)
    campaign = get_campaign(session, campaign_id)
    name = find_published(session, campaign_id, receipt) if receipt else None
    head = get_head(session)
    return BulletinPage(
        title=campaign.title,
        action=f"/b/{campaign_id}",
        count=count_published(session, campaign_id),
        typed=typed[:40],
        answer=_answer(name) if typed else "",
        is_found=name is not None,
        snapshot_digest=grouped(snapshot.digest),
        formula_hash=grouped(campaign.formula_hash or ""),
        bulletin_url=f"/api/v1/campaigns/{campaign_id}/bulletin",
        audit_seq=head.seq,
        audit_digest=grouped(head.digest),
    )


def _answer(name: str | None) -> str:
    return text("sealing.bulletin_missing") if name is None else text("sealing.bulletin_found", name=name)


def grouped(digest: str) -> str:
    """Write a digest as people compare it: in groups, which also lets it break on a small screen."""
    return " ".join(digest[start : start + _GROUP] for start in range(0, len(digest), _GROUP))
