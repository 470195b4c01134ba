"""sequences and dates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import outreach.model.types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("due_at", outreach.model.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_mail", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("paused_until", outreach.model.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("enrolled_by", sa.Integer(), nullable=True),
        sa.Column("enrolled_at", outreach.model.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", outreach.model.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "notes", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
        ),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["company.id"],
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_by"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailbox.id"],
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["task.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campaign_id", "contact_id"),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_company_id"), ["company_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index("ix_enrolment_due", ["campaign_id", "state", "due_at"], unique=False)
        batch_op.create_index(
            "ix_enrolment_one",
            ["contact_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('active', 'waiting', 'paused')"),
            postgresql_where=sa.text("state IN ('active', 'waiting', 'paused')"),
        )
        batch_op.create_index(batch_op.f("ix_enrolment_task_id"), ["task_id"], unique=False)

    op.create_table(
        "occasion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("due_at", outreach.model.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("created_at", outreach.model.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", outreach.model.types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["task.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campaign_id", "contact_id", "key"),
    )
    with op.batch_alter_table("occasion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_occasion_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index("ix_occasion_state", ["campaign_id", "state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_occasion_task_id"), ["task_id"], unique=False)

    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="campaign"))
        batch_op.add_column(sa.Column("looked_at", outreach.model.types.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take the tables back to the revision before."""
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_column("looked_at")
        batch_op.drop_column("kind")

    with op.batch_alter_table("occasion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_occasion_task_id"))
        batch_op.drop_index("ix_occasion_state")
        batch_op.drop_index(batch_op.f("ix_occasion_contact_id"))

    op.drop_table("occasion")
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_task_id"))
        batch_op.drop_index(
            "ix_enrolment_one",
            sqlite_where=sa.text("state IN ('active', 'waiting', 'paused')"),
            postgresql_where=sa.text("state IN ('active', 'waiting', 'paused')"),
        )
        batch_op.drop_index("ix_enrolment_due")
        batch_op.drop_index(batch_op.f("ix_enrolment_contact_id"))
        batch_op.drop_index(batch_op.f("ix_enrolment_company_id"))

    op.drop_table("enrolment")
