"""A brake on guessing: so many refused logins from one address, then none for a while."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

ALLOWED = 50
WITHIN = timedelta(minutes=5)
ADDRESSES = 10_000
"""Addresses remembered; beyond that the oldest are forgotten."""


class Throttle:
    """Refused logins by address, in memory. Names have a lock of their own, in the database."""

    def __init__(self, *, allowed: int = ALLOWED, within: timedelta = WITHIN) -> None:
        self._allowed = allowed
        self._within = within
        self._refused: dict[str, deque[datetime]] = {}
        self._lock = Lock()

    def is_closed(self, address: str, now: datetime) -> bool:
        """Whether the address has been refused too often of late."""
        with self._lock:
            return len(self._recent(address, now)) >= self._allowed

    def refused(self, address: str, now: datetime) -> None:
        """Remember a refusal."""
        with self._lock:
            self._recent(address, now).append(now)
            while len(self._refused) > ADDRESSES:
                del self._refused[next(iter(self._refused))]

    def _recent(self, address: str, now: datetime) -> deque[datetime]:
        times = self._refused.pop(address, None) or deque()
        while times and times[0] <= now - self._within:
            times.popleft()
        self._refused[address] = times
        return times
