"""A scheme as one sheet of a workbook: blocks of rows, which people fill in, and back to a scheme's content.

A block begins with a row such as 【等次】, then come the headings, then a row for each item. What no
published text gives is named in the last column. Every fault is told with its cell.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from survey_service.core.exports import TEXT_FORMAT, Column, Sheet, write_workbook
from survey_service.core.sheet_rows import Cell, cell_text
from survey_service.core.texts import text
from survey_service.ratings.documents import FORMAT, InvalidScheme, check_content, complete_document, place
from survey_service.ratings.scheme_files import Path
from survey_service.ratings.scheme_words import words_sheet

Json = dict[str, Any]
_JOIN, _NEXT, _IS = "、", "；", "="
_YES = "是"
_ASSUMED = "assumed"


@dataclass(frozen=True)
class _Kind:
    """How a value is written into a cell, and read from it."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _read_pairs(written: str) -> Iterator[list[str]]:
    for part in filter(None, (one.strip() for one in written.replace(";", _NEXT).split(_NEXT))):
        yield [word.strip() for word in part.replace("＝", _IS).split(_IS)]


def _named(parts: list[str], *names: str) -> Json:
    return dict(zip(names, parts, strict=False))


_TEXT = _Kind(str, str)
_COUNT = _Kind(str, lambda written: int(written) if written.isdecimal() and len(written) < 10 else written)
_LIST = _Kind(_JOIN.join, lambda written: [one.strip() for one in written.split(_JOIN) if one.strip()])
_FLAG = _Kind(lambda value: _YES if value else "", lambda written: written == _YES or written)
_TITLED = _Kind(
    lambda items: _NEXT.join(f"{one['code']}{_IS}{one['title']}" for one in items),
    lambda written: [_named(parts, "code", "title") for parts in _read_pairs(written)],
)
_OPTIONS = _Kind(
    lambda items: _NEXT.join(_IS.join((one["code"], one["title"], one["share"])) for one in items),
    lambda written: [_named(parts, "code", "title", "share") for parts in _read_pairs(written)],
)
_AMOUNTS = _Kind(
    lambda amounts: _NEXT.join(f"{grade}{_IS}{amount}" for grade, amount in amounts.items()),
    lambda written: {parts[0]: parts[-1] for parts in _read_pairs(written)},
)

_SCALARS: Mapping[str, tuple[Path, _Kind]] = {
    "code": (("code",), _TEXT),
    "version": (("version",), _COUNT),
    "title": (("title",), _TEXT),
    "published": (("source",), _TEXT),
    "subject_kind": (("subject", "kind"), _TEXT),
    "subject_title": (("subject", "title"), _TEXT),
    "maximum": (("scale", "maximum"), _TEXT),
    "boundary": (("scale", "boundary"), _TEXT),
    "counts": (("counts",), _LIST),
    "mass_role": (("mass", "role"), _TEXT),
    "mass_measure": (("mass", "measure"), _TEXT),
    "mass_missing": (("mass", "when_missing"), _TEXT),
    "bonus_title": (("bonus", "title"), _TEXT),
    "bonus_cap": (("bonus", "cap"), _TEXT),
    "penalty_title": (("penalty", "title"), _TEXT),
    "penalty_cap": (("penalty", "cap"), _TEXT),
    "look_back_year": (("look_back", "in_year"), _COUNT),
    "look_back_grades": (("look_back", "grades"), _LIST),
}
_BASICS, _TREE, _PARENT, _WORDS = "basics", "indicators", "parent", "words"
_TITLES: Mapping[str, _Kind] = {"code": _TEXT, "title": _TEXT}
_BLOCKS: Mapping[str, tuple[Path, Mapping[str, _Kind]]] = {
    "fields": (("fields",), {**_TITLES, "kinds": _LIST}),
    _TREE: (
        ("indicators",),
        {
            **_TITLES,
            _PARENT: _TEXT,
            "points": _TEXT,
            "source": _TEXT,
            "fields": _LIST,
            "options": _OPTIONS,
            "checks": _TITLED,
            "evidence": _FLAG,
            "scored_by": _LIST,
        },
    ),
    "bonus": (("bonus", "items"), {**_TITLES, "points": _TEXT}),
    "penalty": (("penalty", "items"), {**_TITLES, "points": _TEXT}),
    "bands": (("bands",), {"grade": _TEXT, "title": _TEXT, "min": _TEXT}),
    "restrictions": (("restrictions",), {**_TITLES, "kind": _TEXT, "grades": _LIST}),
    "caps": (("caps",), {"measure": _TEXT, "below": _TEXT, "at_most": _TEXT}),
    "quotas": (("quotas",), {"grade": _TEXT, "max_percent": _TEXT, "min_percent": _TEXT}),
    "steps": (
        ("steps",),
        {
            **_TITLES,
            "kind": _TEXT,
            "by": _TEXT,
            "actor": _TEXT,
            "days": _COUNT,
            "decides": _FLAG,
            "on_site": _LIST,
        },
    ),
    "triggers": (("downgrade", "triggers"), _TITLES),
    "rewards": (
        ("rewards",),
        {**_TITLES, "unit": _TEXT, "field": _TEXT, "times": _COUNT, "amounts": _AMOUNTS},
    ),
    "phases": (("phases",), {"year": _COUNT, "title": _TEXT}),
    "forms": (("forms",), _TITLES),
    "result_use": (("result_use",), {_WORDS: _TEXT}),
    "notes": (("notes",), {_WORDS: _TEXT}),
}


