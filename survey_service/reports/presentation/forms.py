"""Forms: what was filled in, what is wrong with it, and from names with dots to the bodies of the API."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from survey_service.core.errors import Invalid
from survey_service.core.http import flat_messages
from survey_service.core.marshalling import Schema, ValidationError
from survey_service.core.texts import text

Body = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True)
class FormView:
    """A form as it was filled in; names with dots are those of the API's errors."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def value(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)

    def error(self, name: str) -> str:
        """Return what is wrong with a field, or with something inside it."""
        found = [
            sentence
            for key, sentences in self.errors.items()
            if key == name or key.startswith(f"{name}.")
            for sentence in sentences
        ]
        return "".join(dict.fromkeys(found))

    def exact_error(self, name: str) -> str:
        """Return what is wrong with a group of fields as a whole."""
        return "".join(self.errors.get(name, ()))

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Return every error with the name of its field, said with the field's label."""
        named = ((_field_of(name), sentences) for name, sentences in self.errors.items())
        return [(name, _label(name) + "".join(sentences)) for name, sentences in named]


def _field_of(key: str) -> str:
    """Return the field that an error belongs to; a dict's errors are keyed `field.value`."""
    return key.removesuffix(".value").removesuffix(".key")


def _label(name: str) -> str:
    """Return the label of a field with a colon, or nothing where it stands beside no label of its own."""
    last = name.rpartition(".")[2]
    for words in ("staff_pages.field_", "campaigns.class_", "staff_pages.weight_", "staff_pages."):
        with suppress(KeyError):
            return text("staff_pages.labelled", label=text(f"{words}{last}"))
    return ""


def body_of(values: Mapping[str, str], names: Iterable[str]) -> Body:
    """Turn the filled fields with these names into a nested body: `a.b` becomes `{"a": {"b": …}}`."""
    body: Body = {}
    for name in names:
        if value := values.get(name, "").strip():
            *outer, last = name.split(".")
            place = body
            for part in outer:
                place = place.setdefault(part, {})
            place[last] = value
    return body


def load(schema: Schema, body: Body) -> Body:
    """Check a body as the API does; raises Invalid with its errors."""
    try:
        loaded: Body = schema.load(body)
    except ValidationError as error:
        raise Invalid(errors=flat_messages(error.messages)) from error
    return loaded


def choices(keys: Iterable[str], words: str) -> list[Choice]:
    """Return the members of an enum with their words, `words` being the beginning of their keys."""
    return [Choice(str(key), text(f"{words}{key}")) for key in keys]
