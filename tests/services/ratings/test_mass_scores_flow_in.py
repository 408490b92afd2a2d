"""The mass evaluation flows into drafts by itself; only sealed figures enter a final grade."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session

from survey_service import cli
from survey_service.anomalies.disputes import rule_on_disputes
from survey_service.anomalies.models import DisputeCount
from survey_service.anomalies.rules import DisputeDecision
from survey_service.campaigns.queries import get_campaign, list_subjects
from survey_service.campaigns.rules import RaterClass
from survey_service.core.db import unit_of_work
from survey_service.core.errors import Conflict
from survey_service.core.permissions import Identity
from survey_service.mass_evaluation.jobs import sweep_scores
from survey_service.ratings import queries
from survey_service.ratings.grades import explain
from survey_service.ratings.jobs import sweep_warnings
from survey_service.ratings.objections import raise_objection, settle_objection
from survey_service.ratings.process import complete_step
from survey_service.ratings.queries import lock_cycle, read_mass
from survey_service.ratings.reading import read_grades, read_trace
from survey_service.ratings.service import note_findings, open_cycle, touch
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.vocabulary import Level
from survey_service.sealing.corrections import correct_eligible
from survey_service.sealing.models import ScoreSnapshot
from survey_service.staff.rules import Role
from survey_service.tallies.jobs import sweep_dirty
from tests.factories.campaigns import NOW, World
from tests.services.sealing.steps import cast_known, close, database_of, seal

SIX = {"leader": "15", "plan": "10", "rules": "10", "site": "15", "guarantee": "10", "performance": "20"}
STEPS = ("self", "mass_evaluation", "summary", "town_assessment")


class Rated:
    """A cycle of the township over the world's two villages, with full points in the six other indicators."""

    def __init__(self, world: World, **changes: Any) -> None:
        self.world = world
        self.staff = Identity(
            world.staff.id, "县", Role.COUNTY_ADMIN, world.staff.organization_id, world.staff.path
        )
        self.database = database_of(world)
        with self.database.unit_of_work() as session:
            opened = open_cycle(
                session,
                staff=self.staff,
                scheme="township-classification",
                title="2026",
                organization_codes=world.village_codes,
                campaign_id=world.campaign_id,
                now=NOW,
            )
            self.id = opened.cycle.id
            if changes:
                document = json.loads(opened.cycle.document)
                document["mass"] |= changes
                opened.cycle.document = json.dumps(document)
        for code in world.village_codes:
            self.fill(code, SIX)
        world.drain()

    def fill(self, code: str, points: dict[str, str]) -> None:
        with self.database.unit_of_work() as session:
            fill_in_sheet(
                session,
                staff=self.staff,
                cycle_id=self.id,
                organization_code=code,
                level=Level.TOWN,
                entries={"points": {name: Decimal(value) for name, value in points.items()}},
                now=NOW,
            )

    def complete(self, *steps: str) -> None:
        for step in steps:
            with self.database.unit_of_work() as session:
                complete_step(session, staff=self.staff, cycle_id=self.id, step=step, now=NOW)

    def grades(self) -> list[dict[str, Any]]:
        with self.database.reading() as session:
            rows: list[dict[str, Any]] = read_grades(session, staff=self.staff, cycle_id=self.id)["items"]
            return rows

    def totals(self) -> list[str | None]:
        return [row["total"] for row in self.grades()]

    def stored_totals(self) -> list[str | None]:
        with self.database.reading() as session:
            found = session.execute(
                text("SELECT total FROM rating_grade WHERE cycle_id = :id ORDER BY subject_id"),
                {"id": self.id},
            )
            return [row[0] for row in found]

    def trace(self, village: int = 0) -> dict[str, Any]:
        with self.database.reading() as session:
            code = self.world.village_codes[village]
            return read_trace(session, staff=self.staff, cycle_id=self.id, organization_code=code)


@pytest.fixture
def rated(committed_world: World) -> Rated:
    return Rated(committed_world)


@pytest.fixture
def sealed(committed_world: World) -> Iterator[Rated]:
    """Eight ballots in the first village: two of each option, so 690 / 9 of 100; three in the second."""
    rated = Rated(committed_world)
    cast_known(committed_world, 8)
    cast_known(committed_world, 3, village=1)
    close(committed_world)
    seal(committed_world)
    committed_world.drain()
    return rated


def test_a_draft_follows_the_ballots(rated: Rated) -> None:
    assert rated.stored_totals() == [None, None]
    rated.world.vote(["satisfied"] * 6)
    rated.world.drain()
    assert rated.stored_totals() == ["100.00", None]
    [row, missing] = rated.grades()
    assert row["reasons"][0] == "群众测评尚未封存，这是暂时的结果。"
    assert missing["reasons"][0].startswith("群众测评没有可用的得分（份数太少")


