"""Use cases of reports: progress, the score table, one subject with its trace. They only read.

What was released stands as JSON in the form of the API (`mass_evaluation.json_form`) and is handed on in it;
the turnout is put in anew from the tally, so that it is always that of now.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from survey_service.anomalies.queries import disputed_subjects, held_subjects
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    get_campaign,
    get_formula,
    get_visible_campaign,
    list_visible_campaigns,
)
from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.core import clock
from survey_service.core.errors import Forbidden, NotFound
from survey_service.core.permissions import Identity
from survey_service.mass_evaluation.json_form import NO_EXCLUSION, NOTHING_DERIVED, held_figures, summary_json
from survey_service.mass_evaluation.queries import get_score
from survey_service.mass_evaluation.rules import Flag, score_subject, show
from survey_service.mass_evaluation.verdicts import Turnout
from survey_service.questionnaires.queries import get_compiled
from survey_service.reports.queries import (
    RatedPlace,
    Release,
    Total,
    count_before,
    count_parts,
    count_sealed_parts,
    list_places,
    list_releases,
    list_totals,
    list_turnouts,
)
from survey_service.reports.rules import (
    add_turnouts,
    count_eligible,
    is_released_to,
    is_turnout_delayed,
    may_see_disputes,
    may_see_live_parts,
    may_see_parts,
    may_see_totals,
)
from survey_service.sealing.queries import get_sealed_score
from survey_service.staff.rules import Role
from survey_service.tallies.queries import daily_turnout

Figures = Mapping[str, Any]
HUNDRED = 100
MOST_CAMPAIGNS = 200
"""Decades of yearly campaigns; the page of campaigns shows them all at once."""


@dataclass(frozen=True)
class Progress:
    """The turnout of one subject; the parts are None for those who may not see them.

    `as_of` is the day at whose end it was counted, or None where it is that of now.
    """

    place: RatedPlace
    turnout: Turnout
    by_mode: Mapping[Mode, int] | None
    by_class: Mapping[RaterClass, int] | None
    as_of: date | None = None

    @property
    def response_rate(self) -> str | None:
        return response_rate(self.turnout)


@dataclass(frozen=True)
class CampaignSummary:
    """A campaign in a list, with its turnout inside the reader's sub-tree."""

    campaign: Campaign
    subjects: int
    turnout: Turnout


@dataclass(frozen=True)
class ProgressBoard:
    """The live turnout of a campaign inside the reader's sub-tree, and by day where he may see it."""

    campaign: Campaign
    rows: Sequence[Progress]
    by_day: Mapping[date, int]


@dataclass(frozen=True)
class Score:
    """One row of the score table: the released figures with the live turnout in them."""

    place: RatedPlace
    turnout: Turnout
    as_of_returned: int
    figures: Figures


@dataclass(frozen=True)
class TotalScore:
    """All subjects under one organization: the released figures with the live turnout in them."""

    organization_code: str
    name: str
    subjects: int
    turnout: Turnout
    as_of_returned: int
    figures: Figures


@dataclass(frozen=True)
class ScoreTable:
    """All subjects of a campaign inside the reader's sub-tree, and the totals that he may see."""

    campaign: Campaign
    scores: Sequence[Score]
    totals: Sequence[TotalScore]


@dataclass(frozen=True)
class SubjectReport:
    """One subject with what its score was made from; items and trace are None where there is no score."""

    campaign: Campaign
    formula: Formula
    score: Score
    items: Sequence[Figures] | None
    trace: Figures | None


def response_rate(turnout: Turnout) -> str | None:
    """Return R/E as a percentage with two places; None where E is unknown or 0."""
    return None if turnout.share is None else show(turnout.share * HUNDRED)


def read_progress(session: Session, *, staff: Identity, campaign_id: int, now: datetime) -> list[Progress]:
    """Return the turnout of every subject inside the reader's sub-tree.

    Raises NotFound, and Forbidden where the campaign concerns nobody there.
    """
    campaign = get_visible_campaign(session, campaign_id, staff)
    formula = get_formula(campaign)
    places = list_places(session, campaign_id, within_path=staff.path)
    if not may_see_live_parts(Role(staff.role)):
        delayed = _count_delayed(session, staff, [campaign], now).get(campaign_id)
        return [_whole_progress(place, formula, delayed, now) for place in places]
    count = count_sealed_parts if campaign.sealed_at else count_parts
    parts = count(session, campaign_id, within_path=staff.path)
    return [
        Progress(place, _turnout(place, formula), counted.by_mode, counted.by_class)
        if (counted := parts.get(place.subject_id))
        else Progress(place, _turnout(place, formula), {}, {})
        for place in places
    ]


