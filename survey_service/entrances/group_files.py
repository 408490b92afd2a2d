"""The sheet that says how many households each villagers' group has."""

from collections.abc import Collection

from survey_service.core.import_files import ImportFiles, InvalidRows, read_upload
from survey_service.entrances.group_rows import HEADINGS, read_group_rows
from survey_service.entrances.issuing import Households
from survey_service.organizations.rules import ProblemKind

FILES = ImportFiles(
    "household_groups", HEADINGS, word=lambda value: value, topics={ProblemKind: "organizations"}
)


def write_group_template() -> bytes:
    """Return the XLSX to fill in, and its explanation."""
    return FILES.write_template({})


def read_group_file(content: bytes, filename: str, *, codes: Collection[str]) -> list[Households]:
    """Return the households by group, in the order of the file; raises UnreadableFile, InvalidRows."""
    rows, problems = read_group_rows(read_upload(content, filename), codes)
    if problems:
        raise InvalidRows(FILES.sentences(problems))
    return [Households(row.code, row.households, row.group) for row in rows]
