"""The archive's tables: Iceberg through pyiceberg, the catalog in the program's database, the files in the tables bucket.

One snapshot per table and batch. Rows become visible when the batch commits, all of a table's at once; what was
written by a process that died before is in no snapshot and is removed by maintenance. The name of the batch is kept with the snapshot, so a batch
can be repeated after any interruption: tables that have it are left as they are.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from transforms.records import TABLES
from warehouse.faults import TableBusy, TableFault
from warehouse.table_faults import table_faults
from warehouse.table_specs import NAMESPACE, partitions, properties

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask, Table

    from warehouse.endpoint import Endpoint

CATALOG = "onrecord"
BATCH_PROPERTY = "onrecord.batch"
SQLITE_WAIT_SECONDS = 60
BUFFER_BYTES = 8 * 1024 * 1024
"""Rows of one table a transaction holds in memory before it writes a file per partition."""


class Archive:
    """The tables of one archive. Making one is free; the catalog is opened by the first call that needs it."""

    def __init__(self, database_url: str, endpoint: Endpoint, bucket_name: str) -> None:
        self._database_url = database_url
        self._endpoint = endpoint
        self._bucket = bucket_name

    @property
    def endpoint(self) -> Endpoint:
        """Where the files are."""
        return self._endpoint

    # --- writing ---

    def append(self, name: str, table: pa.Table, *, batch: str) -> int | None:
        """Add rows in one commit; the table's snapshot id afterwards. Nothing happens without rows, or if the table has the batch.

        Raises :class:`TableFault` where the rows do not have the table's columns, :class:`TableBusy` after lost races.
        """
        self.append_many({name: table}, batch=batch)
        return self.snapshot(name)

    def append_many(self, rows: Mapping[str, pa.Table], *, batch: str) -> None:
        """Add rows to several tables, one commit each. See :meth:`transaction`."""
        with self.transaction(batch=batch) as transaction:
            for name, table in rows.items():
                transaction.write(name, table)

    def transaction(self, *, batch: str) -> Transaction:
        """A batch too large for memory: write piece by piece, committed at the end of a clean ``with`` block.

        ::

            with archive.transaction(batch="normalize-000017") as transaction:
                for piece in pieces:
                    transaction.write("posts", piece.posts)
                    transaction.write("comments", piece.comments)

        ``batch`` names what the rows were made from: the same name must always mean the same work.
        """
        return Transaction(self, batch)

    def has_batch(self, name: str, batch: str) -> bool:
        """Whether the batch was committed to the table (as far back as its snapshots are kept)."""
        table = self._load(name)
        return table is not None and _has_batch(table, batch)

    # --- reading ---

    def snapshot(self, name: str) -> int | None:
        """Id of the table's current snapshot; ``None`` while it is empty."""
        table = self._load(name)
        current = None if table is None else table.metadata.current_snapshot_id
        return None if current in (None, -1) else current

    def snapshots(self) -> dict[str, int | None]:
        """Current snapshot of every table: two equal answers mean that nothing changed between."""
        return {name: self.snapshot(name) for name in TABLES}

    def files(self, name: str, *, snapshot: int | None = None) -> list[str]:
        """``s3://`` addresses of the Parquet files that make up the table. Raises :class:`TableFault` on delete files."""
        return [task.file.file_path for task in self._plan(name, snapshot)]

    def field_ids(self, name: str) -> dict[int, pa.Field]:
        """Iceberg field id -> column, in the table's order: what a reader needs to find columns after a rename."""
        table = self._load(name)
        if table is None:
            return dict(enumerate(TABLES[name], start=1))
        by_name = {field.name: field.field_id for field in table.schema().fields}
        return {by_name[column.name]: column for column in TABLES[name] if column.name in by_name}

    def scan(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        row_filter: str | BooleanExpression | None = None,
        *,
        snapshot: int | None = None,
    ) -> pa.Table:
        """Rows as an Arrow table with the archive's own types. For small answers; :meth:`batches` streams."""
        return self.batches(name, columns, row_filter, snapshot=snapshot).read_all()

    def batches(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        row_filter: str | BooleanExpression | None = None,
        *,
        snapshot: int | None = None,
    ) -> pa.RecordBatchReader:
        """Rows as a stream of record batches with the archive's own types.

        ``row_filter`` is an Iceberg filter, such as ``"record_id = 'bluesky:…'"``.
        """
        import pyarrow as pa  # noqa: PLC0415 - loaded with the catalog

        wanted = pa.schema([TABLES[name].field(column) for column in columns or TABLES[name].names])
        table = self._load(name)
        if table is None:
            return pa.RecordBatchReader.from_batches(wanted, iter(()))
        options: dict[str, Any] = {} if row_filter is None else {"row_filter": row_filter}
        with table_faults(name):
            found = table.scan(selected_fields=tuple(wanted.names), snapshot_id=snapshot, **options)
            source = found.to_arrow_batch_reader()
        ordered = pa.schema([source.schema.field(column) for column in wanted.names])
        return pa.RecordBatchReader.from_batches(ordered, _selected(source, name, wanted.names)).cast(wanted)

    # --- inside ---

    @functools.cached_property
    def catalog(self) -> SqlCatalog:
        """The catalog, opened once: about a second, most of it loading pyiceberg."""
        from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - see above

        from warehouse.file_io import file_io_properties  # noqa: PLC0415
        from warehouse.null_lists import keep_null_lists  # noqa: PLC0415

        keep_null_lists()
        with table_faults("catalog"):
            catalog = SqlCatalog(
                CATALOG,
                uri=_catalog_url(self._database_url),
                warehouse=f"s3://{self._bucket}",
                init_catalog_tables="true",
                **file_io_properties(self._endpoint),
            )
            catalog.create_namespace_if_not_exists(NAMESPACE)
        return catalog

    def _load(self, name: str) -> Table | None:
        from pyiceberg.exceptions import NoSuchTableError  # noqa: PLC0415 - loaded with the catalog

        _require_known(name)
        with table_faults(name):
            try:
                return self.catalog.load_table((NAMESPACE, name))
            except NoSuchTableError:
                return None

    def _load_or_create(self, name: str) -> Table:
        table = self._load(name)
        if table is not None:
            return table
        from pyiceberg.exceptions import TableAlreadyExistsError  # noqa: PLC0415
        from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids  # noqa: PLC0415
        from pyiceberg.schema import assign_fresh_schema_ids  # noqa: PLC0415

        schema = assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(TABLES[name]))
        with table_faults(name):
            try:
                return self.catalog.create_table(
                    (NAMESPACE, name),
                    schema,
                    partition_spec=partitions(name, schema),
                    properties=properties(name),
                )
            except TableAlreadyExistsError:
                return self.catalog.load_table((NAMESPACE, name))

    def _plan(self, name: str, snapshot: int | None) -> list[FileScanTask]:
        table = self._load(name)
        if table is None:
            return []
        with table_faults(name):
            tasks = list(table.scan(snapshot_id=snapshot).plan_files())
        if any(task.delete_files for task in tasks):
            msg = (
                f"table {name} holds delete files, written by another engine: its Parquet files alone would show deleted rows. "
                "Rewrite the table without them (copy-on-write), then run again"
            )
            raise TableFault(msg)
        return tasks


