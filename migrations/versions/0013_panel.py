"""Panels: invited people whose one code rates several subjects."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId

revision = "0013"
down_revision = "0016"
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
}
NEW_CHECKS = {
    "subject_or_panel": "(subject_id IS NULL) = (panel_id IS NOT NULL)",
    "panel_of_slots": "panel_id IS NULL OR (mode = 'panel' AND serial IS NOT NULL)",
}


def upgrade() -> None:
    op.create_table(
        "panel",
        sa.Column("id", BigId, sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_panel_campaign_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_panel_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel")),
        sa.UniqueConstraint(
            "campaign_id", "organization_id", name=op.f("uq_panel_campaign_id_organization_id")
        ),
    )
    op.create_table(
        "panel_subject",
        sa.Column("panel_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["panel_id"], ["panel.id"], name=op.f("fk_panel_subject_panel_id")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_panel_subject_campaign_id_subject_id"),
        ),
        sa.PrimaryKeyConstraint("panel_id", "subject_id", name=op.f("pk_panel_subject")),
    )
    op.create_index("ix_panel_subject_subject", "panel_subject", ["campaign_id", "subject_id"])
    # SQLite makes the table anew, and forgets the old checks on the way.
    checks = NEW_CHECKS | (KEPT_CHECKS if op.get_bind().dialect.name == "sqlite" else {})
    with op.batch_alter_table("entrance", schema=None) as batch_op:
        batch_op.add_column(sa.Column("panel_id", BigId, nullable=True))
        batch_op.alter_column("subject_id", existing_type=BigId, nullable=True)
        batch_op.create_foreign_key(op.f("fk_entrance_panel_id"), "panel", ["panel_id"], ["id"])
        batch_op.create_unique_constraint(
            op.f("uq_entrance_panel_id_rater_class_serial"), ["panel_id", "rater_class", "serial"]
        )
        for name, condition in checks.items():
            batch_op.create_check_constraint(op.f(f"ck_entrance_{name}"), sa.text(condition))


def downgrade() -> None:
    op.execute("DELETE FROM entrance WHERE panel_id IS NOT NULL")
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    with op.batch_alter_table("entrance", schema=None) as batch_op:
        if is_postgresql:
            for name in NEW_CHECKS:
                batch_op.drop_constraint(op.f(f"ck_entrance_{name}"), type_="check")
        batch_op.drop_constraint(op.f("uq_entrance_panel_id_rater_class_serial"), type_="unique")
        batch_op.drop_constraint(op.f("fk_entrance_panel_id"), type_="foreignkey")
        batch_op.drop_column("panel_id")
        batch_op.alter_column("subject_id", existing_type=BigId, nullable=False)
        if not is_postgresql:
            for name, condition in KEPT_CHECKS.items():
                batch_op.create_check_constraint(op.f(f"ck_entrance_{name}"), sa.text(condition))
    op.drop_table("panel_subject")
    op.drop_table("panel")
