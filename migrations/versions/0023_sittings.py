"""Sittings: the same panel codes open slots of several campaigns."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from survey_service.core.db import BigId

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MODES = ("panel", "household", "open", "open_device", "assisted", "paper", "paper_total")
CLASSES = (
    "villager",
    "party_member",
    "member_representative",
    "villager_representative",
    "veteran_cadre",
    "party_group_leader",
    "villager_group_leader",
)
KEPT_CHECKS = {
    "slot_hides_code": "(serial IS NULL) = (code IS NOT NULL)",
    "slot_has_batch": "serial IS NULL OR batch_id IS NOT NULL",
    "mode": f"mode IN ({', '.join(repr(mode) for mode in MODES)})",
    "rater_class": f"rater_class IN ({', '.join(repr(one) for one in CLASSES)})",
    "subject_or_panel": "(subject_id IS NULL) = (panel_id IS NOT NULL)",
    "panel_of_slots": "panel_id IS NULL OR (mode = 'panel' AND serial IS NOT NULL)",
    "revoked_as": "revoked_as IN ('undelivered', 'lost')",
    "revoked_with_time": "revoked_as IS NULL OR revoked_at IS NOT NULL",
}
KEPT_OF_BATCHES = {
    "handed_out_without_key": "handed_out_at IS NULL OR wrapped_key IS NULL",
    "batch_mode": KEPT_CHECKS["mode"],
    "batch_class": KEPT_CHECKS["rater_class"],
}
TURN = {"turn_of_panels": "turn = 0 OR panel_id IS NOT NULL"}
COMPANION = {"companion_without_key": "lead_id IS NULL OR (panel_id IS NOT NULL AND wrapped_key IS NULL)"}


def upgrade() -> None:
    with op.batch_alter_table("code_batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lead_id", BigId, nullable=True))
        batch_op.add_column(sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_foreign_key(
            op.f("fk_code_batch_lead_id"), "code_batch", ["lead_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index("ix_code_batch_lead", ["lead_id"])
        _add_checks(batch_op, "code_batch", COMPANION, KEPT_OF_BATCHES)
    with op.batch_alter_table("entrance", schema=None) as batch_op:
        batch_op.add_column(sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_constraint(op.f("uq_entrance_code_digest"), type_="unique")
        batch_op.create_unique_constraint(op.f("uq_entrance_code_digest_turn"), ["code_digest", "turn"])
        _add_checks(batch_op, "entrance", TURN, KEPT_CHECKS)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _add_checks(batch_op: BatchOperations, table: str, new: dict[str, str], kept: dict[str, str]) -> None:
    # SQLite makes the table anew, and forgets the old checks on the way.
    for name, condition in (new | (kept if _is_sqlite() else {})).items():
        batch_op.create_check_constraint(op.f(f"ck_{table}_{name}"), sa.text(condition))


def downgrade() -> None:
    op.execute("DELETE FROM entrance WHERE turn > 0")
    op.execute("DELETE FROM code_batch WHERE lead_id IS NOT NULL")
    with op.batch_alter_table("entrance", schema=None) as batch_op:
        _drop_checks(batch_op, "entrance", TURN)
        batch_op.drop_constraint(op.f("uq_entrance_code_digest_turn"), type_="unique")
        batch_op.create_unique_constraint(op.f("uq_entrance_code_digest"), ["code_digest"])
        batch_op.drop_column("turn")
        _add_checks(batch_op, "entrance", {}, KEPT_CHECKS)
    with op.batch_alter_table("code_batch", schema=None) as batch_op:
        _drop_checks(batch_op, "code_batch", COMPANION)
        batch_op.drop_index("ix_code_batch_lead")
        batch_op.drop_constraint(op.f("fk_code_batch_lead_id"), type_="foreignkey")
        batch_op.drop_column("turn")
        batch_op.drop_column("lead_id")
        _add_checks(batch_op, "code_batch", {}, KEPT_OF_BATCHES)


def _drop_checks(batch_op: BatchOperations, table: str, checks: dict[str, str]) -> None:
    for name in checks:
        batch_op.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
