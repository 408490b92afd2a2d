"""Keep those that hold a pair of characters in the order of lists, so that a page of them is read at once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ID_BITS = (1 << 43) - 1
"""An opinion's id stands in the last bits of its position."""


def _column(name: str) -> sa.Column[int]:
    return sa.Column(name, BigId, autoincrement=False, nullable=False)


def _pairs(second: str) -> list[sa.Column[int]]:
    return [sa.Column("bigram", sa.BigInteger(), autoincrement=False, nullable=False), _column(second)]


def _words(*between: sa.Column[int]) -> list[sa.Column[int] | sa.Column[str]]:
    version, folded = (
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
    )
    return [_column("opinion_id"), version, *between, folded]


def _rebuild(table: str, kept: str, columns: Sequence[sa.Column[int] | sa.Column[str]], keys: int) -> None:
    """Make a table anew with what a query keeps of it, in the order of its key."""
    op.execute(f"CREATE TABLE kept AS {kept}")
    op.drop_table(table)
    names = [column.name for column in columns]
    key = sa.PrimaryKeyConstraint(*names[:keys], name=op.f(f"pk_{table}"))
    op.create_table(table, *columns, key, sqlite_with_rowid=False)
    order = ", ".join(names[:keys])
    op.execute(f"INSERT INTO {table} SELECT {', '.join(names)} FROM kept ORDER BY {order}")  # noqa: S608  The same.
    op.drop_table("kept")


def upgrade() -> None:
    held = "SELECT bigram, position FROM opinion_bigram JOIN opinion ON opinion.id = opinion_id"
    _rebuild("opinion_bigram", held, _pairs("position"), keys=2)
    words = """
        SELECT opinion_id, opinion_index.version, position, folded
        FROM opinion_index JOIN opinion ON opinion.id = opinion_id
    """
    _rebuild("opinion_index", words, _words(_column("position")), keys=1)


def downgrade() -> None:
    held = f"SELECT bigram, position & {_ID_BITS} AS opinion_id FROM opinion_bigram"  # noqa: S608  A number.
    _rebuild("opinion_bigram", held, _pairs("opinion_id"), keys=2)
    _rebuild("opinion_index", "SELECT opinion_id, version, folded FROM opinion_index", _words(), keys=1)
