"""Why a look ended, more closely; how far each listing of a backfill came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    op.add_column("captures", sa.Column("reason", sa.Text()))
    op.add_column("backfills", sa.Column("listings", sa.JSON(), nullable=False, server_default="{}"))
    backfills = sa.table(
        "backfills",
        sa.column("account_id", sa.Text()),
        sa.column("items", sa.BigInteger()),
        sa.column("places", sa.JSON()),
        sa.column("listings", sa.JSON()),
    )
    connection = op.get_bind()
    known = sa.select(backfills.c.account_id, backfills.c.places, backfills.c["items"])
    for account_id, places, items in connection.execute(known).all():
        listings = {name: {"place": place, "items": 0, "total": None} for name, place in places.items()}
        if "posts" in listings:
            listings["posts"]["items"] = items
        connection.execute(backfills.update().where(backfills.c.account_id == account_id).values(listings=listings))
    for name in ("places", "items", "total"):
        op.drop_column("backfills", name)
