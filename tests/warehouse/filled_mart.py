"""A mart in memory, made by the build's own SQL from rows that a test names: no store, no archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from small_city import ACCOUNTS, row

from transforms.records import TABLES
from warehouse import duck, mart

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def filled(**given: list[dict[str, Any]]) -> DuckDBPyConnection:
    """Tables by name, each a list of rows; columns that are not given are null, or plain where they may not be."""
    connection = duck.connect()
    relations = {}
    for name in mart.SOURCES:
        rows = [row(name, **one) for one in given.get(name, [])]
        connection.register(f"given_{name}", pa.Table.from_pylist(rows, schema=TABLES[name]))
        relations[name] = f"given_{name}"
    mart.fill(connection, relations, {"accounts": ACCOUNTS}, lambda _: None)
    return connection
