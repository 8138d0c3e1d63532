"""Whether platforms answer as they used to: a sample of evidence lately normalized, outside the way from evidence to tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select

from compliance import shapes
from transforms.shapes import Shape, shape_of
from warehouse import evidence
from warehouse.faults import NotThere
from warehouse.ledger_rows import EvidenceObject, EvidenceRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from compliance.policy_findings import ShapeTerms
    from transforms.page import ArchivedPage
    from warehouse.bucket import Bucket

OK = 200
LARGEST = 4 * 1024 * 1024
"""Bytes of the largest page that is sampled."""


def sample(engine: Engine, bucket: Bucket, terms: ShapeTerms, *, clock: Callable[[], datetime]) -> int:
    """Learn from the newest evidence normalized since the last sample. Returns how many pages were looked at.

    Raises :class:`warehouse.faults.Damaged`: the next run goes on with what comes after it.
    """
    pages = 0
    for one in reversed(_newest(engine, terms.objects)):
        if one.normalized_at is not None:
            shapes.note_sampled(engine, one.normalized_at)
        try:
            found = _shapes(evidence.read(bucket, one.key, one.sha256), terms.pages)
        except NotThere:  # destroyed by a disposition
            found = {}
        for (platform, call), seen in found.items():
            shapes.learn(engine, platform, call, seen, at=clock(), terms=terms)
            pages += len(seen)
    return pages


def _newest(engine: Engine, most: int) -> list[EvidenceObject]:
    """The newest objects normalized since the last sample, newest first."""
    until = shapes.sampled_until(engine)
    after = EvidenceRow.normalized_at > until if until else EvidenceRow.normalized_at.is_not(None)
    order = (EvidenceRow.normalized_at.desc(), EvidenceRow.capture_id.desc(), EvidenceRow.part.desc())
    with engine.connect() as connection:
        rows = connection.execute(select(EvidenceRow.__table__).where(after).order_by(*order).limit(most))
        return [EvidenceObject(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented name


def _shapes(pages: Iterable[ArchivedPage], most: int) -> dict[tuple[str, str], list[Shape]]:
    """The shapes of the first pages of each call."""
    found: dict[tuple[str, str], list[Shape]] = {}
    taken: Counter[tuple[str, str]] = Counter()
    for page in pages:
        call = (page.platform, page.call)
        if page.status != OK or len(page.content) > LARGEST or taken[call] >= most:
            continue
        shape = shape_of(page.content)
        if shape is not None:
            taken[call] += 1
            found.setdefault(call, []).append(shape)
    return found
