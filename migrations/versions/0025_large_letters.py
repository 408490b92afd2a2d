"""Letters of a whole village in large type."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MODES = ("panel", "household", "open", "open_device", "assisted", "paper", "paper_total")
LAYOUTS = ("labels_24", "labels_12", "letter")


def upgrade() -> None:
    _allow_layouts((*LAYOUTS, "letter_large"))


def _allow_layouts(layouts: tuple[str, ...]) -> None:
    checks = {"layout": ("layout", layouts)}
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_print_run_layout"), "print_run", type_="check")
    else:
        # SQLite makes the table anew, and forgets the old checks on the way.
        checks |= {"run_mode": ("mode", MODES), "split": ("split", ("village", "group"))}
    with op.batch_alter_table("print_run", schema=None) as batch_op:
        for name, (column, values) in checks.items():
            allowed = ", ".join(f"'{value}'" for value in values)
            condition = sa.text(f"{column} IN ({allowed})")
            batch_op.create_check_constraint(op.f(f"ck_print_run_{name}"), condition)


def downgrade() -> None:
    op.execute("UPDATE print_run SET layout = 'letter' WHERE layout = 'letter_large'")
    _allow_layouts(LAYOUTS)
