"""Alembic's entry: runs revisions on the connection it is given.

Only tables of our own metadata are compared: the Iceberg catalog keeps its tables in the same database, and the audit log is
written without SQLAlchemy.
"""

from __future__ import annotations

from alembic import context

from warehouse.database import Base


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in Base.metadata.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=_ours,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
