"""From a document back to the YAML text that people edit; assumptions are written as such."""

from collections.abc import Mapping
from typing import Any

import yaml

from survey_service.ratings.documents import place
from survey_service.ratings.scheme_files import Path

_NUMBERS = frozenset({"points", "cap", "min", "below", "max_percent", "min_percent", "maximum", "share"})
_WIDTH = 110


class _Number(str):
    """A decimal that is written without quotes."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Number, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", value)
)


def write_scheme(document: Mapping[str, Any]) -> str:
    """Return the text of a scheme; reading it gives the same document."""
    content = {key: value for key, value in document.items() if key != "assumptions"}
    plain = _plain(content, (), frozenset(document["assumptions"]))
    written = yaml.dump(plain, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)
    return str(written)


def _plain(value: Any, path: Path, assumed: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        held: Any = {key: _plain(inner, (*path, key), assumed) for key, inner in value.items()}
    elif isinstance(value, list):
        held = [_plain(inner, (*path, position), assumed) for position, inner in enumerate(value)]
    else:
        held = _Number(value) if _is_number(value, path) else value
    return {"assumption": True, "value": held} if path and place(path) in assumed else held


def _is_number(value: Any, path: Path) -> bool:
    return isinstance(value, str) and (path[-1] in _NUMBERS or "amounts" in path)
