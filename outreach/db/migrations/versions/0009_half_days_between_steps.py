"""Half days between steps."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    with op.batch_alter_table("campaign_step") as batch:
        batch.alter_column("after_days", existing_type=sa.Integer(), type_=sa.Float(), existing_nullable=False)


def downgrade() -> None:
    """Take the tables back to the revision before; half days become whole ones."""
    with op.batch_alter_table("campaign_step") as batch:
        batch.alter_column("after_days", existing_type=sa.Float(), type_=sa.Integer(), existing_nullable=False)
