"""Every look at one record. They are many, so the mart does not hold them: they are read from the archive's tables."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import duckdb

from warehouse import duck
from warehouse.faults import StorageUnavailable

if TYPE_CHECKING:
    from warehouse.tables import Archive

MEMORY = "512MB"
_OF_RECORD = """
    SELECT seen_at, state, capture_id, evidence_key, evidence_offset FROM {sightings}
    WHERE record_id = $record AND kind <> 'gate'
    ORDER BY seen_at, evidence_key, evidence_offset
"""


def of_record(archive: Archive, record_id: str) -> list[dict[str, Any]]:
    """Looks at a record, the oldest first: ``seen_at``, ``state``, ``capture_id``, ``evidence_key``, ``evidence_offset``.

    Looks at the list of what is hidden in a thread are not among them. Raises :class:`StorageUnavailable`.
    """
    sql = _OF_RECORD.format(sightings=duck.relation(archive, "sightings"))
    with contextlib.closing(duck.connect(endpoint=archive.endpoint, memory_limit=MEMORY)) as connection:
        try:
            rows: list[dict[str, Any]] = connection.execute(sql, {"record": record_id}).to_arrow_table().to_pylist()
        except (duckdb.HTTPException, duckdb.IOException) as problem:
            msg = f"the looks at {record_id} cannot be read from the object store; check that it runs, then ask again"
            raise StorageUnavailable(msg) from problem
    return rows
