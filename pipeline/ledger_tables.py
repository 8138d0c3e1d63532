"""What the ledger knows of captures, gaps and evidence, as rows of the archive's tables."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from transforms.records import TABLES
from warehouse import gaps, ledger
from warehouse.replacement import one_of, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from warehouse.heads import Heads
    from warehouse.ledger import Capture, EvidenceObject
    from warehouse.tables import Archive

_AT_ONCE = 5_000


def export(archive: Archive, engine: Engine, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Bring ``captures`` and ``gaps`` up to date. Returns rows added, by table."""
    return {"captures": _captures(archive, engine, clock), "gaps": _gaps(archive, engine)}


def export_evidence(archive: Archive, heads: Heads, objects: Sequence[EvidenceObject]) -> dict[str, int]:
    """Add these objects to ``evidence``, where they are not in it yet. Returns rows added, by table."""
    there = set(heads.rows("evidence", [one.key for one in objects], column="evidence_key")["evidence_key"].to_pylist())
    rows = [{**asdict(one), "evidence_key": one.key} for one in objects if one.key not in there]
    archive.append("evidence", _table("evidence", rows), batch=_batch())
    return {"evidence": len(rows)}


def _captures(archive: Archive, engine: Engine, clock: Callable[[], datetime]) -> int:
    added = 0
    waiting = ledger.untabled_captures(engine)
    while some := list(islice(waiting, _AT_ONCE)):
        there = _present(archive, "captures", "capture_id", [one.capture_id for one in some])
        rows = [_capture(one) for one in some if one.capture_id not in there]
        archive.append("captures", _table("captures", rows), batch=_batch())
        ledger.mark_tabled(engine, [one.capture_id for one in some], at=clock())
        added += len(rows)
    return added


def _gaps(archive: Archive, engine: Engine) -> int:
    """Gaps are few, and they close: rows that differ are exchanged."""
    there = {row["gap_id"]: row for row in archive.scan("gaps").to_pylist()}
    rows = [asdict(gap) for gap in gaps.listing(engine)]
    differing = [row for row in rows if there.get(row["gap_id"]) != row]
    if differing:
        ids = [row["gap_id"] for row in differing]
        replace(archive, "gaps", {"gap_id": ids}, _table("gaps", differing), batch=_batch())
    return sum(row["gap_id"] not in there for row in differing)


def _capture(one: Capture) -> dict[str, Any]:
    return {**asdict(one), "skipped": json.dumps(dict(one.skipped), sort_keys=True) if one.skipped else None}


def _present(archive: Archive, name: str, column: str, values: Iterable[str]) -> set[str]:
    found = archive.scan(name, columns=[column], row_filter=one_of(column, list(values)))
    return set(found[column].to_pylist())


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=TABLES[name])


def _batch() -> str:
    return f"ledger-{secrets.token_hex(8)}"
