"""Reads of schemes, cycles and what was filled in; and the figures of the mass evaluation that enter them."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from survey_service.anomalies.queries import held_subjects
from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.core.errors import NotFound
from survey_service.core.permissions import Identity
from survey_service.mass_evaluation.json_form import held_figures
from survey_service.mass_evaluation.models import MassScore
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import ids_on_path
from survey_service.ratings.documents import digest_of
from survey_service.ratings.models import (
    RatingCycle,
    RatingDecision,
    RatingGrade,
    RatingMove,
    RatingObjection,
    RatingScheme,
    RatingSheet,
    RatingSubject,
)
from survey_service.ratings.presets import preset_text, presets
from survey_service.ratings.rules import MassFigures
from survey_service.ratings.vocabulary import Level, Measure
from survey_service.sealing.models import SealedScore
from survey_service.sealing.queries import get_snapshot, is_score_of

PAGE_SIZE = 50


@dataclass(frozen=True)
class KnownScheme:
    """A version of a scheme that can be used; presets belong to no organization."""

    document: Mapping[str, Any]
    source: str
    digest: str
    is_preset: bool

    @property
    def code(self) -> str:
        return str(self.document["code"])

    @property
    def version(self) -> int:
        return int(self.document["version"])


@dataclass(frozen=True)
class SubjectRow:
    """A subject of a cycle with its organization."""

    row: RatingSubject
    organization_code: str
    name: str
    path: str


@dataclass(frozen=True)
class MassReading:
    """The released or sealed figures of one subject, and where they come from, as plain JSON."""

    figures: MassFigures
    trace: Mapping[str, object]
    bounds: Mapping[Measure, tuple[Fraction, Fraction]] = field(default_factory=dict)
    """The intervals of the figures, as far as they may be shown."""


def list_schemes(session: Session, *, staff: Identity) -> list[KnownScheme]:
    """Return the presets, then the newest versions of the schemes of the reader's area and above it."""
    shipped = [
        KnownScheme(document, preset_text(code), digest_of(document), True)
        for code, document in presets().items()
    ]
    newest: dict[tuple[int, str], RatingScheme] = {}
    for one in session.scalars(_own_schemes(staff).order_by(RatingScheme.version)):
        newest[one.organization_id, one.code] = one
    return shipped + [_known(newest[key]) for key in sorted(newest)]


def _own_schemes(staff: Identity) -> Select[RatingScheme]:
    owned = select(Organization.id).where(is_within(staff.path))
    visible = or_(
        RatingScheme.organization_id.in_(owned), RatingScheme.organization_id.in_(ids_on_path(staff.path))
    )
    return select(RatingScheme).where(visible)


def _known(scheme: RatingScheme) -> KnownScheme:
    return KnownScheme(json.loads(scheme.document), scheme.source, scheme.digest, False)


def get_scheme(session: Session, *, staff: Identity, code: str, version: int | None = None) -> KnownScheme:
    """Return a version of a scheme, the newest by default: one's own before a preset; raises NotFound."""
    statement = _own_schemes(staff).where(RatingScheme.code == code).order_by(RatingScheme.version.desc())
    if version is not None:
        statement = statement.where(RatingScheme.version == version)
    if (own := session.scalars(statement.limit(1)).first()) is not None:
        return _known(own)
    document = presets().get(code)
    if document is None or version not in {None, document["version"]}:
        raise NotFound
    return KnownScheme(document, preset_text(code), digest_of(document), True)


def used_digests(session: Session) -> set[str]:
    """Return the digests of the schemes that a cycle runs on."""
    return set(session.scalars(select(RatingCycle.scheme_digest).distinct()))


def newest_version(session: Session, *, organization_id: int, code: str) -> int:
    """Return the number of an organization's newest version of a scheme; 0 before the first."""
    statement = select(func.max(RatingScheme.version)).where(
        RatingScheme.organization_id == organization_id, RatingScheme.code == code
    )
    return session.scalar(statement) or 0


