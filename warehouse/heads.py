"""The last version of every record, in a local DuckDB file, so that a look can be compared without reading the tables.

A cache: it knows which snapshots of the tables it reflects and is made again from them when they differ, when it was left in the
middle of something, or when the file is damaged or gone. Nothing is lost with it.
"""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import duckdb
import pyarrow as pa

from transforms.history import KNOWN_HEADS, KNOWN_MEDIA, KNOWN_METRICS
from transforms.records import SIGHTINGS, TABLES
from warehouse import duck
from warehouse.faults import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from transforms.history import Changes
    from warehouse.tables import Archive

REFLECTED = ("posts", "comments", "moderation_actions", "profiles", "sightings", "media", "metrics")
"""Tables the heads are made from."""
MEMORY = "24MB"
MEMORY_TO_SORT = "64MB"
MEMORY_TO_REBUILD = "1GB"
"""Beyond it the work goes to disk."""
MEMORY_TO_CHECKPOINT = "36MB"
WAL_BYTES = 4_000_000
"""What is remembered goes from the log into the file whenever the log is so long."""
RECORDS_AT_ONCE = 1_000_000
"""Made again together."""
_LAYOUT = 4
_KNOWN_HEADS = ", ".join(name for name in KNOWN_HEADS.names if name != "fresh")
_T = TypeVar("_T")
_SQL = Path(__file__).parent / "heads_sql"


class HeadsBusy(WarehouseError):
    """Another process has the file open."""

    code = "heads_busy"


