"""The retention audit: each record's series, when its period ends, what is held, what is due, what has no series.

Rules, series and holds are data; the arithmetic is SQL in ``compliance/sql``. Nothing without a series is ever due, a hold beats
everything, and a period that has not been triggered does not end.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import duckdb
import pyarrow as pa

from compliance.faults import HoldRefused, MartIncomplete
from warehouse import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from types import TracebackType

    from duckdb import DuckDBPyConnection

Status = Literal["keep", "due", "held", "permanent", "no_series"]
_SQL = Path(__file__).with_name("sql")
_SOURCES = {
    "audit_accounts": "accounts",
    "audit_series": "retention_series",
    "audit_rules": "retention_rules",
    "audit_events": "retention_events",
    "audit_holds": "holds",
}
_MEMORY_LIMIT = "1GB"
_BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """How one series stands; ``series`` and ``title`` are ``None`` for records without one."""

    series: str | None
    title: str | None
    authority: str | None
    records: int
    keep: int
    due: int
    held: int
    permanent: int
    no_series: int
    held_past_expiry: int
    """Of those held: how many would be due."""
    not_triggered: int
    """How many wait for what starts their period."""
    due_since: date | None
    """End of the period of the record longest due."""
    next_due: date | None
    """When the next record will be due."""


class Audit:
    """The result as of a day. Holds tables of its own until it is closed; use it as a context manager."""

    def __init__(self, connection: DuckDBPyConnection, as_of: date, resources: ExitStack) -> None:
        self._connection, self._resources = connection, resources
        self.as_of = as_of
        rows = connection.execute(_read("retention_summary"), {"as_of": as_of}).fetchall()
        self.summary = tuple(SeriesSummary(*row) for row in rows)
        """One entry per series, also those without records; last the records without a series, if there are any."""

    def rows(self, status: Status | None = None, series: str | None = None) -> pa.RecordBatchReader:
        """The records in order of series and expiry, streamed; only those of a status or series, if given."""
        statement = (
            "SELECT * FROM memory.main.retention_audit WHERE ($status IS NULL OR status = $status) AND ($series IS NULL OR series = $series) "
            "ORDER BY series NULLS LAST, expires_on NULLS LAST, record_id"
        )
        result = self._connection.cursor().execute(statement, {"status": status, "series": series})
        return result.to_arrow_reader(_BATCH_ROWS)

    def close(self) -> None:
        """Drop everything."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def audit(mart: Path, as_of: date, *, tables: Mapping[str, pa.Table] | None = None) -> Audit:
    """Audit every current record of the mart as of a day.

    ``tables`` (see :func:`compliance.mart_tables.mart_tables`) are today's registry, rules and holds; those not given are taken as
    they were when the mart was built. Raises :class:`~compliance.faults.MartIncomplete`,
    :class:`~compliance.faults.HoldRefused` for a hold whose query fails, and :class:`warehouse.query.NoMart`.
    """
    if not mart.is_file():
        msg = f"there is no mart at {mart}: run `onrecord mart build` first"
        raise query.NoMart(msg)
    with ExitStack() as stack:
        connection = _open(mart, stack)
        _take(connection, tables or {}, mart)
        _run(connection, "retention_scope")
        _apply_rules(connection)
        _apply_holds(connection, mart, as_of)
        connection.execute(_read("retention"), {"as_of": as_of})
        return Audit(connection, as_of, stack.pop_all())
    raise AssertionError  # pragma: no cover - ExitStack suppresses nothing


def _open(mart: Path, stack: ExitStack) -> DuckDBPyConnection:
    spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="onrecord-audit-"))
    connection = stack.enter_context(
        duckdb.connect(":memory:", config={"temp_directory": spill, "memory_limit": _MEMORY_LIMIT})
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH '{str(mart).replace(chr(39), chr(39) * 2)}' AS mart (READ_ONLY)")
    connection.execute("SET search_path = 'memory.main,mart.main'")
    return connection


def _take(connection: DuckDBPyConnection, tables: Mapping[str, pa.Table], mart: Path) -> None:
    for name, source in _SOURCES.items():
        if source in tables:
            connection.register("given", tables[source])
        try:
            connection.execute(f"CREATE TABLE {name} AS FROM {'given' if source in tables else f'mart.{source}'}")
        except duckdb.CatalogException:
            msg = f"the mart {mart} has no table {source}: build it again with `onrecord mart build`"
            raise MartIncomplete(msg) from None


def _apply_rules(connection: DuckDBPyConnection) -> None:
    statement = _read("retention_rule")
    for rule in _rows(connection, "SELECT * EXCLUDE (place) FROM audit_rules ORDER BY place"):
        connection.execute(statement, rule)
    _run(connection, "retention_default")


def _apply_holds(connection: DuckDBPyConnection, mart: Path, as_of: date) -> None:
    statement = _read("retention_hold")
    in_force = (
        "SELECT hold_id, account_ids, kinds, record_ids, published_from, published_until, text, query FROM audit_holds "
        "WHERE CAST(placed_at AS DATE) <= $as_of AND (released_at IS NULL OR CAST(released_at AS DATE) > $as_of)"
    )
    for hold in _rows(connection, in_force, {"as_of": as_of}):
        if hold["query"] is not None:
            _ask(connection, mart, hold["hold_id"], hold["query"])
        connection.execute(statement, hold)


def _ask(connection: DuckDBPyConnection, mart: Path, hold_id: str, sql: str) -> None:
    """Note which records a hold's query gives. The query runs apart, with the limits of every query of a person."""
    try:
        with query.ask(mart, sql) as answer:
            for batch in answer:
                ids = pa.table({"hold_id": [hold_id] * batch.num_rows, "record_id": batch.column("record_id")})
                connection.register("given", ids)
                connection.execute("INSERT INTO audit_hold_answers SELECT hold_id, record_id FROM given")
    except (query.QueryError, KeyError) as problem:
        said = "it gives no column record_id" if isinstance(problem, KeyError) else str(problem)
        msg = f"the query of hold {hold_id} fails, so nothing can be called due: {said}. Release it, or place it anew"
        raise HoldRefused(msg) from None


def _rows(
    connection: DuckDBPyConnection, sql: str, parameters: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    result = connection.execute(sql, dict(parameters or {}))
    names = [one[0] for one in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _run(connection: DuckDBPyConnection, name: str) -> None:
    connection.execute(_read(name))


def _read(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


def today(now: datetime) -> date:
    """The day an audit is made for when none is named: that of UTC."""
    return now.astimezone(UTC).date()
