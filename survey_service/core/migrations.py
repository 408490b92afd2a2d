"""Bring a database up to date, and tell whether it is."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from survey_service.core.db import with_transactions
from survey_service.core.resources import resource


def _config(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resource("migrations")).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that the database lacks; several processes may call this at once."""
    command.upgrade(_config(with_transactions(engine)), revision)


def is_current(engine: Engine) -> bool:
    """Tell whether the database has every migration."""
    head = ScriptDirectory.from_config(_config(engine)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
