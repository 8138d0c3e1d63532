"""One archived exchange as the normalizers see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

CONTROL = "control:"
"""Before the name of a call: it only tried out whether the platform's answers can be believed, and says nothing about a record."""


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """A response read back from evidence, with where it lies and what was asked."""

    platform: str
    account_id: str
    """``platform:native_id`` of the City-supported account."""
    service: str
    """Host name of the account's server, part of native ids where the platform numbers per server."""
    capture_id: str
    call: str
    """The connector's name of the endpoint."""
    subject: str
    """Native id asked about; empty for a listing of the account itself."""
    url: str
    status: int
    content: bytes
    """The body, content encoding undone."""
    fetched_at: datetime
    evidence_key: str
    evidence_offset: int
    """Byte offset of the WARC response record in its object."""
