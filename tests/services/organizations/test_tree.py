"""Reading the tree, correcting sizes, naming subjects."""

from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from survey_service.core.db import Database
from survey_service.core.errors import Forbidden, NotFound
from survey_service.organizations import queries
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.queries import (
    find_by_codes,
    get_organization,
    is_within,
    list_ancestors,
    list_children,
    path_of_organization,
    select_subtree,
)
from survey_service.organizations.rules import OrganizationKind, RosterSize, SubjectKind
from survey_service.organizations.service import (
    ensure_subjects,
    list_organizations,
    subject_name,
    update_roster,
)
from tests.factories.organizations.tree import create_organization, create_town


def test_unknown_codes_are_not_found(session: Session) -> None:
    for read in (get_organization, path_of_organization):
        with pytest.raises(NotFound):
            read(session, code="nowhere")


def test_organizations_are_found_by_their_codes(session: Session) -> None:
    town = create_town(session)
    assert find_by_codes(session, [town.code, "nowhere"]) == {town.code: town}


def test_a_sub_tree_holds_itself_and_all_below_but_no_neighbour_with_a_like_number(session: Session) -> None:
    roots = [create_organization(session, OrganizationKind.COUNTY) for _ in range(12)]
    town = create_organization(session, OrganizationKind.TOWN, parent=roots[0])
    village = create_organization(session, parent=town)
    roots[1].path = roots[0].path.removesuffix("/") + "0/"
    session.flush()
    assert set(session.scalars(select_subtree(roots[0].path))) == {roots[0], town, village}
    assert [one.id for one in list_ancestors(session, path=village.path)] == [
        roots[0].id,
        town.id,
        village.id,
    ]


def test_the_path_of_a_sub_tree_may_be_a_column(session: Session) -> None:
    town = create_town(session, villages=3)
    top = aliased(Organization)
    statement = select(Organization).join(top, is_within(top.path)).where(top.code == town.code)
    assert len(session.scalars(statement).all()) == 4


def test_a_sub_tree_is_read_from_the_index(session: Session) -> None:
    statement = select(Organization.id).where(is_within("/1/5/"))
    compiled = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    if session.get_bind().dialect.name == "sqlite":
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
        assert "ix_organization_path (path>? AND path<?)" in str(plan)
    else:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.execute(text(f"EXPLAIN {compiled}")).all()
        assert "Index Cond: (((path)::text >= '/1/5/'::text) AND ((path)::text < '/1/50'::text))" in str(plan)


def test_children_come_in_pages(session: Session) -> None:
    town = create_town(session, villages=5)
    first = list_children(session, parent_id=town.id, limit=3)
    rest = list_children(session, parent_id=town.id, after=first[-1].id, limit=3)
    assert [len(first), len(rest)] == [3, 2]
    assert len({one.id for one in first + rest}) == 5


def test_without_a_parent_the_list_shows_the_own_organization(session: Session) -> None:
    town = create_town(session, villages=2)
    assert list_organizations(session, within_path=town.path) == [town]
    assert list_organizations(session, within_path=town.path, after=town.id) == []
    assert len(list_organizations(session, within_path=town.path, parent=town.code)) == 2


def test_a_list_outside_the_sub_tree_is_refused(session: Session) -> None:
    town, other = create_town(session), create_town(session)
    with pytest.raises(Forbidden):
        list_organizations(session, within_path=town.path, parent=other.code)
    with pytest.raises(NotFound):
        list_organizations(session, within_path=town.path, parent="nowhere")


def test_a_list_takes_two_statements_whatever_its_length(database: Database) -> None:
    with database.unit_of_work() as session:
        town = create_town(session, villages=20)
    statements: list[str] = []

    def remember(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", remember)
    with database.reading() as session:
        found = list_organizations(session, within_path=town.path, parent=town.code)
        assert {one.parent_code for one in found} == {town.code}
    assert len([one for one in statements if one.startswith("SELECT organization")]) == 2


def test_sizes_are_set_and_forgotten_one_by_one(session: Session) -> None:
    town = create_town(session, households=10, members=20)
    update_roster(session, code=town.code, sizes={RosterSize.MEMBERS: None, RosterSize.VILLAGERS: 30})
    assert list(get_organization(session, code=town.code).sizes.values()) == [10, None, 30]


def test_the_mark_of_invented_sizes_goes_with_the_last_of_them(session: Session) -> None:
    code = create_town(session).code
    update_roster(
        session, code=code, sizes={RosterSize.HOUSEHOLDS: 1, RosterSize.MEMBERS: 2}, is_generated=True
    )
    assert update_roster(session, code=code, sizes={RosterSize.HOUSEHOLDS: 3}).is_roster_generated
    assert not update_roster(
        session, code=code, sizes={RosterSize.HOUSEHOLDS: 3, RosterSize.MEMBERS: 4}
    ).is_roster_generated


@pytest.mark.parametrize("values", [{"households": -1}, {"members": -1}, {"villagers": -1}, {"code": "same"}])
def test_the_database_keeps_the_invariants(session: Session, values: dict[str, Any]) -> None:
    create_organization(session, code="same")
    with pytest.raises(IntegrityError):
        create_organization(session, **values)
    session.rollback()


def test_subjects_are_made_once_and_follow_the_names(session: Session) -> None:
    village = create_organization(session, name="半径村委会")
    first = ensure_subjects(session, organizations=[village], kind=SubjectKind.SERVICE_CENTRE)[village.id]
    assert first.name == "半径村党群服务中心"
    village.name = "半经村"
    again = ensure_subjects(session, organizations=[village], kind=SubjectKind.SERVICE_CENTRE)
    assert (again[village.id].id, again[village.id].name) == (first.id, "半经村党群服务中心")
    ensure_subjects(session, organizations=[village], kind=SubjectKind.PERSON)
    assert len(session.scalars(select(Subject)).all()) == 2
    assert ensure_subjects(session, organizations=[], kind=SubjectKind.BRANCH) == {}


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("半径村", SubjectKind.BRANCH, "半径村党支部"),
        ("半径村第一党支部", SubjectKind.BRANCH, "半径村第一党支部"),
        ("上林社区居委会", SubjectKind.PARTY_ORG, "上林社区党组织"),
        ("半径村", SubjectKind.PERSON, "半径村党组织书记"),
    ],
)
def test_subjects_are_named_after_the_place(name: str, kind: SubjectKind, expected: str) -> None:
    assert subject_name(name, kind) == expected


def test_long_lists_of_codes_are_asked_for_in_parts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_MOST_VALUES", 2)
    town = create_town(session, villages=5)
    codes = [one.code for one in list_children(session, parent_id=town.id)]
    assert len(find_by_codes(session, codes)) == 5
    assert queries.known_tree(session, codes=[town.code]).keys() >= set(codes)
