"""Imports of sheets as pages show them: the form, and what is wrong with a refused file."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survey_service.core.errors import BadRequest
from survey_service.core.spreadsheet import MAX_FILE_BYTES
from survey_service.core.texts import text

MOST_SHOWN_ROWS = 200
"""A page with more rows than this helps nobody; the marked copy of the sheet has them all."""
BASE64_BYTES = MAX_FILE_BYTES * 4 // 3 + 4
"""The largest file as a page sends it back."""


@dataclass(frozen=True)
class ImportKind:
    """What is imported: its section of the pages, and the key of its words."""

    section: str
    key: str
    api: str

    @property
    def title(self) -> str:
        return text(f"staff_pages.{self.key}")

    @property
    def explained(self) -> str:
        return text(f"staff_pages.{self.key}_explained")

    @property
    def section_title(self) -> str:
        return text(f"staff_pages.section_{self.section}")

    @property
    def section_url(self) -> str:
        return f"/staff/{self.section}"

    @property
    def url(self) -> str:
        return f"{self.section_url}/import"

    @property
    def template_url(self) -> str:
        return f"/api/v1/{self.api}/import-template.xlsx"


ORGANIZATIONS = ImportKind("organizations", "import", "organizations")
ACCOUNTS = ImportKind("accounts", "import_accounts", "staff")


@dataclass(frozen=True)
class ImportPage:
    """The form of an import, and what became of the last one."""

    kind: ImportKind
    sentence: str = ""
    is_done: bool = False
    bad_rows: Sequence[tuple[str, str]] = ()
    left_out: int = 0
    filename: str = ""
    content: str = ""
    """The refused file in base64, so that the marked copy can be asked for without choosing it again."""


def refused_import(
    kind: ImportKind,
    sentence: str,
    errors: Mapping[str, Sequence[str]],
    *,
    filename: str,
    content: bytes,
) -> ImportPage:
    """Return the form with the bad rows of a refused file."""
    rows = [(number, "".join(sentences)) for number, sentences in errors.items()]
    return ImportPage(
        kind,
        sentence,
        bad_rows=rows[:MOST_SHOWN_ROWS],
        left_out=max(0, len(rows) - MOST_SHOWN_ROWS),
        filename=filename,
        content=b64encode(content).decode() if rows else "",
    )


def file_sent_back(content: str) -> bytes:
    """Return the refused file that the page had kept; raises BadRequest."""
    try:
        return b64decode(content)
    except ValueError as error:
        raise BadRequest from error
