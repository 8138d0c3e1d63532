"""The database: one SQLAlchemy engine for the registry, the ledger, the log and, beside them, the Iceberg catalog.

SQLite by default, PostgreSQL (``postgresql+pg8000://``) for several writers. Opening costs one short query; only when the
stored revision is not :data:`warehouse.migrations.HEAD` is Alembic imported and the database brought up to date, one
process at a time. What can go wrong is in :mod:`warehouse.database_faults`.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, Dialect, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from warehouse.database_faults import BUSY_SECONDS, DatabaseBusy, DatabaseUnknown, DatabaseUnreachable, translated
from warehouse.migrations import HEAD

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

__all__ = [
    "Base",
    "DatabaseBusy",
    "DatabaseUnknown",
    "DatabaseUnreachable",
    "UtcDateTime",
    "open_database",
    "revision",
    "writing",
]

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables of the project, whatever room they belong to."""

    metadata = MetaData(naming_convention=_NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with zone: kept as UTC, read back as UTC. A moment without zone is refused."""

    impl = DateTime
    cache_ok = True

    def __init__(self) -> None:  # without arguments of its own, it is told from others at a glance for every statement
        super().__init__()

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's own signature
        """Choose ``timestamp with time zone`` where there is one."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into what the database keeps."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"{value.isoformat()} has no zone; moments are kept with one"
            raise ValueError(msg)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the database keeps into a moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def open_database(url: str) -> Engine:
    """Open the database at this SQLAlchemy URL, bringing its tables up to date if needed.

    Safe for several processes at once. Raises :class:`DatabaseUnreachable`, :class:`DatabaseBusy`, :class:`DatabaseUnknown`
    and :class:`~warehouse.faults.DiskFull`; so does whatever uses the engine.
    """
    engine = _engine(_address(url))
    try:
        if revision(engine) != HEAD:
            from warehouse.migrations.upgrade import upgrade  # noqa: PLC0415 - Alembic costs half a second

            upgrade(engine)
    except (DBAPIError, OSError) as problem:
        raise DatabaseUnreachable(_refusal(engine.url, problem)) from None
    return engine


def revision(engine: Engine) -> str | None:
    """The revision the database is at; ``None`` if it holds none of our tables yet."""
    with engine.connect() as connection:
        if not connection.dialect.has_table(connection, "alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a write transaction: committed on clean exit, else rolled back.

    On SQLite it takes the write lock at once, so that nothing read inside can be stale when it writes.
    """
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        msg = "ONRECORD_DATABASE_URL is not an SQLAlchemy URL such as sqlite:////path/to/file.db or postgresql+pg8000://user:password@host/name"
        raise DatabaseUnreachable(msg) from None
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        msg = f"{address.render_as_string()}: only SQLite and PostgreSQL (postgresql+pg8000://) are supported"
        raise DatabaseUnreachable(msg)
    return address.set(drivername="postgresql+pg8000") if address.drivername == "postgresql" else address


def _engine(address: URL) -> Engine:
    try:
        if address.get_backend_name() == "sqlite" and address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            address,
            hide_parameters=True,  # values may be content; they stay out of errors
            pool_pre_ping=address.get_backend_name() == "postgresql",
        )
    except (ArgumentError, NoSuchModuleError, ImportError, OSError) as problem:
        raise DatabaseUnreachable(_refusal(address, problem)) from None
    event.listen(engine, "handle_error", _translate)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _translate(context: ExceptionContext) -> None:
    """Raise the failures a person can do something about as errors that say what."""
    where = context.dialect.name if context.engine is None else context.engine.url.render_as_string()
    if isinstance(context.original_exception, ConnectionError):
        context.is_disconnect = True  # pg8000 lets the socket's own errors through
    fault = translated(context.original_exception, where)
    if fault is None and context.is_disconnect:
        said = f"the connection was lost ({context.original_exception}); run again once the server answers"
        fault = DatabaseUnreachable(f"database {where}: {said}")
    if fault is not None:
        raise fault from None


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, see _begin_sqlite
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refusal(address: URL, problem: BaseException) -> str:
    cause = problem.orig if isinstance(problem, DBAPIError) else problem
    said = str(cause)
    if address.password:
        said = said.replace(str(address.password), "***")
    return f"database {address.render_as_string(hide_password=True)}: {said}. Check ONRECORD_DATABASE_URL and that the server runs"


def batches(names: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """Values in lists short enough for one statement."""
    waiting = iter(names)
    while batch := list(islice(waiting, size)):
        yield batch
