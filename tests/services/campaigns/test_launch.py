"""What a launch freezes, and what it says."""

from collections.abc import Callable
from dataclasses import replace as changed
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from survey_service.campaigns.rules import Mode, State
from survey_service.campaigns.service import list_launch_warnings
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import RosterSize
from survey_service.organizations.service import update_roster
from tests.factories.campaigns import CLOSES_AT, FORMULA, ITEMS, NOW, OPENS_AT, World, start_campaign
from tests.services.campaigns.steps import (
    copy,
    create,
    eligible_of,
    launch,
    other_form,
    read,
    replace,
    state_of,
    withdraw,
)

ONLY_OPEN = {"open_device": 1}
OPEN_AND_HOUSEHOLD = {"open": 1, "household": 1}


def formula(**changes: Any) -> dict[str, Any]:
    return FORMULA | changes


def set_roster(code: str, **sizes: int | None) -> None:
    with unit_of_work() as session:
        update_roster(session, code=code, sizes={RosterSize(name): value for name, value in sizes.items()})


def hash_of(campaign_id: int) -> str:
    found = launch(campaign_id).campaign.formula_hash
    assert found is not None
    return found


def test_each_class_is_counted_by_its_own_roster(world: World) -> None:
    classes = {"villager": 1, "party_member": 1, "party_group_leader": 1, "veteran_cadre": 1}
    code = world.village_codes[0]
    campaign_id = create(
        world,
        organization_codes=[code],
        formula=formula(class_weights=classes, mode_weights=ONLY_OPEN),
        eligible={code: {"party_member": 12, "veteran_cadre": 7}},
    )
    launch(campaign_id)
    assert eligible_of(campaign_id) == {
        code: {"villager": 300, "party_member": 12, "party_group_leader": 20, "veteran_cadre": 7}
    }


@pytest.mark.parametrize(
    ("given", "eligible"),
    [
        ({"mode_weights": ONLY_OPEN}, 300),
        ({"mode_weights": {}}, 300),
        ({"mode_weights": {"household": 0}}, 300),
        ({"mode_weights": {"household": 1}}, 100),
        ({"mode_weights": ONLY_OPEN, "counts_households": True}, 100),
    ],
)
def test_households_are_the_eligible_where_their_codes_weigh(
    world: World, given: dict[str, Any], eligible: int
) -> None:
    campaign_id = create(world, formula=formula(**given))
    launch(campaign_id)
    assert {numbers["villager"] for numbers in eligible_of(campaign_id).values()} == {eligible}


@pytest.mark.parametrize(("mode", "eligible"), [(Mode.HOUSEHOLD, 100), (Mode.PANEL, 300), (Mode.OPEN, 300)])
def test_households_are_the_eligible_where_their_codes_were_made(
    world: World, mode: Mode, eligible: int
) -> None:
    draft = start_campaign(world.app, is_launched=False, formula=formula(mode_weights=ONLY_OPEN))
    draft.issue(mode)
    launch(draft.campaign_id)
    assert eligible_of(draft.campaign_id)[draft.village_codes[0]] == {"villager": eligible}
    launched_copy = copy(draft, draft.campaign_id)
    launch(launched_copy)
    assert eligible_of(launched_copy)[draft.village_codes[0]] == {"villager": 300}


def test_rosters_count_as_they_are_at_launch_and_not_later(world: World) -> None:
    code = world.village_codes[0]
    campaign_id = create(world, organization_codes=[code])
    set_roster(code, households=120)
    launch(campaign_id)
    before = read(campaign_id).formula_hash
    set_roster(code, households=999)
    assert eligible_of(campaign_id) == {code: {"villager": 120}}
    assert read(campaign_id).formula_hash == before


def test_equal_campaigns_have_equal_hashes(world: World) -> None:
    same_form = other_form(world)
    later = {"opens_at": OPENS_AT + timedelta(days=1), "closes_at": CLOSES_AT + timedelta(days=2)}
    first, second = (
        create(world),
        create(world, title="别的", questionnaire_id=same_form, notice="x", **later),
    )
    assert hash_of(first) == hash_of(second) == read(first).formula_hash


