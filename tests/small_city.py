"""An invented city's account in evidence, tables and mart: what the tests of questions and packages stand on."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.exchange import Exchange
from transforms.records import TABLES
from warehouse import evidence
from warehouse.bucket import Bucket, Buckets, Retention, ensure
from warehouse.spool import CaptureFacts, Spool
from warehouse.tables import Archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from warehouse.endpoint import Endpoint

ACCOUNT = "bluesky:did:plc:alder"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
BUILT_AT = datetime(2026, 4, 1, 6, tzinfo=UTC)
ACCOUNTS = pa.table(
    {
        "account_id": [ACCOUNT],
        "name": ["port-alder"],
        "title": ["City of Port Alder"],
        "platform": ["bluesky"],
        "handle": ["portalder.example"],
        "status": ["active"],
        "department": ["Communications"],
        "office": [None],
    }
)


def fresh_buckets(endpoint: Endpoint, name: str) -> Buckets:
    """Two new buckets, for tests that share them."""
    name = f"{name}-{secrets.token_hex(4)}"
    made = Buckets(Bucket(endpoint, f"{name}-evidence", Retention("GOVERNANCE", 1)), Bucket(endpoint, f"{name}-tables"))
    ensure(made.evidence, locked=True)
    ensure(made.tables, locked=False)
    return made


def record_id(name: str) -> str:
    """``record_id`` of the post or comment of that name."""
    return f"bluesky:at://did:plc:alder/app.bsky.feed.post/{name}"


def digest(data: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def item(name: str, text: str) -> bytes:
    """A record as the platform sends it, with the spaces and escapes a decoder would lose."""
    return b'{"uri": %s,\n "record": {"text":%s, "n": 1.0}, "labels":[ ]}' % (
        json.dumps(record_id(name)).encode(),
        json.dumps(text).encode(),
    )


def row(table: str, **values: Any) -> dict[str, Any]:
    """A row of an archive table: what is not given is null, or plain where it may not be."""
    made = {}
    for column in TABLES[table]:
        plain = {pa.string(): "-", pa.int32(): 1, pa.int64(): 0}.get(column.type, START)
        made[column.name] = values.pop(column.name, None if column.nullable else plain)
    assert not values, f"{table} has no {sorted(values)}"
    return made


@dataclass
class City:
    """Rows by table, and the exchanges they come from."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in TABLES})
    pages: list[tuple[str, int, bytes, datetime]] = field(default_factory=list)

    def page(self, call: str, body: bytes, at: datetime, status: int = 200) -> int:
        """An answer of the platform; its number."""
        self.pages.append((call, status, body, at))
        return len(self.pages) - 1

    def version(
        self, kind: str, name: str, version: int, change: str, page: int, payload: bytes, **values: Any
    ) -> None:
        """A version of a post or comment, shown by a page."""
        given = {
            "record_id": record_id(name),
            "account_id": ACCOUNT,
            "platform": "bluesky",
            "version": version,
            "change": change,
            "state": "present",
            "published_at": START,
            "seen_after": self.pages[page][3],
            "url": f"https://bsky.example/{name}",
            "content_sha256": digest(str(values.get("text")).encode()),
            "payload_sha256": digest(payload),
            "evidence_key": f"page {page}",
            "capture_id": "look",
            "normalizer_version": "test",
        }
        self.rows[f"{kind}s"].append(row(f"{kind}s", **{**given, **values}))

    def archive(self, home: Path, buckets: Buckets) -> Archive:
        """Write evidence and tables."""
        if self.pages:
            self._place(home / "spool", buckets)
        archive = Archive(f"sqlite:///{home / 'catalog.db'}", buckets.tables.endpoint, buckets.tables.name)
        tables = {name: pa.Table.from_pylist(rows, TABLES[name]) for name, rows in self.rows.items() if rows}
        archive.append_many(tables, batch="city")
        return archive

    def _place(self, folder: Path, buckets: Buckets) -> None:
        """Lock the pages as one evidence object and point the rows at them."""
        spool = Spool.open(
            folder,
            CaptureFacts("20260302T120000000000-0badcafe", ACCOUNT, "bluesky", "bsky.example", "posts", START, "test"),
        )
        for page in self.pages:
            spool.append(_exchange(*page))
        sealed = spool.seal()
        stored = evidence.lock(buckets.evidence, sealed)
        sealed.discard()
        offsets = [page.evidence_offset for page in evidence.read(buckets.evidence, stored.key)]
        for rows in self.rows.values():
            for one in rows:
                key = str(one.get("evidence_key"))
                if key.startswith("page "):
                    one["evidence_key"], one["evidence_offset"] = stored.key, offsets[int(key.removeprefix("page "))]
        facts = {
            "evidence_key": stored.key,
            "sha256": stored.sha256,
            "bytes": stored.bytes,
            "exchanges": stored.exchanges,
        }
        self.rows["evidence"].append(row("evidence", account_id=ACCOUNT, capture_id="look", **facts))


def _exchange(call: str, status: int, body: bytes, at: datetime) -> Exchange:
    headers = (("Content-Type", "application/json"),)
    return Exchange(call, "", "GET", f"https://bsky.example/xrpc/{call}", (), status, "OK", headers, body, at, 0.1)


