"""A dispute counts once for each slot, tells nobody which, and holds nothing by itself."""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from survey_service.anomalies.disputes import note_dispute, rule_on_disputes
from survey_service.anomalies.models import Dispute
from survey_service.anomalies.queries import count_disputes, disputed_subjects, held_subjects
from survey_service.anomalies.rules import DisputeDecision, is_disputed
from survey_service.ballots.rules import participation_digest
from survey_service.campaigns.queries import get_campaign, get_campaign_key
from survey_service.core.errors import Conflict, Gone
from survey_service.entrances.rules import Ticket
from survey_service.reports.service import TotalScore, list_scores
from tests.factories.campaigns import NOW
from tests.services.anomalies.conftest import REASON, Office
from tests.services.sealing.steps import close, seal

pytestmark = pytest.mark.usefixtures("frozen_clock")


def spend(office: Office, count: int = 1) -> list[Ticket]:
    tickets = [office.world.open(issued.code) for issued in office.world.issue(count=count)]
    for ticket in tickets:
        office.world.cast(ticket)
    office.world.drain()
    return tickets


def dispute(office: Office, ticket: Ticket) -> None:
    campaign_id = office.world.campaign_id
    with office.world.app.app_context(), office.database.unit_of_work() as session:
        key = get_campaign_key(session, keyring=office.world.keyring, campaign_id=campaign_id)
        digest = participation_digest(key, kind="slot", value=str(ticket.entrance_id))
        place = {"campaign_id": campaign_id, "subject_id": ticket.subject_id}
        note_dispute(session, **place, key=key, participation=digest)


def rule(office: Office, decision: DisputeDecision) -> None:
    with office.world.app.app_context(), office.database.unit_of_work() as session:
        rule_on_disputes(
            session,
            staff=office.county,
            campaign_id=office.world.campaign_id,
            organization_code=office.world.village_codes[0],
            decision=decision,
            reason=REASON,
            now=NOW,
        )


def counted(office: Office) -> list[int]:
    with office.database.reading() as session:
        return list(count_disputes(session, office.world.campaign_id).values())


def held(office: Office) -> int:
    with office.database.reading() as session:
        return len(held_subjects(session, office.world.campaign_id))


def disputed(office: Office) -> int:
    with office.database.reading() as session:
        return len(disputed_subjects(session, get_campaign(session, office.world.campaign_id)))


def test_a_slot_counts_once(office: Office) -> None:
    first, second = spend(office, 2)
    for ticket in (first, first, second, first):
        dispute(office, ticket)
    assert counted(office) == [2]


def test_a_slot_that_was_not_used_has_nothing_to_dispute(office: Office) -> None:
    dispute(office, office.world.open(office.world.issue()[0].code))
    assert counted(office) == []


def test_what_is_stored_names_neither_slot_nor_participation(office: Office) -> None:
    (ticket,) = spend(office)
    dispute(office, ticket)
    with office.database.reading() as session:
        columns = set(Dispute.__table__.columns.keys())
        shared = session.execute(
            text("SELECT 1 FROM dispute JOIN participation ON participation.digest = dispute.digest")
        ).all()
    assert (columns, shared) == ({"campaign_id", "digest"}, [])


@pytest.mark.parametrize(
    ("disputes", "ballots", "expected"), [(0, 0, False), (1, 0, True), (2, 100, False), (3, 100, True)]
)
def test_the_mark_stands_over_the_share_and_not_at_it(disputes: int, ballots: int, expected: bool) -> None:
    assert is_disputed(disputes=disputes, one_time_ballots=ballots, permille=20) is expected


def test_over_the_share_a_subject_is_marked_and_not_held(office: Office) -> None:
    tickets = spend(office, 3)
    assert (disputed(office), held(office)) == (0, 0)
    dispute(office, tickets[0])
    assert (disputed(office), held(office)) == (1, 0)


def test_the_county_holds_and_releases(office: Office) -> None:
    dispute(office, spend(office)[0])
    rule(office, DisputeDecision.HOLD)
    assert held(office) == 1
    rule(office, DisputeDecision.RELEASE)
    assert held(office) == 0


def test_the_same_is_not_decided_twice(office: Office) -> None:
    dispute(office, spend(office)[0])
    rule(office, DisputeDecision.RELEASE)
    with pytest.raises(Conflict, match="wrong_state"):
        rule(office, DisputeDecision.RELEASE)


def test_without_a_dispute_nothing_is_held(office: Office) -> None:
    spend(office)
    with pytest.raises(Conflict, match="wrong_state"):
        rule(office, DisputeDecision.HOLD)


@pytest.mark.parametrize(
    "change", ["UPDATE dispute_ruling SET decision = 'release'", "DELETE FROM dispute_ruling"]
)
def test_a_ruling_never_changes(office: Office, change: str) -> None:
    dispute(office, spend(office)[0])
    rule(office, DisputeDecision.HOLD)
    with pytest.raises(DBAPIError, match="stays decided"), office.database.unit_of_work() as session:
        session.execute(text(change))


def test_digests_die_at_sealing_and_the_number_stays(committed_office: Office) -> None:
    office = committed_office
    tickets = spend(office, 6)
    dispute(office, tickets[0])
    close(office.world)
    dispute(office, tickets[1])
    seal(office.world)
    with office.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Dispute)) == 0
    assert counted(office) == [2]


def test_after_sealing_nothing_is_disputed_or_decided(committed_office: Office) -> None:
    office = committed_office
    tickets = spend(office, 6)
    dispute(office, tickets[0])
    close(office.world)
    seal(office.world)
    with pytest.raises(Gone):
        dispute(office, tickets[1])
    with pytest.raises(Conflict, match="wrong_state"):
        rule(office, DisputeDecision.HOLD)


def read_totals(office: Office) -> list[TotalScore]:
    with office.database.reading() as session:
        table = list_scores(session, staff=office.county, campaign_id=office.world.campaign_id, now=NOW)
    return list(table.totals)


def test_the_total_above_a_held_score_is_held_with_it(office: Office) -> None:
    office.world.vote(["satisfied"] * 8, village=1)
    tickets = spend(office, 8)
    before = read_totals(office)
    assert {one.figures["status"] for one in before} == {"ok"}
    dispute(office, tickets[0])
    rule(office, DisputeDecision.HOLD)
    after = read_totals(office)
    shown = [(one.figures["status"], one.figures["reason"], one.figures["score"]) for one in after]
    assert shown == [("suppressed", "held", None)] * len(before)
    assert [one.turnout for one in after] == [one.turnout for one in before]
