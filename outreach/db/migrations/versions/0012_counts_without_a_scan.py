"""What pages count of a campaign or mailbox stands in an index.

Partial wherever it can be: a row that nobody opened, answered or bounced is in none of them, so that an ordinary mail
pays for `ix_message_mailbox_sent` alone while it is sent (benchmarks/state.py; docs/performance.md).
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

READ = ("first_open_at", "first_click_at", "machine_open_at")
BACK = ("replied_at", "bounced_at", "autoreplied_at", "unsubscribed_at", "complained_at")


def _partial(name: str, table: str, columns: tuple[str, ...], sqlite: str, postgresql: str | None = None) -> None:
    where = sa.text(sqlite), sa.text(postgresql or sqlite)
    op.create_index(name, table, list(columns), unique=False, sqlite_where=where[0], postgresql_where=where[1])


def _any_of(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"{column} IS NOT NULL" for column in columns)


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.drop_index("ix_message_campaign_state", "message")
    op.create_index("ix_message_campaign_state", "message", ["campaign_id", "state", "due_at"], unique=False)
    _partial("ix_message_mailbox_sent", "message", ("mailbox_id", "sent_at"), "sent_at IS NOT NULL")
    _partial("ix_message_campaign_read", "message", ("campaign_id", "step", "is_pilot", *READ), _any_of(READ))
    back = ("campaign_id", "step", "is_pilot", *BACK, "bounce_hard")
    _partial("ix_message_campaign_back", "message", back, _any_of(BACK))
    _partial("ix_message_bounced", "message", ("bounced_at",), "bounced_at IS NOT NULL")
    sample = ("campaign_id", "step", "state")
    _partial("ix_message_pilot", "message", sample, "is_pilot IS 1", "is_pilot IS true")
    tested = ("campaign_id", "step", "variant", "sent_at")
    _partial("ix_message_variant", "message", tested, "variant IS NOT NULL AND sent_at IS NOT NULL")
    _partial("ix_company_merged_into", "company", ("merged_into",), "merged_into IS NOT NULL")
    _partial("ix_attempt_tried", "attempt", ("at",), "outcome <> 'accept'")
    # the key of campaign and contact finds a campaign's recipients, too
    op.drop_index("ix_campaign_recipient_campaign_id", "campaign_recipient")
    op.create_index(
        "ix_campaign_recipient_campaign_skip", "campaign_recipient", ["campaign_id", "skip_reason"], unique=False
    )


def downgrade() -> None:
    """Take the tables back to the revision before."""
    op.drop_index("ix_campaign_recipient_campaign_skip", "campaign_recipient")
    op.create_index("ix_campaign_recipient_campaign_id", "campaign_recipient", ["campaign_id"], unique=False)
    op.drop_index("ix_attempt_tried", "attempt")
    op.drop_index("ix_company_merged_into", "company")
    for name in ("variant", "pilot", "bounced", "campaign_back", "campaign_read", "mailbox_sent", "campaign_state"):
        op.drop_index(f"ix_message_{name}", "message")
    op.create_index("ix_message_campaign_state", "message", ["campaign_id", "state"], unique=False)
