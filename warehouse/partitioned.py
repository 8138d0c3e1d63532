"""Rows into Parquet files, one partition after another, without copying more than one at a time.

pyiceberg filters the whole table once per partition, for a hundred months a hundred passes, and works out its schema anew. Here the order is found on the few
columns it rests on, and each partition's rows are picked once, sorted. Rows in one chunk are picked fastest: others are joined for every pick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.table_specs import BY_PLATFORM, BY_PLATFORM_AND_MONTH, SORT_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.manifest import DataFile
    from pyiceberg.partitioning import PartitionKey
    from pyiceberg.table import Table


def data_files(name: str, table: Table, rows: pa.Table) -> Iterator[DataFile]:
    """Write the rows of a table of the archive; the files, which no snapshot names yet."""
    from pyiceberg.io.pyarrow import pyarrow_to_schema, write_file  # noqa: PLC0415 - half a second to load
    from pyiceberg.table import WriteTask  # noqa: PLC0415

    schema = pyarrow_to_schema(rows.schema, table.schema().name_mapping)
    for part in parts(name, rows):
        task = WriteTask(uuid4(), 0, schema, part.to_batches(), partition_key=_key(table, part))
        yield from write_file(table.io, table.metadata, iter([task]))


def _key(table: Table, part: pa.Table) -> PartitionKey | None:
    """Iceberg's name for the partition all rows of a part belong to."""
    from pyiceberg.partitioning import PartitionFieldValue, PartitionKey  # noqa: PLC0415 - see above

    schema, spec, values = table.schema(), table.spec(), []
    for field in spec.fields:
        source = schema.find_field(field.source_id)
        [value] = field.transform.pyarrow_transform(source.field_type)(part[source.name][:1]).to_pylist()
        values.append(PartitionFieldValue(field, value))
    return PartitionKey(values, spec, schema) if values else None


def parts(name: str, rows: pa.Table) -> Iterator[pa.Table]:
    """The rows of one partition after the other, each in the table's order."""
    if rows.num_rows == 0:
        return
    partition = _partition(name, rows)
    keys = pa.table({"partition": partition, **{column: rows[column] for column in SORT_ORDER[name]}})
    order = pc.sort_indices(keys, sort_keys=[(column, "ascending") for column in keys.column_names])
    begin = 0
    for end in pc.run_end_encode(partition.take(order)).run_ends.to_pylist():
        yield rows.take(order.slice(begin, end - begin))
        begin = end


def _partition(name: str, rows: pa.Table) -> pa.Array:
    """A number per row, the same for rows of one partition."""
    if name not in BY_PLATFORM | BY_PLATFORM_AND_MONTH:
        return pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows)
    platform = pc.cast(rows["platform"].combine_chunks().dictionary_encode().indices, pa.int64())
    if name in BY_PLATFORM:
        return platform
    published = rows["published_at"]
    month = pc.add(pc.multiply(pc.year(published), 12), pc.month(published))
    return pc.add(pc.multiply(platform, _MONTHS), pc.fill_null(month, -1)).combine_chunks()


_MONTHS = 12 * 100_000
