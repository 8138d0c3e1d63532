"""Version rows from decisions: the wide columns are picked by row, the few that a comparison decides are set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from transforms.observations import ORIGIN, Batch
from transforms.records import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE_OF = {"post": "posts", "comment": "comments", "moderation_action": "moderation_actions", "profile": "profiles"}
_DECIDED = ("version", "change", "state", "state_basis", "seen_before", "seen_after")
_POINTER = ("capture_id", "evidence_key", "evidence_offset")


class Versions(Protocol):
    """Where earlier versions are looked up."""

    def versions(self, name: str, wanted: Mapping[str, int]) -> pa.Table:
        """Rows of a table with versions: record_id -> version."""


def assemble(batch: Batch, decided: pa.Table, past: Versions) -> dict[str, pa.Table]:
    """The rows to add to each table with versions.

    ``decided`` is the answer of ``sql/history_versions.sql``. A row that shows content of its own is taken whole. One that shows
    only a state (a direct read, a thread gate) has the content of the version before and the origin of the exchange that shows it.
    """
    return {name: _rows(name, batch, _of_kind(decided, kind), past) for kind, name in TABLE_OF.items()}


def _of_kind(decided: pa.Table, kind: str) -> pa.Table:
    return decided.filter(pc.equal(decided["kind"], kind)) if decided.num_rows else decided


def _rows(name: str, batch: Batch, decided: pa.Table, past: Versions) -> pa.Table:
    schema = TABLES[name]
    if decided.num_rows == 0:
        return schema.empty_table()
    own = decided.filter(decided["own"])
    bare = decided.filter(pc.invert(decided["own"]))
    pieces = [_decide(schema, _own_content(batch, own), own)] if own.num_rows else []
    if bare.num_rows:
        content = _content_before(name, batch, bare, past)
        pieces.append(_decide(schema, _set(content, _origin(batch, bare)), bare))
    return pa.concat_tables(pieces)


def _own_content(batch: Batch, own: pa.Table) -> pa.Table:
    """Rows of the batch, in the order decided. A kind has one table, whatever its number."""
    table: pa.Table = getattr(batch, TABLE_OF[own["kind"][0].as_py()])
    return picked(table, own["row"])


def picked(table: pa.Table, rows: pa.ChunkedArray) -> pa.Table:
    """These rows of a table. Ascending ones, as they almost always are, are filtered: taking copies all of a table in pieces."""
    ascending = len(rows) < 2 or pc.all(pc.less(rows[:-1], rows[1:])).as_py()  # noqa: PLR2004 - one is ascending
    if not ascending:
        return table.take(rows)
    if len(rows) == table.num_rows:
        return table
    return table.filter(pc.is_in(pa.arange(0, table.num_rows), value_set=rows.cast(pa.int64())))


def _content_before(name: str, batch: Batch, bare: pa.Table, past: Versions) -> pa.Table:
    """The content each row carries on, from the batch or from the tables."""
    schema = TABLES[name]
    ids, rows, versions = (bare[column].to_pylist() for column in ("record_id", "row", "head_version"))
    here: pa.Table = getattr(batch, name)
    content = [column for column in schema.names if column in here.column_names]
    wanted = {record_id: version for record_id, row, version in zip(ids, rows, versions, strict=True) if row is None}
    pool = here.select(content)
    places: dict[str, int] = {}
    if wanted:
        earlier = past.versions(name, wanted)
        places = {record_id: pool.num_rows + place for place, record_id in enumerate(earlier["record_id"].to_pylist())}
        missing = wanted.keys() - places.keys()
        if missing:
            msg = f"{name}: {len(missing)} known versions are not in the table, such as {min(missing)}"
            raise LookupError(msg)
        pool = pa.concat_tables([pool, earlier.select(content).cast(pool.schema)])
    return pool.take([places[record_id] if row is None else row for record_id, row in zip(ids, rows, strict=True)])


def _origin(batch: Batch, bare: pa.Table) -> dict[str, pa.ChunkedArray | pa.Array]:
    """Where the exchange lies that shows the state."""
    found = {name: bare[name] for name in _POINTER}
    marks, gates = bare["mark_row"].to_pylist(), bare["gate_row"].to_pylist()
    for name in ORIGIN:
        if name in _POINTER:
            continue
        of_marks, of_gates = batch.marks[name], batch.gates[name]
        found[name] = pa.array(
            [
                (of_marks[mark] if mark is not None else of_gates[gate]).as_py()
                for mark, gate in zip(marks, gates, strict=True)
            ],
            pa.string(),
        )
    return found


def _decide(schema: pa.Schema, content: pa.Table, decided: pa.Table) -> pa.Table:
    columns = {name: decided[name] for name in _DECIDED}
    return pa.table(
        [_cast(columns.get(field.name), content, field) for field in schema],
        schema=schema,
    )


def _cast(decided: pa.ChunkedArray | None, content: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    return content[field.name] if decided is None else decided.cast(field.type)


def _set(table: pa.Table, columns: Mapping[str, pa.ChunkedArray | pa.Array]) -> pa.Table:
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), values)
    return table