def test_scores_whose_event_was_lost_flow_in_within_a_day(
    rated: Rated, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as lost:
        lost.setattr(rated.database, "after_commit", lambda _events: None)
        rated.world.vote(["satisfied"] * 6)
        sweep_dirty()
        sweep_scores()
    rated.world.drain()
    assert rated.stored_totals() == [None, None]
    sweep_warnings()
    rated.world.drain()
    assert rated.stored_totals() == ["100.00", None]


def test_a_draft_is_never_behind_what_was_filled_in(rated: Rated) -> None:
    """Also before the job has stored it."""
    rated.world.vote(["satisfied"] * 6)
    rated.world.drain()
    rated.fill(rated.world.village_codes[0], {"leader": "5"})
    assert rated.totals()[0] == "90.00"
    assert rated.stored_totals()[0] == "100.00"
    rated.world.drain()
    assert rated.stored_totals()[0] == "90.00"


def test_grades_wait_for_the_seal(rated: Rated) -> None:
    rated.complete(*STEPS)
    with pytest.raises(Conflict, match="mass_not_sealed"):
        rated.complete("county_review")


def test_a_sealed_score_counts_exactly_and_names_its_origin(sealed: Rated) -> None:
    """(2·1 + 2·0.75 + 2·0.55) / 6 = 76.666…: 20 points of it are 15.333…, unrounded."""
    assert sealed.stored_totals() == ["95.33", None]
    trace = sealed.trace()
    assert trace["proposal"]["total"]["exact"] == "286/3"
    mass = trace["proposal"]["mass"]
    assert (mass["score"], mass["exact_score"], mass["is_sealed"]) == ("76.67", "230/3", True)
    assert len(mass["formula_hash"]) == len(mass["snapshot_digest"]) == 64
    assert trace["mass_evaluation"]["trace"]["classes"]["villager"]["n"] == 6


def test_too_few_ballots_are_no_zero(sealed: Rated) -> None:
    row = sealed.grades()[1]
    assert (row["total"], row["grade_by_score"], row["grade_proposed"]) == (None, None, None)
    sealed.complete(*STEPS)
    with pytest.raises(Conflict, match="ratings_incomplete"):
        sealed.complete("county_review")


def test_a_held_score_is_missing_until_it_is_released(rated: Rated) -> None:
    """Also from the trace, and its derivation with it."""
    world = rated.world
    world.vote(["satisfied"] * 6)
    world.drain()
    with rated.database.unit_of_work() as session:
        subject_id = list_subjects(session, world.campaign_id)[0].subject_id
        session.add(DisputeCount(campaign_id=world.campaign_id, subject_id=subject_id, disputes=1))
    for decision, total in ((DisputeDecision.HOLD, None), (DisputeDecision.RELEASE, "100.00")):
        with rated.database.unit_of_work() as session:
            rule_on_disputes(
                session,
                staff=rated.staff,
                campaign_id=world.campaign_id,
                organization_code=world.village_codes[0],
                decision=decision,
                reason="核查",
                now=NOW,
            )
        world.drain()
        assert rated.stored_totals()[0] == total
        trace = rated.trace()
        assert (trace["mass_evaluation"] is None) == (total is None)
        assert rated.grades()[0]["mass_score"] == total
        assert (trace["proposal"]["mass"]["exact_score"] is None) == (total is None)


def correct(sealed: Rated, eligible: int) -> None:
    code = sealed.world.village_codes[0]
    with sealed.database.unit_of_work() as session:
        correct_eligible(
            session,
            staff=sealed.world.staff,
            campaign_id=sealed.world.campaign_id,
            eligible={code: {RaterClass.VILLAGER: eligible}},
            reason="花名册录错",
            now=NOW,
        )


def test_a_correction_after_sealing_reaches_the_draft(sealed: Rated) -> None:
    correct(sealed, 50)
    assert sealed.trace()["proposal"]["mass"]["snapshot_version"] == 1
    sealed.world.drain()
    assert sealed.trace()["proposal"]["mass"]["snapshot_version"] == 2


def test_figures_and_digest_of_a_trace_are_of_one_version(
    sealed: Rated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL each statement sees what was committed before it: here a correction comes between two."""
    get_snapshot = queries.get_snapshot

    def be_overtaken(*given: Any) -> ScoreSnapshot:
        snapshot = get_snapshot(*given)
        correct(sealed, 50)
        return snapshot

    campaign_id = sealed.world.campaign_id
    with sealed.database.reading() as session:
        first, before = get_snapshot(session, campaign_id), read_mass_of(session, campaign_id)
    monkeypatch.setattr(queries, "get_snapshot", be_overtaken)
    with sealed.database.reading() as session:
        found = read_mass_of(session, campaign_id)
    assert {(one["snapshot_version"], one["snapshot_digest"]) for one in found} == {(1, first.digest)}
    assert found == before


def read_mass_of(session: Session, campaign_id: int) -> list[dict[str, Any]]:
    return [dict(one.trace) for one in read_mass(session, get_campaign(session, campaign_id)).values()]


def test_a_scheme_may_let_the_others_share_the_maximum(committed_world: World) -> None:
    """80 of the 80 points that are left are 100 of 100."""
    rated = Rated(committed_world, when_missing="renormalize")
    assert rated.totals() == ["100.00", "100.00"]


def test_a_scheme_may_take_the_committees_own_points(committed_world: World) -> None:
    rated = Rated(committed_world, when_missing="manual")
    assert rated.totals() == [None, None]
    rated.fill(committed_world.village_codes[0], {"mass": "12.5"})
    assert rated.totals() == ["92.50", None]


def test_final_grades_stay_when_scores_are_corrected(sealed: Rated) -> None:
    code = sealed.world.village_codes[1]
    with sealed.database.unit_of_work() as session:
        session.execute(
            text("UPDATE rating_subject SET exclusion = 'x' WHERE cycle_id = :id AND position = 1"),
            {"id": sealed.id},
        )
    sealed.complete(*STEPS, "county_review")
    before = sealed.grades()
    with unit_of_work() as session:
        cycle = lock_cycle(session, sealed.id)
        revision = cycle.revision
    sealed.world.drain()
    with unit_of_work() as session:
        assert lock_cycle(session, sealed.id).revision == revision
    assert sealed.grades() == before
    assert before[1]["organization_code"] == code


def test_no_objection_lifts_the_cap_of_a_sealed_score(sealed: Rated) -> None:
    code, last = sealed.world.village_codes
    with sealed.database.unit_of_work() as session:
        cycle = lock_cycle(session, sealed.id)
        document = json.loads(cycle.document)
        notice = document["steps"][-1] | {"code": "notice", "kind": "public_notice", "decides": False}
        document |= {"quotas": [], "steps": [*document["steps"], notice]}
        document["caps"] = [{"measure": "score", "below": "80", "at_most": "一般"}]
        cycle.document = json.dumps(document)
        note_findings(
            session, staff=sealed.staff, cycle_id=sealed.id, organization_code=last, found={"excluded": "x"}
        )
    sealed.complete(*STEPS, "county_review")
    assert sealed.grades()[0]["grade_final"] == "一般"
    acting = {"staff": sealed.staff, "cycle_id": sealed.id, "now": NOW}
    with sealed.database.unit_of_work() as session:
        objection = raise_objection(session, organization_code=code, words="应评好", **acting)
        with pytest.raises(Conflict, match="grade_capped"):
            settle_objection(session, objection_id=objection.id, outcome="属实", grade="较好", **acting)
        settle_objection(session, objection_id=objection.id, outcome="属实", grade="较差", **acting)


def explained(rated: Rated, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(cli, "create_app", lambda: rated.world.app)
    return CliRunner().invoke(cli.main, ["ratings", "explain", str(rated.id), rated.world.village_codes[0]])


def test_a_grade_is_reproduced(sealed: Rated, monkeypatch: pytest.MonkeyPatch) -> None:
    result = explained(sealed, monkeypatch)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == sealed.trace()["proposal"]


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("rating_grade", "trace = replace(trace, '286/3', '290/3')", "trace.total: stored"),
        ("rating_grade", "grade_proposed = '好'", "grade_proposed: stored 好, worked out 较差"),
        ("rating_grade", "total = '99.00'", "total: stored 99.00, worked out 95.33"),
        ("rating_subject", "grade_final = '好'", "grade_final: stored 好, worked out 较差"),
        ("rating_sheet", "entries = replace(entries, '15', '14')", "trace.total: stored"),
    ],
)
def test_whatever_was_tampered_with_is_named(
    sealed: Rated, monkeypatch: pytest.MonkeyPatch, table: str, change: str, said: str
) -> None:
    with sealed.database.unit_of_work() as session:
        session.execute(text("UPDATE rating_subject SET exclusion = 'x' WHERE position = 1"))
        touch(session, lock_cycle(session, sealed.id))
    sealed.complete(*STEPS, "county_review")
    assert explained(sealed, monkeypatch).exit_code == 0
    with sealed.database.unit_of_work() as session:
        session.execute(text(f"UPDATE {table} SET {change}"))
    result = explained(sealed, monkeypatch)
    assert result.exit_code == 1
    assert said in result.stderr


def test_the_first_draft_is_explained(rated: Rated) -> None:
    with rated.database.reading() as session:
        found = explain(session, cycle_id=rated.id, organization_code=rated.world.village_codes[0])
    assert found.differences() == []
