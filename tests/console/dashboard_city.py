"""Accounts of every kind the dashboard tells apart, with hostile texts wherever texts come from outside.

city-hall is up to date; the library's token is dead; parks recovered from an error and is late since; ward-3 was never looked at; the
rally was not approved.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
from small_city import City, fresh_buckets, row

from warehouse import mart

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.endpoint import Endpoint

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
BUILT_AT = NOW - timedelta(minutes=10)
PASSWORD = "correct horse battery"
"""Dana's, who may log in."""
LATE_AFTER = timedelta(hours=1)
SCRIPT = '<script>alert("library")</script> & Café'
FORMULA = "=cmd|' /C calc'!A0"
REVOKED = 'the token was revoked <img src="x" onerror="alert(1)"> by "admin"'
LINK = '=HYPERLINK("http://evil.example","click")'
TITLES = {
    "city-hall": "City of Port Alder",
    "library": SCRIPT,
    "parks": FORMULA,
    "ward-3": "Ward 3 Council Office, with a name as long as a name may be on a telephone",
    "rally": "Committee to Elect",
}
STATUS = {"ward-3": "approved", "rally": "proposed"}
RESOURCES = ("profile", "posts", "comments", "moderation")


def account_id(name: str) -> str:
    return f"mastodon:social.example/{name}"


def accounts() -> pa.Table:
    names = list(TITLES)
    return pa.table(
        {
            "account_id": [account_id(name) for name in names],
            "name": names,
            "title": list(TITLES.values()),
            "platform": ["mastodon"] * len(names),
            "handle": [f"{name}@social.example" for name in names],
            "status": [STATUS.get(name, "active") for name in names],
            "department": ["Communications" if name == "city-hall" else None for name in names],
            "office": [None if name == "city-hall" else "Ward 3" for name in names],
        }
    )


def build(home: Path, endpoint: Endpoint) -> Path:
    """Make the mart of all this."""
    city = _city()
    archive = city.archive(home, fresh_buckets(endpoint, "dashboard"))
    path = home / "mart.duckdb"
    mart.build(archive, path, extra={"accounts": accounts()}, clock=lambda: BUILT_AT, software="onrecord test")
    return path


def rebuild(path: Path, home: Path, endpoint: Endpoint) -> None:
    """Put a mart with nothing but the registry in its place."""
    archive = City().archive(home, fresh_buckets(endpoint, "dashboard"))
    mart.build(archive, path, extra={"accounts": accounts()}, clock=lambda: NOW, software="onrecord test")


def _city() -> City:
    city = City()
    for number in range(60):
        name = ("city-hall", "city-hall", "parks")[number % 3]
        published = NOW - timedelta(days=3 * number)
        _versions(
            city, "post", f"{name}-{number}", name, published, ["first_seen", "edited"] if number % 10 == 0 else []
        )
        for answer in range(number % 5):
            change = {7: "deleted", 8: "hidden"}.get(number % 10 + answer)
            changes = ["first_seen", change] if change else []
            _versions(city, "comment", f"{name}-{number}-{answer}", name, published + timedelta(hours=answer), changes)
    _looks(city)
    return city


def _versions(city: City, kind: str, native: str, name: str, published: datetime, changes: list[str]) -> None:
    for version, change in enumerate(changes or ["first_seen"], start=1):
        state = change if change in ("deleted", "hidden") else "present"
        seen = published + timedelta(hours=5 * version)
        city.rows[f"{kind}s"].append(
            row(
                f"{kind}s",
                record_id=f"mastodon:social.example/{native}",
                account_id=account_id(name),
                platform="mastodon",
                version=version,
                change=change,
                state=state,
                published_at=published,
                seen_after=seen,
                text=f"{native} {version}",
                content_sha256=f"{native} {version}",
            )
        )


def _looks(city: City) -> None:
    for resource in RESOURCES:
        _look(city, "city-hall", resource, NOW - timedelta(minutes=20))
        _look(city, "parks", resource, NOW - timedelta(hours=5), outcome="unreachable", message=LINK)
        _look(city, "parks", resource, NOW - timedelta(hours=3))
        message = REVOKED if resource == "profile" else "not tried: profile ended with credential_rejected"
        _look(city, "library", resource, NOW - timedelta(minutes=21), outcome="credential_rejected", message=message)
        city.rows["gaps"].append(
            row(
                "gaps",
                gap_id=resource,
                account_id=account_id("library"),
                resource=resource,
                cause="credential_rejected",
                opened_at=NOW - timedelta(days=2),
            )
        )


def _look(
    city: City, name: str, resource: str, at: datetime, *, outcome: str = "complete", message: str | None = None
) -> None:
    started = at + timedelta(seconds=RESOURCES.index(resource))
    city.rows["captures"].append(
        row(
            "captures",
            capture_id=f"{name}-{resource}-{started:%H%M%S}",
            account_id=account_id(name),
            platform="mastodon",
            resource=resource,
            started_at=started,
            outcome=outcome,
            message=message,
        )
    )
