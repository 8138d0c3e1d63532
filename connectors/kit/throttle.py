"""What a platform says about its limits, read from headers.

The times a platform names are its own: they are turned into a wait with its ``Date`` header, so that a clock that is wrong on
either side does not matter.

Sources: RFC 9110 §10.2.3 (``Retry-After``), draft-ietf-httpapi-ratelimit-headers (``RateLimit-*``),
docs.joinmastodon.org/api/rate-limits (``X-RateLimit-Reset`` as a time), docs.bsky.app (``RateLimit-Reset`` as an epoch).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.exchange import Exchange

EPOCH_FROM = 1_000_000_000
"""A number this large is a time since 1970, not a number of seconds to wait."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """Names of the headers in which a platform tells what is left and when it starts anew."""

    remaining: tuple[str, ...] = ("x-ratelimit-remaining", "ratelimit-remaining")
    reset: tuple[str, ...] = ("x-ratelimit-reset", "ratelimit-reset")

    def wait(self, exchange: Exchange) -> float | None:
        """Seconds that a refusal asks to wait; ``None`` where it does not say."""
        asked = _seconds(exchange.header("retry-after"), exchange)
        if asked is None and exchange.status == 429:  # noqa: PLR2004 - Too Many Requests
            asked = self._reset(exchange)
        return asked

    def pause(self, exchange: Exchange) -> float:
        """Seconds to wait before the next request, because this answer used up what was left; mostly zero."""
        left = next((value for name in self.remaining if (value := exchange.header(name))), None)
        if left is None or left.strip() != "0":
            return 0.0
        return self._reset(exchange) or 0.0

    def _reset(self, exchange: Exchange) -> float | None:
        given = next((value for name in self.reset if (value := exchange.header(name))), None)
        return _seconds(given, exchange)


def _seconds(value: str | None, exchange: Exchange) -> float | None:
    if not value:
        return None
    text = value.strip()
    try:
        number = float(text)
    except ValueError:
        moment = _moment(text)
    else:
        if not 0 <= number < EPOCH_FROM * 10:
            return None
        if number < EPOCH_FROM:
            return number
        moment = datetime.fromtimestamp(number, UTC)
    if moment is None:
        return None
    return max(0.0, (moment - (_moment(exchange.header("date") or "") or exchange.fetched_at)).total_seconds())


def _moment(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