def _whole_progress(
    place: RatedPlace, formula: Formula, delayed: Mapping[int, int] | None, now: datetime
) -> Progress:
    if delayed is None:
        return Progress(place, _turnout(place, formula), None, None)
    place = replace(place, returned=delayed.get(place.subject_id, 0))
    yesterday = clock.local_day(now) - timedelta(days=1)
    return Progress(place, _turnout(place, formula), None, None, as_of=yesterday)


def _count_delayed(
    session: Session, staff: Identity, campaigns: Sequence[Campaign], now: datetime
) -> dict[int, dict[int, int]]:
    """Return the ballots of before today by subject, of those campaigns whose live turnout is not shown."""
    role = Role(staff.role)
    found = [one.id for one in campaigns if is_turnout_delayed(role, one.window.state(now))]
    return count_before(session, found, within_path=staff.path, day=clock.local_day(now))


def list_campaigns(session: Session, *, staff: Identity, now: datetime) -> list[CampaignSummary]:
    """Return the campaigns that concern the reader's sub-tree, oldest first."""
    campaigns = list_visible_campaigns(session, staff=staff, limit=MOST_CAMPAIGNS)
    turnouts: dict[int, list[Turnout]] = {campaign.id: [] for campaign in campaigns}
    classes = {campaign.id: get_formula(campaign).class_weights for campaign in campaigns}
    delayed = _count_delayed(session, staff, campaigns, now)
    rows = list_turnouts(session, turnouts, within_path=staff.path)
    for campaign_id, subject_id, eligible, returned in rows:
        number = count_eligible(eligible, classes[campaign_id])
        shown = delayed[campaign_id].get(subject_id, 0) if campaign_id in delayed else returned
        turnouts[campaign_id].append(Turnout(shown, number))
    return [
        CampaignSummary(campaign, len(turnouts[campaign.id]), add_turnouts(turnouts[campaign.id]))
        for campaign in campaigns
    ]


def read_progress_board(
    session: Session, *, staff: Identity, campaign_id: int, now: datetime
) -> ProgressBoard:
    """Return what the page of a campaign's progress shows; raises as `read_progress` does."""
    rows = read_progress(session, staff=staff, campaign_id=campaign_id, now=now)
    by_day: dict[date, int] = {}
    if may_see_live_parts(Role(staff.role)):
        for one in daily_turnout(session, campaign_id, [row.place.subject_id for row in rows]):
            by_day[one.day] = by_day.get(one.day, 0) + one.returned
    return ProgressBoard(get_campaign(session, campaign_id), rows, by_day)


def _turnout(place: RatedPlace, formula: Formula) -> Turnout:
    return Turnout(place.returned, count_eligible(place.eligible, formula.class_weights))


def list_scores(session: Session, *, staff: Identity, campaign_id: int, now: datetime) -> ScoreTable:
    """Return the score of every subject inside the reader's sub-tree, also of those without a ballot.

    Raises NotFound, Forbidden, and Forbidden `not_released` before they are released to the role.
    """
    campaign = _released_campaign(session, staff, campaign_id, now)
    reader = _Reader(session, campaign, Role(staff.role))
    releases = list_releases(session, campaign_id, within_path=staff.path)
    scores = [reader.read(release) for release in releases]
    return ScoreTable(campaign, scores, _read_totals(session, staff, campaign_id, scores, reader.held))


def _read_totals(
    session: Session, staff: Identity, campaign_id: int, scores: Sequence[Score], held: Collection[int]
) -> list[TotalScore]:
    """Return the totals inside the reader's sub-tree; a rated party sees no others than itself."""
    if not may_see_totals(Role(staff.role)):
        return []
    totals = list_totals(session, campaign_id, within_path=staff.path)
    held_paths = [score.place.path for score in scores if score.place.subject_id in held]
    return join_totals(totals, [(score.place.path, score.turnout) for score in scores], held_paths=held_paths)


