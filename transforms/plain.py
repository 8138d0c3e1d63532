"""Records without history in a batch: every look at them shows the same, later than all that is known. Almost all are.

No order has to be found for them, so what :mod:`transforms.history` does step by step is done here a column at a time.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from transforms.records import UTC

_GONE = pa.array(["deleted", "unavailable"])


def decide(looks: pa.Table, known: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Versions to write and heads to remember.

    Args:
        looks: All looks of the batch.
        known: For the first look at each record, by its ``place``: what was known (the answer of ``sql/history_plain.sql``).

    Returns:
        Columns as ``sql/history_versions.sql`` and ``sql/history_heads.sql`` give them.
    """
    first = looks if known.num_rows == looks.num_rows else looks.take(known["place"])
    state, basis = _state(first, known)
    change = _change(first, known, state)
    return _versions(first, known, state, basis, change), _heads(first, known, state, change)


def unheard(looks: pa.Table) -> pa.Table:
    """What is known where nothing is, and every record is looked at once: the answer of ``sql/history_plain.sql`` for that."""
    rows = looks.num_rows
    unknown, never = pa.nulls(rows, pa.string()), pa.nulls(rows, UTC)
    return pa.table(
        {
            "place": looks["place"],
            "seen_last": looks["seen_at"],
            "head_version": pa.repeat(pa.scalar(0, pa.int32()), rows),
            "state_before": unknown,
            "sha_before": unknown,
            "content_before": never,
            "presence_before": never,
            "gate_hidden": pa.repeat(False, rows),  # noqa: FBT003 - a column
            "gate_root": unknown,
        }
    )


def _state(first: pa.Table, known: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """What the public could see, and what that rests on: the thread's gate hides what the item itself shows."""
    shown = first["state"]
    behind_gate = pc.and_(known["gate_hidden"], pc.equal(shown, "present"))
    if not pc.any(behind_gate).as_py():
        return shown, first["state_basis"]
    return pc.if_else(behind_gate, "hidden", shown), pc.if_else(behind_gate, "thread_gate", first["state_basis"])


def _change(first: pa.Table, known: pa.Table, state: pa.ChunkedArray) -> pa.ChunkedArray:
    """The word for what changed; null where nothing did."""
    new = pc.equal(known["head_version"], 0)
    if pc.all(new).as_py():
        return pa.repeat("first_seen", first.num_rows)
    other_state = pc.not_equal(known["state_before"], state)
    other_content = pc.not_equal(known["sha_before"], first["content_sha256"])
    word = pc.if_else(pc.equal(state, "present"), "shown", state)
    nothing = pa.scalar(None, pa.string())
    changed = pc.if_else(other_state, word, pc.if_else(other_content, "edited", nothing))
    return pc.if_else(new, "first_seen", changed)


def _versions(
    first: pa.Table, known: pa.Table, state: pa.ChunkedArray, basis: pa.ChunkedArray, change: pa.ChunkedArray
) -> pa.Table:
    count = first.num_rows
    gone = pc.is_in(state, value_set=_GONE)
    before = pc.if_else(gone, known["presence_before"], known["content_before"])
    table = pa.table(
        {
            "kind": first["kind"],
            "record_id": first["record_id"],
            "row": first["row"],
            "own": pa.repeat(True, count),  # noqa: FBT003 - a column
            "version": pc.add(known["head_version"], pa.scalar(1, pa.int32())),
            "change": change,
            "state": state,
            "state_basis": basis,
            "seen_before": pc.if_else(pc.equal(change, "first_seen"), pa.scalar(None, UTC), before),
            "seen_after": first["seen_at"],
        }
    )
    return table.filter(pc.is_valid(change)) if change.null_count else table


def _heads(first: pa.Table, known: pa.Table, state: pa.ChunkedArray, change: pa.ChunkedArray) -> pa.Table:
    added = pc.cast(pc.is_valid(change), pa.int32())
    gone = pc.is_in(state, value_set=_GONE)
    last = known["seen_last"]
    return pa.table(
        {
            "family": first["family"],
            "record_id": first["record_id"],
            "kind": first["kind"],
            "account_id": first["account_id"],
            "root_id": first["root_id"],
            "version": pc.add(known["head_version"], added),
            "presence": pc.if_else(gone, state, "present"),
            "held": pc.equal(first["state"], "hidden"),
            "gate_hidden": known["gate_hidden"],
            "gate_root": known["gate_root"],
            "state": state,
            "content_sha256": first["content_sha256"],
            "published_at": first["published_at"],
            "content_at": last,
            "presence_at": last,
            "last_seen": last,
        }
    )
