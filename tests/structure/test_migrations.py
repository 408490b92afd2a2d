"""The migrations make exactly what the models say, and stand in one line."""

import importlib
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import survey_service
from survey_service.core.db import Base, Database
from survey_service.core.resources import resource

PACKAGE = Path(survey_service.__file__).parent
for path in PACKAGE.glob("*/models.py"):
    importlib.import_module(f"survey_service.{path.parent.name}.models")


def test_models_equal_migrations(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_stand_in_one_line() -> None:
    assert len(ScriptDirectory(str(resource("migrations"))).get_heads()) == 1
