"""Rows into Arrow, column by column.

Building columns, not decoding, is the cost of normalizing. So rows are transposed some thousand at a time, what is the same for
a whole page is repeated instead of carried per row, and files shown with a record (lists of structs) are flattened first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from transforms.records import ATTACHMENTS, METRICS
from transforms.rows import Attachment, Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = TypeVar("Row", bound=msgspec.Struct)

_ROWS_PER_BATCH = 1024
"""Few enough that they still lie in the processor's cache when they are transposed."""
_COUNTED = tuple(name for name in Counts.__struct_fields__ if name != "record_id")
_ATTACHMENT_FIELDS = tuple(field.name for field in ATTACHMENTS.value_type)
WIDE_COUNTS = pa.schema(
    [
        METRICS.field("record_id"),
        *(pa.field(name, pa.int64()) for name in _COUNTED),
        *METRICS.remove(0).remove(0).remove(0),
    ]
)
"""Counts before :func:`counts` makes a row of each."""


class Sheet(Generic[Row]):
    """A table being filled: rows of one type, page after page."""

    def __init__(self, schema: pa.Schema, row_type: type[Row]) -> None:
        self._schema = schema
        self._own = row_type.__struct_fields__
        self._shared = tuple(name for name in schema.names if name not in self._own)
        self.rows: list[Row] = []
        self.add: Callable[[Row], None] = self.rows.append
        self._pages: list[tuple[int, tuple[Any, ...]]] = []
        self._paged = 0
        self._batches: list[pa.RecordBatch] = []

    def end_page(self, shared: dict[str, Any]) -> None:
        """Give the rows added since the last call their page's values."""
        added = len(self.rows) - self._paged
        if not added:
            return
        self._pages.append((added, tuple(shared[name] for name in self._shared)))
        self._paged = len(self.rows)
        if self._paged >= _ROWS_PER_BATCH:
            self._flush()

    def table(self) -> pa.Table:
        """All rows of all ended pages."""
        self._flush()
        return pa.Table.from_batches(self._batches, self._schema)

    def _flush(self) -> None:
        if not self._paged:
            return
        own = zip(*map(msgspec.structs.astuple, self.rows), strict=True)
        columns: dict[str, Sequence[Any]] = dict(zip(self._own, own, strict=True))
        page_of = pa.array([place for place, (count, _) in enumerate(self._pages) for _ in range(count)], pa.int32())
        shared = dict(zip(self._shared, zip(*(values for _, values in self._pages), strict=True), strict=True))
        arrays = [
            pa.array(shared[field.name], field.type).take(page_of)
            if field.name in shared
            else _array(columns[field.name], field.type)
            for field in self._schema
        ]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self.rows.clear()
        self._pages.clear()
        self._paged = 0


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    return _attachments(values) if kind == ATTACHMENTS else pa.array(values, kind)


def _attachments(lists: Sequence[list[Attachment] | None]) -> pa.Array:
    """Lists of structs from flat columns: several times faster than from dictionaries."""
    flat = [item for items in lists if items for item in items]
    offsets: list[int | None] = []
    position = 0
    for items in lists:
        offsets.append(None if items is None else position)
        position += len(items or ())
    offsets.append(position)
    fields = zip(*map(msgspec.structs.astuple, flat), strict=True) if flat else ((),) * len(_ATTACHMENT_FIELDS)
    arrays = [pa.array(values, pa.string()) for values in fields]
    structs = pa.StructArray.from_arrays(arrays, fields=list(ATTACHMENTS.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=ATTACHMENTS)


def files(contents: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """The files shown with posts and comments, one row each."""
    return pa.concat_tables([schema.empty_table(), *(_files(table, schema) for table in contents)])


def _files(content: pa.Table, schema: pa.Schema) -> pa.Table:
    carried = [name for name in schema.names if name not in _ATTACHMENT_FIELDS and name in content.schema.names]
    content = content.select([*carried, "seen_at", "attachments"])
    content = content.filter(pc.is_valid(content["attachments"])).combine_chunks()
    shown = content["attachments"]
    rows = content.drop_columns("attachments").take(pc.list_parent_indices(shown))
    flat = pc.list_flatten(shown)
    columns = {name: pc.struct_field(flat, name) for name in _ATTACHMENT_FIELDS}
    columns["seen_after"] = rows["seen_at"]
    return pa.table([columns[name] if name in columns else rows[name] for name in schema.names], schema=schema)


def counts(wide: pa.Table, schema: pa.Schema) -> pa.Table:
    """One row per count that the platform gave."""
    tables = [schema.empty_table()]
    for name in _COUNTED:
        given = wide.filter(pc.is_valid(wide[name]))
        label = pa.repeat(pa.scalar(name), given.num_rows)
        columns = {"name": label, "value": given[name]}
        tables.append(
            pa.table([columns[field] if field in columns else given[field] for field in schema.names], schema=schema)
        )
    return pa.concat_tables(tables)
