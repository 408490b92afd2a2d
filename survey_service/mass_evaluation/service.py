"""Score the subjects whose tally has changed, and release what may be released."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.queries import get_campaign, get_formula
from survey_service.campaigns.rules import Formula, Mode, RaterClass, State
from survey_service.core.disclosure import is_release_due
from survey_service.core.errors import Conflict
from survey_service.core.events import publish
from survey_service.entrances.queries import issued_by_subject
from survey_service.mass_evaluation.json_form import derivation_text, figures_text
from survey_service.mass_evaluation.models import MassScore
from survey_service.mass_evaluation.queries import list_scores, subjects_to_score
from survey_service.mass_evaluation.rules import MassScore as Score
from survey_service.mass_evaluation.rules import MassScoreChanged, Status, score_subject
from survey_service.questionnaires.queries import get_compiled
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.models import TallyHead, TallyRow
from survey_service.tallies.queries import list_heads, list_slices
from survey_service.tallies.rules import TallySlice
from survey_service.tallies.service import Difference

_FINAL_STATES = frozenset({State.CLOSED, State.SEALED})


@dataclass(frozen=True)
class Scoring:
    """What all subjects of a campaign share when they are scored."""

    formula: Formula
    items: Sequence[ScoredItem]
    issued: Mapping[int, Mapping[Mode, int]]

    def score(self, subject_id: int, slices: Sequence[TallySlice], eligible: str) -> Score:
        numbers = {RaterClass(key): number for key, number in json.loads(eligible).items()}
        return score_subject(
            formula=self.formula,
            items=self.items,
            slices=slices,
            eligible=numbers,
            issued=self.issued.get(subject_id, {}),
        )


def prepare_scoring(session: Session, campaign: Campaign) -> Scoring:
    """Read the frozen formula, the scored items and the numbers of issued codes."""
    plan = get_compiled(session, campaign.questionnaire_version_id).plan
    return Scoring(
        get_formula(campaign), plan.scored_items, issued_by_subject(session, campaign_id=campaign.id)
    )


def to_slice(row: TallyRow) -> TallySlice:
    """Return a stored row of the tally as the score's rules take it."""
    return TallySlice(
        rater_class=RaterClass(row.rater_class),
        mode=Mode(row.mode),
        returned=row.returned,
        valid=row.valid,
        standing=row.standing,
        counts=json.loads(row.counts),
    )


def score_campaign(session: Session, *, campaign_id: int, now: datetime, is_everything: bool = False) -> int:
    """Score the subjects whose tally has changed (or all of them); returns how many were looked at.

    A score is computed from the tally as it stands and shown only when a release is due; the revision that
    was looked at is remembered either way. Raises Conflict `wrong_state` where a sealed score would change.
    """
    campaign = get_campaign(session, campaign_id)
    heads = (
        list(list_heads(session, campaign_id).values())
        if is_everything
        else subjects_to_score(session, campaign_id)
    )
    if heads:
        _score_heads(session, campaign, heads, prepare_scoring(session, campaign), now=now)
    return len(heads)


def settle_scores(session: Session, *, campaign_id: int, now: datetime) -> Scoring:
    """Score every tally of a campaign that takes no ballots any more; returns what was scored with."""
    campaign = get_campaign(session, campaign_id)
    scoring = prepare_scoring(session, campaign)
    _score_heads(session, campaign, list(list_heads(session, campaign_id).values()), scoring, now=now)
    return scoring


def _score_heads(
    session: Session, campaign: Campaign, heads: Sequence[TallyHead], scoring: Scoring, *, now: datetime
) -> None:
    if campaign.sealed_at is not None:
        raise Conflict("wrong_state")
    campaign_id, is_closed = campaign.id, campaign.window.state(now) in _FINAL_STATES
    by_subject: dict[int, list[TallySlice]] = {}
    for row in list_slices(session, campaign_id, [head.subject_id for head in heads]):
        by_subject.setdefault(row.subject_id, []).append(to_slice(row))
    stored = list_scores(session, campaign_id)
    for head in heads:
        subject = session.get_one(CampaignSubject, (campaign_id, head.subject_id))
        score = scoring.score(head.subject_id, by_subject.get(head.subject_id, []), subject.eligible)
        previous = stored.get(head.subject_id)
        if previous is None:
            session.add(_release(campaign_id, head, score, now))
        elif _may_release(previous, score, min_cell=scoring.formula.min_cell, is_closed=is_closed):
            session.merge(_release(campaign_id, head, score, now))
        else:
            previous.tally_revision = head.revision
    publish(session, MassScoreChanged(campaign_id))


def _may_release(previous: MassScore, score: Score, *, min_cell: int, is_closed: bool) -> bool:
    shown_before = previous.as_of_returned if previous.status == Status.OK else None
    return is_release_due(
        returned=score.returned, released_at_count=shown_before, min_cell=min_cell, is_closed=is_closed
    )


def _release(campaign_id: int, head: TallyHead, score: Score, now: datetime) -> MassScore:
    return MassScore(
        campaign_id=campaign_id,
        subject_id=head.subject_id,
        tally_revision=head.revision,
        as_of_returned=score.returned,
        status=score.status,
        figures=figures_text(score),
        derivation=derivation_text(score),
        released_at=now,
    )


def find_score_difference(session: Session, *, campaign_id: int) -> Difference | None:
    """Recompute every score from the stored tally and return the first one that is not as stored.

    A release of an open campaign may lag behind the tally; it is compared once it shows all ballots.
    """
    campaign = get_campaign(session, campaign_id)
    scoring = prepare_scoring(session, campaign)
    heads = list_heads(session, campaign_id)
    by_subject: dict[int, list[TallySlice]] = {}
    for row in list_slices(session, campaign_id):
        by_subject.setdefault(row.subject_id, []).append(to_slice(row))
    for subject_id, stored in sorted(list_scores(session, campaign_id).items()):
        head = heads[subject_id]
        if stored.tally_revision != head.revision or stored.as_of_returned != head.returned:
            continue
        eligible = session.get_one(CampaignSubject, (campaign_id, subject_id)).eligible
        score = scoring.score(subject_id, by_subject.get(subject_id, []), eligible)
        recounted = figures_text(score)
        if recounted != stored.figures:
            return Difference(f"score of subject {subject_id}", stored.figures, recounted)
    return None