@pytest.mark.parametrize(
    "change",
    [
        lambda world: {"formula": formula(min_class=6)},
        lambda world: {"formula": formula(coefficients=FORMULA["coefficients"] | {"dissatisfied": "0.5"})},
        lambda world: {"min_cell": 6},
        lambda world: {"organization_codes": world.village_codes[:1]},
        lambda world: {"eligible": {world.village_codes[0]: {"villager": 99}}},
        lambda world: {"subject_type": "service_centre"},
        lambda world: {
            "questionnaire_id": other_form(world, items=[changed(ITEMS[0], text="别的"), ITEMS[1]])
        },
    ],
)
def test_whatever_decides_a_score_changes_the_hash(
    world: World, change: Callable[[World], dict[str, Any]]
) -> None:
    assert hash_of(create(world, **change(world))) != hash_of(create(world))


@pytest.mark.parametrize("written", ["0.75", "0.750", 0.75])
def test_numbers_hash_by_their_value(world: World, written: Any) -> None:
    coefficients = FORMULA["coefficients"] | {"basically_satisfied": written}
    assert hash_of(create(world, formula=formula(coefficients=coefficients))) == hash_of(create(world))


def test_an_incomplete_formula_is_not_launched(world: World) -> None:
    campaign_id = create(world, formula=formula(coefficients={"satisfied": "1"}))
    with pytest.raises(Invalid, match="incomplete_formula") as caught:
        launch(campaign_id)
    assert caught.value.errors == {
        "formula.coefficients.satisfaction4": ["basically_satisfied", "dissatisfied"]
    }
    assert state_of(campaign_id) is State.DRAFT
    assert set(eligible_of(campaign_id)[world.village_codes[0]]) == set()
    replace(world, campaign_id)
    launch(campaign_id)


def test_every_used_set_needs_its_coefficients(world: World) -> None:
    graded = changed(ITEMS[0], key="grade", option_set="grade4")
    form = other_form(world, items=(*ITEMS, graded))
    nested = {"satisfaction4": FORMULA["coefficients"]}
    given = formula(coefficients=nested, positive={"satisfaction4": ["satisfied"]})
    with pytest.raises(Invalid) as caught:
        launch(create(world, questionnaire_id=form, formula=given))
    assert caught.value.errors.keys() == {"formula.coefficients.grade4"}


def test_nothing_is_launched_twice(world: World) -> None:
    before = read(world.campaign_id).launched_at
    with pytest.raises(Conflict, match="frozen"):
        launch(world.campaign_id)
    assert read(world.campaign_id).launched_at == before


def test_what_was_withdrawn_is_not_launched(world: World) -> None:
    campaign_id = create(world)
    withdraw(campaign_id)
    with pytest.raises(Conflict, match="wrong_state"):
        launch(campaign_id)


@pytest.mark.parametrize(
    ("opens_at", "state"),
    [(NOW - timedelta(days=9), State.OPEN), (NOW + timedelta(hours=1), State.SCHEDULED)],
)
def test_the_window_may_have_begun(world: World, opens_at: Any, state: State) -> None:
    campaign_id = create(world, opens_at=opens_at)
    launch(campaign_id)
    assert state_of(campaign_id) is state


@pytest.mark.parametrize(
    ("weights", "warnings"),
    [
        ({"household": 1}, []),
        ({"household": 1, "open": 0, "open_device": 0}, []),
        (OPEN_AND_HOUSEHOLD, ["open_beside_household", "open_weight"]),
        ({"open_device": 1, "household": 1}, ["open_beside_household", "open_weight"]),
        (ONLY_OPEN, ["open_weight"]),
    ],
)
def test_overlapping_modes_are_warned_of(world: World, weights: dict[str, int], warnings: list[str]) -> None:
    campaign_id = create(world, formula=formula(mode_weights=weights))
    with reading() as session:
        before = list_launch_warnings(session, campaign_id=campaign_id)
    assert before == launch(campaign_id).warnings == [text(f"campaigns.warning_{name}") for name in warnings]


def test_unknown_numbers_are_warned_of(world: World) -> None:
    set_roster(world.village_codes[0], households=None)
    assert launch(create(world)).warnings == [text("campaigns.warning_no_eligible", count=1)]


def test_two_campaigns_run_beside_each_other(world: World) -> None:
    other = create(world)
    launch(other)
    assert (state_of(other), state_of(world.campaign_id)) == (State.OPEN, State.OPEN)


def test_hashes_do_not_depend_on_the_names_of_places(world: World) -> None:
    before = hash_of(create(world))
    with unit_of_work() as session:
        session.execute(update(Organization).values(name="改名"))
    assert hash_of(create(world)) == before
    with reading() as session:
        assert set(session.scalars(select(Organization.name))) == {"改名"}
