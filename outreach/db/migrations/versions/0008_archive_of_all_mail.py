"""archive of all mail: attachments once, words of any language."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

#: As in outreach/inbox/archive/words.py at the time of this migration.
SINGLE = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
WORD = re.compile(rf"[{SINGLE}]|[^\W_{SINGLE}]{{1,200}}")

OLD_SQLITE = (
    "DROP TRIGGER archive_index_insert",
    "DROP TRIGGER archive_index_delete",
    "DROP TABLE archive_index",
)
NEW_SQLITE = (
    "CREATE VIRTUAL TABLE archive_index USING fts5(words, content='archived_mail', content_rowid='id')",
    "INSERT INTO archive_index(rowid, words) SELECT id, words FROM archived_mail",
    """CREATE TRIGGER archive_index_insert AFTER INSERT ON archived_mail BEGIN
       INSERT INTO archive_index(rowid, words) VALUES (new.id, new.words); END""",
    """CREATE TRIGGER archive_index_delete AFTER DELETE ON archived_mail BEGIN
       INSERT INTO archive_index(archive_index, rowid, words) VALUES ('delete', old.id, old.words); END""",
    """CREATE TRIGGER archive_index_update AFTER UPDATE OF words ON archived_mail BEGIN
       INSERT INTO archive_index(archive_index, rowid, words) VALUES ('delete', old.id, old.words);
       INSERT INTO archive_index(rowid, words) VALUES (new.id, new.words); END""",
)
BACK_SQLITE = (
    "DROP TRIGGER archive_index_update",
    *OLD_SQLITE,
    "CREATE VIRTUAL TABLE archive_index USING fts5(subject, text, content='archived_mail', content_rowid='id')",
    """CREATE TRIGGER archive_index_insert AFTER INSERT ON archived_mail BEGIN
       INSERT INTO archive_index(rowid, subject, text) VALUES (new.id, new.subject, new.text); END""",
    """CREATE TRIGGER archive_index_delete AFTER DELETE ON archived_mail BEGIN
       INSERT INTO archive_index(archive_index, rowid, subject, text)
       VALUES ('delete', old.id, old.subject, old.text); END""",
)
DROP_POSTGRES = ("DROP INDEX archive_index",)
NEW_POSTGRES = ("CREATE INDEX archive_index ON archived_mail USING gin (to_tsvector('simple', coalesce(words, '')))",)
BACK_POSTGRES = (
    *DROP_POSTGRES,
    """CREATE INDEX archive_index ON archived_mail
       USING gin (to_tsvector('simple', coalesce(subject, '') || ' ' || coalesce(text, '')))""",
)


def _run(*statements: str) -> None:
    for statement in statements:
        op.execute(sa.text(statement))


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "archived_file",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "mail_file",
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["archived_mail.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sha256"], ["archived_file.sha256"]),
        sa.PrimaryKeyConstraint("mail_id", "position"),
    )
    op.create_index("ix_mail_file_sha256", "mail_file", ["sha256"], unique=False)
    op.add_column("archived_mail", sa.Column("rfc_message_id", sa.String(), nullable=True))
    op.add_column("archived_mail", sa.Column("words", sa.String(), nullable=True))
    op.add_column("archived_mail", sa.Column("packed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_archived_mail_rfc_message_id", "archived_mail", ["rfc_message_id"], unique=False)
    _run(*(OLD_SQLITE if _is_sqlite() else DROP_POSTGRES))
    _fill()
    _run(*(NEW_SQLITE if _is_sqlite() else NEW_POSTGRES))


def _fill() -> None:
    """Write the words of the mails that are there."""
    mails = sa.table("archived_mail", *(sa.column(name) for name in ("id", "subject", "text", "words")))
    bind, last = op.get_bind(), 0
    while rows := bind.execute(sa.select(mails).where(mails.c.id > last).order_by(mails.c.id).limit(500)).all():
        for row in rows:
            folded = unicodedata.normalize("NFKC", f"{row.subject or ''} \n {row.text or ''}"[:100_000]).lower()
            found = " ".join(WORD.findall(folded))
            bind.execute(sa.update(mails).where(mails.c.id == row.id).values(words=found))
        last = rows[-1].id


def downgrade() -> None:
    """Undo this revision."""
    _run(*(BACK_SQLITE[:4] if _is_sqlite() else DROP_POSTGRES))
    op.drop_index("ix_archived_mail_rfc_message_id", table_name="archived_mail")
    for name in ("packed", "words", "rfc_message_id"):
        op.drop_column("archived_mail", name)
    op.drop_index("ix_mail_file_sha256", table_name="mail_file")
    op.drop_table("mail_file")
    op.drop_table("archived_file")
    _run(*(BACK_SQLITE[4:] if _is_sqlite() else BACK_POSTGRES[1:]))
