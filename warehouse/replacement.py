"""Rows of some records exchanged for others, in one commit per table.

For records made again from their evidence: the rows that stood for them go, the new ones come, and no reader sees one without the
other. Files are rewritten without the old rows (copy-on-write).
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from warehouse.table_faults import table_faults
from warehouse.table_specs import NAMESPACE, sorted_rows
from warehouse.tables import BATCH_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression

    from warehouse.tables import Archive


def replace(archive: Archive, name: str, where: Mapping[str, list[str]], rows: pa.Table, *, batch: str) -> None:
    """Delete the rows whose columns hold one of the values given for each, and add ``rows``.

    Raises :class:`warehouse.faults.TableBusy` after lost races; nothing was changed then.
    """
    from pyiceberg.expressions import And  # noqa: PLC0415 - loaded with the catalog

    if archive.snapshot(name) is None or not all(where.values()):
        archive.append(name, rows, batch=batch)
        return
    conditions = [one_of(column, values) for column, values in where.items()]
    condition = reduce(And, conditions)
    with table_faults(name):
        table = archive.catalog.load_table((NAMESPACE, name))
        with table.transaction() as change:
            change.delete(condition, snapshot_properties={BATCH_PROPERTY: batch})
            if rows.num_rows:
                change.append(sorted_rows(name, rows), snapshot_properties={BATCH_PROPERTY: batch})


def one_of(column: str, values: list[str]) -> BooleanExpression:
    """The filter for rows whose column holds one of the values."""
    from pyiceberg.expressions import In, Reference  # noqa: PLC0415 - see above

    return In(Reference(column), values)  # type: ignore[call-arg, arg-type]
