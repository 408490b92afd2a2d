"""Run the migrations on the engine that `core.migrations` hands in."""

from alembic import context
from sqlalchemy import text

from survey_service.auditing import models as auditing
from survey_service.ballots import models as ballots
from survey_service.campaigns import models as campaigns
from survey_service.core.db import Base
from survey_service.entrances import models as entrances
from survey_service.mass_evaluation import models as mass_evaluation
from survey_service.opinions import models as opinions
from survey_service.organizations import models as organizations
from survey_service.print_runs import models as print_runs
from survey_service.questionnaires import models as questionnaires
from survey_service.retention import models as retention
from survey_service.sealing import models as sealing
from survey_service.staff import models as staff
from survey_service.tallies import models as tallies
from survey_service.visits import models as visits

MODELS = (
    organizations,
    staff,
    auditing,
    questionnaires,
    campaigns,
    entrances,
    print_runs,
    ballots,
    opinions,
    visits,
    tallies,
    mass_evaluation,
    sealing,
    retention,
)
ADVISORY_LOCK = 7_214_050_322

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        # A table whose constraint changes is made anew, and those that point to it must not notice. The
        # switch works only before a transaction begins.
        connection.connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # Several processes may start at once; the second waits and finds nothing left to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        context.run_migrations()
    connection.commit()
    if connection.dialect.name == "sqlite":
        connection.connection.execute("PRAGMA foreign_keys=ON")
