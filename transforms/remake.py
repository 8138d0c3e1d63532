"""Records made again: everything ever observed of them, compared as if nothing were known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from transforms.history import FAMILIES, HEADS, KEYS, Changes, NoPast, changes

if TYPE_CHECKING:
    import duckdb

    from transforms.observations import Batch

KINDS_OF = {"record": ["post", "comment"], "moderation_action": ["moderation_action"], "profile": ["profile"]}
"""Family -> kinds of its sightings."""
OF_RECORDS = ("media", "metrics")
"""Tables whose rows belong to posts and comments."""


def remade(batch: Batch, keys: pa.Table, connection: duckdb.DuckDBPyConnection) -> Changes:
    """All rows of the records ``keys`` names, from a batch that holds all that was ever observed of them."""
    return _about(changes(only(batch, keys), NoPast(), connection), keys)


def only(batch: Batch, keys: pa.Table) -> Batch:
    """What the batch shows of these records, and all its gates."""
    ids = ids_of(keys)
    kept = {name: _having(getattr(batch, name), ids[family]) for name, family in FAMILIES.items()}
    kept |= {name: _having(getattr(batch, name), ids["record"]) for name in OF_RECORDS}
    everyone = pa.concat_arrays([ids[family].combine_chunks() for family in KINDS_OF])
    return replace(batch, **kept, marks=_having(batch.marks, everyone))


def ids_of(keys: pa.Table) -> dict[str, pa.ChunkedArray]:
    """``record_id`` by family."""
    return {
        family: keys.filter(pc.equal(keys["family"], family))["record_id"]
        for family in ("record", "moderation_action", "profile", "gate")
    }


def _having(rows: pa.Table, ids: pa.ChunkedArray | pa.Array) -> pa.Table:
    return rows.filter(pc.is_in(rows["record_id"], value_set=ids))


def _about(found: Changes, keys: pa.Table) -> Changes:
    """Gates tell of replies that were not asked about: those are left as they are."""
    ids = ids_of(keys)
    tables = {name: _having(found.tables[name], ids[family]) for name, family in FAMILIES.items()}
    tables |= {name: _having(found.tables[name], ids["record"]) for name in OF_RECORDS}
    sightings = found.tables["sightings"]
    parts = [
        _having(sightings.filter(pc.is_in(sightings["kind"], value_set=pa.array(kinds))), ids[family])
        for family, kinds in KINDS_OF.items()
    ]
    gates = sightings.filter(pc.equal(sightings["kind"], "gate"))
    roots = (
        pc.list_element(pc.split_pattern(gates["record_id"], " "), 0) if gates.num_rows else pa.array([], pa.string())
    )
    parts.append(gates.filter(pc.is_in(roots, value_set=ids["gate"])))
    tables["sightings"] = pa.concat_tables(parts)
    heads = found.heads.join(keys, KEYS.names, join_type="left semi").select(HEADS.names).cast(HEADS)
    return replace(found, tables=tables, heads=heads)