class Transaction:
    """Rows of one batch. Files are written as rows come, 8 MB per table at most in memory; snapshots only at the end."""

    def __init__(self, archive: Archive, batch: str) -> None:
        self._archive = archive
        self._batch = batch
        self._tables: dict[str, Table] = {}
        self._done: set[str] = set()
        self._pieces: dict[str, list[pa.Table]] = {}
        self._files: dict[str, list[DataFile]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._commit()
        else:
            self._abandon()

    def write(self, name: str, table: pa.Table) -> None:
        """Add rows to a table. Rows of a table that has the batch already are left out."""
        _require_known(name)
        if table.num_rows == 0 or self._is_done(name):
            return
        pieces = self._pieces.setdefault(name, [])
        pieces.append(_typed(name, table))
        if sum(piece.nbytes for piece in pieces) >= BUFFER_BYTES:
            self._flush(name)

    def _is_done(self, name: str) -> bool:
        if name not in self._tables:
            self._tables[name] = self._archive._load_or_create(name)  # noqa: SLF001 - one noun, two classes
            if _has_batch(self._tables[name], self._batch):
                self._done.add(name)
        return name in self._done

    def _flush(self, name: str) -> None:
        import pyarrow as pa  # noqa: PLC0415 - loaded with the catalog

        from warehouse.partitioned import data_files  # noqa: PLC0415 - needs Arrow

        if name not in self._pieces:
            return
        rows = pa.concat_tables(self._pieces.pop(name)).combine_chunks()
        with table_faults(name):
            self._files.setdefault(name, []).extend(data_files(name, self._tables[name], rows))

    def _commit(self) -> None:
        try:
            for name in TABLES:
                self._flush(name)
        except BaseException:
            self._abandon()
            raise
        for name in [name for name in TABLES if name in self._files]:
            try:
                committed = self._commit_one(name)
            except TableBusy:
                self._abandon()
                raise
            if committed:
                del self._files[name]
        self._abandon()

    def _commit_one(self, name: str) -> bool:
        """Commit a table's files unless another process committed the batch meanwhile; whether they were committed."""
        table = self._tables[name]
        with table_faults(name):
            if _has_batch(table.refresh(), self._batch):
                return False
            with (
                table.transaction() as change,
                change.update_snapshot(snapshot_properties={BATCH_PROPERTY: self._batch}).merge_append() as snapshot,
            ):
                for file in self._files[name]:
                    snapshot.append_data_file(file)
        return True

    def _abandon(self) -> None:
        """Delete the files no snapshot names. What cannot be deleted now is left to maintenance."""
        self._pieces.clear()
        for name, files in self._files.items():
            for file in files:
                with contextlib.suppress(Exception):
                    self._tables[name].io.delete(file.file_path)
        self._files.clear()


def _selected(source: pa.RecordBatchReader, name: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with table_faults(name):
        for batch in source:
            yield batch.select(columns)


def _require_known(name: str) -> None:
    if name not in TABLES:
        msg = f"no table {name!r} in the archive; it has {', '.join(TABLES)}"
        raise TableFault(msg)


def _has_batch(table: Table, batch: str) -> bool:
    summaries = (snapshot.summary for snapshot in table.metadata.snapshots)
    return any(summary is not None and summary.get(BATCH_PROPERTY) == batch for summary in summaries)


def _typed(name: str, table: pa.Table) -> pa.Table:
    """The rows with exactly the table's columns and types. Raises :class:`TableFault`."""
    schema = TABLES[name]
    missing, unknown = set(schema.names) - set(table.column_names), set(table.column_names) - set(schema.names)
    if missing or unknown:
        msg = f"rows for table {name}: missing columns {sorted(missing)}, unknown columns {sorted(unknown)}"
        raise TableFault(msg)
    empty = [column.name for column in schema if not column.nullable and table.column(column.name).null_count]
    if empty:
        msg = f"rows for table {name}: required columns {empty} hold nulls"
        raise TableFault(msg)
    try:
        return table.select(schema.names).cast(schema)
    except (ValueError, NotImplementedError) as problem:
        msg = f"rows for table {name} have other types than the table: {problem}"
        raise TableFault(msg) from None


def _catalog_url(database_url: str) -> str:
    """The database URL; a SQLite file busy with another process is waited for."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - loaded with the catalog

    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        url = url.update_query_dict({"timeout": str(SQLITE_WAIT_SECONDS)})
    return url.render_as_string(hide_password=False)


__all__ = ["Archive", "TableBusy", "TableFault", "Transaction"]
