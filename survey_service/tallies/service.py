"""Rebuild the tally sheet from ballots and totals: whole subjects at a time, never by adding to a number."""

import collections
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, delete, insert, select, tuple_
from sqlalchemy.orm import Session

from survey_service.ballots.models import DirtyMark
from survey_service.ballots.rewriting import rewrite_ballots
from survey_service.ballots.together import mark_changed
from survey_service.campaigns.queries import get_campaign, get_formula, lock_subjects
from survey_service.campaigns.rules import Mode
from survey_service.core import clock
from survey_service.core.errors import Conflict
from survey_service.core.events import publish
from survey_service.paper_entry.queries import closed_totals
from survey_service.questionnaires.queries import get_compiled
from survey_service.tallies.models import TallyHead, TallyRow, TurnoutDay
from survey_service.tallies.queries import (
    count_rows,
    dirty_subjects,
    excluded_groups,
    list_slices,
    stream_ballots,
)
from survey_service.tallies.rules import (
    CountedSlice,
    Counter,
    Group,
    SliceKey,
    SubjectMarked,
    TallyRebuilt,
    slice_of,
)

MARKS_PER_ROUND = 2_000


@dataclass(frozen=True)
class Difference:
    """The first place where the stored figures are not what the ballots say."""

    what: str
    stored: object
    recounted: object


def rebuild_dirty(session: Session, *, campaign_id: int, now: datetime) -> int:
    """Take the waiting marks of a campaign and recount their subjects; returns the number of marks taken.

    Marks are deleted before the ballots are counted, and the count is a later statement with a newer
    snapshot: a ballot whose mark was not visible yet keeps its mark for the next round. Another
    rebuild of the same subject waits for the row of the subject, so the later count is written last.
    The ballots that the marks name are then written anew, in random order.
    Raises Conflict `wrong_state` for a mark of a sealed campaign, whose tally never changes.
    """
    marks = _take_marks(session, campaign_id)
    named: dict[int, list[bytes]] = {}
    for subject_id, ballot_id in marks:
        named.setdefault(subject_id, []).append(ballot_id)
    if named:
        growth = _rebuild_subjects(session, campaign_id, sorted(named), now)
        _rewrite(session, campaign_id, named, growth)
    return len(marks)


def _rewrite(
    session: Session,
    campaign_id: int,
    named: Mapping[int, Sequence[bytes]],
    growth: Mapping[int, "_Growth"],
) -> None:
    least = get_campaign(session, campaign_id).min_cell
    for subject_id, ballot_ids in named.items():
        rewrite_ballots(
            session,
            campaign_id=campaign_id,
            subject_id=subject_id,
            named=ballot_ids,
            least=least,
            before=growth[subject_id].before,
            present=growth[subject_id].present,
        )


def settle_marks(session: Session, *, campaign_id: int, now: datetime) -> None:
    """Take all waiting marks at once, for a campaign that takes no ballots any more.

    Each marked subject is counted once. This waits for rebuilds that hold some of the marks, so afterwards
    the tally lacks nothing. No ballot is written anew: whoever settles also seals.
    """
    taken = delete(DirtyMark).where(DirtyMark.campaign_id == campaign_id).returning(DirtyMark.subject_id)
    marked = session.scalars(taken).all()
    if marked:
        _rebuild_subjects(session, campaign_id, sorted(set(marked)), now)


class _Growth(NamedTuple):
    """How many ballots a subject had at its last rebuild, and how many it has now."""

    before: int
    present: int


def _rebuild_subjects(
    session: Session, campaign_id: int, subject_ids: Sequence[int], now: datetime
) -> Mapping[int, _Growth]:
    if get_campaign(session, campaign_id).sealed_at is not None:
        raise Conflict("wrong_state")
    lock_subjects(session, campaign_id, subject_ids)
    counter, excluded = _counter(session, campaign_id), excluded_groups(session, campaign_id)
    growth = {
        subject_id: _rebuild_subject(session, campaign_id, subject_id, counter, excluded, now)
        for subject_id in subject_ids
    }
    publish(session, TallyRebuilt(campaign_id))
    return growth


def _take_marks(session: Session, campaign_id: int) -> Sequence[tuple[int, bytes]]:
    """Delete waiting marks, and return the subject and the ballot of each."""
    key = tuple_(DirtyMark.campaign_id, DirtyMark.id)
    waiting = (
        select(DirtyMark.campaign_id, DirtyMark.id)
        .where(DirtyMark.campaign_id == campaign_id)
        .limit(MARKS_PER_ROUND)
        .with_for_update(skip_locked=True)
    )
    taken = delete(DirtyMark).where(key.in_(waiting)).returning(DirtyMark.subject_id, DirtyMark.ballot_id)
    return [(subject_id, ballot_id) for subject_id, ballot_id in session.execute(taken)]


def _counter(session: Session, campaign_id: int) -> Counter:
    campaign = get_campaign(session, campaign_id)
    plan = get_compiled(session, campaign.questionnaire_version_id).plan
    return Counter(plan.scored_items, get_formula(campaign))


def mark_subject(session: Session, *, campaign_id: int, subject_id: int) -> None:
    """Let the next rebuild count a subject anew, though no ballot came; the mark names none."""
    mark_changed(session, campaign_id=campaign_id, subject_id=subject_id)
    publish(session, SubjectMarked(campaign_id))


def count_group(session: Session, *, campaign_id: int, group: Group) -> CountedSlice:
    """Count the ballots of one group, whether they are left out or not."""
    counter = _counter(session, campaign_id)
    counted = counter.empty()
    for rows in stream_ballots(session, campaign_id, of=group):
        counter.count(counted, _read_answers(answers for *_, answers in rows))
    return counted


