"""How the rows of a file fit together and into the tree that is already there (pure)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from survey_service.core.sheet_rows import Problem, Problems
from survey_service.organizations.import_rows import ImportRow
from survey_service.organizations.rules import (
    OrganizationKind,
    ProblemKind,
    RosterSize,
    may_stand_under,
)

_MOST_SHOWN_OF_A_CYCLE = 6


@dataclass(frozen=True)
class Known:
    """An organization in the database; `generated` names those of its sizes that are invented."""

    id: int
    code: str
    kind: OrganizationKind
    parent_code: str
    path: str
    generated: frozenset[RosterSize] = frozenset()
    sizes: Mapping[RosterSize, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """Where a code will stand after the import; `row` is None when only the database speaks of it."""

    parent_code: str | None
    kind: OrganizationKind | None
    row: ImportRow | None


def check_tree(rows: Sequence[ImportRow], known: Mapping[str, Known], *, within_path: str | None) -> Problems:
    """Return what is wrong with the rows as a tree.

    `known` holds the organizations that the file names as codes or parents, all that stand above them and
    all that stand directly under them. An empty parent leaves an organization where it is. `within_path`
    is the sub-tree of the staff member; None means no limit.
    """
    places = _places_after(rows, known)
    problems: Problems = defaultdict(list)
    for number, problem in (
        *_find_duplicates(rows),
        *_find_parent_problems(rows, known, places),
        *_find_child_problems(places),
        *_find_cycles(places),
        *_find_out_of_scope(rows, known, within_path),
    ):
        problems[number].append(problem)
    return dict(problems)


def parent_code_after(row: ImportRow, known: Mapping[str, Known]) -> str | None:
    """Return the code of the parent after the import: "" is the root, None could not be read."""
    if row.parent_code == "" and row.code in known:
        return known[row.code].parent_code
    return row.parent_code


def _places_after(rows: Sequence[ImportRow], known: Mapping[str, Known]) -> dict[str, _Place]:
    places = {code: _Place(one.parent_code, one.kind, None) for code, one in known.items()}
    for row in rows:
        if row.code:
            places[row.code] = _Place(parent_code_after(row, known), row.kind, row)
    return places


def _find_duplicates(rows: Sequence[ImportRow]) -> Iterator[tuple[int, Problem]]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.code:
            numbers[row.code].append(row.number)
    for code, same in numbers.items():
        for number in same if len(same) > 1 else ():
            other = same[0] if number != same[0] else same[1]
            yield number, Problem(ProblemKind.DUPLICATE_CODE, {"code": code, "other": other})


def _find_parent_problems(
    rows: Sequence[ImportRow], known: Mapping[str, Known], places: Mapping[str, _Place]
) -> Iterator[tuple[int, Problem]]:
    for row in rows:
        parent_code = parent_code_after(row, known)
        if parent_code and parent_code not in places:
            yield row.number, Problem(ProblemKind.PARENT_UNKNOWN, {"code": parent_code})
        elif row.kind and row.code and parent_code not in {row.code, None}:
            yield from _find_kind_problem(row, row.kind, places.get(parent_code or ""))


def _find_kind_problem(
    row: ImportRow, kind: OrganizationKind, parent: _Place | None
) -> Iterator[tuple[int, Problem]]:
    if parent is None and not may_stand_under(kind, None):
        yield row.number, Problem(ProblemKind.PARENT_MISSING, {"kind": kind})
    elif parent and parent.kind and not may_stand_under(kind, parent.kind):
        yield row.number, Problem(ProblemKind.PARENT_KIND, {"kind": kind, "parent_kind": parent.kind})


def _find_child_problems(places: Mapping[str, _Place]) -> Iterator[tuple[int, Problem]]:
    """Find rows whose new kind does not suit the organizations under them that the file does not name."""
    for code, place in places.items():
        parent = places.get(place.parent_code or "")
        if place.row or not place.kind or not parent or not parent.row or not parent.kind:
            continue
        if not may_stand_under(place.kind, parent.kind):
            values = {"kind": parent.kind, "child_kind": place.kind, "child": code}
            yield parent.row.number, Problem(ProblemKind.CHILD_KIND, values)


def _find_cycles(places: Mapping[str, _Place]) -> Iterator[tuple[int, Problem]]:
    finished: set[str] = set()
    for start in places:
        trail: dict[str, None] = {}
        code = start
        while code in places and code not in finished and code not in trail:
            trail[code] = None
            code = places[code].parent_code or ""
        if code in trail:
            walked = list(trail)
            yield from _describe_cycle(walked[walked.index(code) :], places)
        finished.update(trail)


def _describe_cycle(cycle: Sequence[str], places: Mapping[str, _Place]) -> Iterator[tuple[int, Problem]]:
    for position, code in enumerate(cycle):
        row = places[code].row
        if row:
            turned = [*cycle[position:], *cycle[: position + 1]]
            shown = turned[:_MOST_SHOWN_OF_A_CYCLE] + ["…"] * (len(turned) > _MOST_SHOWN_OF_A_CYCLE)
            yield row.number, Problem(ProblemKind.CYCLE, {"codes": " → ".join(shown)})


def _find_out_of_scope(
    rows: Sequence[ImportRow], known: Mapping[str, Known], within_path: str | None
) -> Iterator[tuple[int, Problem]]:
    """Find rows that touch what lies outside; a new parent in the file is looked at in its own row."""
    if within_path is None:
        return
    for row in rows:
        before, parent = known.get(row.code), known.get(row.parent_code or "")
        touched = [before] if before else []
        if parent and not (before and before.parent_code == row.parent_code):
            touched.append(parent)
        is_new_root = not before and row.parent_code == ""
        if is_new_root or any(not one.path.startswith(within_path) for one in touched):
            yield row.number, Problem(ProblemKind.OUT_OF_SCOPE)
