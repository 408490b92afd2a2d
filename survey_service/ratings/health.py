"""What a health report (体检报告) says of a subject: its place among its like, and where it lost most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from survey_service.core.texts import text
from survey_service.ratings.grades import current_grades
from survey_service.ratings.queries import get_cycle, list_subjects

MOST_ITEMS = 3
_WEAK = Fraction(6, 10)
"""Below this share a suggestion asks for a plan, above it for a little more."""


@dataclass(frozen=True)
class LowItem:
    """An indicator on which points were lost, as it is printed."""

    title: str
    value: str
    maximum: str
    percent: str
    suggestion: str


def ranks_in_groups(session: Session, cycle_id: int) -> dict[str, tuple[int, int]]:
    """Return place and size of the group by organization: those of one field, or all without fields.

    Equal totals share a place. Subjects without a total have the place 0.
    """
    cycle = get_cycle(session, cycle_id)
    subjects = list_subjects(session, cycle_id)
    grades = current_grades(session, cycle, [one.row.subject_id for one in subjects])
    groups: dict[str | None, list[tuple[str, Fraction | None]]] = {}
    for one in subjects:
        total = grades[one.row.subject_id].total
        value = None if total is None or one.row.exclusion is not None else Fraction(total)
        groups.setdefault(one.row.field_code, []).append((one.organization_code, value))
    return {code: place for group in groups.values() for code, place in _places(group).items()}


def _places(group: Sequence[tuple[str, Fraction | None]]) -> dict[str, tuple[int, int]]:
    values = sorted((value for _, value in group if value is not None), reverse=True)
    return {code: (0 if value is None else values.index(value) + 1, len(values)) for code, value in group}


def lowest_items(nodes: Sequence[Mapping[str, Any]]) -> list[LowItem]:
    """Return the indicators with the smallest shares of their points; full marks are no weakness."""
    lost = [(_share(node), node) for node in _leaves(nodes) if node["value"] is not None]
    lost = [(share, node) for share, node in lost if share < 1]
    lost.sort(key=lambda one: one[0])
    return [_low(share, node) for share, node in lost[:MOST_ITEMS]]


def _leaves(nodes: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for node in nodes:
        if node.get("children"):
            yield from _leaves(node["children"])
        else:
            yield node


def _share(node: Mapping[str, Any]) -> Fraction:
    maximum = Fraction(node["maximum"])
    return Fraction(node["value"]) / maximum if maximum else Fraction(1)


def _low(share: Fraction, node: Mapping[str, Any]) -> LowItem:
    key = "suggest_plan" if share < _WEAK else "suggest_more"
    suggestion = text(f"rating_forms.{key}", title=node["title"])
    return LowItem(node["title"], node["value"], node["maximum"], f"{round(share * 100)}%", suggestion)
