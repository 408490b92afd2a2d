"""Who may call what: every route carries a decision, and one function looks at it before the view runs.

A decision names a permission (`"campaigns.launch"`) and how to find the organization that the call is
about; the staff member's scope is a sub-tree, written as a path (`"/1/5/"`). This module knows neither
roles nor tables: the application gives it both through `install`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request
from sqlalchemy.orm import Session

from survey_service.core import audit
from survey_service.core.db import reading
from survey_service.core.errors import Forbidden, Unauthorized

View = TypeVar("View", bound=Callable[..., Any])
PathOf = Callable[..., str]
"""Takes a session and the view's URL arguments; returns the path of the organization concerned,
or raises NotFound."""

_ATTRIBUTE = "access_decision"


@dataclass(frozen=True)
class Identity:
    """The staff member behind a call; `path` is the root of his sub-tree, `role` a role's name."""

    id: int
    name: str
    role: str
    organization_id: int
    path: str
    username: str = ""
    """What the audit trail calls him; services that are called without a request need none."""
    withheld: frozenset[str] = frozenset()
    """Permissions that his role has, and that he has not where he works."""

    def covers(self, path: str) -> bool:
        """Tell whether an organization lies in this person's sub-tree."""
        return path.startswith(self.path)

    def is_above(self, path: str) -> bool:
        """Tell whether this person belongs to a level above the organization."""
        return self.covers(path) and path != self.path

    def require(self, path: str) -> None:
        """Raise Forbidden outside the sub-tree."""
        if not self.covers(path):
            raise Forbidden


@dataclass(frozen=True)
class Decision:
    """`permission` None means public; `reason` then says why."""

    permission: str | None
    path_of: PathOf | None = None
    is_above: bool = False
    reason: str = ""


def requires(
    permission: str, path_of: PathOf | None = None, *, is_above: bool = False
) -> Callable[[View], View]:
    """Let a view be called only with a permission, inside the caller's sub-tree.

    With `is_above` the caller must belong to a level above the organization: a rated party never
    administers its own evaluation. Without `path_of` the service checks the scope of what the body names.
    A call that changes something, or hands something out, leaves an entry in the audit trail.
    """
    decision = Decision(permission, path_of, is_above)

    def mark(view: View) -> View:
        return _decide(decision)(cast(View, audit.recorded(view)))

    return mark


def public(reason: str) -> Callable[[View], View]:
    """Let anybody call a view, for the reason given."""
    return _decide(Decision(None, reason=reason))


def _decide(decision: Decision) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, decision)
        return view

    return mark


def decision_of(view: Callable[..., Any]) -> Decision | None:
    """Return the decision that a view function carries."""
    return cast(Decision | None, attribute_of(view, _ATTRIBUTE))


def attribute_of(view: Callable[..., Any], name: str) -> Any:
    """Return what a decorator has marked a view with, through the decorators around it, or None."""
    current: Any = view
    while current is not None:
        if (found := current.__dict__.get(name)) is not None:
            return found
        current = getattr(current, "__wrapped__", None)
    return None


def current_staff() -> Identity:
    """Return the staff member behind the current request; raises Unauthorized for a stranger."""
    staff: Identity | None = g.get("staff")
    if staff is None:
        raise Unauthorized
    return staff


def install(
    app: Flask,
    *,
    authenticate: Callable[[], Identity | None],
    is_allowed: Callable[[str, str], bool],
) -> None:
    """Check the decision of every request's view before the view runs.

    `authenticate` reads the request and returns who calls; `is_allowed(role, permission)` is the table.
    """

    def check() -> None:
        view = app.view_functions.get(request.endpoint or "")
        if view is None:
            return
        decision = decision_of(view)
        if decision is None:
            raise Forbidden
        if decision.permission is None:
            return
        g.staff = authenticate()
        staff = current_staff()
        audit.begin_call(actor=staff.username, action=decision.permission)
        if decision.permission in staff.withheld or not is_allowed(staff.role, decision.permission):
            raise Forbidden
        if decision.path_of is not None:
            with reading() as session:
                _check_scope(session, staff, decision)

    app.before_request(check)


def _check_scope(session: Session, staff: Identity, decision: Decision) -> None:
    assert decision.path_of is not None
    path = decision.path_of(session, **(request.view_args or {}))
    allowed = staff.is_above(path) if decision.is_above else staff.covers(path)
    if not allowed:
        raise Forbidden


def routes_without_decision(app: Flask | None = None) -> list[str]:
    """Return the endpoints that carry no decision (the structure test wants none)."""
    application = app or current_app
    return sorted(name for name, view in application.view_functions.items() if decision_of(view) is None)
