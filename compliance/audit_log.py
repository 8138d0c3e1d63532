"""The audit log: who did what to what, append-only and hash-chained.

Each entry's hash covers the hash before it, so that a changed, inserted or removed entry shows. Removing the newest entries shows
only against a head noted elsewhere (:func:`head`, :func:`verify`). The database itself refuses UPDATE and DELETE.

Written on the driver, without SQLAlchemy: a command that answers in a fraction of a second also leaves its trail.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from compliance.faults import LogBroken
from warehouse.database_faults import BUSY_SECONDS, translated
from warehouse.migrations import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Engine

FIRST = "0" * 64
"""What stands for the hash before the first entry."""
PAGE_ROWS = 1000
_LOCK = 0x61756469745F6C6F
"""PostgreSQL advisory lock that orders appends: "audit_lo" in ASCII."""
_COLUMNS = "entry, at, actor, action, subject, detail, previous_hash, hash"


@dataclass(frozen=True, slots=True)
class Entry:
    """One act."""

    entry: int
    at: datetime
    actor: str
    """``os:NAME`` for a user of the operating system, ``console:NAME`` for one of the console."""
    action: str
    """What was done: ``sql.query``, ``accounts.approve``, ..."""
    subject: str
    """To what."""
    detail: Mapping[str, Any]
    """JSON values. No secrets and no content of records: entries are never removed."""
    previous_hash: str
    hash: str


class _Cursor(Protocol):
    def execute(self, statement: str, parameters: tuple[Any, ...] = (), /) -> object: ...
    def fetchone(self) -> Any: ...  # noqa: ANN401 - as in PEP 249
    def fetchall(self) -> Any: ...  # noqa: ANN401 - as in PEP 249


class _Connection(Protocol):
    def cursor(self) -> _Cursor: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...


def os_actor() -> str:
    """The operating system's user who runs this process, as an actor."""
    try:
        return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"os:{os.getuid()}"


def append(
    database: Engine | str, actor: str, action: str, subject: str, detail: Mapping[str, Any], *, now: datetime
) -> Entry:
    """Append an entry; it is on disk when this returns. Appends of several processes wait for each other.

    ``database`` is an engine, or a database URL, which spares importing SQLAlchemy.
    """
    act = Entry(0, now.astimezone(UTC), actor, action, subject, json.loads(_canonical(detail)), "", "")
    with _connected(database) as (connection, mark):
        cursor = connection.cursor()
        _begin(cursor, mark)
        try:
            entry = _linked(cursor, act)
            places = ", ".join([mark] * len(_values(entry)))
            cursor.execute(f"INSERT INTO audit_log ({_COLUMNS}) VALUES ({places})", _values(entry))  # noqa: S608 - constants
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
    return entry


def entries(database: Engine | str, *, after: int = 0) -> Iterator[Entry]:
    """All entries in order, read page by page, from the one after ``after``."""
    with _connected(database) as (connection, mark):
        query = f"SELECT {_COLUMNS} FROM audit_log WHERE entry > {mark} ORDER BY entry LIMIT {PAGE_ROWS}"  # noqa: S608 - constants
        cursor = connection.cursor()
        while True:
            cursor.execute(query, (after,))
            rows = cursor.fetchall()
            connection.rollback()
            yield from (_entry(row) for row in rows)
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1][0]


def head(database: Engine | str) -> Entry | None:
    """The newest entry; note its number and hash elsewhere to prove later that nothing after it was cut off."""
    with _connected(database) as (connection, _mark):
        cursor = connection.cursor()
        row = _newest(cursor)
        connection.rollback()
    return None if row is None else _entry(row)


def verify(database: Engine | str, *, noted: tuple[int, str] | None = None) -> int:
    """Check every link of the chain. Returns the number of entries.

    ``noted`` is the number and hash of an entry noted elsewhere, which must be there. Raises
    :class:`~compliance.faults.LogBroken`, naming the first entry that does not fit.
    """
    previous, count, seen = FIRST, 0, noted is None
    for entry in entries(database):
        count += 1
        if entry.entry != count:
            msg = f"audit log: entry {count} is missing; the next one there is {entry.entry}"
            raise LogBroken(msg)
        if entry.previous_hash != previous or entry.hash != _hash(entry):
            msg = f"audit log: entry {entry.entry} of {entry.at.isoformat()} was changed, or one before it was; compare with a backup"
            raise LogBroken(msg)
        previous = entry.hash
        seen = seen or (entry.entry, entry.hash) == noted
    if not seen and noted is not None:
        msg = f"audit log: entry {noted[0]} with hash {noted[1]} is not in it; the log was cut off or rewritten"
        raise LogBroken(msg)
    return count


