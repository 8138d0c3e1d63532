"""The first tables: registry, ledger, leases, gaps, holds, retention events, audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.database import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    _registry()
    _ledger()
    _gaps_and_leases()
    _retention()
    _audit_log()


def _registry() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("native_id", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("department", sa.Text()),
        sa.Column("office", sa.Text()),
        sa.Column("head", sa.Text()),
        sa.Column("credential", sa.Text()),
        sa.Column("retention", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_accounts"),
        sa.UniqueConstraint("platform", "native_id", name="uq_accounts_platform_native_id"),
    )
    op.create_table(
        "account_decisions",
        sa.Column("decision_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name="pk_account_decisions"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_account_decisions_account"),
    )
    op.create_index("ix_account_decisions_account", "account_decisions", ["account", "decided_at"])
    op.create_table(
        "account_assignments",
        sa.Column("assignment_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("assigned_from", sa.Date(), nullable=False),
        sa.Column("assigned_until", sa.Date()),
        sa.PrimaryKeyConstraint("assignment_id", name="pk_account_assignments"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_account_assignments_account"),
        sa.UniqueConstraint(
            "account",
            "person",
            "role",
            "assigned_from",
            name="uq_account_assignments_account_person_role_assigned_from",
        ),
    )


def _ledger() -> None:
    op.create_table(
        "captures",
        sa.Column("capture_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("progressed_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("since", UtcDateTime()),
        sa.Column("pages", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("platform_total", sa.BigInteger()),
        sa.Column("skipped", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("message", sa.Text()),
        sa.Column("retry_at", UtcDateTime()),
        sa.Column("checkpoint", sa.JSON()),
        sa.Column("resumed_from", sa.Text()),
        sa.Column("newest_published", UtcDateTime()),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("tabled_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("capture_id", name="pk_captures"),
    )
    op.create_index("ix_captures_account_resource_started", "captures", ["account_id", "resource", "started_at"])
    op.create_index("ix_captures_account_started", "captures", ["account_id", "started_at"])
    op.create_index("ix_captures_untabled", "captures", ["tabled_at", "capture_id"])
    op.create_table(
        "evidence_objects",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("capture_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("exchanges", sa.BigInteger(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("version_id", sa.Text()),
        sa.Column("normalized_at", UtcDateTime()),
        sa.Column("normalizer_version", sa.Text()),
        sa.PrimaryKeyConstraint("key", name="pk_evidence_objects"),
    )
    op.create_index("ix_evidence_objects_pending", "evidence_objects", ["normalized_at", "capture_id", "part"])
    op.create_index("ix_evidence_objects_capture", "evidence_objects", ["capture_id", "part"])


def _gaps_and_leases() -> None:
    op.create_table(
        "gaps",
        sa.Column("gap_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime()),
        sa.Column("capture_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gap_id", name="pk_gaps"),
    )
    unclosed = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_gaps_open",
        "gaps",
        ["account_id", "resource"],
        unique=True,
        sqlite_where=unclosed,
        postgresql_where=unclosed,
    )
    op.create_table(
        "leases",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_began", sa.Text(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_leases"),
    )


def _retention() -> None:
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_ids", sa.JSON(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("record_ids", sa.JSON(), nullable=False),
        sa.Column("published_from", UtcDateTime()),
        sa.Column("published_until", UtcDateTime()),
        sa.Column("text", sa.Text()),
        sa.Column("query", sa.Text()),
        sa.Column("everything", sa.Boolean(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("released_by", sa.Text()),
        sa.Column("released_at", UtcDateTime()),
        sa.Column("release_reason", sa.Text()),
        sa.PrimaryKeyConstraint("hold_id", name="pk_holds"),
    )
    op.create_table(
        "retention_events",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "event", name="pk_retention_events"),
    )


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry", name="pk_audit_log"),
    )
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


_APPEND_ONLY = {
    "sqlite": (
        """CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
        """CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
        # INSERT OR REPLACE deletes without telling the trigger above
        """CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log
        WHEN EXISTS (SELECT 1 FROM audit_log WHERE entry = NEW.entry)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$""",
        """CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log
        FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()""",
        """CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()""",
    ),
}
