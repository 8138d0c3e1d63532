"""Bringing a database to the newest revision, one process at a time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, text

from warehouse.database import DatabaseUnknown, writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LOCK = 0x6F6E7265636F7264
"""PostgreSQL advisory lock held while migrating: "onrecord" in ASCII."""


def upgrade(engine: Engine) -> None:
    """Apply every missing revision in one transaction. Raises :class:`DatabaseUnknown`.

    SQLite's write lock, or an advisory lock on PostgreSQL, lets one process work; the others then find nothing to do.
    """
    if engine.dialect.name == "sqlite":
        _prepare_file(engine)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        try:
            command.upgrade(config(connection), "head")
        except CommandError as problem:
            msg = f"database {engine.url.render_as_string()}: {problem}. It was made by a later version of the program: upgrade the program"
            raise DatabaseUnknown(msg) from None


def config(connection: Connection) -> Config:
    """Alembic's configuration for this connection."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def _prepare_file(engine: Engine) -> None:
    """Let readers go on while another process writes (write-ahead log); the file remembers it."""
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
