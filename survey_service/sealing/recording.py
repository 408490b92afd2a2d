"""Write down what is sealed: the snapshot of the scores with its inputs, and the public lists of receipts."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from survey_service.anomalies.queries import held_subjects
from survey_service.campaigns.launching import frozen_inputs
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import SubjectRow, list_subjects
from survey_service.campaigns.rules import Mode
from survey_service.core.canonical import canonical_digest, canonical_json
from survey_service.core.digests import keyed_digest
from survey_service.mass_evaluation.json_form import (
    NOTHING_DERIVED,
    derivation_text,
    figures_text,
    held_figures,
)
from survey_service.mass_evaluation.models import MassScore
from survey_service.mass_evaluation.queries import list_scores
from survey_service.mass_evaluation.service import Scoring, to_slice
from survey_service.mass_evaluation.slices import counted_slices, mode_weight
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import ids_on_path
from survey_service.questionnaires.models import QuestionnaireVersion
from survey_service.sealing.documents import write_snapshot
from survey_service.sealing.models import PublishedReceipts, ScoreSnapshot, SealedScore
from survey_service.sealing.queries import area_codes, count_ballots, receipts_by_subject
from survey_service.sealing.rules import (
    FORMAT,
    BallotCounts,
    ReceiptList,
    digest_text,
    join_lists,
    listed_under,
    upper_code,
)
from survey_service.tallies.models import TallyRow
from survey_service.tallies.queries import list_slices
from survey_service.tallies.rules import TallySlice
from survey_service.tallies.service import Difference

FIRST_VERSION = 1


def write_down(
    session: Session,
    *,
    campaign: Campaign,
    scoring: Scoring,
    key: bytes,
    staff_id: int | None,
    now: datetime,
) -> Difference | None:
    """Store the first snapshot and the bulletin of a recounted campaign; returns what does not agree.

    `scoring` is what the stored scores were made with, `key` the campaign key. The document follows from
    what was frozen and from the ballots alone: a second attempt gives the same digest.
    """
    version = session.get_one(QuestionnaireVersion, campaign.questionnaire_version_id)
    subjects = list_subjects(session, campaign.id)
    eligible = {
        subject.organization_code: {str(key): number for key, number in subject.eligible.items()}
        for subject in subjects
    }
    frozen = frozen_inputs(campaign, form_digest=version.digest, eligible=eligible)
    if canonical_digest(frozen) != campaign.formula_hash:
        return Difference("formula hash", campaign.formula_hash, canonical_digest(frozen))
    recording = _Recording.prepare(session, campaign, scoring, key)
    scores = [recording.score(position, subject) for position, subject in enumerate(subjects)]
    lists = _list_receipts(session, campaign.id, scores)
    for one in lists:
        if len(one.receipts) != one.counts.count:
            return Difference(f"receipts of {one.organization_code}", len(one.receipts), one.counts.count)
    session.add_all(_published(campaign.id, one) for one in lists)
    head = _head(session, campaign) | {
        "frozen": frozen,
        "questionnaire": json.loads(version.definition),
        "participations": sum(one.counts.count for one in lists),
        "bulletin": [list_entry(one) for one in lists],
    }
    add_snapshot(session, campaign.id, head, scores, staff_id=staff_id, now=now)
    return None


def add_snapshot(
    session: Session,
    campaign_id: int,
    head: Mapping[str, Any],
    scores: Sequence[SealedScore],
    *,
    staff_id: int | None,
    now: datetime,
) -> ScoreSnapshot:
    """Store a version with its scores and its digest."""
    written = canonical_json(head)
    snapshot = ScoreSnapshot(
        campaign_id=campaign_id,
        version=head["version"],
        head=written,
        digest=digest_text(write_snapshot(written, scores)),
        staff_id=staff_id,
        created_at=now,
    )
    session.add(snapshot)
    session.flush()
    session.add_all(scores)
    return snapshot


@dataclass(frozen=True)
class _Recording:
    """What all subjects of a campaign share when their scores are written down."""

    campaign: Campaign
    key: bytes
    scoring: Scoring
    scores: Mapping[int, MassScore]
    rows: Mapping[int, Sequence[TallyRow]]
    ballots: Mapping[int, int]
    areas: Mapping[int, str]
    held: Collection[int]

    @classmethod
    def prepare(cls, session: Session, campaign: Campaign, scoring: Scoring, key: bytes) -> "_Recording":
        rows: dict[int, list[TallyRow]] = {}
        for row in list_slices(session, campaign.id):
            rows.setdefault(row.subject_id, []).append(row)
        return cls(
            campaign=campaign,
            key=key,
            scoring=scoring,
            scores=list_scores(session, campaign.id),
            rows=rows,
            ballots=count_ballots(session, campaign.id),
            areas=area_codes(session),
            held=held_subjects(session, campaign.id),
        )

    def score(self, position: int, subject: SubjectRow) -> SealedScore:
        rows = self.rows.get(subject.subject_id, ())
        counts = self._count(subject.subject_id, [to_slice(row) for row in rows])
        figures, derivation = self._texts(subject)
        return SealedScore(
            campaign_id=self.campaign.id,
            version=FIRST_VERSION,
            subject_id=subject.subject_id,
            position=position,
            place=canonical_json(self._place(subject, counts)),
            ballots=canonical_json(counts.as_json()),
            eligible=canonical_json(subject.eligible),
            issued=canonical_json(self.scoring.issued.get(subject.subject_id, {})),
            returned=sum(row.returned for row in rows),
            figures=figures,
            derivation=derivation,
            tallies=self._tallies(subject.subject_id, rows),
        )

    def _texts(self, subject: SubjectRow) -> tuple[str, str]:
        """Return figures and derivation as they were scored just now; nobody scores where nobody voted."""
        stored = self.scores.get(subject.subject_id)
        if stored is not None and subject.subject_id in self.held:
            return canonical_json(held_figures(json.loads(stored.figures))), NOTHING_DERIVED
        if stored is not None:
            return stored.figures, stored.derivation
        score = self.scoring.score(subject.subject_id, (), canonical_json(subject.eligible))
        return figures_text(score), derivation_text(score)

    def _count(self, subject_id: int, slices: Sequence[TallySlice]) -> BallotCounts:
        """Count the ballots of a subject, and those of them that do not weigh in its score."""
        totals = sum(tally.returned for tally in slices if tally.mode is Mode.PAPER_TOTAL)
        slices = [tally for tally in slices if tally.mode is not Mode.PAPER_TOTAL]
        counted = counted_slices(slices)
        return BallotCounts(
            count=self.ballots.get(subject_id, 0),
            excluded=sum(tally.returned for tally in slices if tally.is_excluded),
            invalid=sum(tally.invalid for tally in counted),
            weightless=sum(tally.returned for tally in counted if not self._weighs(tally)),
            totals=totals,
        )

    def _weighs(self, tally: TallySlice) -> bool:
        formula = self.scoring.formula
        return bool(mode_weight(tally.mode, formula) and formula.class_weights.get(tally.rater_class))

    def _place(self, subject: SubjectRow, counts: BallotCounts) -> dict[str, str]:
        own = subject.organization_code
        upper = upper_code(ids_on_path(subject.path), self.areas) or own
        listed = listed_under(
            own_code=own,
            upper_code=upper,
            count=counts.count or counts.totals,
            min_cell=self.campaign.min_cell,
        )
        return {
            "organization_code": own,
            "name": subject.name,
            "subject_name": subject.subject_name,
            "listed_under": listed,
        }

    def _tallies(self, subject_id: int, rows: Sequence[TallyRow]) -> str:
        """Write the counted ballots; without the salt, few ballots could be guessed from their digest.

        It comes from the campaign key, so that a second attempt writes the same.
        """
        salt = keyed_digest(self.key, "sealed tally", str(subject_id)).hex()
        return canonical_json({"salt": salt, "slices": read_slices(rows)})


def read_slices(rows: Sequence[TallyRow]) -> list[dict[str, Any]]:
    """Return the tally of one subject as it is sealed."""
    ordered = sorted(rows, key=lambda row: (row.rater_class, row.mode, row.place_id, row.is_excluded))
    return [_read_slice(row) for row in ordered]


def _read_slice(row: TallyRow) -> dict[str, Any]:
    return {
        "rater_class": row.rater_class,
        "mode": row.mode,
        "place_id": row.place_id,
        **({"is_excluded": True} if row.is_excluded else {}),
        **({"invalid": row.invalid} if row.invalid else {}),
        "returned": row.returned,
        "valid": row.valid,
        "standing": row.standing,
        "counts": json.loads(row.counts),
    }


def _list_receipts(
    session: Session, campaign_id: int, scores: Sequence[SealedScore]
) -> Sequence[ReceiptList]:
    receipts = dict(receipts_by_subject(session, campaign_id))

    def parts() -> Iterator[tuple[str, BallotCounts, Sequence[str]]]:
        for score in scores:
            counts = BallotCounts(**json.loads(score.ballots))
            found = receipts.get(score.subject_id, [])
            if counts.count or counts.totals or found:
                yield json.loads(score.place)["listed_under"], counts, found

    return join_lists(parts())


def _published(campaign_id: int, one: ReceiptList) -> PublishedReceipts:
    return PublishedReceipts(
        campaign_id=campaign_id,
        organization_code=one.organization_code,
        digest=one.digest,
        receipts=one.text,
        **asdict(one.counts),
    )


def list_entry(one: ReceiptList) -> dict[str, Any]:
    """Return what a snapshot keeps of a published list."""
    return {"organization_code": one.organization_code, "digest": one.digest, **one.counts.as_json()}


def _head(session: Session, campaign: Campaign) -> dict[str, Any]:
    owner = session.get_one(Organization, campaign.organization_id)
    return {
        "format": FORMAT,
        "version": FIRST_VERSION,
        "correction": None,
        "campaign": {
            "id": campaign.id,
            "title": campaign.title,
            "organization_code": owner.code,
            "opens_at": campaign.opens_at.isoformat(),
            "ended_at": campaign.window.ends_at.isoformat(),
        },
        "formula_hash": campaign.formula_hash,
    }
