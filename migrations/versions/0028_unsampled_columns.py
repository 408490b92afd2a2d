"""Let PostgreSQL sample nothing of what leads to a voter: it keeps its samples when the rows are gone.

Giving a column its own type once more makes it forget what it has sampled, and writes no row.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_UNSAMPLED = {
    "participation": {"digest": "bytea"},
    "dispute": {"digest": "bytea"},
    "opinion_allowance": {"digest": "bytea"},
    "dirty_mark": {"id": "bytea", "ballot_id": "bytea"},
    "ballot": {"id": "bytea"},
    "ballot_text": {"id": "bytea", "text": "text"},
    "paper_stub": {"entrance_id": "bigint"},
    "campaign": {"wrapped_key": "bytea"},
    "code_batch": {"wrapped_key": "bytea"},
}
_AS_CONFIGURED = -1


def upgrade() -> None:
    _sample(0)


def downgrade() -> None:
    _sample(_AS_CONFIGURED)


def _sample(target: int) -> None:
    """Set how finely columns are sampled; SQLite samples only what somebody asks it to."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in _UNSAMPLED.items():
        changes = [
            f"ALTER {name} TYPE {kind}, ALTER {name} SET STATISTICS {target}"
            for name, kind in columns.items()
        ]
        op.execute(f"ALTER TABLE {table} {', '.join(changes)}")
