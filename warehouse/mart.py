"""The mart: one DuckDB file with everything people ask about, built from the archive's tables and swapped in whole.

Built in a file beside the old one, so that whoever reads the old one goes on undisturbed and a build that dies leaves nothing
but a file the next build removes. It holds tables, not views over files: what opens it needs no other file, key or network.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from filelock import FileLock, Timeout

from transforms.records import TABLES
from warehouse import coverage_tables, dictionary, duck
from warehouse.faults import DiskFull, StorageUnavailable, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from warehouse.tables import Archive

SQL = Path(__file__).with_name("sql")
SOURCES = tuple(name for name in TABLES if name != "sightings")
"""Tables of the archive that the mart holds. Sightings stay behind: many rows, and what they tell is in the versions."""
VIEWS = (
    "versions",
    "records",
    "current_posts",
    "current_comments",
    "edits",
    "cause_of_loss",
    "deletions",
    "hidden_comments",
    "threads",
    "moderation_log",
    "moderation_intervals",
    "activity_by_week",
    "capture_freshness",
    "coverage",
    "coverage_by_day",
    "capture_ledger",
    "gap_recovery",
    "unreconciled",
    "quarantined",
    "records_as_of",
    "posts_as_of",
    "comments_as_of",
    "thread_as_of",
    "metrics_as_of",
)
"""Files in ``warehouse/sql``, in the order in which they build on each other; the first is all that the table ``changes`` needs."""
MEMORY_LIMIT = "3GB"
LOCK_SECONDS = 900
DEEPEST_THREAD = 10_000
_FULL = re.compile(r"no space left|file too large|disk quota|max_temp_directory_size", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_now = functools.partial(datetime.now, UTC)


class MartError(WarehouseError):
    """The mart cannot be built; the old one is still there."""

    code = "mart_error"


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What one table of the mart holds."""

    name: str
    rows: int
    snapshot_id: int | None


@dataclass(frozen=True, slots=True)
class MartInfo:
    """A mart that was built."""

    path: Path
    built_at: datetime
    software: str
    tables: tuple[TableInfo, ...]
    bytes: int

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(table.rows for table in self.tables)


def build(
    archive: Archive,
    path: Path,
    *,
    extra: Mapping[str, pa.Table] | None = None,
    comments: Mapping[str, Mapping[str, str]] | None = None,
    software: str = "onrecord",
    progress: Callable[[str, int, int], None] | None = None,
    clock: Callable[[], datetime] = _now,
    memory_limit: str = MEMORY_LIMIT,
) -> MartInfo:
    """Build the mart from the archive's current snapshots and put it at ``path`` in place of the old one.

    Args:
        archive: where the tables are.
        path: the mart's file; its folder must exist.
        extra: further tables by name, such as ``accounts`` and the retention rules.
        comments: descriptions of the extra tables: table -> column -> text; the column ``""`` is the table itself.
        software: what builds it, kept in ``mart_info``.
        progress: told what is done, how many steps are done and how many there are.
        clock: gives the moment of building.
        memory_limit: what DuckDB may use, as it writes it; more goes to a folder beside the mart.

    Raises:
        MartError: the tables cannot be read or do not fit together.
        DiskFull: no space left. As with every error and every kill, the old mart stays as it was.
    """
    fresh = path.with_name(f"{path.name}.building")
    with _alone(path), _faults(path), _scratch(fresh) as spill:
        snapshots = {name: archive.snapshot(name) for name in SOURCES}
        connection = duck.connect(fresh, archive.endpoint, memory_limit=memory_limit, temp_directory=spill)
        with contextlib.closing(connection):
            connection.execute("SET enable_progress_bar = false")
            given = _with_accounts(extra or {})
            relations = {name: duck.relation(archive, name, snapshot=snapshots[name]) for name in SOURCES}
            looks = duck.relation(archive, "sightings")
            steps = _Steps(progress, len(SOURCES) + len(given) + 3 + len(coverage_tables.BUILDS))
            fill(connection, relations, given, steps.done, sightings=looks)
            built_at = clock()
            tables = _describe(connection, snapshots, _said(given, comments or {}), built_at, software)
            connection.execute("CHECKPOINT")
            steps.done("views")
        _swap(fresh, path)
    return MartInfo(path, built_at, software, tables, path.stat().st_size)


def fill(
    connection: DuckDBPyConnection,
    relations: Mapping[str, str],
    extra: Mapping[str, pa.Table],
    done: Callable[[str], None],
    *,
    sightings: str = coverage_tables.NO_SIGHTINGS,
) -> None:
    """Make all tables and views of a mart in an empty database.

    Args:
        connection: the database.
        relations: for each of ``SOURCES`` what stands after ``FROM`` to read it.
        extra: further tables, ``accounts`` among them.
        done: told the name of what is done.
        sightings: what stands after ``FROM`` to read every look at every record; they are counted, not kept.
    """
    for name, table in _with_accounts(extra).items():
        _take_extra(connection, name, table)
        done(name)
    for name in SOURCES:
        _take(connection, name, relations[name])
        done(name)
    connection.execute(read_sql(VIEWS[0]))
    connection.execute(read_sql("build/changes"))
    done("changes")
    _place_threads(connection)
    done("threads")
    connection.execute(f"CREATE TEMP VIEW sightings AS SELECT * FROM {sightings}")  # noqa: S608  (made by duck.relation)
    for name in coverage_tables.BUILDS:
        connection.execute(read_sql(f"build/{name}"))
        done(name)
    connection.execute("DROP VIEW sightings")
    for name in VIEWS[1:]:
        connection.execute(read_sql(name))


