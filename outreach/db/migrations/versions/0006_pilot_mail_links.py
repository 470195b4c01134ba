"""where the links of a pilot's mail to the team lead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    """Bring the tables to this revision."""
    with op.batch_alter_table("pilot_mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(), nullable=False, server_default="en"))
        batch_op.add_column(sa.Column("links", JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Take the tables back to the revision before."""
    with op.batch_alter_table("pilot_mail", schema=None) as batch_op:
        batch_op.drop_column("links")
        batch_op.drop_column("language")
