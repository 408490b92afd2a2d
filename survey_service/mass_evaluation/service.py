"""Score the subjects whose tally has changed, and release what may be released."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.queries import SubjectRow, get_campaign, get_formula, list_subjects
from survey_service.campaigns.rules import Formula, LiveScores, Mode, RaterClass, State
from survey_service.core.errors import Conflict
from survey_service.core.events import publish
from survey_service.entrances.queries import issued_by_subject
from survey_service.mass_evaluation.json_form import (
    derivation_text,
    figures_text,
    read_slices,
    slices_text,
    total_text,
)
from survey_service.mass_evaluation.models import MassScore, MassTotal
from survey_service.mass_evaluation.queries import hold_heads, list_scores, list_totals, take_turn
from survey_service.mass_evaluation.releases import Gate, Release, Timing
from survey_service.mass_evaluation.rules import MassScore as Score
from survey_service.mass_evaluation.rules import MassScoreChanged, Reason, Status
from survey_service.mass_evaluation.slices import ignore_exclusions, merge_slices
from survey_service.mass_evaluation.totals import Leaf, score_totals
from survey_service.organizations.rules import ids_on_path
from survey_service.paper_entry.queries import issued_on_paper
from survey_service.questionnaires.queries import get_compiled
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.models import TallyHead, TallyRow
from survey_service.tallies.queries import dirty_subjects, list_heads, list_slices
from survey_service.tallies.rules import TallySlice
from survey_service.tallies.service import Difference

_FINAL_STATES = frozenset({State.CLOSED, State.SEALED})


@dataclass(frozen=True)
class Scoring:
    """What all subjects of a campaign share when they are scored."""

    formula: Formula
    items: Sequence[ScoredItem]
    issued: Mapping[int, Mapping[Mode, int]]

    def gate(self, subject_id: int, eligible: str) -> Gate:
        """Return the gate of one subject; `eligible` is JSON."""
        numbers = {RaterClass(key): number for key, number in json.loads(eligible).items()}
        return Gate(self.formula, self.items, numbers, self.issued.get(subject_id, {}))

    def score(self, subject_id: int, slices: Sequence[TallySlice], eligible: str) -> Score:
        """Return what may be shown of a subject's ballots when no more can come."""
        return self.gate(subject_id, eligible).score(slices)


def prepare_scoring(session: Session, campaign: Campaign) -> Scoring:
    """Read the frozen formula, the scored items and the numbers of issued codes and sheets."""
    plan = get_compiled(session, campaign.questionnaire_version_id).plan
    issued = issued_by_subject(session, campaign_id=campaign.id)
    for subject_id, by_mode in issued_on_paper(session, campaign.id).items():
        issued[subject_id] = issued.get(subject_id, {}) | by_mode
    return Scoring(get_formula(campaign), plan.scored_items, issued)


def to_slice(row: TallyRow) -> TallySlice:
    """Return a stored row of the tally as the score's rules take it."""
    return TallySlice(
        rater_class=RaterClass(row.rater_class),
        mode=Mode(row.mode),
        returned=row.returned,
        valid=row.valid,
        standing=row.standing,
        counts=json.loads(row.counts),
        invalid=row.invalid,
        is_excluded=row.is_excluded,
    )


def score_campaign(session: Session, *, campaign_id: int, now: datetime, is_everything: bool = False) -> int:
    """Score the subjects whose tally has changed (or all of them); returns how many were looked at.

    What is shown follows from the slices that may be looked at anew (`releases.py`); the revision that was
    looked at is remembered either way. After the closing a subject waits until its tally lacks nothing: an
    exact release is made once, so it must not miss a ballot that is in already. Raises Conflict
    `wrong_state` where a sealed score would change.
    """
    take_turn(session, campaign_id)
    campaign = get_campaign(session, campaign_id)
    heads = hold_heads(session, campaign_id, is_everything=is_everything)
    if campaign.window.state(now) in _FINAL_STATES:
        # The marks are read before the tally: what has no mark here is in the tally that is read next.
        late = dirty_subjects(session, campaign_id)
        heads = [head for head in heads if head.subject_id not in late]
    if heads:
        _score_heads(session, campaign, heads, prepare_scoring(session, campaign), now=now)
    return len(heads)


def settle_scores(session: Session, *, campaign_id: int, now: datetime) -> Scoring:
    """Score every tally of a campaign that takes no ballots any more; returns what was scored with."""
    take_turn(session, campaign_id)
    campaign = get_campaign(session, campaign_id)
    scoring = prepare_scoring(session, campaign)
    _score_heads(session, campaign, list(list_heads(session, campaign_id).values()), scoring, now=now)
    return scoring


def _score_heads(
    session: Session, campaign: Campaign, heads: Sequence[TallyHead], scoring: Scoring, *, now: datetime
) -> None:
    if campaign.sealed_at is not None:
        raise Conflict("wrong_state")
    standing = _standing(session, campaign.id, [head.subject_id for head in heads])
    has_ended = campaign.window.state(now) in _FINAL_STATES
    stored = list_scores(session, campaign.id)
    is_changed = False
    for head in heads:
        subject = session.get_one(CampaignSubject, (campaign.id, head.subject_id))
        previous = stored.get(head.subject_id)
        timing = _timing(campaign, previous, now)
        slices = standing.get(head.subject_id, [])
        release = scoring.gate(head.subject_id, subject.eligible).release(
            # Exclusions count from the closing on: until then nobody can see what one does to the score.
            slices if has_ended else ignore_exclusions(slices),
            shown=read_slices(previous.released_slices) if previous else (),
            timing=timing,
        )
        is_changed |= _store(session, head, previous, release, _exact_at(campaign, previous, timing, now))
    if is_changed:
        _store_totals(session, campaign.id, scoring)
    publish(session, MassScoreChanged(campaign.id))


