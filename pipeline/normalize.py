"""From locked evidence to the tables: read, normalize, compare with what was known, write.

Evidence is taken in capture order and read page by page, some thousand observations at a time, so memory does not grow with the amount. Rows are
written as they come and committed every :data:`UNIT_ROWS` rows, one commit per table, sightings last: a look whose sighting is in the
tables is wholly in the tables. Then the evidence is marked. Killed anywhere, the next run finds the marks that are missing, sees
by the sightings what is there already, and makes the rest again from its evidence (:mod:`pipeline.remaking`).
"""

from __future__ import annotations

import secrets
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
from filelock import FileLock, Timeout

from pipeline import ledger_tables, memory, remaking
from pipeline.shown import VERSION, looks_in, shown_by, together
from transforms import history
from transforms.history import KEYS, Changes, Unsettled
from warehouse import inventory, known
from warehouse.heads import Heads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine

    from transforms.observations import Batch
    from warehouse.bucket import Bucket
    from warehouse.ledger import EvidenceObject
    from warehouse.tables import Archive, Transaction

BATCH_LOOKS = 12_000
"""Observations compared together, at least."""
UNIT_ROWS = 150_000
"""Rows with versions and sightings after which everything is committed."""


class NormalizeError(Exception):
    """Evidence cannot be normalized now. The message says why and what to do."""


class AlreadyNormalizing(NormalizeError):
    """Another process does it."""


