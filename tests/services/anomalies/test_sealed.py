"""What is left of flags, exclusions and holds when a campaign has been sealed."""

import json
from typing import Any

import pytest

from survey_service.anomalies.rules import DisputeDecision
from survey_service.ballots.rules import BallotFlag
from survey_service.campaigns.queries import get_campaign
from survey_service.campaigns.rules import RaterClass
from survey_service.checking import check_everything
from survey_service.core.db import see_one_snapshot
from survey_service.core.errors import Conflict
from survey_service.sealing.corrections import correct_eligible
from survey_service.sealing.queries import get_snapshot, list_published
from survey_service.sealing.schemas import write_bulletin
from survey_service.sealing.verify_bulletin import Bad, check_score, verify
from tests.factories.campaigns import NOW
from tests.services.anomalies.conftest import REASON, Office
from tests.services.anomalies.test_disputes import dispute, rule, spend
from tests.services.sealing.steps import close, column, document, rows, seal

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def sealed(committed_office: Office) -> Office:
    """Eight ballots as usual, six excluded ones, three with a flag that nobody minded."""
    office = committed_office
    office.world.vote(["satisfied"] * 8)
    office.world.vote(["dissatisfied"] * 6, flag=BallotFlag.TOO_FAST)
    office.world.vote(["basically_satisfied"] * 3, flag=BallotFlag.ODD_HOURS)
    office.world.drain()
    office.exclude()
    close(office.world)
    seal(office.world)
    return office


def bulletin(office: Office) -> Any:
    with office.database.reading() as session:
        see_one_snapshot(session)
        campaign_id = office.world.campaign_id
        written = write_bulletin(
            formula_hash=get_campaign(session, campaign_id).formula_hash,
            snapshot_digest=get_snapshot(session, campaign_id).digest,
            lists=list_published(session, campaign_id),
        )
        return json.loads("".join(written))


def test_of_the_flags_only_the_exclusion_is_left(sealed: Office) -> None:
    assert column(sealed.world, "flag", "ballot") == [""] * 11 + ["excluded"] * 6


def test_the_bulletin_counts_the_excluded_ballots(sealed: Office) -> None:
    numbers = rows(sealed.world, "SELECT count, excluded, weightless, invalid FROM published_receipts")
    assert numbers == [(17, 6, 0, 0)]


def test_the_snapshot_holds_both_scores(sealed: Office) -> None:
    subject = json.loads(document(sealed.world))["subjects"][0]
    assert subject["ballots"] == {"count": 17, "excluded": 6, "invalid": 0, "weightless": 0}
    # (8 · 100 + 3 · 75) / 11, and with the six: (8 · 100 + 3 · 75 + 6 · 55) / 17
    assert subject["figures"]["score"] == "93.18"
    assert subject["figures"]["with_excluded"]["score"] == "79.71"


def test_the_verifier_counts_the_excluded_ballots(sealed: Office) -> None:
    published, snapshot = bulletin(sealed), json.loads(document(sealed.world))
    verify(published, snapshot)
    subject = snapshot["subjects"][0]
    subject["ballots"]["excluded"] = 5
    with pytest.raises(Bad, match="that are not excluded"):
        check_score("V1", subject, snapshot["head"]["frozen"]["formula"])


def test_the_check_counts_a_sealed_campaign_again(sealed: Office) -> None:
    assert check_everything(is_thorough=True) == []


def test_a_correction_keeps_the_exclusion(sealed: Office) -> None:
    with sealed.world.app.app_context(), sealed.database.unit_of_work() as session:
        correct_eligible(
            session,
            staff=sealed.county,
            campaign_id=sealed.world.campaign_id,
            eligible={sealed.world.village_codes[0]: {RaterClass.VILLAGER: 50}},
            reason=REASON,
            now=NOW,
        )
    figures = json.loads(document(sealed.world))["subjects"][0]["figures"]
    assert (figures["score"], figures["excluded"]) == ("93.18", 6)


def test_nothing_is_excluded_any_more(sealed: Office) -> None:
    with pytest.raises(Conflict, match="wrong_state"):
        sealed.propose(flag=BallotFlag.ODD_HOURS)


def test_a_held_score_is_sealed_as_held(committed_office: Office) -> None:
    office = committed_office
    dispute(office, spend(office, 6)[0])
    rule(office, DisputeDecision.HOLD)
    close(office.world)
    seal(office.world)
    subject = json.loads(document(office.world))["subjects"][0]
    assert (subject["figures"]["status"], subject["figures"]["reason"]) == ("suppressed", "held")
    assert [subject["figures"]["score"], subject["trace"], subject["figures"]["returned"]] == [None, None, 6]
    verify(bulletin(office), json.loads(document(office.world)))
    assert check_everything(is_thorough=True) == []