def _standing(
    session: Session, campaign_id: int, subject_ids: Sequence[int] | None = None
) -> dict[int, list[TallySlice]]:
    by_subject: dict[int, list[TallySlice]] = {}
    for row in list_slices(session, campaign_id, subject_ids):
        by_subject.setdefault(row.subject_id, []).append(to_slice(row))
    return by_subject


def _timing(campaign: Campaign, previous: MassScore | None, now: datetime) -> Timing:
    """Tell which ballots a release is made of.

    The first release after the closing is exact, and so is the one after the last ballot can have come; what
    comes late between the two steps as before. `released_at` tells which of them has been made, whatever
    the clocks of two machines say.
    """
    if campaign.frozen_at is not None or now > campaign.accepts_until:
        return Timing.EXACT
    if campaign.live_scores is LiveScores.AFTER_CLOSING:
        return Timing.WITHHELD
    is_closed = campaign.window.state(now) in _FINAL_STATES
    is_first = previous is None or previous.released_at < campaign.window.ends_at
    return Timing.EXACT if is_closed and is_first else Timing.STEPWISE


def _exact_at(campaign: Campaign, previous: MassScore | None, timing: Timing, now: datetime) -> datetime:
    """Return until when a release knows all ballots; an open campaign's never does."""
    if timing is Timing.EXACT:
        return max(now, campaign.window.ends_at)
    return previous.released_at if previous else campaign.opens_at


def _store(
    session: Session, head: TallyHead, previous: MassScore | None, release: Release, exact_at: datetime
) -> bool:
    """Store a release, and tell whether it is another one."""
    figures, slices = figures_text(release.score), slices_text(release.slices)
    is_new = previous is None or (previous.figures, previous.released_slices) != (figures, slices)
    session.merge(
        MassScore(
            campaign_id=head.campaign_id,
            subject_id=head.subject_id,
            tally_revision=head.revision,
            as_of_returned=release.as_of_returned,
            status=release.score.status,
            figures=figures,
            derivation=derivation_text(release.score),
            released_slices=slices,
            is_whole=release.is_whole,
            released_at=exact_at,
        )
    )
    return is_new


def _store_totals(session: Session, campaign_id: int, scoring: Scoring) -> None:
    session.flush()
    for organization_id, score in _score_totals(session, campaign_id, scoring).items():
        session.merge(
            MassTotal(
                campaign_id=campaign_id,
                organization_id=organization_id,
                as_of_returned=score.returned,
                figures=total_text(score),
            )
        )


def _score_totals(session: Session, campaign_id: int, scoring: Scoring) -> dict[int, Score]:
    stored = list_scores(session, campaign_id)
    leaves = [_leaf(row, stored.get(row.subject_id)) for row in list_subjects(session, campaign_id)]
    return score_totals(scoring.formula, scoring.items, leaves)


def _leaf(row: SubjectRow, stored: MassScore | None) -> Leaf:
    above = ids_on_path(row.path)[:-1]
    if stored is None:
        return Leaf(above, (), row.eligible, (), is_whole=True)
    figures = json.loads(stored.figures)
    by_class = figures["by_class"]
    return Leaf(
        above=above,
        slices=read_slices(stored.released_slices),
        eligible=row.eligible,
        withheld=[key for key in RaterClass if by_class is None or by_class.get(key, {}).get("withheld")],
        is_whole=stored.is_whole,
        pending=Reason(figures["reason"] or ""),
    )


def find_score_difference(session: Session, *, campaign_id: int) -> Difference | None:
    """Compute every score again from the slices behind it; return the first one that is not as stored.

    That covers a release that lags behind the tally. Once no ballot can come any more, the slices must be
    those of the tally.
    """
    campaign = get_campaign(session, campaign_id)
    scoring = prepare_scoring(session, campaign)
    heads = list_heads(session, campaign_id)
    standing = _standing(session, campaign_id)
    for subject_id, stored in sorted(list_scores(session, campaign_id).items()):
        eligible = session.get_one(CampaignSubject, (campaign_id, subject_id)).eligible
        slices = read_slices(stored.released_slices)
        is_settled = stored.released_at > campaign.accepts_until
        if is_settled and stored.tally_revision == heads[subject_id].revision:
            counted = slices_text(merge_slices(standing.get(subject_id, [])))
            if counted != stored.released_slices:
                return Difference(f"slices of subject {subject_id}", stored.released_slices, counted)
        if stored.status == Status.OK or is_settled:
            score = scoring.score(subject_id, slices, eligible)
            for name, written in (("score", figures_text(score)), ("derivation", derivation_text(score))):
                found = stored.figures if name == "score" else stored.derivation
                if found != written:
                    return Difference(f"{name} of subject {subject_id}", found, written)
    return _find_total_difference(session, campaign_id, scoring)


def _find_total_difference(session: Session, campaign_id: int, scoring: Scoring) -> Difference | None:
    stored = list_totals(session, campaign_id)
    for organization_id, score in _score_totals(session, campaign_id, scoring).items() if stored else ():
        found = stored.get(organization_id)
        if found is None or found.figures != total_text(score):
            return Difference(f"total of {organization_id}", found and found.figures, total_text(score))
    return None