def _block_word(name: str) -> str:
    return text(f"scheme_sheet.block_{name}")


def _heading(name: str) -> str:
    return text(f"scheme_sheet.column_{name}")


# Writing


def write_scheme_sheet(document: Mapping[str, Any]) -> bytes:
    """Return a scheme as a workbook, which can be changed and sent back."""
    rows = [*_written_basics(document)]
    for name, (path, columns) in _BLOCKS.items():
        rows += [[], [_title(name), _YES if place(path) in document["assumptions"] else None]]
        rows.append([*map(_heading, columns), _heading(_ASSUMED)])
        rows += _written_items(document, name, path, columns)
    widths = [Column("", 22, TEXT_FORMAT), *(Column("", 18, TEXT_FORMAT) for _ in range(11))]
    return write_workbook([Sheet(text("scheme_sheet.name"), widths, rows), words_sheet()])


def _title(name: str) -> str:
    return f"【{_block_word(name)}】"


def _written_basics(document: Mapping[str, Any]) -> Iterator[list[Any]]:
    yield [_title(_BASICS)]
    yield [_heading("what"), _heading("value"), _heading(_ASSUMED)]
    for name, (path, kind) in _SCALARS.items():
        value = _at(document, path)
        written = None if value is None else kind.write(value)
        yield [_heading(name), written, _YES if place(path) in document["assumptions"] else None]


def _at(document: Any, path: Path) -> Any:
    for part in path:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document


def _written_items(
    document: Mapping[str, Any], name: str, path: Path, columns: Mapping[str, _Kind]
) -> Iterator[list[Any]]:
    items = _at(document, path) or []
    for here, item, parent in _flat(items, path, "") if name == _TREE else _plain(items, path):
        assumed = [
            one.removeprefix(f"{place(here)}.")
            for one in document["assumptions"]
            if one.startswith(f"{place(here)}.") and ".children" not in one.removeprefix(place(here))
        ]
        held = item | {_PARENT: parent} if parent else item
        cells = [
            kind.write(held[key]) if held.get(key) is not None else None for key, kind in columns.items()
        ]
        yield [*cells, _JOIN.join(assumed) or None]


def _flat(items: Sequence[Json], path: Path, parent: str) -> Iterator[tuple[Path, Json, str]]:
    for position, item in enumerate(items):
        here = (*path, position)
        yield here, item, parent
        yield from _flat(item.get("children", ()), (*here, "children"), item["code"])


def _plain(items: Sequence[Any], path: Path) -> Iterator[tuple[Path, Json, str]]:
    for position, item in enumerate(items):
        yield (*path, position), item if isinstance(item, dict) else {_WORDS: item}, ""


# Reading


@dataclass
class _Item:
    """A row of a block: its values, and the cells that they stand in."""

    row: int
    values: Json
    cells: dict[str, str]
    assumed: list[str]
    children: list["_Item"] = field(default_factory=list)


