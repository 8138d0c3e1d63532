"""The inventory of evidence: every locked object, and whether its records are in the tables yet.

::

    WarehouseError
    └── EvidenceDiffers   a key is already known with other bytes          nothing is overwritten; look at both
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Engine, func, select, tuple_, update

from warehouse.database import batches, writing
from warehouse.faults import WarehouseError
from warehouse.ledger_rows import EvidenceObject, EvidenceRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

PAGE_ROWS = 500


class EvidenceDiffers(WarehouseError):
    """An evidence key is already in the ledger with another hash."""

    code = "evidence_differs"


def store(engine: Engine, fresh: Iterable[EvidenceObject]) -> int:
    """Note locked objects. Those already known with the same hash are left alone. Returns how many were new.

    Raises :class:`EvidenceDiffers`.
    """
    with writing(engine) as connection:
        return store_with(connection, fresh)


def pending(engine: Engine) -> Iterator[EvidenceObject]:
    """Objects not yet normalized, in capture order, read page by page."""
    return _pages(engine, EvidenceRow.normalized_at.is_(None))


def objects(
    engine: Engine, *, capture_id: str | None = None, account_id: str | None = None
) -> Iterator[EvidenceObject]:
    """All objects, or those of one capture or account, in capture order, read page by page."""
    wanted = [
        EvidenceRow.capture_id == capture_id if capture_id is not None else None,
        EvidenceRow.account_id == account_id if account_id is not None else None,
    ]
    return _pages(engine, *(one for one in wanted if one is not None))


def mark_normalized(engine: Engine, keys: Iterable[str], *, at: datetime, version: str) -> None:
    """Note that these objects' records are in the tables, made by this version of the normalizers."""
    with writing(engine) as connection:
        for batch in batches(keys):
            done = {"normalized_at": at, "normalizer_version": version}
            connection.execute(update(EvidenceRow).where(EvidenceRow.key.in_(batch)).values(done))


def exchanges(connection: Connection, capture_id: str) -> int:
    """How many exchanges the objects of a capture hold."""
    total = select(func.coalesce(func.sum(EvidenceRow.exchanges), 0)).where(EvidenceRow.capture_id == capture_id)
    return int(connection.execute(total).scalar_one())


def store_with(connection: Connection, fresh: Iterable[EvidenceObject]) -> int:
    """The same within a transaction."""
    new = 0
    for one in fresh:
        known = connection.execute(select(EvidenceRow.sha256).where(EvidenceRow.key == one.key)).scalar()
        if known is None:
            connection.execute(EvidenceRow.__table__.insert(), asdict(one))  # type: ignore[attr-defined]
            new += 1
        elif known != one.sha256:
            msg = f"evidence {one.key} is known with SHA-256 {known}, now told {one.sha256}: nothing was changed; compare the object in the bucket"
            raise EvidenceDiffers(msg)
    return new


def _pages(engine: Engine, *wanted: ColumnElement[bool]) -> Iterator[EvidenceObject]:
    place = tuple_(EvidenceRow.capture_id, EvidenceRow.part)
    after: tuple[str, int] = ("", 0)
    while True:
        with engine.connect() as connection:
            query = select(EvidenceRow.__table__).where(place > after, *wanted)
            page = query.order_by(EvidenceRow.capture_id, EvidenceRow.part).limit(PAGE_ROWS)
            rows = [EvidenceObject(**row._mapping) for row in connection.execute(page)]  # noqa: SLF001
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = (rows[-1].capture_id, rows[-1].part)