def join_totals(
    totals: Sequence[Total], places: Sequence[tuple[str, Turnout]], *, held_paths: Sequence[str] = ()
) -> list[TotalScore]:
    """Put the live turnout into the totals; `places` are the paths of all subjects with theirs.

    A total above a held subject is held with it: the total less the others would be what is held.
    """
    return [
        _read_total(
            total,
            [turnout for path, turnout in places if path.startswith(total.path)],
            is_held=any(path.startswith(total.path) for path in held_paths),
        )
        for total in totals
    ]


def _read_total(total: Total, turnouts: Sequence[Turnout], *, is_held: bool) -> TotalScore:
    turnout = add_turnouts(turnouts)
    figures = json.loads(total.figures)
    return TotalScore(
        organization_code=total.organization_code,
        name=total.name,
        subjects=len(turnouts),
        turnout=turnout,
        as_of_returned=total.as_of_returned,
        figures=(held_figures(figures) if is_held else figures) | _live(turnout),
    )


def _live(turnout: Turnout) -> dict[str, Any]:
    return {
        "returned": turnout.returned,
        "eligible": turnout.eligible,
        "response_rate": response_rate(turnout),
    }


def show_score(
    session: Session, *, staff: Identity, campaign_id: int, organization_code: str, now: datetime
) -> SubjectReport:
    """Return one subject's score with its items and its trace; raises as `list_scores` does."""
    campaign = _released_campaign(session, staff, campaign_id, now)
    releases = list_releases(session, campaign_id, organization_code=organization_code)
    if not releases:
        raise NotFound
    staff.require(releases[0].place.path)
    reader = _Reader(session, campaign, Role(staff.role))
    score = reader.read(releases[0])
    find = get_sealed_score if campaign.sealed_at else get_score
    stored = find(session, campaign_id, score.place.subject_id)
    derivation = json.loads(stored.derivation) if stored else {"items": None, "trace": None}
    if score.place.subject_id in reader.held:
        derivation = json.loads(NOTHING_DERIVED)
    if not may_see_parts(Role(staff.role), score.turnout):
        derivation = _without_parts(derivation)
    return SubjectReport(campaign, reader.formula, score, derivation["items"], derivation["trace"])


def _released_campaign(session: Session, staff: Identity, campaign_id: int, now: datetime) -> Campaign:
    campaign = get_visible_campaign(session, campaign_id, staff)
    if not is_released_to(Role(staff.role), campaign.window.state(now)):
        raise Forbidden("not_released")
    return campaign


class _Reader:
    """Puts released figures and live turnout together for one reader."""

    def __init__(self, session: Session, campaign: Campaign, role: Role) -> None:
        self.formula = get_formula(campaign)
        self._role = role
        items = get_compiled(session, campaign.questionnaire_version_id).plan.scored_items
        # Nobody has voted: what is left besides the turnout is the same for every such subject.
        nothing = score_subject(formula=self.formula, items=items, slices=(), eligible={})
        self._unreleased = summary_json(nothing)
        self.held = held_subjects(session, campaign.id)
        self._disputed = disputed_subjects(session, campaign) if may_see_disputes(role) else set()

    def read(self, release: Release) -> Score:
        turnout = _turnout(release.place, self.formula)
        stored = self._unreleased if release.figures is None else json.loads(release.figures)
        figures = self._settle(release.place.subject_id, {**NO_EXCLUSION, **stored})
        hidden = {} if may_see_parts(self._role, turnout) else _without_modes(figures)
        return Score(release.place, turnout, release.as_of_returned, {**figures, **_live(turnout), **hidden})

    def _settle(self, subject_id: int, figures: Figures) -> Figures:
        """Say that a subject is disputed, and withhold a score that the county holds."""
        if subject_id in self._disputed:
            figures = {**figures, "flags": [*figures["flags"], Flag.DISPUTED]}
        return held_figures(figures) if subject_id in self.held else figures


def _without_modes(figures: Figures) -> Figures:
    """Return what stands in the place of figures that tell classes and modes apart."""
    flags = [flag for flag in figures["flags"] if flag != Flag.ASSISTED_SHARE]
    return {"by_class": None, "by_mode": None, "flags": flags}


def _without_parts(derivation: Figures) -> Figures:
    """Take out what tells the classes apart: the trace is made of little else."""
    items = derivation["items"]
    return {"items": items and [item | {"by_class": None} for item in items], "trace": None}