def get_cycle(session: Session, cycle_id: int) -> RatingCycle:
    """Return a cycle; raises NotFound."""
    cycle = session.get(RatingCycle, cycle_id)
    if cycle is None:
        raise NotFound
    return cycle


def lock_cycle(session: Session, cycle_id: int) -> RatingCycle:
    """Return a cycle and hold its row, so that acts on it take turns; raises NotFound."""
    statement = select(RatingCycle).where(RatingCycle.id == cycle_id).with_for_update()
    cycle = session.scalar(statement.execution_options(populate_existing=True))
    if cycle is None:
        raise NotFound
    return cycle


def list_cycles(session: Session, *, staff: Identity, after: int = 0) -> list[RatingCycle]:
    """Return the cycles that are owned in, or rate someone in, the reader's sub-tree; oldest first."""
    owned = select(Organization.id).where(is_within(staff.path))
    concerned = select(RatingSubject.cycle_id).where(RatingSubject.organization_id.in_(owned))
    statement = (
        select(RatingCycle)
        .where(RatingCycle.id > after)
        .where(or_(RatingCycle.organization_id.in_(owned), RatingCycle.id.in_(concerned)))
        .order_by(RatingCycle.id)
        .limit(PAGE_SIZE)
    )
    return list(session.scalars(statement))


def list_subjects(
    session: Session, cycle_id: int, *, within_path: str = "/", only: Collection[int] | None = None
) -> list[SubjectRow]:
    """Return a cycle's subjects inside a sub-tree, or only some by their ids, in the order of the cycle."""
    statement = (
        select(RatingSubject, Organization.code, Subject.name, Organization.path)
        .join(Organization, Organization.id == RatingSubject.organization_id)
        .join(Subject, Subject.id == RatingSubject.subject_id)
        .where(RatingSubject.cycle_id == cycle_id, is_within(within_path))
        .order_by(RatingSubject.position)
    )
    if only is not None:
        statement = statement.where(RatingSubject.subject_id.in_(list(only)))
    return [SubjectRow(*row) for row in session.execute(statement)]


def page_subjects(
    session: Session, cycle_id: int, *, within_path: str, after: int, limit: int, words: str = ""
) -> list[SubjectRow]:
    """Return some of a cycle's subjects inside a sub-tree, those behind a position that words name."""
    statement = (
        select(RatingSubject, Organization.code, Subject.name, Organization.path)
        .join(Organization, Organization.id == RatingSubject.organization_id)
        .join(Subject, Subject.id == RatingSubject.subject_id)
        .where(RatingSubject.cycle_id == cycle_id, is_within(within_path), RatingSubject.position > after)
        .order_by(RatingSubject.position)
        .limit(limit)
    )
    if words:
        statement = statement.where(Subject.name.contains(words, autoescape=True))
    return [SubjectRow(*row) for row in session.execute(statement)]


def concerns(session: Session, cycle_id: int, *, path: str) -> bool:
    """Tell whether a cycle rates somebody inside a sub-tree."""
    return bool(page_subjects(session, cycle_id, within_path=path, after=-1, limit=1))


def count_final_grades(
    session: Session, cycle_id: int, *, within_path: str
) -> dict[tuple[str | None, str | None], int]:
    """Return how many subjects inside a sub-tree there are by final grade and field."""
    statement = (
        select(RatingSubject.grade_final, RatingSubject.field_code, func.count())
        .join(Organization, Organization.id == RatingSubject.organization_id)
        .where(RatingSubject.cycle_id == cycle_id, is_within(within_path))
        .group_by(RatingSubject.grade_final, RatingSubject.field_code)
    )
    return {(grade, field_code): count for grade, field_code, count in session.execute(statement)}


def find_subject(session: Session, cycle_id: int, organization_code: str) -> SubjectRow:
    """Return one subject of a cycle; raises NotFound."""
    statement = (
        select(RatingSubject, Organization.code, Subject.name, Organization.path)
        .join(Organization, Organization.id == RatingSubject.organization_id)
        .join(Subject, Subject.id == RatingSubject.subject_id)
        .where(RatingSubject.cycle_id == cycle_id, Organization.code == organization_code)
    )
    found = session.execute(statement).first()
    if found is None:
        raise NotFound
    return SubjectRow(*found)


