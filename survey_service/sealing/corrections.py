"""Correct what sealed scores are measured by, the numbers of eligible people, and nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_formula, lock_campaign
from survey_service.campaigns.rules import Formula, Mode, RaterClass, campaign_target
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_json
from survey_service.core.errors import Invalid
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.mass_evaluation.json_form import derivation_text, figures_text
from survey_service.mass_evaluation.service import Scoring
from survey_service.questionnaires.queries import get_compiled
from survey_service.questionnaires.rules import ScoredItem
from survey_service.sealing.models import ScoreSnapshot, SealedScore
from survey_service.sealing.queries import get_snapshot, list_scores
from survey_service.sealing.recording import add_snapshot
from survey_service.sealing.rules import CampaignSealed
from survey_service.tallies.rules import TallySlice

Eligible = Mapping[str, Mapping[RaterClass, int]]
"""Eligible number by organization code and rater class."""


def correct_eligible(
    session: Session, *, staff: Identity, campaign_id: int, eligible: Eligible, reason: str, now: datetime
) -> ScoreSnapshot:
    """Store a new version of a sealed campaign's scores with other eligible numbers.

    The ballots stay as they were sealed, and so does every subject that is not named. Raises Conflict
    `not_sealed`, and Invalid for organizations and classes that the campaign does not have.
    """
    campaign = lock_campaign(session, campaign_id)
    previous = get_snapshot(session, campaign_id)
    scores = list(list_scores(session, previous))
    items = get_compiled(session, campaign.questionnaire_version_id).plan.scored_items
    correction = _Correction(get_formula(campaign), items, eligible, previous.version + 1)
    correction.require_known(scores)
    head = json.loads(previous.head) | {
        "version": correction.version,
        "correction": {
            "author": staff.name,
            "at": now.isoformat(),
            "reason": reason,
            "organization_codes": sorted(eligible),
            "previous_digest": previous.digest,
        },
    }
    corrected = [correction.apply(score) for score in scores]
    snapshot = add_snapshot(session, campaign_id, head, corrected, staff_id=staff.id, now=now)
    _record(session, scores, eligible, snapshot, reason)
    publish(session, CampaignSealed(campaign_id))
    return snapshot


def _record(
    session: Session,
    scores: Sequence[SealedScore],
    eligible: Eligible,
    snapshot: ScoreSnapshot,
    reason: str,
) -> None:
    before = {code: json.loads(one.eligible) for one in scores if (code := _code_of(one)) in eligible}
    record(
        session,
        "campaigns.correct",
        campaign_target(snapshot.campaign_id),
        before={"eligible": before},
        after={"eligible": eligible, "reason": reason, "snapshot_digest": snapshot.digest},
    )


@dataclass(frozen=True)
class _Correction:
    """New eligible numbers under the frozen formula."""

    formula: Formula
    items: Sequence[ScoredItem]
    eligible: Eligible
    version: int

    def require_known(self, scores: Sequence[SealedScore]) -> None:
        known = {_code_of(score) for score in scores}
        classes = {key for numbers in self.eligible.values() for key in numbers}
        unknown = (self.eligible.keys() - known) | (classes - self.formula.class_weights.keys())
        if unknown:
            sentence = text("campaigns.eligible_unknown", codes="、".join(sorted(unknown)))
            raise Invalid(errors={"eligible": [sentence]})

    def apply(self, score: SealedScore) -> SealedScore:
        """Return the next version of one subject's score."""
        numbers = self.eligible.get(_code_of(score))
        kept = {
            name: getattr(score, name)
            for name in SealedScore.__table__.columns.keys()  # noqa: SIM118  A collection of columns is no dict.
        }
        changed = {} if numbers is None else self._measure(score, numbers)
        return SealedScore(**kept | changed | {"version": self.version})

    def _measure(self, score: SealedScore, numbers: Mapping[RaterClass, int]) -> dict[str, str]:
        """Score the sealed tallies of a subject by its new numbers."""
        eligible = canonical_json(json.loads(score.eligible) | numbers)
        issued = {Mode(key): number for key, number in json.loads(score.issued).items()}
        scoring = Scoring(self.formula, self.items, {score.subject_id: issued})
        slices = [_read_slice(one) for one in json.loads(score.tallies)["slices"]]
        result = scoring.score(score.subject_id, slices, eligible)
        figures, derivation = figures_text(result), derivation_text(result)
        return {"eligible": eligible, "figures": figures, "derivation": derivation}


def _code_of(score: SealedScore) -> str:
    code: str = json.loads(score.place)["organization_code"]
    return code


def _read_slice(written: Mapping[str, Any]) -> TallySlice:
    numbers = {name: written[name] for name in ("returned", "valid", "standing", "counts")}
    return TallySlice(
        rater_class=RaterClass(written["rater_class"]),
        mode=Mode(written["mode"]),
        is_excluded=written.get("is_excluded", False),
        invalid=written.get("invalid", 0),
        **numbers,
    )
