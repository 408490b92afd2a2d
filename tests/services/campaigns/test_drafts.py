"""Drafts: whom they rate, what they default to, and how they are replaced and copied."""

from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from survey_service.campaigns.rules import Mode, OpenRequires, Revote, State
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.entrances.queries import list_slots
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.rules import OrganizationKind, SubjectKind
from survey_service.questionnaires.service import create_questionnaire
from tests.factories.campaigns import CLOSES_AT, FORMULA, ITEMS, NOW, OPENS_AT, World, start_campaign
from tests.factories.organizations.tree import create_organization
from tests.services.campaigns.steps import (
    copy,
    create,
    eligible_of,
    formula_of,
    launch,
    other_form,
    read,
    replace,
    state_of,
    subjects_of,
    withdraw,
)

HOUSEHOLD = {"household": Decimal(1)}


def refused(world: World, **changes: Any) -> set[str]:
    """Return the fields for which a draft is refused."""
    with pytest.raises(Invalid) as caught:
        create(world, **changes)
    return set(caught.value.errors)


def codes_of(world: World, path: str) -> list[str]:
    """Return the codes of the organizations on the way to a place."""
    ids = [int(part) for part in path.split("/") if part]
    with reading() as session:
        return [session.get_one(Organization, one).code for one in ids]


def test_a_draft_has_the_defaults_of_the_contract(world: World) -> None:
    draft = read(create(world))
    assert (draft.min_cell, draft.grace_hours, draft.revote) == (5, 24, Revote.NEVER)
    assert (draft.subject_kind, draft.open_requires) == (SubjectKind.BRANCH, OpenRequires.DEVICE)
    assert draft.accepts_until == CLOSES_AT + timedelta(hours=24)
    assert draft.window.state(NOW) is State.DRAFT


def test_everything_rated_under_a_town_takes_part(world: World) -> None:
    with unit_of_work() as session:
        village = session.scalars(
            select(Organization).where(Organization.code == world.village_codes[0])
        ).one()
        branch = create_organization(session, OrganizationKind.BRANCH, parent=village)
        codes = [*world.village_codes, branch.code]
    assert subjects_of(create(world)) == sorted(codes)
    assert subjects_of(create(world, under=world.village_codes[0])) == [codes[-1]]


def test_codes_keep_their_order_and_count_once(world: World) -> None:
    first, second = world.village_codes
    assert subjects_of(create(world, organization_codes=[second, first, second])) == [second, first]


def test_a_subject_belongs_to_an_organization_by_its_type(world: World) -> None:
    create(world, subject_type=SubjectKind.SERVICE_CENTRE)
    with reading() as session:
        names = session.scalars(select(Subject.name).where(Subject.kind == SubjectKind.SERVICE_CENTRE)).all()
    assert sorted(names) == ["第1村党群服务中心", "第2村党群服务中心"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"organization_codes": ["nowhere"]}, "organization_codes"),
        ({"organization_codes": []}, "organization_codes"),
        ({"under": "nowhere"}, "under"),
        ({"organization_codes": ["x"], "under": "y"}, "organization_codes"),
        ({"questionnaire_id": 999_999}, "questionnaire_id"),
        ({"closes_at": OPENS_AT}, "closes_at"),
        ({"closes_at": OPENS_AT - timedelta(days=1)}, "closes_at"),
        ({"eligible": {"nowhere": {"villager": 1}}}, "eligible"),
        ({"formula": FORMULA | {"class_weights": {"villager": 0}}}, "formula.class_weights"),
        ({"formula": FORMULA | {"coefficients": {"excellent": 1}}}, "formula.coefficients.satisfaction4"),
    ],
)
def test_what_does_not_fit_is_named(world: World, changes: dict[str, Any], field: str) -> None:
    assert refused(world, **changes) == {field}


def test_eligible_classes_have_a_weight(world: World) -> None:
    code = world.village_codes[0]
    assert refused(world, eligible={code: {"party_member": 3}}) == {"eligible"}
    assert eligible_of(create(world, eligible={code: {"villager": 30}}))[code] == {"villager": 30}


def test_a_place_without_villages_has_nobody_to_rate(world: World) -> None:
    assert refused(world, under=world.village_codes[0]) == {"organization_codes"}


def test_a_form_without_a_scoring_item_is_refused(world: World) -> None:
    form = other_form(world, items=(changed(ITEMS[0], weight=0), ITEMS[1]))
    assert refused(world, questionnaire_id=form) == {"questionnaire_id"}


@pytest.mark.parametrize("step", [1, 0])
def test_nobody_rates_himself_or_those_above(world: World, step: int) -> None:
    code = codes_of(world, world.staff.path)[step]
    with pytest.raises(Forbidden):
        create(world, organization_codes=[code])