CHUNK = 500
"""So many subjects are read or written at a time; their traces may weigh ten kilobytes each."""
_Item = TypeVar("_Item")


def in_chunks(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    """Yield a sequence in parts of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def list_entries(session: Session, cycle_id: int, subject_ids: Sequence[int]) -> dict[int, dict[Level, str]]:
    """Return what was filled in for some subjects, by subject and level, as JSON text."""
    found: dict[int, dict[Level, str]] = {}
    for part in in_chunks(subject_ids, CHUNK):
        statement = select(RatingSheet.subject_id, RatingSheet.level, RatingSheet.entries).where(
            RatingSheet.cycle_id == cycle_id, RatingSheet.subject_id.in_(part)
        )
        for subject_id, level, entries in session.execute(statement):
            found.setdefault(subject_id, {})[level] = entries
    return found


def sheets_of(session: Session, cycle_id: int, subject_id: int) -> list[RatingSheet]:
    """Return what was filled in for one subject."""
    statement = select(RatingSheet).where(
        RatingSheet.cycle_id == cycle_id, RatingSheet.subject_id == subject_id
    )
    return list(session.scalars(statement))


def list_grades(session: Session, cycle_id: int, subject_ids: Sequence[int]) -> dict[int, RatingGrade]:
    """Return the stored grades of some subjects."""
    found: dict[int, RatingGrade] = {}
    for part in in_chunks(subject_ids, CHUNK):
        statement = select(RatingGrade).where(
            RatingGrade.cycle_id == cycle_id, RatingGrade.subject_id.in_(part)
        )
        found |= {grade.subject_id: grade for grade in session.scalars(statement)}
    return found


def list_grade_values(
    session: Session, cycle_id: int, subject_ids: Sequence[int]
) -> dict[int, dict[str, object]]:
    """Return the stored grades of some subjects as plain values by column."""
    table = RatingGrade.__table__
    statement = select(table).where(table.c.cycle_id == cycle_id, table.c.subject_id.in_(subject_ids))
    return {row["subject_id"]: dict(row) for row in session.execute(statement).mappings()}


def list_decisions(session: Session, cycle_id: int) -> dict[int, list[RatingDecision]]:
    """Return the decisions by subject, oldest first."""
    statement = select(RatingDecision).where(RatingDecision.cycle_id == cycle_id)
    found: dict[int, list[RatingDecision]] = {}
    for decision in session.scalars(statement.order_by(RatingDecision.id)):
        found.setdefault(decision.subject_id, []).append(decision)
    return found


def earlier_grades(session: Session, cycle: RatingCycle, *, year: int) -> dict[int, str]:
    """Return the final grades that the cycle's owner gave by the same scheme in a year, by subject."""
    statement = (
        select(RatingSubject.subject_id, RatingSubject.grade_final)
        .join(RatingCycle, RatingCycle.id == RatingSubject.cycle_id)
        .where(
            RatingCycle.organization_id == cycle.organization_id,
            RatingCycle.scheme_code == cycle.scheme_code,
            RatingCycle.year == year,
            RatingCycle.id != cycle.id,
            RatingCycle.decided_at.is_not(None),
            RatingSubject.grade_final.is_not(None),
        )
        .order_by(RatingCycle.id)
    )
    return {subject_id: grade for subject_id, grade in session.execute(statement) if grade is not None}


def list_moves(session: Session, cycle_id: int) -> list[RatingMove]:
    """Return how the steps were left, oldest first."""
    statement = select(RatingMove).where(RatingMove.cycle_id == cycle_id).order_by(RatingMove.id)
    return list(session.scalars(statement))


def list_objections(session: Session, cycle_id: int) -> list[RatingObjection]:
    """Return the objections of a cycle, oldest first."""
    statement = select(RatingObjection).where(RatingObjection.cycle_id == cycle_id)
    return list(session.scalars(statement.order_by(RatingObjection.id)))


def cycles_of_campaign(session: Session, campaign_id: int) -> list[int]:
    """Return the cycles without final grades that a campaign's scores flow into."""
    waiting = select(RatingCycle.id).where(
        RatingCycle.campaign_id == campaign_id, RatingCycle.decided_at.is_(None)
    )
    return list(session.scalars(waiting.order_by(RatingCycle.id)))


def outdated_cycles(session: Session) -> list[int]:
    """Return the cycles whose stored grades are not those of their inputs."""
    waiting = select(RatingCycle.id).where(RatingCycle.graded_revision != RatingCycle.revision)
    return list(session.scalars(waiting.order_by(RatingCycle.id)))


def read_mass(session: Session, campaign: Campaign) -> dict[int, MassReading]:
    """Return the figures of a campaign that may be shown, by organization.

    Sealed ones where there are, else those released: nothing that the score table would not show.
    """
    common: dict[str, object] = {
        "campaign_id": campaign.id,
        "formula_hash": campaign.formula_hash,
        "is_sealed": campaign.sealed_at is not None,
    }
    stored: type[SealedScore] | type[MassScore] = MassScore
    joined: ColumnElement[bool] = and_(
        MassScore.campaign_id == CampaignSubject.campaign_id,
        MassScore.subject_id == CampaignSubject.subject_id,
    )
    if campaign.sealed_at is not None:
        # Of one version throughout, though a correction may make the next one at any moment.
        snapshot = get_snapshot(session, campaign.id)
        stored, joined = SealedScore, is_score_of(snapshot)
        common |= {"snapshot_version": snapshot.version, "snapshot_digest": snapshot.digest}
    statement = (
        select(CampaignSubject.subject_id, CampaignSubject.organization_id, stored.figures, stored.derivation)
        .outerjoin(stored, joined)
        .where(CampaignSubject.campaign_id == campaign.id)
    )
    held = held_subjects(session, campaign.id)
    return {
        organization_id: _read_figures(figures, derivation, common, is_held=subject_id in held)
        for subject_id, organization_id, figures, derivation in session.execute(statement)
    }


def _read_figures(
    figures: str | None, derivation: str | None, common: Mapping[str, object], *, is_held: bool
) -> MassReading:
    """Return exact figures: the derivation holds them as fractions, the table rounded."""
    no_ballots = {"status": "suppressed", "reason": "no_ballots"}
    shown: Mapping[str, Any] = json.loads(figures) if figures else no_ballots
    shown = dict(held_figures(shown)) if is_held else shown
    trace = (json.loads(derivation)["trace"] if derivation and not is_held else None) or {}
    score, rate = (_exact(trace.get(name)) for name in ("score", "satisfaction_rate"))
    kept = {name: shown.get(name) for name in ("status", "reason", "score", "satisfaction_rate", "interval")}
    exact = {"exact_score": score and str(score), "exact_satisfaction_rate": rate and str(rate)}
    is_ok = shown["status"] == "ok"
    read = MassFigures(
        status=str(shown["status"]),
        score=score if is_ok else None,
        satisfaction_rate=rate if is_ok else None,
        is_sealed=bool(common["is_sealed"]),
    )
    return MassReading(read, {**common, **kept, **exact}, _bounds(shown) if is_ok else {})


_INTERVALS = {Measure.SCORE: "interval", Measure.SATISFACTION_RATE: "satisfaction_interval"}


def _bounds(shown: Mapping[str, Any]) -> dict[Measure, tuple[Fraction, Fraction]]:
    found = {measure: shown.get(name) for measure, name in _INTERVALS.items()}
    return {measure: (Fraction(one[0]), Fraction(one[1])) for measure, one in found.items() if one}


def _exact(joined: Mapping[str, Any] | None) -> Fraction | None:
    return None if joined is None else Fraction(joined["value"])
