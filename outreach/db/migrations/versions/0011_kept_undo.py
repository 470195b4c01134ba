"""ways back from changes of many rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import outreach.model.types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "kept_undo",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", outreach.model.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "told", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("kept_undo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_undo_at"), ["at"], unique=False)


def downgrade() -> None:
    """Take the tables back to the revision before."""
    with op.batch_alter_table("kept_undo", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_undo_at"))
    op.drop_table("kept_undo")
