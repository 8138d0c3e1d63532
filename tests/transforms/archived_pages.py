"""Pages as read back from evidence, and what a batch shows, in a form to compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from transforms.normalize import normalize
from transforms.observations import SCHEMAS, Batch
from transforms.page import ArchivedPage

GOLDEN = Path(__file__).parent / "golden"
SEEN_AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
ACCOUNTS = {
    "bluesky": ("bluesky:did:plc:cityofexample00000000001", "public.api.example"),
    "mastodon": ("mastodon:social.example/1", "social.example"),
    "wordpress": ("wordpress:news.example", "news.example"),
}
SAME_FOR_A_PAGE = frozenset(
    {"account_id", "platform", "call", "capture_id", "evidence_key", "evidence_offset", "normalizer_version"}
    | {"seen_at", "seen_after", "payload_sha256"}
)


def archived(platform: str, call: str, content: bytes | object, /, **changes: Any) -> ArchivedPage:
    """A page of the invented city; ``content`` that is not bytes becomes JSON."""
    account_id, service = ACCOUNTS[platform]
    fields: dict[str, Any] = {
        "platform": platform,
        "account_id": account_id,
        "service": service,
        "capture_id": "20260201T120000000000-0a0b0c0d",
        "call": call,
        "subject": "",
        "url": f"https://{service}/asked",
        "status": 200,
        "content": content if isinstance(content, bytes) else json.dumps(content).encode(),
        "fetched_at": SEEN_AT,
        "evidence_key": f"evidence/{platform}/city/2026/02/20260201T120000000000-0a0b0c0d.1.warc.gz",
        "evidence_offset": 4711,
    }
    return ArchivedPage(**{**fields, **changes})


def show(*pages: ArchivedPage) -> Batch:
    """What the pages show; every item of them accounted for."""
    batch = normalize(pages, version="1")
    assert sum(batch.ended.values()) == batch.items
    assert sum(batch.skipped.values()) == batch.ended["skipped"]
    assert batch.quarantine.num_rows == batch.ended["quarantine"]
    for name, schema in SCHEMAS.items():
        table: pa.Table = getattr(batch, name)
        assert table.schema.equals(schema), name
        table.validate(full=True)
    return batch


def rows(table: pa.Table, *, origin: bool = False) -> list[dict[str, Any]]:
    """The rows without what is null, and without what they share with their page."""
    return [
        {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in row.items()
            if value is not None and (origin or name not in SAME_FOR_A_PAGE)
        }
        for row in table.to_pylist()
    ]


def told(batch: Batch) -> dict[str, Any]:
    """A batch as JSON, tables without rows left out."""
    tables = {name: rows(getattr(batch, name)) for name in SCHEMAS}
    return {**{name: found for name, found in tables.items() if found}, "skipped": batch.skipped, "ended": batch.ended}


def as_sets(batches: Iterable[Batch]) -> dict[str, list[str]]:
    """All rows of some batches, with their origin, in no order."""
    found: dict[str, list[str]] = {name: [] for name in SCHEMAS}
    for batch in batches:
        for name in SCHEMAS:
            found[name] += [json.dumps(row, sort_keys=True) for row in rows(getattr(batch, name), origin=True)]
    return {name: sorted(lines) for name, lines in found.items()}


def golden_pages() -> Mapping[str, ArchivedPage]:
    """Our own fixtures: ``name.platform.call.json`` is a body; what else the page says lies in ``name.expected.json``."""
    pages = {}
    for body in sorted(GOLDEN.glob("*.*.*.json")):
        name, platform, call, _ = body.name.split(".")
        expected = GOLDEN / f"{name}.expected.json"
        page = json.loads(expected.read_text()).get("page", {}) if expected.exists() else {}
        pages[name] = archived(platform, call, body.read_bytes(), **page)
    return pages


def write_expected() -> None:
    """Write what the normalizers say now. Read the difference before you keep it: a new hash is a new version of every record."""
    for name, page in golden_pages().items():
        file = GOLDEN / f"{name}.expected.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        kept = {"page": before["page"]} if "page" in before else {}
        file.write_text(json.dumps({**kept, **told(show(page))}, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    write_expected()
