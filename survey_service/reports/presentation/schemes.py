"""Rating schemes as pages show them: the list, one scheme, and its text with what is wrong by line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survey_service.core.texts import text
from survey_service.ratings.documents import place
from survey_service.ratings.scheme_files import Path
from survey_service.ratings.sheets import level_words

Json = Mapping[str, Any]


@dataclass(frozen=True)
class SchemeLine:
    """A line of a scheme; `depth` indents it, `is_assumed` marks what no published text gives."""

    title: str
    value: str
    depth: int = 0
    is_assumed: bool = False


@dataclass(frozen=True)
class SchemePage:
    code: str
    version: int
    title: str
    source: str
    assumptions: int
    indicators: Sequence[SchemeLine]
    bands: Sequence[SchemeLine]
    quotas: Sequence[SchemeLine]
    steps: Sequence[SchemeLine]
    notes: Sequence[str]


def scheme_page(document: Json) -> SchemePage:
    assumed = frozenset(document["assumptions"])
    titles = {band["grade"]: band["title"] for band in document["bands"]}
    return SchemePage(
        code=document["code"],
        version=document["version"],
        title=document["title"],
        source=document["source"],
        assumptions=len(assumed),
        indicators=list(_indicators(document["indicators"], ("indicators",), 0, assumed)),
        bands=[
            SchemeLine(one["title"], _number(one["min"]), 0, place(("bands", number, "min")) in assumed)
            for number, one in enumerate(document["bands"])
        ],
        quotas=[_quota(one, titles) for one in document.get("quotas", ())],
        steps=[SchemeLine(one["title"], one["actor"]) for one in document["steps"]],
        notes=[*document.get("result_use", ()), *document.get("notes", ())],
    )


def _number(value: str | None) -> str:
    return f"{float(value):g}" if value else ""


def _indicators(
    items: Sequence[Json], path: Path, depth: int, assumed: frozenset[str]
) -> Iterator[SchemeLine]:
    for number, item in enumerate(items):
        here = (*path, number)
        is_assumed = place((*here, "points")) in assumed
        yield SchemeLine(_titled(item), _number(item.get("points")), depth, is_assumed)
        yield from _indicators(item.get("children", ()), (*here, "children"), depth + 1, assumed)


def _titled(item: Json) -> str:
    """Return an indicator's title, and who scores it where not everybody does."""
    named = item.get("scored_by")
    by_whom = text("rating_forms.by_whom", levels=level_words(named)) if named else ""
    return f"{item['title']}{by_whom}"


def _quota(one: Json, titles: Mapping[str, str]) -> SchemeLine:
    side = "max" if one.get("max_percent") is not None else "min"
    label = text(f"rating_outlook.what_if_{side}", grade=titles[one["grade"]])
    return SchemeLine(label, f"{_number(one[f'{side}_percent'])}%")


@dataclass(frozen=True)
class Fault:
    """What is wrong, and the line of the text that it is about: nobody counts lines in a field."""

    words: str
    excerpt: str = ""


def scheme_faults(errors: Mapping[str, Sequence[str]], source: str = "") -> list[Fault]:
    """Write what is wrong with a text or a workbook, each with its line or cell."""
    lines = source.splitlines()
    return [
        Fault(
            text("schemes.fault_line" if where.isdigit() else "schemes.fault_cell", where=where, words=words),
            lines[int(where) - 1].strip() if where.isdigit() and int(where) <= len(lines) else "",
        )
        for where, sentences in errors.items()
        for words in sentences
    ]
