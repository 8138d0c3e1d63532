"""Exchanges and captures to write evidence with."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.exchange import Exchange
from warehouse.warc import CaptureFacts

BEGIN = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
_numbers = itertools.count(1)


def exchange(body: bytes = b'{"posts": []}', **changes: Any) -> Exchange:
    """An answer of a platform."""
    values: dict[str, Any] = {
        "call": "account.statuses",
        "subject": "",
        "method": "GET",
        "url": "https://social.example.org/api/v1/accounts/7/statuses?limit=40",
        "request_headers": (("Accept", "application/json"), ("Authorization", "REDACTED")),
        "status": 200,
        "reason": "OK",
        "response_headers": (("Content-Type", "application/json; charset=utf-8"),),
        "body": body,
        "fetched_at": BEGIN + timedelta(seconds=next(_numbers)),
        "elapsed_seconds": 0.125,
    }
    return Exchange(**{**values, **changes})


def capture_facts(**changes: Any) -> CaptureFacts:
    """A capture of its own."""
    values: dict[str, Any] = {
        "capture_id": f"20260301T120000123456-{next(_numbers):08x}",
        "account_id": "mastodon:social.example.org/7",
        "platform": "mastodon",
        "service": "social.example.org",
        "resource": "posts",
        "started_at": BEGIN,
        "software": "onrecord 0.1.0",
    }
    return CaptureFacts(**{**values, **changes})
