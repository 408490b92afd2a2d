"""Reads of the tree."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from survey_service.core.errors import NotFound
from survey_service.organizations.import_tree import Known
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import RosterSize, ids_on_path

PAGE_SIZE = 100
_MOST_VALUES = 500
"""Values in one IN list; engines set limits from about 1,000 upwards."""

_Row = Row[*tuple[Any, ...]]


def is_within(path: str | ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that an organization lies in the sub-tree of a path (itself included).

    All paths that begin with `/1/5/` lie between `/1/5/` and `/1/50`, because "0" follows "/": a range that
    every engine finds in the index, where LIKE depends on settings and on the plan.
    """
    end = f"{path[:-1]}0" if isinstance(path, str) else func.rtrim(path, "/") + "0"
    return and_(Organization.path >= path, Organization.path < end)


def get_organization(session: Session, *, code: str) -> Organization:
    """Return an organization with its parent; raises NotFound."""
    statement = select(Organization).options(joinedload(Organization.parent)).where(Organization.code == code)
    organization = session.scalar(statement)
    if organization is None:
        raise NotFound
    return organization


def find_by_codes(session: Session, codes: Collection[str]) -> dict[str, Organization]:
    """Return the organizations with these codes, by code; unknown codes are missing from the answer."""
    found: dict[str, Organization] = {}
    for some in _in_parts(codes):
        statement = select(Organization).where(Organization.code.in_(some))
        found |= {one.code: one for one in session.scalars(statement)}
    return found


def path_of_organization(session: Session, *, code: str) -> str:
    """Return the path of an organization; raises NotFound."""
    path = session.scalar(select(Organization.path).where(Organization.code == code))
    if path is None:
        raise NotFound
    return path


def list_children(
    session: Session, *, parent_id: int, after: int = 0, limit: int = PAGE_SIZE
) -> list[Organization]:
    """Return the organizations directly under one, in the order in which they were imported."""
    return _list(session, Organization.parent_id == parent_id, after, limit)


def list_at(session: Session, *, path: str, after: int = 0) -> list[Organization]:
    """Return the organization with this path as a list of one."""
    return _list(session, Organization.path == path, after, 1)


def _list(session: Session, condition: ColumnElement[bool], after: int, limit: int) -> list[Organization]:
    statement = (
        select(Organization)
        .options(joinedload(Organization.parent))
        .where(condition, Organization.id > after)
        .order_by(Organization.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def list_ancestors(session: Session, *, path: str) -> list[Organization]:
    """Return the organizations from the root down to the one with this path, itself included."""
    statement = select(Organization).where(Organization.id.in_(ids_on_path(path)))
    return sorted(session.scalars(statement), key=lambda one: len(one.path))


def select_subtree(path: str) -> Select[Organization]:
    """Return a statement for an organization and everything under it, to be narrowed and paged."""
    return select(Organization).where(is_within(path))


def lock_tree(session: Session) -> None:
    """Let imports take turns: two of them moving organizations at once could close a cycle.

    The roots are locked in a way that does not stop rows of other tables from referring to them; SQLite
    knows no row locks and needs none, since its writers take turns anyway.
    """
    roots = select(Organization.id).where(Organization.parent_id.is_(None)).order_by(Organization.id)
    session.execute(roots.with_for_update(key_share=True)).all()


def known_tree(session: Session, *, codes: Collection[str]) -> dict[str, Known]:
    """Return the organizations with these codes, all above them and those directly under them, by code."""
    named = list(_select_known(session, Organization.code, codes))
    above = {ancestor for row in named for ancestor in ids_on_path(row.path)} - {row.id for row in named}
    rows = {
        row.id: row
        for row in (
            *named,
            *_select_known(session, Organization.id, above),
            *_select_known(session, Organization.parent_id, [row.id for row in named]),
        )
    }
    code_of = {row.id: row.code for row in rows.values()}
    return {row.code: _known(row, code_of.get(row.parent_id, "")) for row in rows.values()}


def _known(row: _Row, parent_code: str) -> Known:
    sizes = {size: getattr(row, size) for size in RosterSize}
    invented = sizes if row.is_roster_generated else {}
    generated = frozenset(size for size, value in invented.items() if value is not None)
    return Known(row.id, row.code, row.kind, parent_code, row.path, generated, sizes)


def _select_known(
    session: Session, column: InstrumentedAttribute[Any], values: Collection[Any]
) -> Iterator[_Row]:
    statement = select(
        Organization.id,
        Organization.code,
        Organization.kind,
        Organization.parent_id,
        Organization.path,
        Organization.is_roster_generated,
        Organization.households,
        Organization.members,
        Organization.villagers,
    )
    for some in _in_parts(values):
        yield from session.execute(statement.where(column.in_(some)))


def _in_parts(values: Collection[Any]) -> Iterator[list[Any]]:
    ordered = list(values)
    for start in range(0, len(ordered), _MOST_VALUES):
        yield ordered[start : start + _MOST_VALUES]


def places_within(session: Session, *, paths: Sequence[str]) -> list[_Row]:
    """Return (id, parent_id, path) of everything in some sub-trees, parents before their children."""
    statement = select(Organization.id, Organization.parent_id, Organization.path)
    found = [row for path in paths for row in session.execute(statement.where(is_within(path)))]
    return sorted(found, key=lambda row: row.path.count("/"))
