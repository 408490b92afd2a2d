"""A corrected number of eligible people is a new version; nothing else can be corrected."""

import json
from typing import Any

import pytest

from survey_service.campaigns.rules import RaterClass
from survey_service.core.errors import Conflict, Invalid
from survey_service.sealing.corrections import correct_eligible
from survey_service.sealing.queries import get_snapshot
from tests.factories.campaigns import NOW, World
from tests.services.sealing.conftest import ClosedWorld
from tests.services.sealing.steps import column, database_of, document, seal


@pytest.fixture
def sealed(closed: ClosedWorld) -> World:
    seal(closed.world)
    return closed.world


def correct(world: World, eligible: dict[str, dict[RaterClass, int]]) -> int:
    with database_of(world).unit_of_work() as session:
        snapshot = correct_eligible(
            session,
            staff=world.staff,
            campaign_id=world.campaign_id,
            eligible=eligible,
            reason="花名册录错",
            now=NOW,
        )
        return snapshot.version


def subjects(world: World, version: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(document(world, version))["subjects"]
    return found


def test_a_correction_is_a_new_version_with_author_and_reason(sealed: World) -> None:
    with database_of(sealed).reading() as session:
        first = get_snapshot(session, sealed.campaign_id).digest
    assert correct(sealed, {sealed.village_codes[0]: {RaterClass.VILLAGER: 16}}) == 2
    head = json.loads(document(sealed))["head"]
    assert (head["version"], head["correction"]["previous_digest"]) == (2, first)
    assert head["correction"]["reason"] == "花名册录错"
    assert head["correction"]["author"] == sealed.staff.name


def test_only_what_is_measured_by_the_number_changes(sealed: World) -> None:
    correct(sealed, {sealed.village_codes[0]: {RaterClass.VILLAGER: 16}})
    (old, old_other), (new, new_other) = subjects(sealed, 1), subjects(sealed, 2)
    assert (old["figures"]["response_rate"], new["figures"]["response_rate"]) == ("8.00", "50.00")
    assert old["figures"]["score"] == new["figures"]["score"]
    assert old["figures"]["interval"] != new["figures"]["interval"]
    assert (old["tally_digest"], old["ballots"]) == (new["tally_digest"], new["ballots"])
    assert old_other == new_other


def test_the_first_version_stays(sealed: World) -> None:
    before = document(sealed, 1)
    correct(sealed, {sealed.village_codes[0]: {RaterClass.VILLAGER: 16}})
    correct(sealed, {sealed.village_codes[1]: {RaterClass.VILLAGER: 7}})
    assert document(sealed, 1) == before
    assert column(sealed, "version", "score_snapshot") == [1, 2, 3]
    assert subjects(sealed, 3)[0]["eligible"] == {"villager": 16}, "corrections add up"


@pytest.mark.parametrize("code", [None, "nowhere"])
def test_what_the_campaign_does_not_have_is_refused(sealed: World, code: str | None) -> None:
    rater_class = RaterClass.VILLAGER if code else RaterClass.VETERAN_CADRE
    with pytest.raises(Invalid):
        correct(sealed, {code or sealed.village_codes[0]: {rater_class: 16}})
    assert column(sealed, "version", "score_snapshot") == [1]


def test_what_is_not_sealed_has_nothing_to_correct(closed: ClosedWorld) -> None:
    with pytest.raises(Conflict, match="not_sealed"):
        correct(closed.world, {closed.world.village_codes[0]: {RaterClass.VILLAGER: 16}})