def read_sql(name: str) -> str:
    """The text of a file in ``warehouse/sql``."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _take(connection: DuckDBPyConnection, name: str, relation: str) -> None:
    """Copy a table of the archive into the mart."""
    connection.execute(f"CREATE TEMP VIEW source AS SELECT * FROM {relation}")  # noqa: S608  (made by duck.relation)
    if name in dictionary.VERSIONED:
        connection.execute(read_sql("build/versioned"))
    else:
        connection.execute(read_sql("build/gaps" if name == "gaps" else "build/plain"))
    if name in dictionary.VERSIONED:
        [twice] = _one(connection, read_sql("build/versioned_twice"))
        if twice:
            msg = f"table {name} holds a version of a record more than once ({twice:,} of them): verify the archive"
            raise MartError(msg)
    connection.execute("DROP VIEW source")
    connection.execute(f"ALTER TABLE built RENAME TO {duck.identifier(name)}")


def _with_accounts(extra: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The extra tables, with a registry the views can join: empty where none is given."""
    resources = coverage_tables.PLATFORM_RESOURCES.empty_table()
    tables = {"accounts": dictionary.ACCOUNTS.empty_table(), "platform_resources": resources, **extra}
    missing = {"account_id", "name"} - set(tables["accounts"].column_names)
    if missing:
        msg = f"the table accounts lacks {', '.join(sorted(missing))}: the views need it"
        raise MartError(msg)
    return tables


def _take_extra(connection: DuckDBPyConnection, name: str, table: pa.Table) -> None:
    if not _NAME.fullmatch(name) or name in {*TABLES, *VIEWS, *dictionary.MADE}:
        msg = f"{name!r} cannot be the name of a further table of the mart"
        raise MartError(msg)
    connection.register("given", table)
    connection.execute(f"CREATE TABLE {duck.identifier(name)} AS SELECT * FROM given")  # noqa: S608  (checked above)
    connection.unregister("given")


def _said(given: Mapping[str, pa.Table], comments: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What is said of the extra tables: in ``comments``, else in their fields' metadata (``doc``)."""
    docs = {
        name: {field.name: (field.metadata or {}).get(b"doc", b"").decode() for field in table.schema}
        for name, table in given.items()
    }
    return {name: {**texts, **comments.get(name, {})} for name, texts in docs.items()}


def _place_threads(connection: DuckDBPyConnection) -> None:
    """Give every post and comment its place in its thread, level by level: threads nest as deep as people answer."""
    connection.execute(read_sql("build/threads_begin"))
    level = read_sql("build/threads_level")
    for depth in range(DEEPEST_THREAD):
        [added] = connection.execute(level, {"depth": depth}).fetchone() or (0,)
        if not added:
            break
    connection.execute(read_sql("build/threads_end"))


def _describe(
    connection: DuckDBPyConnection,
    snapshots: Mapping[str, int | None],
    comments: Mapping[str, Mapping[str, str]],
    built_at: datetime,
    software: str,
) -> tuple[TableInfo, ...]:
    """Count the rows, and comment on everything."""
    names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()]
    tables = []
    for name in names:
        [rows] = _one(connection, f"SELECT count(*) FROM {duck.identifier(name)}")  # noqa: S608  (a name of the catalog)
        tables.append(TableInfo(name, rows, snapshots.get(name)))
    connection.register("given", dictionary.MART_INFO.empty_table())
    connection.execute("CREATE TABLE mart_info AS SELECT * FROM given")
    connection.unregister("given")
    rows_of_info = [[one.name, one.rows, one.snapshot_id, built_at, software] for one in tables]
    connection.executemany("INSERT INTO mart_info VALUES (?, ?, ?, ?, ?)", rows_of_info)
    dictionary.comment_tables(connection, comments)
    dictionary.comment_views(connection)
    return tuple(tables)


def _one(connection: DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    row = connection.execute(sql).fetchone()
    return () if row is None else tuple(row)


def _swap(fresh: Path, path: Path) -> None:
    """Put the finished file in place of the old one, so that it is there after a power cut too."""
    fresh.chmod(0o440)
    _sync(fresh)
    fresh.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One build at a time: a second one waits, then builds from what is there by then."""
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout:
        msg = f"another process has been building {path} for {LOCK_SECONDS // 60} minutes: look at it, then run again"
        raise MartError(msg) from None


@contextlib.contextmanager
def _scratch(fresh: Path) -> Iterator[Path]:
    """A folder for what does not fit into memory; leftovers are removed before and after."""
    spill = fresh.with_name(f"{fresh.name}.tmp")
    leftovers = (fresh, fresh.with_name(f"{fresh.name}.wal"))

    def clean() -> None:
        for file in leftovers:
            file.unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)

    clean()
    try:
        yield spill
    finally:
        clean()


@contextlib.contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Raise what DuckDB and the system raise as faults of this room."""
    try:
        yield
    except duckdb.HTTPException as problem:
        msg = f"the tables cannot be read from the object store ({_first_line(problem)}); check that it runs, then build again"
        raise StorageUnavailable(msg) from problem
    except (duckdb.Error, OSError) as problem:
        if _FULL.search(str(problem)):
            msg = f"no space left to build {path}: make room and run `onrecord mart build` again; the old mart is unchanged"
            raise DiskFull(msg) from problem
        msg = f"the mart was not built ({_first_line(problem)}); the old one, if any, is unchanged"
        raise MartError(msg) from problem


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:300]


class _Steps:
    """Tells how far the build is."""

    def __init__(self, progress: Callable[[str, int, int], None] | None, total: int) -> None:
        self._progress, self._total, self._count = progress, total, 0

    def done(self, what: str) -> None:
        """Tell that ``what`` is done."""
        self._count += 1
        if self._progress is not None:
            self._progress(what, self._count, self._total)
