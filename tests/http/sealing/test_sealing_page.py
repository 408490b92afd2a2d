"""Sealing from the staff's pages."""

from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.reports.conftest import People
from tests.services.sealing.steps import cast_known, close


def test_a_clerk_seals_after_closing_and_prints_the_sheet(committed_world: World) -> None:
    world = committed_world
    clerk = People(world.app).browser(Role.TOWN_STAFF, world.town_code)
    address = f"/staff/campaigns/{world.campaign_id}"
    cast_known(world, 8)
    assert f"{address}/seal" not in clerk.get(f"{address}/method").text
    close(world)
    assert f"{address}/seal" in clerk.get(f"{address}/method").text
    assert "再也查不出来" in clerk.get(f"{address}/seal").text
    page = clerk.follow(f"{address}/seal").text
    assert all(words in page for words in ("已经封存", "seal.pdf", f"/b/{world.campaign_id}"))
    assert f'{address}/seal"' not in page
    again = clerk.post(f"{address}/seal")
    assert again.status_code == 409


def test_a_rated_party_sees_that_it_is_sealed_and_prints_nothing(committed_world: World) -> None:
    world = committed_world
    clerk = People(world.app).browser(Role.TOWN_STAFF, world.town_code)
    secretary = People(world.app).browser(Role.BRANCH_SECRETARY, world.village_codes[0])
    address = f"/staff/campaigns/{world.campaign_id}"
    cast_known(world, 8)
    close(world)
    assert secretary.get(f"{address}/seal").status_code == 403
    clerk.get(f"{address}/seal")
    clerk.follow(f"{address}/seal")
    page = secretary.get(f"{address}/method").text
    assert f"/b/{world.campaign_id}" in page
    assert "seal.pdf" not in page
