"""One content, shown twice in a capture, once with more around it: every row of it gets what the fuller one tells.

A raw Bluesky record names no handle, the view of it read a moment later does. What a version rests on stays the first look; the
columns beside its content are completed from looks of the same evidence object, so the order in which objects are
normalized makes no difference.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from transforms.observations import Batch

BESIDE = (
    "author_id", "author_handle", "author_name", "author_is_account", "root_id", "url", "published_at", "platform_edited_at",
)  # fmt: skip
"""Columns outside ``content_sha256``."""
_SQL = (Path(__file__).parent / "sql" / "fullness.sql").read_text()


def filled(batch: Batch, connection: duckdb.DuckDBPyConnection) -> Batch:
    """The batch with posts and comments completed. It must hold whole runs of pages: see :mod:`transforms.history`."""
    return replace(batch, posts=_filled(batch.posts, connection), comments=_filled(batch.comments, connection))


def _filled(table: pa.Table, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    present = [pc.is_valid(table[name]).cast(pa.int8()) for name in BESIDE]
    fullness = reduce(pc.add, present)
    if table.num_rows == 0 or pc.min(fullness) == pc.max(fullness):
        return table
    looks = table.select(["record_id", "content_sha256", "evidence_key"])
    looks = looks.append_column("filled", fullness).append_column("row", pa.arange(0, table.num_rows))
    connection.register("looks", looks)
    try:
        pairs = connection.execute(_SQL).to_arrow_table()
    finally:
        connection.unregister("looks")
    return _completed(table, pairs) if pairs.num_rows else table


def _completed(table: pa.Table, pairs: pa.Table) -> pa.Table:
    places = pa.arange(0, table.num_rows)
    chosen = pc.replace_with_mask(
        places, pc.is_in(places, value_set=pairs["row"].combine_chunks()), pairs["fuller"].combine_chunks()
    )
    for name in BESIDE:
        column = table[name]
        if column.null_count:
            place = table.schema.get_field_index(name)
            table = table.set_column(place, table.schema.field(place), pc.coalesce(column, column.take(chosen)))
    return table
