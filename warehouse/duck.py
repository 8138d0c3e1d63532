"""DuckDB connections that can read the archive's tables in the bucket, without the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse.faults import TableFault

if TYPE_CHECKING:
    import pyarrow as pa

    from warehouse.endpoint import Endpoint
    from warehouse.tables import Archive

_OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def connect(
    path: str | Path = ":memory:",
    endpoint: Endpoint | None = None,
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit: str | None = None,
    temp_directory: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection in UTC that installs nothing; with an endpoint, one that can read ``s3://`` addresses there.

    ``memory_limit`` as DuckDB writes it (``"2GB"``). The secret lives in the connection only.
    """
    options: dict[str, str] = dict(_OFFLINE)
    if threads is not None:
        options["threads"] = str(threads)
    if memory_limit is not None:
        options["memory_limit"] = memory_limit
    if temp_directory is not None:
        options["temp_directory"] = str(temp_directory)
    connection = duckdb.connect(str(path), read_only=read_only, config=dict(options))
    connection.execute("SET TimeZone = 'UTC'")
    if endpoint is not None:
        load_httpfs(connection)
        _add_secret(connection, endpoint)
    return connection


def load_httpfs(connection: duckdb.DuckDBPyConnection) -> None:
    """Load the extension from its wheel, by path; DuckDB checks its signature. Raises :class:`TableFault`."""
    connection.execute(f"LOAD {literal(str(_httpfs()))}")
    connection.execute("SET http_timeout = 60; SET http_retries = 4")


def relation(archive: Archive, name: str, *, snapshot: int | None = None) -> str:
    """A table of the archive as an SQL expression to stand after ``FROM``, for a connection with the archive's endpoint.

    It names the Parquet files of the table's snapshot (the current one by default) and finds columns by Iceberg field id. An
    empty table gives a relation of no rows. Raises :class:`TableFault` where delete files would be overlooked.
    """
    fields = archive.field_ids(name)
    files = archive.files(name, snapshot=snapshot)
    if not files:
        columns = ", ".join(f"NULL::{sql_type(field.type)} AS {identifier(field.name)}" for field in fields.values())
        return f"(SELECT {columns} WHERE false)"
    listed = ", ".join(literal(file) for file in files)
    columns = ", ".join(
        f"{number}: {{name: {literal(field.name)}, type: {literal(sql_type(field.type))}, default_value: NULL}}"
        for number, field in fields.items()
    )
    return f"read_parquet([{listed}], schema = MAP {{{columns}}})"


def sql_type(kind: pa.DataType) -> str:
    """The DuckDB name of an Arrow type the archive uses."""
    import pyarrow as pa  # noqa: PLC0415 - a tenth of a second

    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{identifier(field.name)} {sql_type(field.type)}' for field in kind)})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ"
    names = {pa.string(): "VARCHAR", pa.bool_(): "BOOLEAN", pa.int32(): "INTEGER", pa.int64(): "BIGINT"}
    if kind not in names:
        msg = f"no DuckDB type is known for {kind}"
        raise TableFault(msg)
    return names[kind]


def literal(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _add_secret(connection: duckdb.DuckDBPyConnection, endpoint: Endpoint) -> None:
    connection.execute(
        f"""
        CREATE OR REPLACE SECRET archive (
            TYPE s3,
            KEY_ID {literal(endpoint.access_key)},
            SECRET {literal(endpoint.secret_key)},
            REGION {literal(endpoint.region)},
            ENDPOINT {literal(endpoint.host)},
            URL_STYLE 'path',
            USE_SSL {str(endpoint.secure).lower()}
        )
        """
    )


def _httpfs() -> Path:
    import duckdb_extension_httpfs  # noqa: PLC0415 - only to find its folder

    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    file = folder / "httpfs.duckdb_extension"
    if not file.exists():
        msg = (
            f"the package duckdb-extension-httpfs does not fit duckdb {duckdb.__version__}: {file} is missing. "
            "Install the same version of both"
        )
        raise TableFault(msg)
    return file
