"""Take the cases of a place together along an index that holds the whole gate."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_GATE = ("state", "organization_id", "handler_id", "concealed_id")


def _renew(name: str, *columns: str) -> None:
    op.drop_index(name, "opinion")
    op.create_index(name, "opinion", list(columns))


def upgrade() -> None:
    op.drop_index("ix_opinion_handler_state", "opinion")
    for name in ("organization", "handler"):
        first = f"{name}_id"
        rest = [column for column in _GATE if column != first]
        _renew(f"ix_opinion_{name}", first, "position", *rest)


def downgrade() -> None:
    for name in ("organization", "handler"):
        _renew(f"ix_opinion_{name}", f"{name}_id", "is_open", "position")
    op.create_index("ix_opinion_handler_state", "opinion", ["handler_id", "state", "position"])