@dataclass
class _Reading:
    content: Json = field(default_factory=lambda: {"format": FORMAT})
    places: dict[Path, str] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def fail(self, cell: str, reason: str, **values: object) -> None:
        self.faults.setdefault(cell, []).append(text(f"scheme_sheet.{reason}", **values))

    def cell_of(self, path: Path) -> str:
        """Return the cell of a place, or of the nearest place around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, "A1")


def read_scheme_sheet(cells: Sequence[Sequence[Cell]]) -> Json:
    """Return the document of a filled-in sheet; raises InvalidScheme with what is wrong by cell (`E12`)."""
    found = _Reading()
    _read_blocks(cells, found)
    if not found.faults:
        for path, sentence in check_content(found.content):
            found.faults.setdefault(found.cell_of(path), []).append(f"{place(path)}：{sentence}")
    if found.faults:
        raise InvalidScheme(errors=found.faults)
    return complete_document(found.content, found.assumptions)


def _read_blocks(cells: Sequence[Sequence[Cell]], found: _Reading) -> None:
    names = {_title(name): name for name in (_BASICS, *_BLOCKS)}
    rows = [[cell_text(cell) for cell in row] for row in cells]
    starts = [(number, names[row[0]]) for number, row in enumerate(rows) if row and row[0] in names]
    if not starts:
        found.fail("A1", "no_blocks", block=_title(_BASICS))
    ends = [*(number for number, _ in starts[1:]), len(rows)]
    for (start, name), end in zip(starts, ends, strict=bool(starts)):
        if start + 1 >= end:
            continue
        columns = {word: number for number, word in enumerate(rows[start + 1]) if word}
        body = [(number, row) for number, row in enumerate(rows[start + 2 : end], start + 3) if any(row)]
        if name == _BASICS:
            _read_basics(body, found)
        else:
            _read_block(name, body, columns, found, is_assumed=rows[start][1:2] == [_YES])


def _read_basics(body: Sequence[tuple[int, Sequence[str]]], found: _Reading) -> None:
    known = {_heading(name): one for name, one in _SCALARS.items()}
    for number, row in body:
        word, value, assumed = [*row, "", "", ""][:3]
        if word not in known:
            found.fail(f"A{number}", "unknown_row", word=word)
        elif value:
            path, kind = known[word]
            _put(found.content, path, kind.read(value))
            found.places[path] = f"B{number}"
            found.assumptions += [place(path)] if assumed == _YES else []


def _put(content: Json, path: Path, value: Any) -> None:
    for part in path[:-1]:
        content = content.setdefault(str(part), {})
    content[str(path[-1])] = value


def _read_block(
    name: str,
    body: Sequence[tuple[int, Sequence[str]]],
    columns: Mapping[str, int],
    found: _Reading,
    *,
    is_assumed: bool,
) -> None:
    path, kinds = _BLOCKS[name]
    items = [_read_item(number, row, kinds, columns) for number, row in body]
    if not items:
        return
    if name == _TREE:
        items = _grow(items, found)
    found.places[path] = f"A{body[0][0]}"
    found.assumptions += [place(path)] if is_assumed else []
    values = [_keep(one, (*path, position), found) for position, one in enumerate(items)]
    _put(found.content, path, [one[_WORDS] for one in values] if _WORDS in kinds else values)


def _read_item(
    number: int, row: Sequence[str], kinds: Mapping[str, _Kind], columns: Mapping[str, int]
) -> _Item:
    item = _Item(number, {}, {}, [])
    for key, kind in kinds.items():
        column = columns.get(_heading(key))
        if column is not None and column < len(row) and row[column]:
            item.values[key] = kind.read(row[column])
            item.cells[key] = f"{_letter(column)}{number}"
    column = columns.get(_heading(_ASSUMED), len(row))
    item.assumed = _LIST.read(row[column]) if column < len(row) else []
    return item


def _letter(column: int) -> str:
    """Return the letter of a column; no block has more than 26."""
    return chr(ord("A") + column) if column < 26 else "Z"


def _grow(items: Sequence[_Item], found: _Reading) -> list[_Item]:
    """Return the roots of the tree that the parents' codes describe; rings and unknown parents are faults."""
    by_code = {one.values.get("code", ""): one for one in items}
    roots = []
    for one in items:
        parent = one.values.get(_PARENT)
        if parent is None:
            roots.append(one)
        elif parent not in by_code:
            found.fail(one.cells[_PARENT], "unknown_parent", code=parent)
        elif _is_round(one, by_code):
            found.fail(one.cells[_PARENT], "round", code=parent)
        else:
            by_code[parent].children.append(one)
    return roots


def _is_round(one: _Item, by_code: Mapping[str, _Item]) -> bool:
    """Tell whether the way up from an indicator comes back to it or never ends."""
    seen, here = {id(one)}, one
    while (above := by_code.get(here.values.get(_PARENT, ""))) is not None:
        if id(above) in seen:
            return True
        seen.add(id(above))
        here = above
    return False


def _keep(item: _Item, path: Path, found: _Reading) -> Json:
    """Note the cells of an item, and return its values with those of its children."""
    found.places[path] = f"A{item.row}"
    found.places |= {(*path, key): cell for key, cell in item.cells.items()}
    found.assumptions += [f"{place(path)}.{one}" for one in item.assumed]
    values = {key: value for key, value in item.values.items() if key != _PARENT}
    if item.children:
        below = (*path, "children")
        values["children"] = [
            _keep(child, (*below, position), found) for position, child in enumerate(item.children)
        ]
    return values
