"""Open a batch of paper, read how far it has come, and give it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    SubjectRow,
    find_subject_below,
    get_campaign,
    get_formula,
    get_visible_campaign,
    hold_unsealed,
    list_subjects,
)
from survey_service.campaigns.rules import Mode, RaterClass, State, campaign_target
from survey_service.core.audit import Facts, record
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.paper_entry.models import PaperBatch, PaperLine, PaperList, PaperStub
from survey_service.paper_entry.queries import (
    get_batch,
    get_list,
    list_batches,
    read_lines,
    read_stubs,
    serials_of,
)
from survey_service.paper_entry.rules import (
    LISTS_OF,
    MAX_NUMBER,
    PAPER_MODES,
    BatchState,
    Difference,
    Keying,
    ListKind,
    PaperForm,
    TotalsForm,
    compare_lines,
    is_settled,
    paper_form,
    settle_lines,
)
from survey_service.questionnaires.queries import get_compiled

COUNTABLE = frozenset({State.OPEN, State.CLOSED})
"""Paper is counted from the opening until the sealing begins: what came in time takes days to key."""


@dataclass(frozen=True)
class StubDifference:
    """A stub that not both people found; the serial stands on it, and says nothing to anybody else."""

    slot: int
    mode: Mode
    serial: int
    by_first: bool
    by_second: bool
    by_third: bool


@dataclass(frozen=True)
class ListState:
    """How far one list has come.

    Differences are None until both have finished: nobody sees what the other one read while he keys himself.
    """

    row: PaperList
    lines: Mapping[Keying, int]
    differences: Sequence[Difference] | None
    stub_differences: Sequence[StubDifference] | None
    is_ready: bool
    settled: Mapping[int, str]
    """What the third look read, by position; whoever confirms it compares it with the paper."""

    @property
    def kind(self) -> ListKind:
        return self.row.kind

    @property
    def waits_for_confirmation(self) -> bool:
        return self.row.settled_by is not None and not self.is_ready


@dataclass(frozen=True)
class BatchView:
    """A batch with its lists; `serves` tells whether the campaign still takes it."""

    campaign: Campaign
    batch: PaperBatch
    subject: SubjectRow
    lists: Sequence[ListState]


def open_batch(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    organization_code: str,
    rater_class: RaterClass,
    mode: Mode,
    issued: int,
    now: datetime,
) -> PaperBatch:
    """Open a batch for the paper of one organization and class; `issued` are the sheets that were handed out.

    Raises NotFound, Forbidden for an organization at or above the caller's own level, Invalid for a class
    without weight, Conflict `wrong_state` before the campaign opens and once its sealing has begun.
    """
    campaign = hold_countable(session, campaign_id, now)
    subject = find_subject_below(session, staff, campaign_id, organization_code)
    if mode not in PAPER_MODES:
        raise Invalid(errors={"mode": [text("paper.unknown_mode")]})
    if rater_class not in get_formula(campaign).class_weights:
        raise Invalid(errors={"rater_class": [text("entrances.class_without_weight")]})
    if not 0 <= issued <= MAX_NUMBER:
        raise Invalid(errors={"issued": [text("paper.bad_issued")]})
    batch = PaperBatch(
        campaign_id=campaign_id,
        subject_id=subject.subject_id,
        rater_class=rater_class,
        mode=mode,
        issued=issued,
        opened_by=staff.id,
        opened_at=now,
    )
    session.add(batch)
    session.flush()
    session.add_all(PaperList(batch_id=batch.id, kind=kind) for kind in LISTS_OF[mode])
    session.flush()
    facts = {"organization_code": organization_code, "rater_class": rater_class, "issued": issued}
    record_act(session, "paper.open", batch, facts | {"mode": mode})
    return batch


def hold_countable(session: Session, campaign_id: int, now: datetime) -> Campaign:
    """Return a campaign that counts paper at this moment, and let its sealing wait."""
    campaign = hold_unsealed(session, campaign_id)
    if campaign.window.state(now) not in COUNTABLE:
        raise Conflict("wrong_state")
    return campaign


def hold_open(session: Session, campaign_id: int, batch_id: int) -> PaperBatch:
    """Return a batch that is being keyed, and hold it; raises NotFound, and Conflict `wrong_state`."""
    batch = get_batch(session, campaign_id, batch_id, holds=True)
    if batch.state is not BatchState.OPEN:
        raise Conflict("wrong_state")
    return batch


def record_act(session: Session, action: str, batch: PaperBatch, facts: Facts) -> None:
    """Leave an entry that says what was done to a batch, and nothing of what stands on its paper."""
    record(session, action, campaign_target(batch.campaign_id), after={"batch": batch.id, **facts})


def discard_batch(
    session: Session, *, staff: Identity, campaign_id: int, batch_id: int, reason: str, now: datetime
) -> PaperBatch:
    """Give a batch up: nothing of it counts, its drafts are deleted, and its paper can be keyed anew."""
    batch = hold_open(session, campaign_id, batch_id)
    delete_drafts(session, batch.id)
    batch.state, batch.ended_by, batch.ended_at, batch.reason = BatchState.DISCARDED, staff.id, now, reason
    record_act(session, "paper.discard", batch, {"reason": reason})
    return batch


def delete_drafts(session: Session, batch_id: int) -> None:
    for draft in (PaperStub, PaperLine):
        session.execute(delete(draft).where(draft.batch_id == batch_id))


def forms_of(session: Session, campaign: Campaign) -> tuple[PaperForm, TotalsForm]:
    """Return how a campaign's form is keyed, ballot by ballot and as totals."""
    plan = get_compiled(session, campaign.questionnaire_version_id).plan
    return paper_form(plan.items, plan.scored_items), TotalsForm(plan.scored_items)


