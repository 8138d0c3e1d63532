"""What the ledger keeps: its two tables, their rows as values, and the words for how a look ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.database import Base, UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Row

RUNNING = "running"
COMPLETE = "complete"
INTERRUPTED = "interrupted"
NOT_COVERED = "not_covered"
"""Nothing went wrong, but the way the account is connected does not show this resource: a gap, not an error."""
STARTS_OVER = frozenset({"cursor_expired", "paging_loop"})
"""Outcomes after which the place to go on is worthless."""
HISTORY = "_history"
"""After the name of a resource: a slice of its past, read beside the running schedule."""


class CaptureRow(Base):
    """Table ``captures``: one look at one resource of one account."""

    __tablename__ = "captures"
    __table_args__ = (
        Index("ix_captures_account_resource_started", "account_id", "resource", "started_at"),
        Index("ix_captures_account_started", "account_id", "started_at"),
        Index("ix_captures_untabled", "tabled_at", "capture_id"),
    )
    capture_id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text)
    platform: Mapped[str] = mapped_column(Text)
    resource: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    progressed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pages: Mapped[int] = mapped_column(BigInteger)
    items: Mapped[int] = mapped_column(BigInteger)
    platform_total: Mapped[int | None] = mapped_column(BigInteger)
    skipped: Mapped[dict[str, int]] = mapped_column(JSON)
    outcome: Mapped[str] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    resumed_from: Mapped[str | None] = mapped_column(Text)
    newest_published: Mapped[datetime | None] = mapped_column(UtcDateTime)
    software: Mapped[str] = mapped_column(Text)
    tabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reach_seconds: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)


class EvidenceRow(Base):
    """Table ``evidence_objects``: one object in the evidence bucket."""

    __tablename__ = "evidence_objects"
    __table_args__ = (
        Index("ix_evidence_objects_pending", "normalized_at", "capture_id", "part"),
        Index("ix_evidence_objects_capture", "capture_id", "part"),
    )
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    capture_id: Mapped[str] = mapped_column(Text)
    account_id: Mapped[str] = mapped_column(Text)
    part: Mapped[int]
    sha256: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    exchanges: Mapped[int] = mapped_column(BigInteger)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version_id: Mapped[str | None] = mapped_column(Text)
    normalized_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    normalizer_version: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a capture came, as totals since its begin."""

    pages: int = 0
    items: int = 0
    platform_total: int | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Left out on purpose: reason code -> count."""
    checkpoint: Mapping[str, Any] | None = None
    """Where the listing goes on: JSON values. ``None`` leaves the place known before as it is."""
    newest_published: datetime | None = None
    """Newest publication time seen. The ledger never lets it move back."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One look at one resource of one account."""

    capture_id: str
    account_id: str
    platform: str
    resource: str
    started_at: datetime
    progressed_at: datetime
    ended_at: datetime | None
    since: datetime | None
    pages: int
    items: int
    platform_total: int | None
    skipped: Mapping[str, int]
    outcome: str
    """``running``, ``complete``, or the code of what went wrong."""
    message: str | None
    retry_at: datetime | None
    checkpoint: Mapping[str, Any] | None
    resumed_from: str | None
    newest_published: datetime | None
    """The cursor: newest publication time seen up to and including this capture."""
    software: str
    tabled_at: datetime | None
    """When its row went into the Iceberg table ``captures``."""
    reach_seconds: int | None = None
    """Age of the oldest records read, at its begin; ``None``: to the beginning."""
    reason: str | None = None
    """Why, more closely than the outcome: the state of an account that is not available, what it would take to cover a resource."""


@dataclass(frozen=True, slots=True)
class EvidenceObject:
    """One object in the evidence bucket."""

    key: str
    capture_id: str
    account_id: str
    part: int
    sha256: str
    bytes: int
    exchanges: int
    written_at: datetime
    version_id: str | None = None
    normalized_at: datetime | None = None
    normalizer_version: str | None = None


def capture_of(row: Row[Any]) -> Capture:
    """A row of ``captures`` as a value."""
    return Capture(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
