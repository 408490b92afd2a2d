"""The main job: organizations to scores."""

import sqlalchemy as sa
from alembic import op

from survey_service.core.db import BigId, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ballot",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("rater_class", sa.String(length=24), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("place_id", BigId, nullable=False),
        sa.Column("flag", sa.String(length=20), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", "id", name=op.f("pk_ballot")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ballot_text",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", "item", "id", name=op.f("pk_ballot_text")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dirty_mark",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("ballot_id", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "id", name=op.f("pk_dirty_mark")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "organization",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "city",
                "county",
                "town",
                "village",
                "community",
                "branch",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("parent_id", BigId, nullable=True),
        sa.Column(
            "path",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("households", sa.Integer(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=True),
        sa.Column("villagers", sa.Integer(), nullable=True),
        sa.Column("is_roster_generated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_edition", sa.String(length=16), nullable=True),
        sa.CheckConstraint("households >= 0", name=op.f("ck_organization_households")),
        sa.CheckConstraint("members >= 0", name=op.f("ck_organization_members")),
        sa.CheckConstraint("villagers >= 0", name=op.f("ck_organization_villagers")),
        sa.ForeignKeyConstraint(["parent_id"], ["organization.id"], name=op.f("fk_organization_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("code", name=op.f("uq_organization_code")),
    )
    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_path"), ["path"], unique=False)

    op.create_table(
        "participation",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "digest", name=op.f("pk_participation")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "receipt",
        sa.Column("receipt", sa.String(length=13), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.PrimaryKeyConstraint("receipt", "campaign_id", name=op.f("pk_receipt")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tally_slice",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("rater_class", sa.String(length=24), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("place_id", BigId, nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.Column("valid", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "campaign_id", "subject_id", "rater_class", "mode", "place_id", name=op.f("pk_tally_slice")
        ),
    )
    op.create_table(
        "turnout_day",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", "day", name=op.f("pk_turnout_day")),
    )
    with op.batch_alter_table("turnout_day", schema=None) as batch_op:
        batch_op.create_index("ix_turnout_day_campaign", ["campaign_id", "day"], unique=False)

    op.create_table(
        "questionnaire",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_questionnaire_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire")),
    )
    with op.batch_alter_table("questionnaire", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_questionnaire_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "staff_account",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "county_admin",
                "town_staff",
                "branch_secretary",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_staff_account_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_account")),
        sa.UniqueConstraint("username", name=op.f("uq_staff_account_username")),
    )
    with op.batch_alter_table("staff_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_staff_account_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "subject",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "branch",
                "party_org",
                "service_centre",
                "person",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_subject_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject")),
        sa.UniqueConstraint("organization_id", "kind", name=op.f("uq_subject_organization_id_kind")),
    )
    op.create_table(
        "questionnaire_version",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("questionnaire_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("frozen_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"], ["questionnaire.id"], name=op.f("fk_questionnaire_version_questionnaire_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire_version")),
        sa.UniqueConstraint(
            "questionnaire_id", "number", name=op.f("uq_questionnaire_version_questionnaire_id_number")
        ),
    )
    op.create_table(
        "staff_token",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("cookie", "bearer", name="kind", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_account.id"], name=op.f("fk_staff_token_staff_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_token")),
    )
    with op.batch_alter_table("staff_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_token_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "campaign",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("questionnaire_version_id", BigId, nullable=False),
        sa.Column(
            "subject_kind",
            sa.Enum(
                "branch",
                "party_org",
                "service_centre",
                "person",
                name="subject_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("opens_at", UtcDateTime(), nullable=False),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.Column("accepts_until", UtcDateTime(), nullable=False),
        sa.Column("grace_hours", sa.Integer(), nullable=False),
        sa.Column(
            "open_requires",
            sa.Enum(
                "wechat", "device", name="open_requires", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column(
            "revote",
            sa.Enum(
                "never", "until_close", name="revote", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("min_cell", sa.Integer(), nullable=False),
        sa.Column("has_household_codes", sa.Boolean(), nullable=False),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.Column("formula_hash", sa.String(length=64), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("recording_digest", sa.String(length=64), nullable=True),
        sa.Column("copied_from_id", BigId, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("launched_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("sealed_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "closed_at IS NULL OR launched_at IS NOT NULL", name=op.f("ck_campaign_closed_after_launch")
        ),
        sa.CheckConstraint("min_cell >= 3", name=op.f("ck_campaign_min_cell")),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_campaign_window")),
        sa.CheckConstraint(
            "sealed_at IS NULL OR closed_at IS NOT NULL", name=op.f("ck_campaign_sealed_after_close")
        ),
        sa.ForeignKeyConstraint(["copied_from_id"], ["campaign.id"], name=op.f("fk_campaign_copied_from_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_campaign_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["questionnaire_version_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_campaign_questionnaire_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "campaign_correction",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_correction_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_campaign_correction_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_correction")),
    )
    with op.batch_alter_table("campaign_correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_correction_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "campaign_recording",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content_type", sa.String(length=40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_recording_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_recording")),
    )
    with op.batch_alter_table("campaign_recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_recording_digest"), ["digest"], unique=False)

    op.create_table(
        "campaign_subject",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("organization_id", BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("eligible", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_subject_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_campaign_subject_organization_id")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_campaign_subject_subject_id")),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", name=op.f("pk_campaign_subject")),
    )
    with op.batch_alter_table("campaign_subject", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_subject_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "code_batch",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("handed_out_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_code_batch_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_batch")),
        sa.UniqueConstraint(
            "campaign_id", "idempotency_key", name=op.f("uq_code_batch_campaign_id_idempotency_key")
        ),
    )
    op.create_table(
        "entrance",
        sa.Column("id", BigId, sa.Identity(), nullable=False),
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "panel",
                "household",
                "open",
                "open_device",
                "assisted",
                "paper",
                "paper_total",
                name="mode",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "rater_class",
            sa.Enum(
                "villager",
                "party_member",
                "member_representative",
                "villager_representative",
                "veteran_cadre",
                "party_group_leader",
                "villager_group_leader",
                name="rater_class",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("code_digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("code", sa.String(length=13), nullable=True),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("is_preview", sa.Boolean(), nullable=False),
        sa.Column("batch_id", BigId, nullable=True),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(serial IS NULL) = (code IS NOT NULL)", name=op.f("ck_entrance_slot_hides_code")),
        sa.CheckConstraint("serial IS NULL OR batch_id IS NOT NULL", name=op.f("ck_entrance_slot_has_batch")),
        sa.ForeignKeyConstraint(["batch_id"], ["code_batch.id"], name=op.f("fk_entrance_batch_id")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_entrance_campaign_id_subject_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrance")),
        sa.UniqueConstraint(
            "campaign_id",
            "subject_id",
            "mode",
            "rater_class",
            "serial",
            name=op.f("uq_entrance_campaign_id_subject_id_mode_rater_class_serial"),
        ),
        sa.UniqueConstraint("code_digest", name=op.f("uq_entrance_code_digest")),
    )
    with op.batch_alter_table("entrance", schema=None) as batch_op:
        batch_op.create_index("ix_entrance_batch", ["batch_id"], unique=False)

    op.create_table(
        "mass_score",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("tally_revision", sa.Integer(), nullable=False),
        sa.Column("as_of_returned", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("derivation", sa.Text(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_mass_score_campaign_id_subject_id"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", name=op.f("pk_mass_score")),
    )
    op.create_table(
        "tally_head",
        sa.Column("campaign_id", BigId, nullable=False),
        sa.Column("subject_id", BigId, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id", "subject_id"],
            ["campaign_subject.campaign_id", "campaign_subject.subject_id"],
            name=op.f("fk_tally_head_campaign_id_subject_id"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "subject_id", name=op.f("pk_tally_head")),
    )


def downgrade() -> None:
    op.drop_table("tally_head")
    op.drop_table("mass_score")
    with op.batch_alter_table("entrance", schema=None) as batch_op:
        batch_op.drop_index("ix_entrance_batch")

    op.drop_table("entrance")
    op.drop_table("code_batch")
    with op.batch_alter_table("campaign_subject", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_subject_organization_id"))

    op.drop_table("campaign_subject")
    with op.batch_alter_table("campaign_recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_recording_digest"))

    op.drop_table("campaign_recording")
    with op.batch_alter_table("campaign_correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_correction_campaign_id"))

    op.drop_table("campaign_correction")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_organization_id"))

    op.drop_table("campaign")
    with op.batch_alter_table("staff_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_token_staff_id"))

    op.drop_table("staff_token")
    op.drop_table("questionnaire_version")
    op.drop_table("subject")
    with op.batch_alter_table("staff_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_account_organization_id"))

    op.drop_table("staff_account")
    with op.batch_alter_table("questionnaire", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_questionnaire_organization_id"))

    op.drop_table("questionnaire")
    with op.batch_alter_table("turnout_day", schema=None) as batch_op:
        batch_op.drop_index("ix_turnout_day_campaign")

    op.drop_table("turnout_day")
    op.drop_table("tally_slice")
    op.drop_table("receipt")
    op.drop_table("participation")
    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organization_path"))
        batch_op.drop_index(batch_op.f("ix_organization_parent_id"))

    op.drop_table("organization")
    op.drop_table("dirty_mark")
    op.drop_table("ballot_text")
    op.drop_table("ballot")