def _count(
    batches: Iterable[Sequence[Row[int, str, str, int, str, str]]],
    counter: Counter,
    excluded: Collection[Group],
    skipped: Collection[int] = (),
) -> dict[SliceKey, CountedSlice]:
    """Count ballots slice by slice, without those of the skipped subjects."""
    counted: dict[SliceKey, CountedSlice] = {}
    for rows in batches:
        by_group: dict[tuple[int, str, str, int, str], list[str]] = {}
        for subject_id, rater_class, mode, place_id, flag, answers in rows:
            by_group.setdefault((subject_id, rater_class, mode, place_id, flag), []).append(answers)
        for group, texts in by_group.items():
            key = slice_of(Group(*group), excluded)
            if key.subject_id not in skipped:
                counter.count(counted.setdefault(key, counter.empty()), _read_answers(texts))
    return counted


def _read_answers(texts: Iterable[str]) -> list[Mapping[str, str]]:
    """Read stored answers; equal ones, which a village has many of, are read once."""
    numbers = collections.Counter(texts)
    different = json.loads(f"[{','.join(numbers)}]")
    return [one for one, number in zip(different, numbers.values(), strict=True) for _ in range(number)]


def _rebuild_subject(
    session: Session,
    campaign_id: int,
    subject_id: int,
    counter: Counter,
    excluded: Collection[Group],
    now: datetime,
) -> _Growth:
    counted = _count(stream_ballots(session, campaign_id, subject_id), counter, excluded)
    _count_totals(session, campaign_id, counter, counted, subject_id)
    session.execute(
        delete(TallyRow).where(TallyRow.campaign_id == campaign_id, TallyRow.subject_id == subject_id)
    )
    if counted:
        session.execute(insert(TallyRow), [_row(campaign_id, key, one) for key, one in counted.items()])
    returned = sum(one.returned for one in counted.values())
    return _Growth(_advance_head(session, campaign_id, subject_id, returned, now), returned)


def _count_totals(
    session: Session,
    campaign_id: int,
    counter: Counter,
    counted: dict[SliceKey, CountedSlice],
    subject_id: int | None = None,
) -> None:
    """Add the totals of closed meetings, of one subject or of all."""
    for subject, rater_class, returned, counts in closed_totals(session, campaign_id, subject_id):
        key = SliceKey(subject, rater_class, Mode.PAPER_TOTAL, 0)
        counter.count_total(counted.setdefault(key, counter.empty()), counts, returned)


def _row(campaign_id: int, key: SliceKey, counted: CountedSlice) -> dict[str, object]:
    return {
        "campaign_id": campaign_id,
        "subject_id": key.subject_id,
        "rater_class": key.rater_class,
        "mode": key.mode,
        "place_id": key.place_id,
        "is_excluded": key.is_excluded,
        "returned": counted.returned,
        "valid": counted.valid,
        "standing": counted.standing,
        "invalid": counted.invalid,
        "counts": counted.as_json(),
    }


def _advance_head(session: Session, campaign_id: int, subject_id: int, returned: int, now: datetime) -> int:
    """Write the new number of ballots, give the growth to today's place on the daily curve.

    Returns the number before.
    """
    key = (campaign_id, subject_id)
    head = session.get(TallyHead, key, populate_existing=True)
    if head is None:
        head = TallyHead(campaign_id=campaign_id, subject_id=subject_id, revision=0, returned=0)
        session.add(head)
    today = clock.local_day(now)
    day = session.get(TurnoutDay, (*key, today), populate_existing=True)
    if day is None:
        day = TurnoutDay(campaign_id=campaign_id, subject_id=subject_id, day=today, returned=0)
        session.add(day)
    before = head.returned
    day.returned += returned - before
    head.revision += 1
    head.returned = returned
    session.flush()
    return before


def find_difference(session: Session, *, campaign_id: int) -> Difference | None:
    """Recount a whole campaign from its ballots and return the first difference to the stored tally.

    Each ballot has its participation, until sealing deletes them together with the campaign key.
    Subjects with ballots that no rebuild has seen yet are left out: they are not wrong, only late. The
    session must see one snapshot.
    """
    participations, ballots = count_rows(session, campaign_id)
    expected = 0 if get_campaign(session, campaign_id).wrapped_key is None else ballots
    if participations != expected:
        return Difference("participations and ballots", participations, expected)
    late = dirty_subjects(session, campaign_id)
    stored = {_key_of(row): row for row in list_slices(session, campaign_id) if row.subject_id not in late}
    recounted = _recount(session, campaign_id, late)
    for key in sorted(stored.keys() | recounted.keys()):
        before, after = _shown(stored.get(key)), _shown(recounted.get(key))
        if before != after:
            return Difference(f"tally of {key}", before, after)
    return None


def _recount(session: Session, campaign_id: int, late: Collection[int]) -> Mapping[SliceKey, CountedSlice]:
    counter, excluded = _counter(session, campaign_id), excluded_groups(session, campaign_id)
    counted = _count(stream_ballots(session, campaign_id), counter, excluded, skipped=late)
    _count_totals(session, campaign_id, counter, counted)
    return {key: one for key, one in counted.items() if key.subject_id not in late}


def _key_of(row: TallyRow) -> SliceKey:
    return SliceKey(row.subject_id, row.rater_class, row.mode, row.place_id, row.is_excluded)


def _shown(one: TallyRow | CountedSlice | None) -> tuple[object, ...] | None:
    if one is None:
        return None
    counts = one.counts if isinstance(one, TallyRow) else one.as_json()
    return one.returned, one.valid, one.standing, one.invalid, counts
