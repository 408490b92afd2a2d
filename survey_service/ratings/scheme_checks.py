"""What a scheme's document must not say, although each of its parts is well formed."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from survey_service.core.texts import text

Path = tuple[str | int, ...]
Found = tuple[Path, str]

_ROLES_IN_TREE = ("component", "indicator")


def find_contradictions(document: Mapping[str, Any]) -> list[Found]:
    """Return every contradiction with its place; the document is valid by its schema."""
    checks = (_indicators, _points, _bands, _restrictions, _quotas, _steps, _mass, _others)
    return [found for check in checks for found in check(document)]


def _say(path: Path, reason: str, **values: object) -> Found:
    return path, text(f"ratings.scheme_{reason}", **values)


def _twice(path: Path, items: Sequence[Mapping[str, Any]], key: str = "code") -> Iterator[Found]:
    seen: set[Any] = set()
    for position, item in enumerate(items):
        if item[key] in seen:
            yield _say((*path, position, key), "twice", code=item[key])
        seen.add(item[key])


def _walk(items: Sequence[Mapping[str, Any]], path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for position, item in enumerate(items):
        here = (*path, position)
        yield here, item
        yield from _walk(item.get("children") or (), (*here, "children"))


def _field_codes(document: Mapping[str, Any]) -> list[str]:
    return [one["code"] for one in document.get("fields") or ()]


def _every_field(document: Mapping[str, Any]) -> list[str | None]:
    """Return the fields, or None as the only one where all subjects are measured alike."""
    return [*_field_codes(document)] or [None]


def _indicators(document: Mapping[str, Any]) -> Iterator[Found]:
    known = set(_field_codes(document))
    seen: set[str] = set()
    for path, item in _walk(document["indicators"], ("indicators",)):
        if item["code"] in seen:
            yield _say((*path, "code"), "twice", code=item["code"])
        seen.add(item["code"])
        for position, code in enumerate(item.get("fields") or ()):
            if code not in known:
                yield _say((*path, "fields", position), "unknown_field", code=code)
        yield from _parts_of(item, path)
        yield from _scorers(item, path, document["counts"])


def _parts_of(item: Mapping[str, Any], path: Path) -> Iterator[Found]:
    """Check that an indicator has the parts of its source, and no others."""
    source = item.get("source", "points")
    if item.get("children") and source != "points":
        yield _say((*path, "source"), "source_with_children")
    if not item.get("children") and not item.get("points"):
        yield _say(path, "no_points")
    for part, of_source in (("options", "choice"), ("checks", "checklist")):
        if (source == of_source) != bool(item.get(part)):
            yield _say((*path, part), "part_of_source", part=part, source=of_source)
        yield from _twice((*path, part), item.get(part) or ())


def _scorers(item: Mapping[str, Any], path: Path, counts: Sequence[str]) -> Iterator[Found]:
    """Check that who scores an indicator fills it in at all, and that somebody's entry counts."""
    named = item.get("scored_by")
    if named is None:
        return
    here = (*path, "scored_by")
    if item.get("children"):
        yield _say(here, "scored_by_with_children")
    elif not set(named) & set(counts):
        yield _say(here, "scored_by_nobody_who_counts", counts="、".join(counts))
    if len(set(named)) != len(named):
        yield _say(here, "twice", code="scored_by")


def _points(document: Mapping[str, Any]) -> Iterator[Found]:
    """The indicators of every field together give the whole scale."""
    maximum = _number(document["scale"]["maximum"])
    if not maximum:
        yield _say(("scale", "maximum"), "no_points")
    for code in _every_field(document):
        found = sum((_weight(item, code) for item in document["indicators"]), Fraction(0))
        if found != maximum:
            values = {"field": code or "", "sum": _shown(found), "maximum": _shown(maximum)}
            yield _say(("indicators",), "sum_of_field" if code else "sum", **values)


def _weight(item: Mapping[str, Any], code: str | None) -> Fraction:
    if item.get("fields") and code not in item["fields"]:
        return Fraction(0)
    inner = sum((_weight(child, code) for child in item.get("children") or ()), Fraction(0))
    if item.get("children") and not inner:
        return Fraction(0)
    return inner if item.get("points") is None else _number(item["points"])


def _bands(document: Mapping[str, Any]) -> Iterator[Found]:
    """Every band ends where the one above begins: only their order and the lowest end can be wrong."""
    bands = document["bands"]
    yield from _twice(("bands",), bands, "grade")
    floors = [_number(band["min"]) for band in bands]
    for position in range(1, len(floors)):
        if floors[position] >= floors[position - 1]:
            yield _say(("bands", position, "min"), "band_order")
    if floors[-1] != 0:
        yield _say(("bands", len(floors) - 1, "min"), "band_gap")


def _grades(document: Mapping[str, Any]) -> list[str]:
    return [band["grade"] for band in document["bands"]]


def _restrictions(document: Mapping[str, Any]) -> Iterator[Found]:
    grades = _grades(document)
    yield from _twice(("restrictions",), document.get("restrictions") or ())
    for position, item in enumerate(document.get("restrictions") or ()):
        path: Path = ("restrictions", position, "grades")
        yield from _unknown_grades(path, item["grades"], grades)
        if grades[-1] in item["grades"]:
            yield _say(path, "lowest_blocked", grade=grades[-1])
    for position, item in enumerate(document.get("caps") or ()):
        yield from _unknown_grades(("caps", position, "at_most"), [item["at_most"]], grades)


