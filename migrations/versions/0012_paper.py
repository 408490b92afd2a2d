"""Paper: batches of ballots and of meeting totals, keyed by two people; invalid ballots in the tally."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0012"
down_revision = "0014"
branch_labels = None
depends_on = None

CLASSES = (
    "villager",
    "party_member",
    "member_representative",
    "villager_representative",
    "veteran_cadre",
    "party_group_leader",
    "villager_group_leader",
)
MODES = ("panel", "household", "open", "open_device", "assisted", "paper", "paper_total")
LOOKS = "keying IN (1, 2, 3)"
REFUSAL = "paper that was counted stays as it is"
GUARDED = {
    "paper_batch": {"UPDATE": "WHEN (OLD.state <> 'open')", "DELETE": "WHEN (OLD.state = 'closed')"},
    "paper_total": {"UPDATE": "", "DELETE": ""},
}
"""Tables with the acts that are refused, each with the rows that it is refused for."""
REWRITTEN = ("paper_stub", "paper_line")
DEAD_ROWS = 50


def upgrade() -> None:
    op.add_column("tally_slice", sa.Column("invalid", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("published_receipts", sa.Column("totals", sa.Integer(), nullable=False, server_default="0"))
    _create_batch()
    _create_list()
    _create_drafts()
    _create_total()
    _add_guards()
    if op.get_bind().dialect.name == "postgresql":
        for table in REWRITTEN:
            op.execute(
                f"ALTER TABLE {table} SET "
                f"(autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = {DEAD_ROWS})"
            )


def _one_of(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _staff(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], ["staff_account.id"], name=op.f(f"fk_{table}_{column}"))
        for column in columns
    ]


def _create_batch() -> None:
    op.create_table(
        "paper_batch",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("rater_class", _one_of(*CLASSES, name="rater_class"), nullable=False),
        sa.Column("mode", _one_of(*MODES, name="mode"), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("state", _one_of("open", "closed", "discarded", name="state"), nullable=False),
        sa.Column("opened_by", BigId, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("ended_by", BigId, nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=True),
        sa.Column("set_aside", sa.Integer(), nullable=True),
        sa.Column("invalid", sa.Integer(), nullable=True),
        sa.Column("blank", sa.Integer(), nullable=True),
        sa.Column("partly_spoiled", sa.Integer(), nullable=True),
        sa.CheckConstraint("mode IN ('paper', 'paper_total')", name=op.f("ck_paper_batch_mode_of_paper")),
        sa.CheckConstraint("issued >= 0", name=op.f("ck_paper_batch_issued")),
        sa.CheckConstraint(
            "(state = 'closed') = (returned IS NOT NULL)", name=op.f("ck_paper_batch_closed_with_numbers")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (ended_by IS NULL)", name=op.f("ck_paper_batch_ended_by_somebody")
        ),
        sa.CheckConstraint(
            "(ended_by IS NULL) = (ended_at IS NULL)", name=op.f("ck_paper_batch_ended_at_some_time")
        ),
        sa.CheckConstraint(
            "set_aside BETWEEN 0 AND returned", name=op.f("ck_paper_batch_set_aside_of_returned")
        ),
        sa.CheckConstraint(
            "invalid + blank + partly_spoiled <= returned", name=op.f("ck_paper_batch_parts_of_returned")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_paper_batch_campaign_id_subject_id"),
        ),
        *_staff("paper_batch", "opened_by", "ended_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_batch")),
    )
    op.create_index("ix_paper_batch_campaign", "paper_batch", ["campaign_id", "subject_id"])


def _create_list() -> None:
    op.create_table(
        "paper_list",
        sa.Column("batch_id", BigId, nullable=False),
        sa.Column("kind", _one_of("stubs", "ballots", "totals", name="kind"), nullable=False),
        sa.Column("first_by", BigId, nullable=True),
        sa.Column("second_by", BigId, nullable=True),
        sa.Column("first_finished", sa.Boolean(), nullable=False),
        sa.Column("second_finished", sa.Boolean(), nullable=False),
        sa.Column("settled_by", BigId, nullable=True),
        sa.Column("confirmed_by", BigId, nullable=True),
        sa.CheckConstraint("second_by <> first_by", name=op.f("ck_paper_list_two_people")),
        sa.CheckConstraint("confirmed_by <> settled_by", name=op.f("ck_paper_list_another_confirms")),
        sa.CheckConstraint(
            "NOT first_finished OR first_by IS NOT NULL", name=op.f("ck_paper_list_first_is_somebody")
        ),
        sa.CheckConstraint(
            "NOT second_finished OR second_by IS NOT NULL", name=op.f("ck_paper_list_second_is_somebody")
        ),
        sa.CheckConstraint(
            "settled_by IS NULL OR (first_finished AND second_finished)",
            name=op.f("ck_paper_list_settled_last"),
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR settled_by IS NOT NULL", name=op.f("ck_paper_list_confirmed_after")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["paper_batch.id"], name=op.f("fk_paper_list_batch_id")),
        *_staff("paper_list", "first_by", "second_by", "settled_by", "confirmed_by"),
        sa.PrimaryKeyConstraint("batch_id", "kind", name=op.f("pk_paper_list")),
    )


def _create_drafts() -> None:
    op.create_table(
        "paper_stub",
        sa.Column("batch_id", BigId, nullable=False),
        sa.Column("keying", sa.Integer(), nullable=False),
        sa.Column("entrance_id", BigId, nullable=False),
        sa.CheckConstraint(LOOKS, name=op.f("ck_paper_stub_three_looks")),
        sa.ForeignKeyConstraint(["batch_id"], ["paper_batch.id"], name=op.f("fk_paper_stub_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "keying", "entrance_id", name=op.f("pk_paper_stub")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paper_line",
        sa.Column("batch_id", BigId, nullable=False),
        sa.Column("keying", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.CheckConstraint(LOOKS, name=op.f("ck_paper_line_three_looks")),
        sa.ForeignKeyConstraint(["batch_id"], ["paper_batch.id"], name=op.f("fk_paper_line_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "keying", "position", name=op.f("pk_paper_line")),
        sqlite_with_rowid=False,
    )


def _create_total() -> None:
    op.create_table(
        "paper_total",
        sa.Column("batch_id", BigId, nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("option", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_paper_total_number")),
        sa.ForeignKeyConstraint(["batch_id"], ["paper_batch.id"], name=op.f("fk_paper_total_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "item", "option", name=op.f("pk_paper_total")),
    )


def _add_guards() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute(
            "CREATE FUNCTION refuse_counted_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
        )
    act = (
        "EXECUTE FUNCTION refuse_counted_change()"
        if is_postgresql
        else f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )
    for table, moments in GUARDED.items():
        for moment, condition in moments.items():
            op.execute(
                f"CREATE TRIGGER {table}_{moment.lower()} BEFORE {moment} ON {table} "
                f"FOR EACH ROW {condition} {act}"
            )


def downgrade() -> None:
    for table in ("paper_total", "paper_line", "paper_stub", "paper_list", "paper_batch"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_counted_change")
    # Totals of meetings go with their input; SQLite drops a column only by writing the table anew.
    op.execute("DELETE FROM tally_slice WHERE mode = 'paper_total'")
    for table, column in (("tally_slice", "invalid"), ("published_receipts", "totals")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
