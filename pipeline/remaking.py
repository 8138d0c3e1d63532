"""Records made again from all their evidence, when a look at them came late.

A look may be normalized after a later one: evidence adopted from a process that died, a run killed between two commits. What was
concluded from the later look alone may then be wrong, so all exchanges that ever showed the record are read again and its rows
are exchanged for what follows from them. Slow and rare; it costs what normalizing that evidence cost.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as with_changes
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from transforms import history
from transforms.history import FAMILIES, HEADS, KEYS, Changes, NoPast
from transforms.normalize import normalize as normalized
from transforms.observations import SCHEMAS, Batch
from transforms.records import TABLES
from warehouse import evidence as warc
from warehouse.replacement import replace

if TYPE_CHECKING:
    import duckdb

    from warehouse.bucket import Bucket
    from warehouse.heads import Heads
    from warehouse.ledger import EvidenceObject
    from warehouse.tables import Archive

AT_ONCE = 2_000
"""Records made again together: their whole history must fit in memory."""
_KINDS = {"record": ["post", "comment"], "moderation_action": ["moderation_action"], "profile": ["profile"]}
_OF_RECORDS = ("media", "metrics")


def remake(
    archive: Archive,
    heads: Heads,
    evidence: Bucket,
    keys: pa.Table,
    unit: Sequence[EvidenceObject],
    *,
    bench: duckdb.DuckDBPyConnection,
    version: str,
) -> None:
    """Make the records of ``keys`` again from what the tables' sightings name and from the objects of ``unit``."""
    ordered = keys.sort_by([(name, "ascending") for name in KEYS.names])
    for start in range(0, ordered.num_rows, AT_ONCE):
        some = ordered.slice(start, AT_ONCE)
        found = _from_evidence(heads, evidence, some, unit, bench=bench, version=version)
        _exchange(archive, heads, some, found)
        heads.replace(some, found)
        heads.settle()


def _from_evidence(
    heads: Heads,
    evidence: Bucket,
    keys: pa.Table,
    unit: Sequence[EvidenceObject],
    *,
    bench: duckdb.DuckDBPyConnection,
    version: str,
) -> Changes:
    wanted = set(heads.evidence_of(keys)) | {one.key for one in unit}
    parts = [_only(batch, keys) for batch in _batches(evidence, sorted(wanted), version)]
    whole = {name: pa.concat_tables([SCHEMAS[name].empty_table(), *(getattr(part, name) for part in parts)]) for name in SCHEMAS}
    return _of_keys(history.changes(Batch(**whole), NoPast(), bench), keys)


def _batches(evidence: Bucket, wanted: Sequence[str], version: str) -> Iterator[Batch]:
    from pipeline.normalize import cut  # noqa: PLC0415 - it calls this module

    for key in wanted:
        for pages in cut(warc.read(evidence, key)):
            yield normalized(pages, version=version)


def _only(batch: Batch, keys: pa.Table) -> Batch:
    """What the batch shows of these records, and all its gates."""
    ids = _ids(keys)
    kept = {name: _having(getattr(batch, name), ids[family]) for name, family in FAMILIES.items()}
    kept |= {name: _having(getattr(batch, name), ids["record"]) for name in _OF_RECORDS}
    everyone = pa.concat_arrays([ids[family].combine_chunks() for family in _KINDS])
    return with_changes(batch, **kept, marks=_having(batch.marks, everyone))


def _ids(keys: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {
        family: keys.filter(pc.equal(keys["family"], family))["record_id"]
        for family in ("record", "moderation_action", "profile", "gate")
    }


def _having(rows: pa.Table, ids: pa.ChunkedArray | pa.Array) -> pa.Table:
    return rows.filter(pc.is_in(rows["record_id"], value_set=ids))


def _of_keys(found: Changes, keys: pa.Table) -> Changes:
    """Gates tell of replies that were not asked about: those are left as they are."""
    ids = _ids(keys)
    tables = {name: _having(found.tables[name], ids[family]) for name, family in FAMILIES.items()}
    tables |= {name: _having(found.tables[name], ids["record"]) for name in _OF_RECORDS}
    sightings = found.tables["sightings"]
    parts = [
        _having(sightings.filter(pc.is_in(sightings["kind"], value_set=pa.array(kinds))), ids[family])
        for family, kinds in _KINDS.items()
    ]
    gates = sightings.filter(pc.equal(sightings["kind"], "gate"))
    roots = pc.list_element(pc.split_pattern(gates["record_id"], " "), 0) if gates.num_rows else pa.array([], pa.string())
    parts.append(gates.filter(pc.is_in(roots, value_set=ids["gate"])))
    tables["sightings"] = pa.concat_tables(parts)
    heads = found.heads.join(keys, KEYS.names, join_type="left semi").select(HEADS.names).cast(HEADS)
    return with_changes(found, tables=tables, heads=heads)


def _exchange(archive: Archive, heads: Heads, keys: pa.Table, found: Changes) -> None:
    """New rows for old ones; sightings last, since they vouch for the others."""
    ids: Mapping[str, list[str]] = {family: values.to_pylist() for family, values in _ids(keys).items()}
    batch = f"remake-{secrets.token_hex(8)}"
    for name in TABLES:
        family = FAMILIES.get(name, "record" if name in _OF_RECORDS else None)
        if family and ids[family]:
            replace(archive, name, {"record_id": ids[family]}, found.tables[name], batch=batch)
    sightings = found.tables["sightings"]
    for family, kinds in _KINDS.items():
        rows = sightings.filter(pc.is_in(sightings["kind"], value_set=pa.array(kinds)))
        if ids[family]:
            replace(archive, "sightings", {"record_id": ids[family], "kind": kinds}, rows, batch=f"{batch}-{family}")
    if ids["gate"]:
        rows = sightings.filter(pc.equal(sightings["kind"], "gate"))
        old = heads.gate_entries(ids["gate"])
        names = sorted({*old, *rows["record_id"].to_pylist()})
        replace(archive, "sightings", {"record_id": names, "kind": ["gate"]}, rows, batch=f"{batch}-gate")
