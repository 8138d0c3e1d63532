"""Times as platforms write them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: object) -> datetime | None:
    """An ISO 8601 time in UTC; without a zone it counts as UTC. ``None`` for what is none (``null``, ``0000-00-00T00:00:00``)."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def zulu(when: datetime) -> str:
    """A time as APIs take it: whole seconds, with ``Z``."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
