"""How far back each look reached, and the past of accounts read in slices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.database import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    op.add_column("captures", sa.Column("reach_seconds", sa.BigInteger()))
    op.execute("UPDATE captures SET reach_seconds = 0 WHERE since IS NOT NULL")  # what is not known claims nothing
    op.create_table(
        "backfills",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("progressed_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("reached_at", UtcDateTime()),
        sa.Column("slices", sa.Integer(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger()),
        sa.PrimaryKeyConstraint("account_id", name="pk_backfills"),
    )
    op.create_index("ix_backfills_ended", "backfills", ["ended_at"])