AUTHORS: Mapping[str, dict[str, Any]] = {
    "city": {
        "author_id": "did:plc:alder",
        "author_handle": "portalder.example",
        "author_name": "City of Port Alder",
        "author_is_account": True,
    },
    "ines": {
        "author_id": "did:plc:ines",
        "author_handle": "ines.example",
        "author_name": "Inés",
        "author_is_account": False,
    },
    "troll": {
        "author_id": "did:plc:troll",
        "author_handle": "troll.example",
        "author_name": "=cmd|' /C calc'!A0",
        "author_is_account": False,
    },
}
TEXTS = {
    "post": "The library on Pine Street opens at 9. مرحبا 📚",
    "question": "Which library?",
    "question edited": "Which library, please?",
    "formula": '=HYPERLINK("http://evil.example","click")',
    "answer": "The one on\nPine Street.",
    "rude": "You are all fools",
    "regretted": "I said too much",
    "second": "Water main work on Elm Avenue",
}


def small_city() -> City:
    """Two posts and five comments; one edited, one hidden, one deleted, one that looks like a formula."""
    city = City()
    later = START + timedelta(days=7)
    first = {
        name: item(name, TEXTS[name])
        for name in ("post", "question", "formula", "answer", "rude", "regretted", "second")
    }
    feed = city.page(
        "getAuthorFeed", b'{"feed": [ ' + first["post"] + b" ,\n" + first["second"] + b"]}", START + timedelta(hours=1)
    )
    replies = b",".join(first[name] for name in ("question", "formula", "answer", "rude", "regretted"))
    thread = city.page(
        "getPostThread",
        b'{"thread":{"post":' + first["post"] + b',"replies":[' + replies + b"]}}",
        START + timedelta(hours=2),
    )
    edited = item("question", TEXTS["question edited"])
    again = city.page("getPostThread", b'{"thread":{"replies":[' + edited + b"]}}", later)
    gate = city.page("getRecord", b'{"value":{"hiddenReplies":["rude"]}}', later + timedelta(minutes=1))
    gone = city.page("getPosts", b'{"posts":[]}', later + timedelta(minutes=2))

    for name, page in (("post", feed), ("second", feed)):
        minutes = timedelta(minutes=10 * (name == "second"))
        city.version(
            "post",
            name,
            1,
            "first_seen",
            page,
            first[name],
            text=TEXTS[name],
            root_id=record_id(name),
            published_at=START + minutes,
            **AUTHORS["city"],
        )
    comments = (
        ("question", "post", "ines", 20), ("formula", "post", "troll", 30), ("answer", "question", "city", 40),
        ("rude", "post", "troll", 25), ("regretted", "question", "ines", 45),
    )  # fmt: skip
    common = {}
    for name, parent, author, minute in comments:
        common[name] = {
            "parent_id": record_id(parent), "root_id": record_id("post"), "published_at": START + timedelta(minutes=minute), **AUTHORS[author]
        }  # fmt: skip
        city.version("comment", name, 1, "first_seen", thread, first[name], text=TEXTS[name], **common[name])
    before = START + timedelta(hours=2)
    city.version(
        "comment",
        "question",
        2,
        "edited",
        again,
        edited,
        text=TEXTS["question edited"],
        seen_before=before,
        **common["question"],
    )
    city.version(
        "comment",
        "rude",
        2,
        "hidden",
        gate,
        city.pages[gate][2],
        text=TEXTS["rude"],
        state="hidden",
        state_basis="thread_gate",
        seen_before=before,
        **common["rude"],
    )
    city.version(
        "comment",
        "regretted",
        2,
        "deleted",
        gone,
        city.pages[gone][2],
        text=TEXTS["regretted"],
        state="deleted",
        state_basis="view:getPosts",
        seen_before=before,
        **common["regretted"],
    )
    city.rows["moderation_actions"].append(
        row("moderation_actions", record_id="bluesky:hide/rude", account_id=ACCOUNT, platform="bluesky", change="first_seen", state="present", action="hide",
            subject_id=record_id("rude"), evidence_key=f"page {gate}", payload_sha256=digest(city.pages[gate][2]), content_sha256="hide")
    )  # fmt: skip
    looks = (
        ("a", "posts", "complete", None),
        ("b", "comments", "complete", None),
        ("c", "comments", "credential_rejected", "The token is dead"),
    )
    for number, (name, resource, outcome, message) in enumerate(looks):
        city.rows["captures"].append(
            row(
                "captures",
                capture_id=name,
                account_id=ACCOUNT,
                platform="bluesky",
                resource=resource,
                outcome=outcome,
                message=message,
                started_at=START + timedelta(hours=number),
            )
        )
    gap = {
        "gap_id": "g",
        "account_id": ACCOUNT,
        "resource": "comments",
        "cause": "credential_rejected",
        "opened_at": START,
    }
    city.rows["gaps"] += [row("gaps", **gap), row("gaps", **gap, closed_at=START + timedelta(days=1))]
    city.rows["quarantine"].append(
        row("quarantine", platform="bluesky", account_id=ACCOUNT, call="getPosts", reason="not_an_object")
    )
    return city
