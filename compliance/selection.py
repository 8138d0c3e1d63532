"""The records that answer a request: what the query found, resolved to versions, with where their bytes and conversations are.

Everything is kept in temporary tables of one read-only connection to the mart and read in batches: a package of a hundred thousand
records takes no more memory than one of ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from compliance.production_faults import NotAnswerable
from compliance.record_columns import RECORD_COLUMNS, RecordColumn, query_column
from compliance.thread_text import Said
from transforms.records import CONTENT, MODERATION_ACTIONS, PROFILES
from warehouse import duck, formats, query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from warehouse.query import Answer, Limits, Parameter

FILES = pa.schema(
    [
        ("path", pa.string()),
        ("number", pa.int64()),
        ("record_id", pa.string()),
        ("version", pa.int32()),
        ("role", pa.string()),
        ("status", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("payload_sha256", pa.string()),
        ("evidence_key", pa.string()),
        ("evidence_offset", pa.int64()),
        ("note", pa.string()),
    ]
)
"""What is known of each file of a package, and of what should be one and is missing."""

_BATCH = 1000
_MEMORY_LIMIT = "1GB"
_ATTEMPTS = 3
_SQL = Path(__file__).with_name("sql")
_KNOWN = {one.name for one in RECORD_COLUMNS} | {*CONTENT.names, *MODERATION_ACTIONS.names, *PROFILES.names}
_KNOWN |= {"record_key", "seen_until", "superseded_at", "place", "depth", "position", "under_id"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes to cut from evidence."""

    number: int
    record_id: str
    version: int
    role: str
    """``content``, or ``state`` for what shows that the record is hidden or gone."""
    payload_sha256: str
    evidence_key: str
    evidence_offset: int
    evidence_sha256: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the query found."""

    records: int
    unknown: int
    """Records the archive does not hold."""
    repeated: int
    """Rows of the answer that name a record named before."""


class Selection:
    """The records that answer one request."""

    def __init__(self, mart: Path, scratch: Path) -> None:
        self.mart = mart
        self._connection = duck.connect(mart, read_only=True, memory_limit=_MEMORY_LIMIT, temp_directory=scratch)
        self._connection.execute("SET enable_progress_bar = false")
        self.extra: tuple[RecordColumn, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    @property
    def columns(self) -> tuple[RecordColumn, ...]:
        """The columns of a record, those the query computed at the end."""
        return RECORD_COLUMNS + self.extra

    def fill(self, answer: Answer) -> Counts:
        """Take the query's answer and resolve it. Raises :class:`NotAnswerable`, :class:`warehouse.query.QueryError`."""
        self._take(answer)
        for name in ("versions", "responsive", "natives", "threads"):
            self._connection.execute(_read_sql(name))
        [named, records, unknown] = self._one(
            "SELECT (SELECT count(*) FROM answer), count(*) FILTER (WHERE kind IS NOT NULL), count(*) FILTER (WHERE kind IS NULL) FROM responsive"
        )
        self._connection.register("given", FILES.empty_table())
        self._connection.execute("CREATE TEMP TABLE files AS SELECT * FROM given")
        self._connection.unregister("given")
        self._connection.execute(_read_sql("files"))
        self._connection.execute(_read_sql("records"))
        return Counts(records, unknown, named - records - unknown)

    def pieces(self) -> Iterator[Piece]:
        """What to cut from evidence, in the order in which it lies there."""
        yield from (Piece(*row) for row in self._rows("FROM natives ORDER BY evidence_key, evidence_offset, number"))

    def said(self) -> Iterator[Said]:
        """The conversations, one after the other, each from top to bottom."""
        yield from (Said(*row) for row in self._rows("FROM conversation"))

    def records(self) -> Iterator[tuple[Any, ...]]:
        """The records in the order of ``columns``."""
        own = ", ".join(f"produced.{duck.identifier(one.name)}" for one in RECORD_COLUMNS)
        extra = "".join(f", answer.{duck.identifier(one.name)}" for one in self.extra)
        yield from self._rows(f"SELECT {own}{extra} FROM produced JOIN answer USING (place) ORDER BY number")  # noqa: S608

    def listed(self) -> Iterator[tuple[Any, ...]]:
        """The lines of the manifest."""
        yield from self._rows("FROM listed")

    def manifest_columns(self) -> list[str]:
        """The names of the manifest's columns."""
        return [name for (name, *_) in self._connection.execute("DESCRIBE listed").fetchall()]

    def file(self, files: pa.RecordBatchReader) -> None:
        """Note files of the package (``FILES``)."""
        self._connection.register("given", files)
        self._connection.execute("INSERT INTO files SELECT * FROM given")
        self._connection.unregister("given")

    def span(self) -> tuple[Any, Any]:
        """Publication times of the oldest and the newest record."""
        first, last = self._one("SELECT min(published_at), max(published_at) FROM produced")
        return first, last

    def accounts(self) -> list[str]:
        """The City's accounts that the records belong to."""
        found = self._connection.execute("SELECT DISTINCT account_title FROM produced ORDER BY ALL").fetchall()
        return [name for (name,) in found]

    def kinds(self) -> dict[str, int]:
        """How many records of each kind."""
        found = self._connection.execute("SELECT kind, count(*) FROM produced GROUP BY ALL ORDER BY ALL").fetchall()
        return dict(found)

    def tables(self) -> list[dict[str, Any]]:
        """What the mart was built from."""
        return list(self._connection.execute("FROM mart_info ORDER BY table_name").to_arrow_table().to_pylist())

    def _take(self, answer: Answer) -> None:
        names = formats.names(answer.schema)
        kinds = dict(zip(names, answer.schema.types, strict=True))
        if "record_id" not in kinds:
            msg = "the query must give a column record_id (and may give version); it gives " + ", ".join(names)
            raise NotAnswerable(msg)
        if "version" in kinds and not pa.types.is_integer(kinds["version"]):
            msg = f"the column version must be a whole number; the query gives {kinds['version']}"
            raise NotAnswerable(msg)
        self.extra = tuple(query_column(name) for name in names if name not in _KNOWN)
        kept = ["record_id", *(["version"] if "version" in kinds else []), *(one.name for one in self.extra)]
        self._insert(answer, names, kept)
        [rows, nameless] = self._one("SELECT count(*), count(*) FILTER (WHERE record_id IS NULL) FROM answer")
        if nameless:
            msg = f"{nameless:,} of {rows:,} rows of the query have no record_id: add WHERE record_id IS NOT NULL"
            raise NotAnswerable(msg)
        if not rows:
            msg = "the query finds no record, so there is nothing to hand over; nothing was written"
            raise NotAnswerable(msg)

    def _insert(self, answer: Answer, names: list[str], kept: list[str]) -> None:
        empty = pa.Table.from_batches([], answer.schema).rename_columns(names).select(kept)
        self._connection.register("given", empty)
        version = "" if "version" in kept else "CAST(NULL AS INTEGER) AS version, "
        columns = f"{version}*, CAST(0 AS BIGINT) AS place"
        self._connection.execute(f"CREATE TEMP TABLE answer AS SELECT {columns} FROM given")  # noqa: S608
        for batch in answer:
            places = pa.array(range(answer.rows - batch.num_rows, answer.rows), pa.int64())
            table = pa.Table.from_batches([batch]).rename_columns(names).select(kept).append_column("place", places)
            self._connection.register("given", table)
            self._connection.execute(f"INSERT INTO answer SELECT {version}* FROM given")  # noqa: S608
        self._connection.unregister("given")

    def _rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        for batch in self._connection.execute(sql).to_arrow_reader(_BATCH):
            yield from formats.rows(batch)

    def _one(self, sql: str) -> tuple[Any, ...]:
        row = self._connection.execute(sql).fetchone()
        return () if row is None else tuple(row)


def select(
    mart: Path, sql: str, scratch: Path, *, params: Mapping[str, Parameter] | None, limits: Limits | None
) -> tuple[Selection, Counts]:
    """Ask the query and resolve its answer on the same mart, though a new one may be put in its place meanwhile.

    Raises :class:`NotAnswerable`, :class:`warehouse.query.QueryError`.
    """
    for _ in range(_ATTEMPTS):
        before = mart.stat().st_ino if mart.exists() else None
        answer = query.ask(mart, sql, params=params, limits=limits)
        selection = Selection(mart, scratch)
        try:
            with answer:
                counts = selection.fill(answer)
            if mart.stat().st_ino == before:
                return selection, counts
        except BaseException:
            selection.__exit__(None, None, None)
            raise
        selection.__exit__(None, None, None)
    msg = f"the mart {mart} was replaced again and again while the query ran: run it once the builds are done"
    raise NotAnswerable(msg)


def _read_sql(name: str) -> str:
    return (_SQL / f"production_{name}.sql").read_text(encoding="utf-8")
