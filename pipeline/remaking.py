"""Records made again from all their evidence, when a look at them came late.

A look may be normalized after a later one: evidence adopted from a process that died, a run killed between two commits. What was
concluded from the later look alone may then be wrong, so all exchanges that ever showed the record are read again and its rows
are exchanged for what follows from them. Slow and rare; it costs what normalizing that evidence cost.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.shown import shown_by, together
from transforms.history import FAMILIES, KEYS, Changes
from transforms.records import TABLES
from transforms.remake import KINDS_OF, OF_RECORDS, ids_of, only, remade
from warehouse.replacement import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from warehouse.bucket import Bucket
    from warehouse.heads import Heads
    from warehouse.ledger import EvidenceObject
    from warehouse.tables import Archive

AT_ONCE = 2_000
"""Records made again together: their whole history must fit in memory."""


def remake(
    archive: Archive,
    heads: Heads,
    evidence: Bucket,
    keys: pa.Table,
    unit: Sequence[EvidenceObject],
    bench: duckdb.DuckDBPyConnection,
) -> None:
    """Make the records of ``keys`` again from what the tables' sightings name and from the objects of ``unit``."""
    ordered = keys.sort_by([(name, "ascending") for name in KEYS.names])
    for start in range(0, ordered.num_rows, AT_ONCE):
        some = ordered.slice(start, AT_ONCE)
        found = _from_evidence(heads, evidence, some, unit, bench)
        _exchange(archive, heads, some, found)
        heads.replace(some, found)
        heads.settle()


def _from_evidence(
    heads: Heads,
    evidence: Bucket,
    keys: pa.Table,
    unit: Sequence[EvidenceObject],
    bench: duckdb.DuckDBPyConnection,
) -> Changes:
    wanted = set(heads.evidence_of(keys)) | {one.key for one in unit}
    parts = [only(batch, keys) for key in sorted(wanted) for batch in shown_by(evidence, key)]
    return remade(together(parts), keys, bench)


def _exchange(archive: Archive, heads: Heads, keys: pa.Table, found: Changes) -> None:
    """New rows for old ones; sightings last, since they vouch for the others."""
    ids: Mapping[str, list[str]] = {family: values.to_pylist() for family, values in ids_of(keys).items()}
    batch = f"remake-{secrets.token_hex(8)}"
    for name in TABLES:
        family = FAMILIES.get(name, "record" if name in OF_RECORDS else None)
        if family and ids[family]:
            replace(archive, name, {"record_id": ids[family]}, found.tables[name], batch=batch)
    sightings = found.tables["sightings"]
    for family, kinds in KINDS_OF.items():
        rows = sightings.filter(pc.is_in(sightings["kind"], value_set=pa.array(kinds)))
        if ids[family]:
            replace(archive, "sightings", {"record_id": ids[family], "kind": kinds}, rows, batch=f"{batch}-{family}")
    if ids["gate"]:
        rows = sightings.filter(pc.equal(sightings["kind"], "gate"))
        old = heads.gate_entries(ids["gate"])
        names = sorted({*old, *rows["record_id"].to_pylist()})
        replace(archive, "sightings", {"record_id": names, "kind": ["gate"]}, rows, batch=f"{batch}-gate")
