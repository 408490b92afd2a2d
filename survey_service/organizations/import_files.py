"""The files around an import of the tree, and the words for its problems."""

from survey_service.core.import_files import ImportFiles
from survey_service.core.texts import text
from survey_service.organizations.import_rows import HEADINGS, Column
from survey_service.organizations.rules import OrganizationKind


def kind_name(kind: OrganizationKind) -> str:
    """Return the Chinese word for a kind."""
    return text(f"organizations.kind_{kind}")


def _word(value: object) -> object:
    return kind_name(value) if isinstance(value, OrganizationKind) else value


FILES = ImportFiles("organizations", HEADINGS, word=_word)


def write_template() -> bytes:
    """Return the XLSX to fill in, and its explanation."""
    return FILES.write_template({Column.KIND: text("organizations.template_kinds").split()})
