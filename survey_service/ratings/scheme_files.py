"""Read a scheme's YAML file strictly, and remember on which line everything stands.

Only plain mappings, lists, texts, whole numbers, decimals, true, false and null are understood: no tags, no
aliases (few lines could stand for gigabytes), no key twice, no dates or `yes`. Decimals stay exact.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from survey_service.core.texts import text

MAX_SCHEME_BYTES = 256 * 1024
MAX_DEPTH = 30
MAX_NODES = 50_000
FIRST_LINE = 1

_TAG = "tag:yaml.org,2002:"
_NUMBER = r"[-+]?[0-9]+"

Path = tuple[str | int, ...]
"""Where something stands: keys of mappings and positions in lists."""


class SchemeFault(Exception):
    """What is wrong with a scheme's text; `line` counts from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        self.line, self.sentence = line, sentence
        super().__init__(sentence)


@dataclass
class SchemeFile:
    """The plain content of a file; `assumptions` are the places that no published text gives a value for."""

    content: Any
    lines: dict[Path, int] = field(default_factory=dict)
    assumptions: list[Path] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """Return the line of a place, or of the nearest place around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, FIRST_LINE)


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2 does, and refuses aliases while composing."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  As PyYAML has it.
    depth = nodes = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        # The scanner itself has read ahead, often into the next line.
        line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]  # Its stub says nothing.
        if self.check_event(yaml.AliasEvent):
            raise SchemeFault(line, text("ratings.yaml_alias"))
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise SchemeFault(line, text("ratings.yaml_too_large"))
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


for _kind, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("float", rf"{_NUMBER}\.[0-9]+", list("-+0123456789")),
    ("int", _NUMBER, list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), _first)


def read_scheme_file(written: str) -> SchemeFile:
    """Return the content of a scheme's YAML text; raises SchemeFault with the line."""
    if len(written.encode("utf-8", "surrogatepass")) > MAX_SCHEME_BYTES:
        raise SchemeFault(FIRST_LINE, text("ratings.yaml_too_large"))
    try:
        loader = _Loader(written)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SchemeFault(mark.line + 1 if mark else FIRST_LINE, text("ratings.yaml_syntax")) from error
    except yaml.YAMLError as error:
        raise SchemeFault(FIRST_LINE, text("ratings.yaml_syntax")) from error
    file = SchemeFile(None)
    file.content = _Reader(file).read(node, ()) if node else None
    return file


@dataclass
class _Reader:
    """Turns nodes into plain values and notes the lines as it goes."""

    file: SchemeFile

    def read(self, node: Node, path: Path) -> Any:
        self.file.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._read_mapping(node, path)
        if isinstance(node, SequenceNode):
            _require_tag(node, "seq")
            return [self.read(child, (*path, position)) for position, child in enumerate(node.value)]
        return _read_scalar(node)

    def _read_mapping(self, node: MappingNode, path: Path) -> Any:
        _require_tag(node, "map")
        pairs: dict[str, Node] = {}
        for key, value in node.value:
            name = _key(key)
            if name in pairs:
                raise SchemeFault(key.start_mark.line + 1, text("ratings.yaml_twice", name=name))
            pairs[name] = value
            self.file.lines[*path, name] = key.start_mark.line + 1
        if pairs.keys() == {"assumption", "value"}:
            return self._read_assumption(pairs, path)
        return {name: self.read(value, (*path, name)) for name, value in pairs.items()}

    def _read_assumption(self, pairs: Mapping[str, Node], path: Path) -> Any:
        """`{assumption: true, value: 15}` means 15, and that no text says so."""
        if _read_scalar(pairs["assumption"]) is not True:
            raise SchemeFault(pairs["assumption"].start_mark.line + 1, text("ratings.yaml_assumption"))
        self.file.assumptions.append(path)
        return self.read(pairs["value"], path)


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode) or node.tag not in {f"{_TAG}str", f"{_TAG}int"}:
        raise SchemeFault(node.start_mark.line + 1, text("ratings.yaml_key"))
    return str(node.value)


def _require_tag(node: Node, kind: str) -> None:
    if node.tag != f"{_TAG}{kind}":
        raise SchemeFault(node.start_mark.line + 1, text("ratings.yaml_tag"))


def _read_scalar(node: Node) -> Any:
    written = str(node.value)
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return written == "true"
        case "int":
            return int(written) if len(written) < 20 else written
        # Decimals stay the text that they are: no digit of theirs is lost.
        case "float" | "str":
            return written
    raise SchemeFault(node.start_mark.line + 1, text("ratings.yaml_tag"))