def _unknown_grades(path: Path, named: Sequence[str], grades: Sequence[str]) -> Iterator[Found]:
    for grade in named:
        if grade not in grades:
            yield _say(path, "unknown_grade", grade=grade)


def _quotas(document: Mapping[str, Any]) -> Iterator[Found]:
    """A maximum moves subjects down and a minimum fills the lowest grade: so all can always be kept."""
    grades, seen = _grades(document), set[tuple[str, str]]()
    for position, item in enumerate(document.get("quotas") or ()):
        path: Path = ("quotas", position)
        yield from _unknown_grades((*path, "grade"), [item["grade"]], grades)
        kinds = [kind for kind in ("max_percent", "min_percent") if item.get(kind) is not None]
        if len(kinds) != 1:
            yield _say(path, "quota_one_share")
            continue
        if (item["grade"], kinds[0]) in seen:
            yield _say(path, "twice", code=item["grade"])
        seen.add((item["grade"], kinds[0]))
        is_lowest = item["grade"] == grades[-1]
        if kinds == ["max_percent"] and is_lowest:
            yield _say((*path, "max_percent"), "quota_lowest_maximum", grade=item["grade"])
        if kinds == ["min_percent"] and not is_lowest:
            yield _say((*path, "min_percent"), "quota_minimum_not_lowest", grade=grades[-1])


def _steps(document: Mapping[str, Any]) -> Iterator[Found]:
    steps = document["steps"]
    yield from _twice(("steps",), steps)
    deciding = [position for position, step in enumerate(steps) if step.get("decides")]
    if len(deciding) != 1:
        yield _say(("steps",), "one_decision", count=len(deciding))
    elif steps[deciding[0]]["by"] == "self":
        yield _say(("steps", deciding[0], "by"), "self_decides")
    for position, step in enumerate(steps):
        is_after = bool(deciding) and position > deciding[0]
        if step["kind"] in {"public_notice", "filing"} and not is_after:
            yield _say(("steps", position, "kind"), "before_decision")
        if is_after and step["kind"] in {"self_assessment", "assessment", "mass_evaluation"}:
            yield _say(("steps", position, "kind"), "after_decision")
        if step.get("on_site") and not step.get("decides"):
            yield _say(("steps", position, "on_site"), "on_site_decides")
        on_site: Path = ("steps", position, "on_site")
        yield from _unknown_grades(on_site, step.get("on_site") or (), _grades(document))
        if step["code"] in RESERVED_STEPS:
            yield _say(("steps", position, "code"), "reserved", code=step["code"])


RESERVED_STEPS = frozenset({"send-back", "decisions", "downgrades", "objections", "subjects", "grades"})
"""Words that stand where a step's code stands in addresses."""


def _mass(document: Mapping[str, Any]) -> Iterator[Found]:
    for code in _every_field(document):
        leaves = sum(_mass_leaves(item, code) for item in document["indicators"])
        is_wanted = document["mass"]["role"] in _ROLES_IN_TREE
        if leaves > 1 or (leaves == 1) != is_wanted:
            yield _say(("mass", "role"), "mass_leaf", count=leaves)
            return


def _mass_leaves(item: Mapping[str, Any], code: str | None) -> int:
    if item.get("fields") and code not in item["fields"]:
        return 0
    own = int(item.get("source") == "mass")
    return own + sum(_mass_leaves(child, code) for child in item.get("children") or ())


def _others(document: Mapping[str, Any]) -> Iterator[Found]:
    grades, known = _grades(document), set(_field_codes(document))
    yield from _twice(("fields",), document.get("fields") or ())
    kinds: set[str] = set()
    for position, item in enumerate(document.get("fields") or ()):
        if kinds & set(item.get("kinds") or ()):
            yield _say(("fields", position, "kinds"), "kind_twice")
        kinds |= set(item.get("kinds") or ())
    for side in ("bonus", "penalty"):
        yield from _twice((side, "items"), (document.get(side) or {}).get("items", ()))
    if look_back := document.get("look_back"):
        yield from _unknown_grades(("look_back", "grades"), look_back["grades"], grades)
    if downgrade := document.get("downgrade"):
        yield from _twice(("downgrade", "triggers"), downgrade["triggers"])
    yield from _twice(("phases",), document.get("phases") or (), "year")
    yield from _twice(("rewards",), document.get("rewards") or ())
    for position, item in enumerate(document.get("rewards") or ()):
        yield from _unknown_grades(("rewards", position, "amounts"), list(item["amounts"]), grades)
        if item.get("field") is not None and item["field"] not in known:
            yield _say(("rewards", position, "field"), "unknown_field", code=item["field"])
    if len(set(document["counts"])) != len(document["counts"]):
        yield _say(("counts",), "twice", code="counts")


def _number(value: int | str) -> Fraction:
    return Fraction(value)


def _shown(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator / value.denominator:.6g}"
