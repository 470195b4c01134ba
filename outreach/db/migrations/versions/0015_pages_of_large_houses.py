"""What every page counts, a search walks over and a list begins with stands in an index (docs/performance.md)."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _partial(name: str, table: str, *columns: str) -> None:
    where = sa.text(f"{columns[0]} IS NOT NULL")
    op.create_index(name, table, list(columns), unique=False, sqlite_where=where, postgresql_where=where)


def _anew(name: str, table: str, *columns: str) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, list(columns), unique=False)


def upgrade() -> None:
    """Bring the tables to this revision."""
    _anew("ix_company_region", "company", "region", "merged_into")
    op.create_index("ix_contact_created", "contact", ["created_at"], unique=False)
    op.create_index("ix_contact_name", "contact", ["first_name", "last_name"], unique=False)
    _partial("ix_contact_replied", "contact", "last_replied", "company_id")
    _anew("ix_inbound_mail_kind", "inbound_mail", "kind", "state", "answered_at")
    _anew("ix_task_state", "task", "state", "due_at", "owner_id")
    _partial("ix_task_inbound", "task", "inbound_id")


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_index("ix_task_inbound", "task")
    _anew("ix_task_state", "task", "state")
    _anew("ix_inbound_mail_kind", "inbound_mail", "kind")
    for name in ("replied", "name", "created"):
        op.drop_index(f"ix_contact_{name}", "contact")
    _anew("ix_company_region", "company", "region")