class Heads:
    """What is known of every record. A :class:`transforms.history.Past`.

    ::

        with Heads.open(home / "heads.duckdb", archive) as heads:
            heads.refresh()
            ...
            heads.remember(changes)     # rows written, not committed
            heads.settle()              # committed
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, archive: Archive, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._log = path.with_name(path.name + ".wal")
        self._archive = archive
        (self._unit,) = connection.execute("SELECT coalesce(max(unit), 0) + 1 FROM heads").fetchone() or (1,)
        self._open = False
        self._limit(MEMORY)

    @classmethod
    def open(cls, path: Path, archive: Archive) -> Self:
        """Open the file, or make it. A damaged one is thrown away. Raises :class:`HeadsBusy`."""
        path = path.with_name(f"{path.stem}-{_LAYOUT}{path.suffix}")
        try:
            connection = _connect(path, archive)
        except duckdb.Error as problem:
            if "lock" in str(problem).lower():
                msg = f"{path} is in use by another process. Wait until it ends, then run again"
                raise HeadsBusy(msg) from None
            for damaged in (path, path.with_name(path.name + ".wal")):
                damaged.unlink(missing_ok=True)
            connection = _connect(path, archive)
        return cls(connection, archive, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._checkpoint()
        finally:
            self._connection.close()

    # --- keeping up with the tables ---

    def refresh(self) -> bool:
        """Make the heads again from the tables if they reflect other snapshots. Returns whether that was needed."""
        now = self._snapshots()
        then = dict(self._connection.execute("SELECT name, snapshot FROM reflected").fetchall())
        if then == now:
            return False
        tables = {name: duck.relation(self._archive, name) for name in REFLECTED}
        self._limit(MEMORY_TO_REBUILD)
        with self._at_once():
            self._connection.execute("DELETE FROM reflected")
            self._run("rebuild", **tables)
            (records,) = self._connection.execute("SELECT count(*) FROM bare").fetchone() or (0,)
            parts = 1 + records // RECORDS_AT_ONCE
            for part in range(parts):
                self._run("rebuild_part", **tables, parts=str(parts), part=str(part))
            self._run("rebuild_end")
            self._reflect(now)
        self._checkpoint()
        return True

    def settle(self) -> None:
        """Everything remembered is in the tables now."""
        self._unit += 1
        if self._open:
            self._reflect(self._snapshots())
            self._open = False

    def _snapshots(self) -> dict[str, int]:
        return {name: self._archive.snapshot(name) or 0 for name in REFLECTED}

    def _reflect(self, snapshots: Mapping[str, int]) -> None:
        self._connection.executemany("INSERT OR REPLACE INTO reflected VALUES (?, ?)", list(snapshots.items()))

    # --- what was known ---

    def heads(self, keys: pa.Table, roots: Sequence[str]) -> pa.Table:
        """``KNOWN_HEADS`` of these records, and of everything ever on the gates of these threads."""
        with self._given(keys=keys):
            self._with_room(self._find)
        if roots:
            with self._given(roots=pa.table({"root_id": pa.array(roots, pa.string())})):
                self._with_room(lambda: self._run("known_of_gates"))
        query = f"SELECT {_KNOWN_HEADS}, unit = ? AS fresh FROM known"  # noqa: S608 - names of ours
        return self._connection.execute(query, [self._unit]).to_arrow_table().cast(KNOWN_HEADS)

    def _find(self) -> None:
        self._run("known")
        for first, last in self._connection.execute(_sql("clusters")).fetchall():
            self._run("known_cluster", first=str(first), last=str(last))

    def sightings(self, record_ids: Sequence[str]) -> pa.Table:
        """``SIGHTINGS`` of these records and gates, from the tables."""
        return self.rows("sightings", record_ids).cast(SIGHTINGS)

    def rows(self, name: str, values: Iterable[str], *, column: str = "record_id") -> pa.Table:
        """Rows of a table by the values of a column."""
        with self._given(wanted_values=pa.table({"value": pa.array(list(values), pa.string())})):
            found = self._ask(
                f"FROM {duck.relation(self._archive, name)} WHERE {duck.identifier(column)} IN (SELECT value FROM wanted_values)"  # noqa: S608 - identifiers of ours
            )
        return found.select(TABLES[name].names).cast(TABLES[name])

    def versions(self, name: str, wanted: Mapping[str, int]) -> pa.Table:
        """Rows of a table with versions: record_id -> version."""
        keys = pa.table({"record_id": list(wanted), "version": pa.array(wanted.values(), pa.int32())})
        with self._given(wanted_versions=keys):
            found = self._ask(
                f"FROM {duck.relation(self._archive, name)} SEMI JOIN wanted_versions USING (record_id, version)"
            )
        return found.select(TABLES[name].names).cast(TABLES[name])

    def evidence_of(self, keys: pa.Table) -> list[str]:
        """Keys of every evidence object that, by the tables' sightings, says something about these records."""
        sightings = duck.relation(self._archive, "sightings")
        with self._given(keys=keys):
            found = self._ask(_sql("evidence_of").replace("{sightings}", sightings))
        return list(found.column(0).to_pylist())

    def gate_entries(self, roots: Sequence[str]) -> list[str]:
        """``record_id`` of the sightings of these threads' gates: the looks themselves, and what they listed."""
        sightings = duck.relation(self._archive, "sightings")
        with self._given(wanted_roots=pa.table({"root_id": pa.array(roots, pa.string())})):
            found = self._ask(
                f"SELECT DISTINCT record_id FROM {sightings} WHERE kind = 'gate' AND split_part(record_id, ' ', 1) IN (SELECT root_id FROM wanted_roots)"  # noqa: S608
            )
        return list(found["record_id"].to_pylist())

    def write_known(self, folder: Path, account_ids: Iterable[str] | None) -> None:
        """Write what was there when last looked at, a Parquet file per account (all, or these): see :mod:`warehouse.known`."""
        wanted = pa.table({"account_id": pa.array([] if account_ids is None else list(account_ids), pa.string())})
        with self._given(wanted_accounts=wanted):
            self._limit(MEMORY_TO_SORT)
            every = "true" if account_ids is None else "false"
            self._with_room(lambda: self._run("write_known", folder=duck.literal(str(folder)), all=every))
            self._limit(MEMORY)

    def metrics(self, record_ids: pa.ChunkedArray) -> pa.Table:
        """``KNOWN_METRICS``: the last counts of records among those whose heads were asked for last."""
        return self._of_known("known_counts", pa.table({"record_id": record_ids}), KNOWN_METRICS)

    def media(self, shown: pa.Table) -> pa.Table:
        """Those of ``KNOWN_MEDIA`` that are known already, of records among those whose heads were asked for last."""
        return self._of_known("known_files", shown, KNOWN_MEDIA)

    def _of_known(self, query: str, ids: pa.Table, schema: pa.Schema) -> pa.Table:
        if ids.num_rows == 0:
            return schema.empty_table()
        with self._given(ids=ids):
            found = self._ask(_sql(query))
        return found.select(schema.names).cast(schema)

    # --- what is known now ---

    def remember(self, changes: Changes) -> None:
        """Take over what a batch showed. Its rows are written, not yet committed: until :meth:`settle` the file reflects nothing."""
        self._unsettle()
        self._put(changes.heads, changes)

    def replace(self, keys: pa.Table, changes: Changes) -> None:
        """Take over records made again from all their evidence."""
        self._unsettle()
        self.heads(keys, [])
        with self._given(keys=keys):
            self._connection.execute(
                "DELETE FROM known WHERE (family, record_id) NOT IN (SELECT (family, record_id) FROM keys)"
            )
        self._put(changes.heads, changes)

    def _put(self, fresh: pa.Table, changes: Changes) -> None:
        def take_over() -> None:
            with self._at_once():
                self._run("news")
                self._run("remember" if self._any("known") else "remember_new", unit=str(self._unit))

        shown = changes.tables["media"].select(KNOWN_MEDIA.names)
        with self._given(fresh=fresh, counted=changes.metrics, shown=shown):
            self._with_room(take_over)
        if self._log.exists() and self._log.stat().st_size > WAL_BYTES:
            self._checkpoint()

    def give_back(self) -> None:
        """Return what DuckDB freed, in this process, to the system: its allocator keeps it until a limit is set."""
        self._limit(MEMORY)

    def _unsettle(self) -> None:
        if not self._open:
            self._connection.execute("DELETE FROM reflected")
            self._open = True

    # --- inside ---

    def _ask(self, query: str) -> pa.Table:
        return self._with_room(lambda: self._connection.execute(query).to_arrow_table())

    def _run(self, name: str, **values: str) -> None:
        text = _sql(name)
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", value).replace(f"${key}", value)
        self._connection.execute(text)

    def _checkpoint(self) -> None:
        """Never left to DuckDB, which would do it with the little memory there is; one that fails ends the connection, not the file."""
        self._limit(MEMORY_TO_CHECKPOINT)
        try:
            self._connection.execute("CHECKPOINT")
        except duckdb.FatalException:
            self._connection.close()
            self._connection = _connect(self._path, self._archive)
            self._limit(MEMORY_TO_REBUILD)
            self._connection.execute("CHECKPOINT")
        self._limit(MEMORY)

    def _with_room(self, work: Callable[[], _T]) -> _T:
        """Almost all work fits into :data:`MEMORY`; what does not is given more, and goes to disk beyond it."""
        try:
            return work()
        except duckdb.OutOfMemoryException:
            self._limit(MEMORY_TO_REBUILD)
            try:
                return work()
            finally:
                self._limit(MEMORY)

    def _limit(self, memory: str) -> None:
        self._connection.execute(f"SET memory_limit = {duck.literal(memory)}")

    def _any(self, table: str) -> bool:
        return self._connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None  # noqa: S608

    @contextlib.contextmanager
    def _given(self, **tables: pa.Table) -> Iterator[None]:
        for name, table in tables.items():
            self._connection.register(name, table)
        try:
            yield
        finally:
            for name in tables:
                self._connection.unregister(name)

    @contextlib.contextmanager
    def _at_once(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _connect(path: Path, archive: Archive) -> duckdb.DuckDBPyConnection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = duck.connect(
        path, archive.endpoint, threads=1, memory_limit=MEMORY_TO_CHECKPOINT, temp_directory=path.with_suffix(".tmp")
    )
    try:
        connection.execute(_sql("create"))
        connection.execute("SET checkpoint_threshold = '1TB'")
    except BaseException:
        connection.close()
        raise
    return connection


@cache
def _sql(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text()
