"""An answer written as table, CSV, JSON or Parquet: to a stream, or to a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from warehouse import cells, grid
from warehouse.faults import DiskFull, WarehouseError, is_disk_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from warehouse.query import Answer

Format = Literal["table", "csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
SHOWN_ROWS = 1000
"""Rows a table shows; the other formats give all."""


class NotWritable(WarehouseError):
    """The answer cannot be written there."""

    code = "not_writable"


def write(
    answer: Answer, form: Format, stream: IO[bytes], *, guard: bool = False, columns: int = 120, first: int = SHOWN_ROWS
) -> None:
    """Write the answer to a stream as it comes in.

    ``guard`` puts an apostrophe before CSV texts a spreadsheet program would run as formulas. ``columns`` and ``first`` are the width
    and the rows of a table. Raises :class:`warehouse.query.QueryError` where the answer breaks off: then the stream is not complete.
    """
    with answer:
        match form:
            case "table":
                _table(answer, stream, columns=columns, first=first)
            case "csv":
                _csv(answer, stream, cells.guarded if guard else str)
            case "json":
                _json(answer, stream)
            case "parquet":
                _parquet(answer, stream)


def write_file(
    answer: Answer, form: Format, path: Path, *, guard: bool = False, columns: int = 120, first: int = SHOWN_ROWS
) -> None:
    """Write the answer to a file; it replaces an older one only once complete. Raises as :func:`write`, and :class:`NotWritable`, :class:`DiskFull`."""
    with answer, replacing(path) as stream:
        write(answer, form, stream, guard=guard, columns=columns, first=first)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose content becomes the file at ``path`` when the block ends well, and vanishes otherwise."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with fresh.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError as problem:
        if is_disk_full(problem):
            msg = f"no space left to write {path}: make room and run again"
            raise DiskFull(msg) from problem
        msg = f"{path} cannot be written: {problem.strerror or problem}"
        raise NotWritable(msg) from problem
    finally:
        fresh.unlink(missing_ok=True)


def names(schema: pa.Schema) -> list[str]:
    """The column names, made different where the query gave two columns one name."""
    seen: dict[str, int] = {}
    unique = []
    for name in schema.names:
        count = seen[name] = seen.get(name, 0) + 1
        unique.append(name if count == 1 else f"{name}_{count}")
    return unique


def rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch as Python values."""
    return zip(*(cells.values(column) for column in batch.columns), strict=True)


def _csv(answer: Answer, stream: IO[bytes], guard: Callable[[str], str]) -> None:
    """RFC 4180: commas, CRLF, a header line, UTF-8; absent values are empty."""
    with _text(stream) as lines:
        writer = csv.writer(lines)
        writer.writerow([guard(name) for name in names(answer.schema)])
        for batch in answer:
            writer.writerows([guard(v) if isinstance(v, str) else cells.text(v) for v in row] for row in rows(batch))


def _json(answer: Answer, stream: IO[bytes]) -> None:
    """One array of objects, a row per line."""
    columns = names(answer.schema)
    before = b"[\n"
    for batch in answer:
        for row in rows(batch):
            stream.write(before + cells.json(dict(zip(columns, row, strict=True))))
            before = b",\n"
    stream.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def _parquet(answer: Answer, stream: IO[bytes]) -> None:
    import pyarrow as pa  # noqa: PLC0415  (loaded already)
    import pyarrow.parquet as pq  # noqa: PLC0415  (slow to load, and only this format needs it)

    fields = zip(names(answer.schema), answer.schema.types, strict=True)
    schema = pa.schema([(name, pa.string() if pa.types.is_interval(kind) else kind) for name, kind in fields])
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in answer:
            writer.write_batch(pa.record_batch(list(map(_storable, batch.columns)), schema=schema))


def _storable(column: pa.Array) -> pa.Array:
    """The column, as text where Parquet has no such type."""
    import pyarrow as pa  # noqa: PLC0415  (loaded already)

    if not pa.types.is_interval(column.type):
        return column
    return pa.array([None if value is None else cells.text(value) for value in column.to_pylist()], pa.string())


def _table(answer: Answer, stream: IO[bytes], *, columns: int, first: int) -> None:
    kept: list[Sequence[object]] = []
    for batch in answer:
        kept.extend(rows(batch.slice(0, max(0, first - len(kept)))))
    numeric = [_is_number(kind) for kind in answer.schema.types]
    with _text(stream, newline="\n") as out:
        for line in grid.lines(names(answer.schema), kept, numeric=numeric, columns=columns):
            out.write(line + "\n")
        out.write(_count(len(kept), answer.rows))


def _count(shown: int, total: int) -> str:
    if shown < total:
        return f"the first {shown:,} of {total:,} rows; --format csv gives all of them\n"
    return f"{total:,} row{'s' * (total != 1)}\n"


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa  # noqa: PLC0415  (loaded already)

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


@contextlib.contextmanager
def _text(stream: IO[bytes], newline: str = "") -> Iterator[io.TextIOWrapper]:
    """A text layer over a byte stream that stays open afterwards."""
    layer = io.TextIOWrapper(stream, encoding="utf-8", newline=newline, write_through=False)
    try:
        yield layer
        layer.flush()
    finally:
        with contextlib.suppress(ValueError, OSError):
            layer.detach()
