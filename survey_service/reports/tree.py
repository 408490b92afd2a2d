"""Reads of the tree for its pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import list_ancestors, path_of_organization
from survey_service.organizations.service import list_organizations


@dataclass(frozen=True)
class Level:
    """What stands directly under one organization; `line` leads from the reader's own down to that one."""

    line: Sequence[Organization]
    children: Sequence[Organization]


def read_level(session: Session, *, staff: Identity, code: str | None, after: int = 0) -> Level:
    """Return the level under an organization, or under the reader's own; raises NotFound and Forbidden."""
    path = path_of_organization(session, code=code) if code else staff.path
    staff.require(path)
    line = [one for one in list_ancestors(session, path=path) if staff.covers(one.path)]
    children = list_organizations(session, within_path=staff.path, parent=line[-1].code, after=after)
    return Level(line, children)
