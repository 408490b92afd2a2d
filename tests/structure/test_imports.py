"""The import contracts themselves are checked by `make lint`; here, that they see every file they are for."""

from pathlib import Path

import survey_service

PACKAGE = Path(survey_service.__file__).parent
LAYERED_FILES = {"views", "pages", "jobs", "schemas", "service", "queries", "models", "rules"}


def test_layered_names_stand_directly_in_a_package_of_the_journey() -> None:
    misplaced = [
        path
        for path in PACKAGE.rglob("*.py")
        if path.stem in LAYERED_FILES and len(path.relative_to(PACKAGE).parts) != 2
    ]
    assert misplaced == []
