"""Change weights, bands and shares on a copy of a scheme's document."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from survey_service.core.errors import Invalid
from survey_service.core.texts import text
from survey_service.ratings.documents import InvalidScheme, check_content, complete_document, place

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """What is changed: numbers as decimal text; an empty share is taken away. What is not named stays."""

    points: Mapping[str, str] = field(default_factory=dict)
    """By indicator; together they still have to give the whole scale."""
    bands: Mapping[str, str] = field(default_factory=dict)
    """The lowest total by grade."""
    max_percents: Mapping[str, str] = field(default_factory=dict)
    min_percents: Mapping[str, str] = field(default_factory=dict)
    """Shares by grade."""


def change_document(document: Document, changes: Changes) -> dict[str, Any]:
    """Return a checked copy of a document with the changes made.

    What is changed is no assumption any more: somebody has decided it. Raises Invalid for indicators and
    grades that the scheme does not have, InvalidScheme with what contradicts itself by place.
    """
    _require_known(document, changes)
    content = {key: deepcopy(value) for key, value in document.items() if key != "assumptions"}
    touched = {*_change_points(content["indicators"], changes.points, "indicators")}
    for position, band in enumerate(content["bands"]):
        if _differs(band["min"], changes.bands.get(band["grade"])):
            band["min"] = changes.bands[band["grade"]]
            touched.add(f"bands[{position}].min")
    if quotas := _changed_quotas(content, changes):
        content["quotas"] = quotas
    else:
        content.pop("quotas", None)
    if content.get("quotas", []) != document.get("quotas", []):
        touched.add("quotas")
    kept = [one for one in document["assumptions"] if not _is_touched(one, touched)]
    return check_changed(content, kept)


def check_changed(content: dict[str, Any], assumptions: Sequence[str]) -> dict[str, Any]:
    """Return the document of a content; raises InvalidScheme with what is wrong by place."""
    if found := check_content(content):
        errors: dict[str, list[str]] = {}
        for path, sentence in found:
            errors.setdefault(place(path), []).append(sentence)
        raise InvalidScheme(errors=errors)
    return complete_document(content, assumptions)


def _require_known(document: Document, changes: Changes) -> None:
    codes = {item["code"] for item in _walk(document["indicators"])}
    grades = {band["grade"] for band in document["bands"]}
    known = {"points": codes, "bands": grades, "max_percents": grades, "min_percents": grades}
    errors = {
        f"{part}.{name}": [text("ratings.not_in_scheme")]
        for part, names in known.items()
        for name in getattr(changes, part)
        if name not in names
    }
    if errors:
        raise Invalid(errors=errors)


def _walk(items: Sequence[Document]) -> list[Document]:
    return [found for item in items for found in (item, *_walk(item.get("children", ())))]


def _differs(old: str | None, new: str | None) -> bool:
    return new is not None and new != old


def _change_points(items: list[dict[str, Any]], points: Mapping[str, str], where: str) -> list[str]:
    """Write new points into a tree; returns the places that were touched."""
    touched = []
    for position, item in enumerate(items):
        here = f"{where}[{position}]"
        if _differs(item.get("points"), points.get(item["code"])):
            item["points"] = points[item["code"]]
            touched.append(f"{here}.points")
        touched += _change_points(item.get("children", []), points, f"{here}.children")
    return touched


def _changed_quotas(content: Document, changes: Changes) -> list[dict[str, str]]:
    """Return the shares in the order of the document, new ones behind them."""
    sides = {"max_percent": changes.max_percents, "min_percent": changes.min_percents}
    shares = {
        (one["grade"], side): one[side]
        for one in content.get("quotas", ())
        for side in sides
        if one.get(side) is not None
    }
    shares |= {(grade, side): percent for side, given in sides.items() for grade, percent in given.items()}
    return [{"grade": grade, side: percent} for (grade, side), percent in shares.items() if percent]


def _is_touched(assumption: str, touched: set[str]) -> bool:
    return any(assumption == one or assumption.startswith((f"{one}.", f"{one}[")) for one in touched)