def test_neighbours_are_out_of_scope(world: World) -> None:
    neighbour = start_campaign(world.app)
    for changes in ({"organization_codes": neighbour.village_codes}, {"under": neighbour.town_code}):
        with pytest.raises(Forbidden):
            create(world, **changes)


def test_the_form_of_a_neighbour_is_not_usable_and_that_of_the_county_is(world: World) -> None:
    neighbour = start_campaign(world.app)
    with pytest.raises(Forbidden):
        create(world, questionnaire_id=other_form(neighbour))
    county = changed(world.staff, organization_id=1, path=f"/{world.staff.path.split('/')[1]}/")
    with unit_of_work() as session:
        county = changed(county, organization_id=int(county.path.strip("/")))
        form = create_questionnaire(
            session, staff=county, title="县表", items=ITEMS, now=NOW
        ).questionnaire_id
    assert state_of(create(world, questionnaire_id=form)) is State.DRAFT


def test_the_database_knows_the_smallest_cell(world: World) -> None:
    with pytest.raises(IntegrityError):
        create(world, min_cell=2)


def test_a_draft_is_replaced_wholly(world: World) -> None:
    campaign_id = create(world, min_cell=7, notice="旧", revote=Revote.UNTIL_CLOSE)
    other = FORMULA | {"class_weights": {"party_member": Decimal(1)}}
    code = world.village_codes[1]
    replace(
        world,
        campaign_id,
        title="新题",
        organization_codes=[code],
        formula=other,
        eligible={code: {"party_member": 9}},
        grace_hours=0,
    )
    draft = read(campaign_id)
    assert (draft.title, draft.notice, draft.min_cell, draft.revote) == ("新题", "", 5, Revote.NEVER)
    assert draft.accepts_until == CLOSES_AT
    assert eligible_of(campaign_id) == {code: {"party_member": 9}}
    assert formula_of(campaign_id)["class_weights"] == {"party_member": "1"}


def test_subjects_that_stay_keep_their_entrances(world: World) -> None:
    draft = start_campaign(world.app, is_launched=False)
    draft.issue(count=3)
    first, second = draft.village_codes
    replace(draft, draft.campaign_id, organization_codes=[second, first])
    assert subjects_of(draft.campaign_id) == [second, first]
    with reading() as session:
        subject_id = session.scalars(
            select(Subject.id).join(Organization).where(Organization.code == first)
        ).one()
        slots = list_slots(session, campaign_id=draft.campaign_id, subject_id=subject_id, mode=Mode.HOUSEHOLD)
    assert len(slots) == 3


def test_a_subject_with_entrances_cannot_be_left_out(world: World) -> None:
    draft = start_campaign(world.app, is_launched=False)
    draft.issue()
    with pytest.raises(Invalid) as caught:
        replace(draft, draft.campaign_id, title="新题", organization_codes=draft.village_codes[1:])
    assert caught.value.errors.keys() == {"organization_codes"}
    assert subjects_of(draft.campaign_id) == draft.village_codes
    assert read(draft.campaign_id).title != "新题"


def test_a_launched_campaign_is_frozen(world: World) -> None:
    with pytest.raises(Conflict, match="frozen"):
        replace(world, world.campaign_id, title="新题")


def test_a_withdrawn_draft_is_gone(world: World) -> None:
    campaign_id = create(world)
    withdraw(campaign_id)
    with pytest.raises(Conflict, match="wrong_state"):
        replace(world, campaign_id)


def test_a_copy_is_a_draft_like_its_source(world: World) -> None:
    code = world.village_codes[0]
    source = create(
        world,
        organization_codes=[code],
        eligible={code: {"villager": 30}},
        notice="请如实评价",
        min_cell=7,
        grace_hours=1,
        revote=Revote.UNTIL_CLOSE,
        subject_type=SubjectKind.PARTY_ORG,
        open_requires=OpenRequires.WECHAT,
        formula=FORMULA
        | {"min_response_rate": {"villager": "2/3"}, "mode_weights": {"household": Decimal(1)}},
    )
    launch(source)
    copied = copy(
        world, source, opens_at=OPENS_AT + timedelta(days=365), closes_at=CLOSES_AT + timedelta(days=365)
    )
    same = ("notice", "min_cell", "grace_hours", "revote", "subject_kind", "open_requires", "formula")
    before, after = read(source), read(copied)
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert (after.title, after.copied_from_id, after.launched_at, after.formula_hash) == (
        "今年",
        source,
        None,
        None,
    )
    assert after.wrapped_key not in (None, before.wrapped_key)
    assert eligible_of(copied) == {code: {}}


def test_a_copy_takes_the_newest_form(world: World) -> None:
    form = other_form(world)
    source = create(world, questionnaire_id=form)
    launch(source)
    assert read(copy(world, source)).questionnaire_version_id == read(source).questionnaire_version_id
