"""Close a batch: the one transaction in which its paper is counted, and its drafts vanish."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from survey_service.ballots.rules import SPOILED, participation_digest, slot_value
from survey_service.ballots.together import mark_changed, store_together
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign_key
from survey_service.campaigns.rules import Mode
from survey_service.core.errors import Conflict
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.paper_entry.models import PaperBatch, PaperTotal
from survey_service.paper_entry.queries import slots_of_panels
from survey_service.paper_entry.rules import LISTS_OF, BatchState, PaperCounted, PaperCounts, count_pile
from survey_service.paper_entry.service import (
    delete_drafts,
    final_lines,
    final_stubs,
    forms_of,
    hold_countable,
    hold_open,
    read_list,
    record_act,
)


@dataclass(frozen=True)
class _Counted:
    """What became of the paper of a batch."""

    pile: PaperCounts
    set_aside: int = 0


def close_batch(
    session: Session, *, staff: Identity, keyring: Keyring, campaign_id: int, batch_id: int, now: datetime
) -> PaperBatch:
    """Count a batch whose lists agree and whose numbers are even.

    More returned than issued is counted too, and voids the subject's score. Raises Conflict `paper_differs`
    while a list is not settled, `numbers_differ` where there are not as many stubs as ballots, or where the
    lines of a meeting's sheet do not add up, `too_few_ballots` for a pile so small that it would tell who
    answered what, `wrong_state` for a campaign that is not open or whose sealing has begun.
    """
    campaign = hold_countable(session, campaign_id, now)
    batch = hold_open(session, campaign_id, batch_id)
    if not all(read_list(session, batch, kind).is_ready for kind in LISTS_OF[batch.mode]):
        raise Conflict("paper_differs")
    if batch.mode is Mode.PAPER:
        counted = _count_ballots(session, keyring, campaign, batch)
    else:
        counted = _count_totals(session, campaign, batch)
    delete_drafts(session, batch.id)
    pile = counted.pile
    batch.returned, batch.set_aside = pile.returned, counted.set_aside
    batch.invalid, batch.blank, batch.partly_spoiled = pile.invalid, pile.blank, pile.partly_spoiled
    batch.state, batch.ended_by, batch.ended_at = BatchState.CLOSED, staff.id, now
    session.flush()
    record_act(session, "paper.close", batch, {"issued": batch.issued, "returned": pile.returned})
    publish(session, PaperCounted(campaign_id))
    return batch


def _count_ballots(session: Session, keyring: Keyring, campaign: Campaign, batch: PaperBatch) -> _Counted:
    """Spend the slots of the stubs, and store as many of the ballots."""
    stubs, lines = final_stubs(session, batch.id), list(final_lines(session, batch.id).values())
    if len(stubs) != len(lines):
        detail = text("paper.stubs_and_ballots", stubs=len(stubs), ballots=len(lines))
        raise Conflict("numbers_differ", errors={"_": [detail]})
    if len(lines) < campaign.min_cell:
        raise Conflict("too_few_ballots", least=campaign.min_cell)
    form, _ = forms_of(session, campaign)
    accepted = store_together(
        session,
        campaign_id=campaign.id,
        subject_id=batch.subject_id,
        rater_class=batch.rater_class,
        mode=Mode.PAPER,
        participations=_digest_stubs(session, keyring, batch, stubs),
        answers=[form.answers(line) for line in lines],
    )
    return _Counted(count_pile(form, lines), set_aside=len(lines) - accepted)


def _digest_stubs(
    session: Session, keyring: Keyring, batch: PaperBatch, stubs: Collection[int]
) -> list[bytes]:
    """Return the participations of the stubs: the very ones that their codes make on a phone."""
    key = get_campaign_key(session, keyring=keyring, campaign_id=batch.campaign_id)
    of_panels = slots_of_panels(session, stubs)
    values = [
        slot_value(slot, panel_subject_id=batch.subject_id if slot in of_panels else None) for slot in stubs
    ]
    return [participation_digest(key, kind="slot", value=value) for value in values]


def _count_totals(session: Session, campaign: Campaign, batch: PaperBatch) -> _Counted:
    """Keep the totals of a meeting as the rows that the tally is made of."""
    _, form = forms_of(session, campaign)
    lines = final_lines(session, batch.id)
    if uneven := form.uneven(lines):
        names = [form.items[place - 1].text if place else text("paper.returned") for place in uneven]
        raise Conflict("numbers_differ", errors={"_": [text("paper.uneven", items="、".join(names))]})
    counts = form.counts(lines)
    rows = [
        {"batch_id": batch.id, "item": item, "option": option, "number": number}
        for item, by_option in counts.items()
        for option, number in by_option.items()
    ]
    session.execute(insert(PaperTotal), rows)
    mark_changed(session, campaign_id=campaign.id, subject_id=batch.subject_id)
    invalid = min((by_option[SPOILED] for by_option in counts.values()), default=0)
    return _Counted(PaperCounts(returned=int(lines[0]), invalid=invalid, blank=0, partly_spoiled=0))