@dataclass(frozen=True, slots=True)
class NormalizeReport:
    """What one run did."""

    evidence: int = 0
    """Evidence objects normalized."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Table -> rows added."""
    changes: Mapping[str, int] = field(default_factory=dict)
    """first_seen, edited, hidden, ... -> version rows added."""
    quarantined: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Left out on purpose: reason code -> items."""
    remade: int = 0
    """Records made again, since a look at them came late."""


def normalize(
    archive: Archive,
    engine: Engine,
    evidence: Bucket,
    home: Path,
    *,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] | None = None,
) -> NormalizeReport:
    """Put all pending evidence into the tables; then the captures, gaps and evidence objects of the ledger.

    ``progress`` is told how many evidence objects are done, and of how many. Raises :class:`AlreadyNormalizing`, and
    :class:`warehouse.faults.WarehouseError` where storage fails: what was committed stays, the rest is done by the next run.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "normalize.lock")
    try:
        with lock.acquire(timeout=0):
            return _normalize(archive, engine, evidence, home, clock, progress or _silent)
    except Timeout:
        msg = f"another process is normalizing (it holds {lock.lock_file}). Wait until it ends, then run again"
        raise AlreadyNormalizing(msg) from None


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def _normalize(
    archive: Archive,
    engine: Engine,
    evidence: Bucket,
    home: Path,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> NormalizeReport:
    total = sum(1 for _ in inventory.pending(engine))
    run = Run(archive, evidence)
    if total:
        with Heads.open(home / "heads.duckdb", archive) as heads:
            heads.refresh()
            before = known.state_of_tables(engine)
            for done, keys in run.all(heads, inventory.pending(engine)):
                inventory.mark_normalized(engine, keys, at=clock(), version=VERSION)
                progress(done, total)
            with known.renewed(home, before, known.state_of_tables(engine), run.accounts) as (folder, accounts):
                heads.write_known(folder, accounts)
    run.rows.update(ledger_tables.export(archive, engine, clock=clock))
    return run.report()


class Run:
    """One pass over pending evidence."""

    def __init__(self, archive: Archive, evidence: Bucket) -> None:
        self._archive = archive
        self._evidence = evidence
        self._bench = history.workbench()
        self._stack = ExitStack()
        self._written: tuple[Transaction, Transaction] | None = None
        self._unit_rows = 0
        self._waiting: list[Batch] = []
        self._late: list[pa.Table] = []
        self._objects = self._remade = 0
        self._skipped: Counter[str] = Counter()
        self._changes: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.accounts: set[str] = set()
        """Accounts of which a record was added or changed."""

    def all(self, heads: Heads, pending: Iterable[EvidenceObject]) -> Iterator[tuple[int, list[str]]]:
        """Normalize everything. Yields, after each commit, how many objects are done and the keys of those just finished."""
        unit: list[EvidenceObject] = []
        with self._stack:
            for one in pending:
                unit.append(one)
                for batch in shown_by(self._evidence, one.key, one.sha256):
                    self._wait(heads, batch)
                    del batch  # else it is held until the next one is made
                if self._unit_rows >= UNIT_ROWS:
                    yield self._finish(heads, unit)
                    unit = []
            if unit:
                yield self._finish(heads, unit)

    def report(self) -> NormalizeReport:
        """What was done so far."""
        return NormalizeReport(
            evidence=self._objects,
            rows=dict(self.rows),
            changes=dict(self._changes),
            quarantined=self.rows["quarantine"],
            skipped=dict(self._skipped),
            remade=self._remade,
        )

    def _wait(self, heads: Heads, batch: Batch) -> None:
        """Compare small batches together: each comparison has its price."""
        self._waiting.append(batch)
        self._skipped.update(batch.skipped)
        if sum(looks_in(one) for one in self._waiting) >= BATCH_LOOKS:
            self._compare(heads)

    def _compare(self, heads: Heads) -> None:
        if self._waiting:
            batch = together(self._waiting)
            self._waiting.clear()
            self._take(heads, batch)

    def _take(self, heads: Heads, batch: Batch) -> None:
        found = self._changes_in(batch, heads)
        self._write({**found.tables, "quarantine": _new_quarantine(heads, batch.quarantine)})
        heads.remember(found)
        _give_back(heads)
        if found.late.num_rows:
            self._late.append(found.late)

    def _changes_in(self, batch: Batch, heads: Heads) -> Changes:
        try:
            found = history.changes(batch, heads, self._bench)
        except Unsettled:
            self._settle(heads)
            found = history.changes(batch, heads, self._bench)
        _give_back(heads)
        return found

    def _write(self, tables: Mapping[str, pa.Table]) -> None:
        if self._written is None:
            batch = f"normalize-{secrets.token_hex(8)}"
            sightings = self._stack.enter_context(self._archive.transaction(batch=batch))
            self._written = self._stack.enter_context(self._archive.transaction(batch=batch)), sightings
        rest, sightings = self._written
        for name, table in tables.items():
            (sightings if name == "sightings" else rest).write(name, table)
            self.rows[name] += table.num_rows
            self._unit_rows += table.num_rows
            if "change" in table.column_names:
                self._changes.update(_counts(table["change"]))
                self.accounts.update(table["account_id"].unique().to_pylist())

    def _settle(self, heads: Heads) -> None:
        """Commit what was written: first the rows, then the sightings that vouch for them."""
        self._stack.close()
        self._written = None
        self._unit_rows = 0
        heads.settle()

    def _finish(self, heads: Heads, unit: list[EvidenceObject]) -> tuple[int, list[str]]:
        self._compare(heads)
        self._settle(heads)
        if self._late:
            keys = pa.concat_tables(self._late).group_by(KEYS.names).aggregate([])
            self._late.clear()
            self._remade += keys.num_rows
            remaking.remake(self._archive, heads, self._evidence, keys, unit, self._bench)
            self.accounts.update(one.account_id for one in unit)
        self.rows.update(ledger_tables.export_evidence(self._archive, heads, unit))
        self._objects += len(unit)
        return self._objects, [one.key for one in unit]


def _give_back(heads: Heads) -> None:
    """Memory freed by a batch, to the system: the next step shall not come on top of it."""
    heads.give_back()
    memory.give_back()


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in column.value_counts().to_pylist()}


def _new_quarantine(heads: Heads, rows: pa.Table) -> pa.Table:
    """The rows that are not in the table yet. Two equal items of one page are one row."""
    if rows.num_rows == 0:
        return rows
    known = heads.rows("quarantine", rows["evidence_key"].unique().to_pylist(), column="evidence_key")
    identity = ["evidence_key", "evidence_offset", "payload_sha256", "reason"]
    seen = set(zip(*(known[name].to_pylist() for name in identity), strict=True))
    places = []
    for place, row in enumerate(zip(*(rows[name].to_pylist() for name in identity), strict=True)):
        if row not in seen:
            seen.add(row)
            places.append(place)
    return rows.take(pa.array(places, pa.int64()))


__all__ = ["AlreadyNormalizing", "Changes", "NormalizeError", "NormalizeReport", "normalize"]