def read_board(
    session: Session, *, staff: Identity, campaign_id: int
) -> tuple[Campaign, list[tuple[PaperBatch, SubjectRow]]]:
    """Return the batches of the subjects below the reader; raises NotFound and Forbidden."""
    campaign = get_visible_campaign(session, campaign_id, staff)
    subjects = {
        one.subject_id: one
        for one in list_subjects(session, campaign_id, within_path=staff.path)
        if staff.is_above(one.path)
    }
    found = list_batches(session, campaign_id, subjects)
    return campaign, [(batch, subjects[batch.subject_id]) for batch in found]


def read_batch(session: Session, *, campaign_id: int, batch_id: int) -> BatchView:
    """Return a batch with everything that may be known of its lists; raises NotFound."""
    batch = get_batch(session, campaign_id, batch_id)
    (subject,) = [one for one in list_subjects(session, campaign_id) if one.subject_id == batch.subject_id]
    is_open = batch.state is BatchState.OPEN
    lists = [read_list(session, batch, kind) for kind in LISTS_OF[batch.mode]] if is_open else []
    return BatchView(get_campaign(session, campaign_id), batch, subject, lists)


def read_own_lines(
    session: Session, *, staff: Identity, batch_id: int, kind: ListKind, keying: Keying
) -> Mapping[int, str]:
    """Return what a person has keyed himself; raises Conflict `keyed_by_other` for anybody else's."""
    row = get_list(session, batch_id, kind)
    keyer = row.first_by if keying is Keying.FIRST else row.second_by
    if keyer not in (None, staff.id):
        raise Conflict("keyed_by_other")
    return read_lines(session, batch_id, keying)


def read_list(session: Session, batch: PaperBatch, kind: ListKind) -> ListState:
    row = get_list(session, batch.id, kind)
    return _stub_state(session, row) if kind is ListKind.STUBS else _line_state(session, row)


def _line_state(session: Session, row: PaperList) -> ListState:
    read = {keying: read_lines(session, row.batch_id, keying) for keying in Keying}
    differences = None
    if row.first_finished and row.second_finished:
        differences = compare_lines(read[Keying.FIRST], read[Keying.SECOND])
    return ListState(
        row=row,
        lines={keying: len(lines) for keying, lines in read.items()},
        differences=differences,
        stub_differences=None,
        is_ready=_is_ready(row, differences),
        settled=read[Keying.SETTLED],
    )


def _stub_state(session: Session, row: PaperList) -> ListState:
    read = {keying: read_stubs(session, row.batch_id, keying) for keying in Keying}
    differences = None
    if row.first_finished and row.second_finished:
        first, second, third = read.values()
        differences = [
            StubDifference(slot, mode, serial, slot in first, slot in second, slot in third)
            for slot, (mode, serial) in serials_of(session, (first ^ second) | third).items()
        ]
    return ListState(
        row=row,
        lines={keying: len(stubs) for keying, stubs in read.items()},
        differences=None,
        stub_differences=differences,
        is_ready=_is_ready(row, differences),
        settled={},
    )


def _is_ready(row: PaperList, differences: Sequence[object] | None) -> bool:
    """Tell whether a list holds as it is: nothing differs and nobody has looked again, or that look holds."""
    if differences is None:
        return False
    if row.settled_by is None:
        return not differences
    keyers = (row.first_by, row.second_by)
    return is_settled(keyers=keyers, settled_by=row.settled_by, confirmed_by=row.confirmed_by)


def final_lines(session: Session, batch_id: int) -> dict[int, str]:
    """Return the lines that hold in the end; raises Conflict `paper_differs` while a difference is open."""
    first, second, third = (read_lines(session, batch_id, keying) for keying in Keying)
    lines = settle_lines(first, second, third)
    if lines is None:
        raise Conflict("paper_differs")
    return lines


def final_stubs(session: Session, batch_id: int) -> set[int]:
    """Return the slots whose stubs lie in the pile: those of both lists, and what the third look found."""
    first, second, third = (read_stubs(session, batch_id, keying) for keying in Keying)
    return (first & second) | third
