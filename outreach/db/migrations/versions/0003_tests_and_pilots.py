"""tests of variants, and the pilot's mails to the team"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import outreach.model.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
MOMENT = outreach.model.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.add_column(sa.Column("test_until", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("test_verdict", JSON, nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("test_variant", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("test_released_at", MOMENT, nullable=True))
    op.create_table(
        "pilot_mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("variant", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campaign_id", "hash", "address", "variant"),
        sa.UniqueConstraint("message_id"),
    )
    with op.batch_alter_table("pilot_mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pilot_mail_campaign_id"), ["campaign_id"], unique=False)


def downgrade() -> None:
    op.drop_table("pilot_mail")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        for name in ("test_released_at", "test_variant", "test_verdict", "test_until"):
            batch_op.drop_column(name)
