"""Rating schemes as pages show them: one scheme, all of it, and its text with what is wrong by line."""

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
    detail: str = ""


@dataclass(frozen=True)
class SchemeSection:
    title: str
    lines: Sequence[SchemeLine]


@dataclass(frozen=True)
class SchemePage:
    code: str
    version: int
    title: str
    source: str
    assumptions: int
    sections: Sequence[SchemeSection]
    notes: Sequence[str]


def scheme_page(document: Json) -> SchemePage:
    """Return everything that a scheme says: what is assumed has to be looked at, wherever it stands."""
    writer = _Writer(document)
    parts = {
        "basics": writer.basics(),
        "indicators": writer.indicators(document["indicators"], ("indicators",), 0),
        "bonus": writer.adjustments("bonus", "+"),
        "penalty": writer.adjustments("penalty", "−"),
        "bands": writer.bands(),
        "quotas": writer.quotas(),
        "restrictions": writer.restrictions(),
        "steps": writer.steps(),
        "rewards": writer.rewards(),
    }
    held = {name: list(lines) for name, lines in parts.items()}
    return SchemePage(
        code=document["code"],
        version=document["version"],
        title=document["title"],
        source=document["source"],
        assumptions=len(document["assumptions"]),
        sections=[SchemeSection(text(f"schemes.{name}"), lines) for name, lines in held.items() if lines],
        notes=[*document.get("result_use", ()), *document.get("notes", ())],
    )


class _Writer:
    """Writes the parts of a document as lines."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._assumed = document["assumptions"]
        self._titles = {band["grade"]: band["title"] for band in document["bands"]}

    def _line(self, path: Path, title: str, value: str, depth: int = 0, detail: str = "") -> SchemeLine:
        return SchemeLine(title, value, depth, self._is_assumed(place(path)), detail)

    def _is_assumed(self, here: str) -> bool:
        """Tell whether a place, something in it or something around it is assumed; children have lines."""
        return any(
            one == here
            or here.startswith((f"{one}.", f"{one}["))
            or (one.startswith((f"{here}.", f"{here}[")) and not one.startswith(f"{here}.children"))
            for one in self._assumed
        )

    def _grades(self, grades: Sequence[str]) -> str:
        return "、".join(self._titles[grade] for grade in grades)

    def basics(self) -> Iterator[SchemeLine]:
        document, mass = self._document, self._document["mass"]
        yield self._line(("subject",), _word("subject_title"), document["subject"]["title"])
        if fields := document.get("fields"):
            yield self._line(("fields",), _word("fields"), "、".join(one["title"] for one in fields))
        yield self._line(("scale", "maximum"), _word("maximum"), _number(document["scale"]["maximum"]))
        boundary = text(f"scheme_words.boundary_{document['scale']['boundary']}")
        yield self._line(("scale", "boundary"), _word("boundary"), boundary)
        levels = "、".join(level_words([level]) for level in document["counts"])
        yield self._line(("counts",), _word("counts"), text("schemes.counts", levels=levels))
        yield self._line(("mass", "role"), _word("mass_role"), text(f"scheme_words.mass_role_{mass['role']}"))
        if mass["role"] in {"component", "indicator"}:
            missing = text(f"scheme_words.mass_missing_{mass['when_missing']}")
            yield self._line(("mass", "when_missing"), _word("mass_missing"), missing)
        if look_back := document.get("look_back"):
            value = text(
                "schemes.in_year", year=look_back["in_year"], grades=self._grades(look_back["grades"])
            )
            yield self._line(("look_back",), text("schemes.look_back"), value)

    def indicators(self, items: Sequence[Json], path: Path, depth: int) -> Iterator[SchemeLine]:
        for number, item in enumerate(items):
            here = (*path, number)
            yield self._line(here, _titled(item), _number(item.get("points")), depth, _parts(item))
            yield from self.indicators(item.get("children", ()), (*here, "children"), depth + 1)

    def adjustments(self, side: str, sign: str) -> Iterator[SchemeLine]:
        given = self._document.get(side)
        for number, item in enumerate(given["items"] if given else ()):
            yield self._line((side, "items", number), item["title"], f"{sign}{_number(item['points'])}")
        if given and given.get("cap") is not None:
            yield self._line((side, "cap"), text("schemes.cap"), f"{sign}{_number(given['cap'])}")

    def bands(self) -> Iterator[SchemeLine]:
        for number, one in enumerate(self._document["bands"]):
            yield self._line(("bands", number), one["title"], _number(one["min"]))

    def quotas(self) -> Iterator[SchemeLine]:
        for number, one in enumerate(self._document.get("quotas", ())):
            side = "max" if one.get("max_percent") is not None else "min"
            label = text(f"rating_outlook.what_if_{side}", grade=self._titles[one["grade"]])
            yield self._line(("quotas", number), label, f"{_number(one[f'{side}_percent'])}%")

    def restrictions(self) -> Iterator[SchemeLine]:
        for number, one in enumerate(self._document.get("restrictions", ())):
            blocked = text("schemes.blocked", grades=self._grades(one["grades"]))
            kind = text(f"scheme_words.restriction_{one['kind']}")
            yield self._line(("restrictions", number), one["title"], blocked, 0, kind)
        for number, one in enumerate(self._document.get("caps", ())):
            measure = text(f"scheme_words.measure_{one['measure']}")
            title = text("schemes.below", measure=measure, below=_number(one["below"]))
            at_most = text("schemes.at_most", grade=self._titles[one["at_most"]])
            yield self._line(("caps", number), title, at_most)
        for number, one in enumerate(self._document.get("downgrade", {}).get("triggers", ())):
            where: Path = ("downgrade", "triggers", number)
            yield self._line(where, one["title"], text("schemes.downgrade"))

    def steps(self) -> Iterator[SchemeLine]:
        for number, one in enumerate(self._document["steps"]):
            days = text("schemes.days", days=one["days"]) if one.get("days") else ""
            decides = text("schemes.decides") if one["decides"] else ""
            detail = "，".join(filter(None, (decides, days)))
            yield self._line(("steps", number), one["title"], one["actor"], 0, detail)

    def rewards(self) -> Iterator[SchemeLine]:
        for number, one in enumerate(self._document.get("rewards", ())):
            given = one["amounts"]
            named = [grade for grade in self._titles if grade in given]
            amounts = "、".join(f"{self._titles[grade]} {_number(given[grade])}" for grade in named)
            yield self._line(("rewards", number), one["title"], amounts, 0, one["unit"])


def _word(name: str) -> str:
    return text(f"scheme_sheet.column_{name}")


def _number(value: str | None) -> str:
    return f"{float(value):g}" if value else ""


def _titled(item: Json) -> str:
    """Return an indicator's title, and who scores it where not everybody does."""
    named = item.get("scored_by")
    by_whom = text("rating_forms.by_whom", levels=level_words(named)) if named else ""
    return f"{item['title']}{by_whom}"


def _parts(item: Json) -> str:
    """Return the options of an indicator with their shares, or its checks."""
    options = (f"{one['title']} {_number(one['share']) or '0'}" for one in item.get("options", ()))
    return "、".join([*options, *(one["title"] for one in item.get("checks", ()))])


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