def _linked(cursor: _Cursor, act: Entry) -> Entry:
    """The act as the entry that follows the newest one."""
    newest = _newest(cursor)
    number, previous = (1, FIRST) if newest is None else (newest[0] + 1, newest[7])
    draft = replace(act, entry=number, previous_hash=previous)
    return replace(draft, hash=_hash(draft))


def _newest(cursor: _Cursor) -> Any:  # noqa: ANN401 - a driver's row
    cursor.execute(f"SELECT {_COLUMNS} FROM audit_log ORDER BY entry DESC LIMIT 1")  # noqa: S608 - constants
    return cursor.fetchone()


def _begin(cursor: _Cursor, mark: str) -> None:
    if mark == "?":
        cursor.execute("BEGIN IMMEDIATE")
    else:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def _hash(entry: Entry) -> str:
    content = _canonical(
        {
            "entry": entry.entry,
            "at": entry.at.isoformat(),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": entry.detail,
        }
    )
    return hashlib.sha256(f"{entry.previous_hash}\n{content}".encode()).hexdigest()


def _canonical(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _values(entry: Entry) -> tuple[Any, ...]:
    detail = _canonical(entry.detail)
    return (
        entry.entry,
        entry.at.isoformat(),
        entry.actor,
        entry.action,
        entry.subject,
        detail,
        entry.previous_hash,
        entry.hash,
    )


def _entry(row: tuple[Any, ...]) -> Entry:
    number, at, actor, action, subject, detail, previous_hash, own = row
    return Entry(number, datetime.fromisoformat(at), actor, action, subject, json.loads(detail), previous_hash, own)


@contextmanager
def _connected(database: Engine | str) -> Iterator[tuple[_Connection, str]]:
    """A driver's connection and how it marks parameters."""
    if not isinstance(database, str):
        mark = "?" if database.dialect.name == "sqlite" else "%s"
        with closing(database.raw_connection()) as pooled:
            yield pooled, mark
        return
    mark = "?" if database.startswith("sqlite") else "%s"
    with closing(_dial(database)) as connection:
        try:
            yield connection, mark
        except sqlite3.Error as problem:
            fault = translated(problem, database)
            if fault is None:
                raise
            raise fault from None


def _dial(url: str) -> Any:  # noqa: ANN401 - one of two drivers' connections
    try:
        connection = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
    except Exception:  # noqa: BLE001 - each driver has its own word for it; opening below says it in ours
        connection = None
    if connection is not None and _revision(connection) == HEAD:
        return connection
    if connection is not None:
        connection.close()
    from warehouse.database import open_database  # noqa: PLC0415 - only where the tables must be made first

    open_database(url).dispose()
    return _sqlite(url) if url.startswith("sqlite") else _postgresql(url)


def _sqlite(url: str) -> sqlite3.Connection:
    file = url.partition(":///")[2].partition("?")[0]
    return sqlite3.connect(f"file:{quote(file)}?mode=rw", uri=True, timeout=float(BUSY_SECONDS), isolation_level=None)


def _postgresql(url: str) -> Any:  # noqa: ANN401 - the driver has no types
    import pg8000.dbapi  # noqa: PLC0415 - only where it is the database

    parts = urlsplit(url)
    return pg8000.dbapi.connect(
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=parts.hostname or "localhost",
        port=parts.port or 5432,
        database=parts.path.lstrip("/"),
    )


def _revision(connection: _Connection) -> str | None:
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT version_num FROM alembic_version")
        row = cursor.fetchone()
    except Exception:  # noqa: BLE001 - each driver has its own word for a table that is not there
        return None
    finally:
        connection.rollback()
    return None if row is None else str(row[0])
