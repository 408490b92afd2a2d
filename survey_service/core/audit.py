"""The audit trail as services and edges see it: who did what to what, and what came of it.

A service says what it did with `record`. The unit of work takes the acts just before its commit and hands
them to the chain (package `auditing`), so that an act and its entry are stored together or not at all. A
call of a staff member that says nothing leaves an entry that names its route: no unit of work of a staff
member is committed without one. Voters have no part in this, and nothing here runs a statement for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, g, has_request_context, request
from sqlalchemy.orm import Session

from survey_service.core.db import unit_of_work

OPERATOR = "operator"
"""Whoever gives commands on the machine itself."""
STRANGER = "stranger"
"""Whoever has not signed in; only refused passwords of known accounts are recorded of him."""
AUTHOR = "author"
"""Whoever wrote an opinion, of whom nobody knows more; what concerns him is recorded by the day."""
AUTHORS_TARGET = "opinions:"
"""Before the code of a whole tree: only who audits all of it reads what its authors did."""
ACTORS_WITHOUT_ACCOUNT = frozenset({OPERATOR, STRANGER, AUTHOR})

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DISCLOSING = (".print", ".export")
"""What leaves the system on paper or as a file is an act, even where nothing is changed."""
RECORDED_REFUSALS = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT})
"""A person tried what he may not do, or what can no longer be done; other refusals are slips of the pen."""
MAX_TARGET_LENGTH = 200
_SHOWN_ARGUMENTS = frozenset({"organization_code"})
"""Other words in an address may be codes of voters. Numbers are ids."""

_ACTS = "acts"
_IS_SILENT = "is_silent"

Facts = Mapping[str, object]
"""Plain values by name. No password, code or token, and nothing that a voter wrote."""


@dataclass(frozen=True)
class Act:
    """What somebody did to a target such as `campaign:12`; after a refused act stands `{"refused": code}`."""

    actor: str
    action: str
    target: str
    before: Facts | None = None
    after: Facts | None = None


def record(
    session: Session,
    action: str,
    target: str,
    *,
    before: Facts | None = None,
    after: Facts | None = None,
    actor: str | None = None,
) -> None:
    """Remember an act until the unit of work is committed with it."""
    act = Act(actor or _current_actor(), action, target, before, after)
    session.info.setdefault(_ACTS, []).append(act)


def keep_silent(session: Session) -> None:
    """Let a unit of work of a staff member be committed without an entry; say why where this is called."""
    session.info[_IS_SILENT] = True


def leave_no_entry() -> None:
    """Let a call that is no act pass without an entry, though it is posted; say why where this is called."""
    g.has_entry = True


def take_acts(session: Session) -> list[Act]:
    """Return what a unit of work has to be committed with, and forget it."""
    acts: list[Act] = session.info.pop(_ACTS, [])
    is_silent = session.info.pop(_IS_SILENT, False)
    call = _current_call()
    if call is None:
        return acts
    if not acts and not is_silent:
        acts = [call]
    g.has_entry = g.get("has_entry", False) or bool(acts)
    return acts


def begin_call(*, actor: str, action: str) -> None:
    """Remember who calls the present route and what it demands, for the entry that the call may leave."""
    arguments = request.view_args or {}
    is_shown = all(isinstance(value, int) or name in _SHOWN_ARGUMENTS for name, value in arguments.items())
    address = quote(request.path) if is_shown else str(request.url_rule)
    g.call = Act(actor, action, f"{request.method} {address}"[:MAX_TARGET_LENGTH])


def recorded(view: Callable[..., Any]) -> Callable[..., Response]:
    """Let a successful call leave an entry, also where no unit of work was needed for it."""

    @wraps(view)
    def call(*values: Any, **named: Any) -> Response:
        response = current_app.make_response(view(*values, **named))
        if response.status_code < HTTPStatus.BAD_REQUEST:
            _leave_entry()
        return response

    return call


def record_refusal(*, code: str, status: int) -> None:
    """Leave an entry for a call of a staff member that was refused in a way that matters."""
    call = _current_call()
    if call is not None and status in RECORDED_REFUSALS:
        _store(replace(call, after={"refused": code}))


def _leave_entry() -> None:
    call = _current_call()
    if call is not None and _is_act(call) and not g.get("has_entry", False):
        _store(call)


def _is_act(call: Act) -> bool:
    return request.method not in SAFE_METHODS or call.action.endswith(DISCLOSING)


def _store(act: Act) -> None:
    with unit_of_work() as session:
        session.info[_ACTS] = [act]


def _current_call() -> Act | None:
    return g.get("call") if has_request_context() else None


def _current_actor() -> str:
    if not has_request_context():
        return OPERATOR
    call = _current_call()
    return STRANGER if call is None else call.actor
