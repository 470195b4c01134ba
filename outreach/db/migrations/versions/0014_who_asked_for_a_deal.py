"""who asked for a manager's word on a deal."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision.

    As SQL, which both databases read alike: adding the key by itself would make SQLite's table anew, without its check.
    """
    op.execute('ALTER TABLE deal ADD COLUMN asked_by INTEGER REFERENCES "user" (id)')


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.execute("ALTER TABLE deal DROP COLUMN asked_by")
