"""What the model cannot say: triggers that keep the audit trail append-only, and the text index of the archive."""

from __future__ import annotations

from sqlalchemy import Connection, text

SQLITE = (
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_entry
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_entry
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
       BEGIN SELECT RAISE(ABORT, 'the head of the audit trail only grows'); END""",
    """CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.count <> OLD.count + 1
       BEGIN SELECT RAISE(ABORT, 'the head of the audit trail only grows'); END""",
    "CREATE VIRTUAL TABLE archive_index USING fts5(subject, text, content='archived_mail', content_rowid='id')",
    """CREATE TRIGGER archive_index_insert AFTER INSERT ON archived_mail BEGIN
       INSERT INTO archive_index(rowid, subject, text) VALUES (new.id, new.subject, new.text); END""",
    """CREATE TRIGGER archive_index_delete AFTER DELETE ON archived_mail BEGIN
       INSERT INTO archive_index(archive_index, rowid, subject, text)
       VALUES ('delete', old.id, old.subject, old.text); END""",
)

SQLITE_REMOVE = (
    "DROP TRIGGER audit_no_update",
    "DROP TRIGGER audit_no_delete",
    "DROP TRIGGER audit_head_no_delete",
    "DROP TRIGGER audit_head_grows",
    "DROP TRIGGER archive_index_insert",
    "DROP TRIGGER archive_index_delete",
    "DROP TABLE archive_index",
)

POSTGRES = (
    """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
       FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    """CREATE FUNCTION audit_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.count <> OLD.count + 1 THEN RAISE EXCEPTION 'the head of the audit trail only grows'; END IF;
       RETURN NEW; END $$""",
    """CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head
       FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    """CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head
       FOR EACH ROW EXECUTE FUNCTION audit_head_only_grows()""",
    """CREATE INDEX archive_index ON archived_mail
       USING gin (to_tsvector('simple', coalesce(subject, '') || ' ' || coalesce(text, '')))""",
)

POSTGRES_REMOVE = (
    "DROP TRIGGER audit_no_change ON audit_entry",
    "DROP TRIGGER audit_head_no_delete ON audit_head",
    "DROP TRIGGER audit_head_grows ON audit_head",
    "DROP FUNCTION audit_head_only_grows",
    "DROP FUNCTION audit_append_only",
    "DROP INDEX archive_index",
)


def extras(conn: Connection) -> None:
    """Create the triggers and indexes of this database's kind."""
    for statement in SQLITE if conn.dialect.name == "sqlite" else POSTGRES:
        conn.execute(text(statement))


def remove_extras(conn: Connection) -> None:
    """Remove them again, before the tables go."""
    for statement in SQLITE_REMOVE if conn.dialect.name == "sqlite" else POSTGRES_REMOVE:
        conn.execute(text(statement))
