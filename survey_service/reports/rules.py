"""What a report may show to whom."""

from collections.abc import Iterable, Mapping

from survey_service.campaigns.rules import RaterClass, State
from survey_service.mass_evaluation.verdicts import Turnout
from survey_service.staff.rules import Role

FINAL_STATES = frozenset({State.CLOSED, State.SEALED})
"""From here on the figures are exact, and the rated parties may read them."""

SMALLEST_PARTED_ELIGIBLE = 10
LARGEST_TELLING_GAP = 2
"""A rated party sees classes and modes only among at least ten people, and never where at most two of them
stayed away: what is left over would name them (`domain.md` section 7)."""


_RELEASED_IN = {Role.BRANCH_SECRETARY: FINAL_STATES, Role.AUDITOR: frozenset({State.SEALED})}


def is_released_to(role: Role, state: State) -> bool:
    """Tell whether scores may be shown: a rated party waits for the closing, an auditor for the seal."""
    return state in _RELEASED_IN.get(role, State)


def is_turnout_delayed(role: Role, state: State) -> bool:
    """Tell whether turnout is that of the end of yesterday: a rated party must not see who has just voted."""
    return role is Role.BRANCH_SECRETARY and state not in FINAL_STATES


def may_see_live_parts(role: Role) -> bool:
    """Tell whether turnout may be shown by class and mode while ballots come in."""
    return role is not Role.BRANCH_SECRETARY


def may_see_disputes(role: Role) -> bool:
    """Tell whether it may be said that codes are disputed: above the rated party only."""
    return role is not Role.BRANCH_SECRETARY


def may_see_totals(role: Role) -> bool:
    """Tell whether figures of several subjects together may be shown."""
    return role is not Role.BRANCH_SECRETARY


def may_see_parts(role: Role, turnout: Turnout) -> bool:
    """Tell whether released figures may be shown by class and mode."""
    if role is not Role.BRANCH_SECRETARY:
        return True
    eligible = turnout.eligible
    return (
        eligible is not None
        and eligible >= SMALLEST_PARTED_ELIGIBLE
        and eligible - turnout.returned > LARGEST_TELLING_GAP
    )


def count_eligible(eligible: Mapping[str, int | None], classes: Iterable[RaterClass]) -> int | None:
    """Add up the eligible people of some classes; None as soon as one of the numbers is unknown."""
    numbers = [eligible.get(rater_class) for rater_class in classes]
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def add_turnouts(turnouts: Iterable[Turnout]) -> Turnout:
    """Add up the turnout of several subjects; E is unknown as soon as one of theirs is."""
    returned, eligible = 0, 0
    is_known = True
    for turnout in turnouts:
        returned += turnout.returned
        eligible += turnout.eligible or 0
        is_known = is_known and turnout.eligible is not None
    return Turnout(returned, eligible if is_known else None)


def is_staff_page(address: str) -> bool:
    """Tell whether an address that came with a request leads to one of our own staff pages."""
    return address.startswith("/staff/") and address.isprintable() and "\\" not in address
