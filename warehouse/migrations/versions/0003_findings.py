"""Findings and who was told of them, the known shapes of answers, and when a credential expires."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.database import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    op.add_column("accounts", sa.Column("credential_expires", sa.Date()))
    _findings()
    _shapes()


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("finding_id", name="pk_findings"),
    )
    unclosed = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_findings_open", "findings", ["key"], unique=True, sqlite_where=unclosed, postgresql_where=unclosed
    )
    op.create_index("ix_findings_key_closed", "findings", ["key", "closed_at"])
    op.create_table(
        "finding_deliveries",
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("claimed_until", UtcDateTime()),
        sa.Column("delivered_at", UtcDateTime()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.finding_id"], name="fk_finding_deliveries_finding_id"),
        sa.PrimaryKeyConstraint("finding_id", "channel", name="pk_finding_deliveries"),
    )


def _shapes() -> None:
    op.create_table(
        "shape_paths",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("seen_pages", sa.BigInteger(), nullable=False),
        sa.Column("missed_pages", sa.BigInteger(), nullable=False),
        sa.Column("object_pages", sa.BigInteger(), nullable=False),
        sa.Column("optional", sa.Boolean(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("parent_pages", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("missing_since", UtcDateTime()),
        sa.PrimaryKeyConstraint("platform", "call", "path", name="pk_shape_paths"),
    )
    op.create_table(
        "shape_samples",
        sa.Column("sample", sa.Text(), nullable=False),
        sa.Column("sampled_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sample", name="pk_shape_samples"),
    )
