"""One capture counted again from its evidence: where every item of its pages ended, and what the tables lack of it."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.shown import shown_by
from transforms.history import FAMILIES
from transforms.observations import EDIT_HISTORY
from warehouse import duck, inventory, ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Engine

    from transforms.observations import Batch
    from warehouse.bucket import Bucket
    from warehouse.tables import Archive

_LOOKED_AT = """
    SELECT DISTINCT record_id FROM {sightings} WHERE capture_id = $capture_id AND kind <> 'gate' AND state <> 'edit_history'
"""


@dataclass(frozen=True, slots=True)
class Recount:
    """What the evidence of one capture shows, and what became of it."""

    items: int = 0
    """Items the pages hold, by the normalizers' count."""
    ended: Mapping[str, int] = field(default_factory=dict)
    """row, quarantine, skipped -> items; their sum is ``items``."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Left out on purpose: reason -> items."""
    records: int = 0
    """Different records they show, or show to be gone."""
    lacking: tuple[str, ...] = ()
    """Of these, the ones at which, by the tables, this capture did not look."""

    @property
    def reconciles(self) -> bool:
        """Whether each item ended somewhere, and each record is in the tables."""
        return self.items == sum(self.ended.values()) and not self.lacking


def recount(archive: Archive, engine: Engine, evidence: Bucket, capture_id: str) -> Recount:
    """Read a capture's evidence again and compare it with the tables.

    Evidence that is not normalized yet is lacking as a whole. Raises :class:`warehouse.ledger.CaptureUnknown`,
    :class:`warehouse.faults.WarehouseError`.
    """
    ledger.get_capture(engine, capture_id)
    items, ended, skipped, shown = 0, Counter[str](), Counter[str](), set[str]()
    for one in inventory.objects(engine, capture_id=capture_id):
        for batch in shown_by(evidence, one.key, one.sha256):
            items += batch.items
            ended.update(batch.ended)
            skipped.update(batch.skipped)
            shown.update(_records(batch))
    lacking = shown - _looked_at(archive, capture_id) if shown else set()
    return Recount(items, dict(ended), dict(skipped), len(shown), tuple(sorted(lacking)))


def _records(batch: Batch) -> Iterator[str]:
    """Ids of what a batch shows now; what it tells of earlier versions belongs to records it shows, too."""
    for name in FAMILIES:
        table = getattr(batch, name)
        for record_id, basis in zip(table["record_id"].to_pylist(), table["state_basis"].to_pylist(), strict=True):
            if basis != EDIT_HISTORY:
                yield record_id
    yield from batch.marks["record_id"].to_pylist()


def _looked_at(archive: Archive, capture_id: str) -> set[str]:
    sql = _LOOKED_AT.format(sightings=duck.relation(archive, "sightings"))
    with contextlib.closing(duck.connect(endpoint=archive.endpoint)) as connection:
        return {record_id for (record_id,) in connection.execute(sql, {"capture_id": capture_id}).fetchall()}
