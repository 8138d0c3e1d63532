"""Bluesky answers as evidence: what the tests of the normalize step capture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from connectors.exchange import Exchange
from warehouse import evidence, inventory
from warehouse.bucket import Bucket
from warehouse.ledger import EvidenceObject
from warehouse.spool import CaptureFacts, Spool

DID = "did:plc:alder"
RESIDENT = "did:plc:birch"
LABELER = "did:plc:cedar"
ACCOUNT = f"bluesky:{DID}"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
SERVER = "https://pds.alder.example/xrpc"


def uri(name: str, who: str = DID) -> str:
    return f"at://{who}/app.bsky.feed.post/{name}"


def record_id(name: str, who: str = DID) -> str:
    return f"bluesky:{uri(name, who)}"


def post(name: str, text: str, *, root: str | None = None) -> dict[str, Any]:
    value: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-03-01T10:00:00.000Z"}
    if root:
        parent = {"uri": uri(root), "cid": "bafyroot"}
        value["reply"] = {"root": parent, "parent": parent}
    return {"uri": uri(name), "cid": f"bafy{name}", "value": value}


def view(name: str, text: str, *, likes: int | None = None) -> dict[str, Any]:
    """A post of the account as the public sees it."""
    shown: dict[str, Any] = {
        "uri": uri(name),
        "cid": f"bafy{name}",
        "author": {"did": DID, "handle": "alder.example", "displayName": "Port Alder"},
        "record": post(name, text)["value"],
    }
    return shown if likes is None else {**shown, "likeCount": likes}


def reply(name: str, text: str, *, root: str, likes: int = 0) -> dict[str, Any]:
    """A resident's answer as the public sees it."""
    return {
        "uri": uri(name, RESIDENT),
        "cid": f"bafy{name}",
        "author": {"did": RESIDENT, "handle": "resident.example"},
        "record": post(name, text, root=root)["value"],
        "likeCount": likes,
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """One exchange to be."""

    at: datetime
    call: str
    path: str
    content: Any
    subject: str = ""
    status: int = 200

    def exchange(self) -> Exchange:
        return Exchange(
            call=self.call,
            subject=self.subject,
            method="GET",
            url=f"{SERVER}/{self.path}",
            request_headers=(),
            status=self.status,
            reason="OK",
            response_headers=(("content-type", "application/json"),),
            body=json.dumps(self.content).encode(),
            fetched_at=self.at,
            elapsed_seconds=0.1,
        )


def posts(at: datetime, *records: dict[str, Any]) -> Answer:
    """A page of the account's posts as its server lists them."""
    return Answer(
        at, "post_records", "com.atproto.repo.listRecords?collection=app.bsky.feed.post", {"records": list(records)}
    )


def views(at: datetime, *shown: dict[str, Any], asked: Sequence[str] = ()) -> Answer:
    """Posts as the public sees them."""
    query = "&".join(f"uris={uri(name)}" for name in asked)
    return Answer(at, "confirm_views", f"app.bsky.feed.getPosts?{query}", {"posts": list(shown)})


def gate(at: datetime, root: str, *hidden: str) -> Answer:
    """The account's thread gates: one, with the replies it hides."""
    value = {
        "$type": "app.bsky.feed.threadgate",
        "post": uri(root),
        "hiddenReplies": [uri(name, RESIDENT) for name in hidden],
        "createdAt": "2026-03-01T10:00:00.000Z",
    }
    record = {"uri": f"at://{DID}/app.bsky.feed.threadgate/{root}", "cid": "bafygate", "value": value}
    return Answer(
        at, "thread_gates", "com.atproto.repo.listRecords?collection=app.bsky.feed.threadgate", {"records": [record]}
    )


def labels(at: datetime, name: str, *, known: str = "", **said: bool) -> Answer:
    """What a moderation service says of a resident's answer: word -> whether it is in force; ``known``: a word that is asked for."""
    about = uri(name, RESIDENT)
    query = f"com.atproto.label.queryLabels?uriPatterns={about}&sources={LABELER}&limit=250"
    given = [
        {"src": LABELER, "uri": about, "val": word, "cts": at.isoformat(), "neg": not in_force}
        for word, in_force in said.items()
    ]
    call = "confirm_labels" if known else "labels"
    return Answer(at, call, query, {"labels": given}, subject=known and f"label/{LABELER}/{known}/{about}")


def gone(at: datetime, name: str, who: str = DID) -> Answer:
    """A direct read of a post that is not there any more."""
    return Answer(
        at,
        "confirm_record",
        f"com.atproto.repo.getRecord?repo={who}&collection=app.bsky.feed.post&rkey={name}",
        {"error": "RecordNotFound", "message": "Could not locate record"},
        subject=uri(name, who),
        status=400,
    )


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


@dataclass(slots=True)
class Captures:
    """Puts answers into locked evidence and tells the ledger."""

    engine: Engine
    bucket: Bucket
    folder: Path
    count: int = 0
    keys: list[str] = field(default_factory=list)

    def add(self, *answers: Answer, resource: str = "posts", known: bool = True) -> EvidenceObject:
        """One capture with these answers. ``known=False``: locked, but the ledger has not learned of it yet."""
        self.count += 1
        capture_id = f"{answers[0].at:%Y%m%dT%H%M%S%f}-{self.count:08x}"
        facts = CaptureFacts(
            capture_id, ACCOUNT, "bluesky", "public.api.bsky.app", resource, answers[0].at, "onrecord test"
        )
        spool = Spool.open(self.folder, facts)
        for answer in answers:
            spool.append(answer.exchange())
        sealed = spool.seal()
        stored = evidence.lock(self.bucket, sealed)
        sealed.discard()
        one = EvidenceObject(
            key=stored.key,
            capture_id=capture_id,
            account_id=ACCOUNT,
            part=stored.part,
            sha256=stored.sha256,
            bytes=stored.bytes,
            exchanges=stored.exchanges,
            written_at=stored.written_at,
            version_id=stored.version_id,
        )
        self.keys.append(stored.key)
        if known:
            self.tell(one)
        return one

    def tell(self, one: EvidenceObject) -> None:
        """Let the ledger know of an object."""
        inventory.store(self.engine, [one])
