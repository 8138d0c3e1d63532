"""A very small AT Protocol network: a directory, servers and an AppView in one process, over real HTTP.

It does what makes the real one hard: threads end below a deleted reply, leave out blocked people, and stop at a depth; the AppView
may ignore edits and hide posts; a server can fail, lie or be closed.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
POSTS = "app.bsky.feed.post"
MODERATION = "did:plc:moderationaaaaaaaaaaaaaa"
START = datetime(2026, 3, 1, tzinfo=UTC)
Answer = tuple[int, Any]


def did(name: str) -> str:
    return f"did:plc:{name:a<24}"


def tid(at: datetime) -> str:
    number = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) << 10
    return "".join(ALPHABET[number >> shift & 31] for shift in range(60, -5, -5))


def fits(uri: str, pattern: str) -> bool:
    return uri.startswith(pattern[:-1]) if pattern.endswith("*") else uri == pattern


def refusal(error: str, message: str = "no", status: int = 400) -> Answer:
    return status, {"error": error, "message": message}


@dataclass
class Network:
    """What exists. ``records`` maps at-URI to value, in all repositories."""

    base: str = ""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)
    """DID -> server; by default everybody's is ``pds.example``."""
    closed: dict[str, str] = field(default_factory=dict)
    """DID -> status of a closed repository; ``deleted`` is one that is gone."""
    hidden: set[str] = field(default_factory=set)
    """What the AppView does not show."""
    frozen: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the AppView shows instead of an edited record."""
    labelers: dict[str, str] = field(default_factory=dict)
    """DID of a moderation service whose labels the AppView applies -> address in its DID document; empty for none."""
    labels: list[dict[str, Any]] = field(default_factory=list)
    """What they all say, in the order in which it is listed."""
    headers: bool = True
    """Whether the AppView names them."""
    per_page: int = 100
    fault: Callable[[str, dict[str, list[str]]], Answer | bytes | None] = lambda _path, _query: None
    """Asked first: (service/method, parameters) -> what to answer instead."""
    asked: list[str] = field(default_factory=list)
    now: datetime = START

    def write(self, author: str, value: dict[str, Any], *, collection: str = POSTS, key: str = "") -> str:
        """Add a record, one second after the one before."""
        self.now += timedelta(seconds=1)
        uri = f"at://{author}/{collection}/{key or tid(self.now)}"
        self.records[uri] = {"$type": collection, "createdAt": self.now.isoformat(), **value}
        return uri

    def label(self, uri: str, value: str, *, by: str = MODERATION, **more: Any) -> str:
        """Let a moderation service say something. Returns the id of the action."""
        self.now += timedelta(seconds=1)
        self.labelers.setdefault(by, "https://labels.example")
        self.labels.append({"src": by, "uri": uri, "val": value, "cts": self.now.isoformat(), **more})
        return f"label/{by}/{value}/{uri}"

    def post(self, author: str, text: str = "words", *, answers: str = "", **more: Any) -> str:
        reply = {}
        if answers:
            root = self.records[answers].get("reply", {}).get("root", {"uri": answers})
            reply = {"reply": {"root": root, "parent": {"uri": answers}}}
        return self.write(author, {"text": text, **reply, **more})

    def chain(self, authors: list[str], top: str, length: int) -> list[str]:
        """Replies, each to the one before."""
        chain = [top]
        for number in range(length):
            chain.append(self.post(authors[number % len(authors)], f"link {number}", answers=chain[-1]))
        return chain[1:]

    @property
    def services(self) -> dict[str, str]:
        hosts = {"public.api.bsky.app", "plc.directory", "pds.example", "labels.example", *self.home.values()}
        return {host: f"{self.base}/{host}" for host in hosts}

    def answer(self, service: str, method: str, query: dict[str, list[str]]) -> Answer | bytes:
        self.asked.append(f"{service}/{method}")
        instead = self.fault(f"{service}/{method}", query)
        if instead is not None:
            return instead
        one = {name: values[0] for name, values in query.items()}
        if service == "plc.directory":
            return self._document(method)
        handler = getattr(self, "_" + method.rpartition(".")[2])
        many = {name: query.get(name, []) for name in ("uris", "uriPatterns", "sources")}
        return handler(service, one | many)  # type: ignore[no-any-return]

    def _document(self, who: str) -> Answer:
        if who in self.labelers:
            service = {"id": "#atproto_labeler", "type": "AtprotoLabeler", "serviceEndpoint": self.labelers[who]}
            return 200, {"id": who, "service": [service] if self.labelers[who] else []}
        if who not in {uri.split("/")[2] for uri in self.records}:
            return 404, {"message": f"DID not registered: {who}"}
        endpoint = {
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": f"https://{self.home.get(who, 'pds.example')}",
        }
        services = [{"id": "#atproto_pds", **endpoint}]
        return 200, {"id": who, "alsoKnownAs": [f"at://{who[8:].rstrip('a')}.example"], "service": services}

    def _resolveHandle(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802 - the method's own name
        who = did(query["handle"].removesuffix(".example"))
        known = any(uri.startswith(f"at://{who}/") for uri in self.records)
        return (200, {"did": who}) if known else refusal("InvalidRequest", "Unable to resolve handle")

    def _getProfile(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        if query["actor"] in self.closed:
            return refusal("AccountTakedown", "Account has been suspended")
        return 200, {"did": query["actor"], "handle": "city.example"}

    def _listRecords(self, service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        who = query["repo"]
        if who in self.closed or self.home.get(who, "pds.example") != service:
            return refusal("InvalidRequest", f"Could not find repo: {who}")
        prefix = f"at://{who}/{query['collection']}/"
        keys = sorted((uri.removeprefix(prefix) for uri in self.records if uri.startswith(prefix)), reverse=True)
        size = min(self.per_page, int(query["limit"]))
        page = [key for key in keys if key < query.get("cursor", "~")][:size]
        records = [
            {"uri": prefix + key, "cid": self.cid(prefix + key), "value": self.records[prefix + key]} for key in page
        ]
        return 200, {"records": records, **({"cursor": page[-1]} if page else {})}

    def _getRecord(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        uri = f"at://{query['repo']}/{query['collection']}/{query['rkey']}"
        if query["repo"] in self.closed:
            return refusal("InvalidRequest", f"Could not find repo: {query['repo']}")
        if uri not in self.records:
            return refusal("RecordNotFound", f"Could not locate record: {uri}")
        return 200, {"uri": uri, "cid": self.cid(uri), "value": self.records[uri]}

    def _getRepoStatus(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        status = self.closed.get(query["did"])
        if status == "deleted":
            return refusal("RepoNotFound")
        return 200, {"did": query["did"], "active": not status, **({"status": status} if status else {})}

    def _getPosts(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        return 200, {"posts": [self._view(uri) for uri in query["uris"] if self.is_shown(uri)]}

    def _getPostThread(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        if not self.is_shown(query["uri"]):
            return refusal("NotFound", f"Post not found: {query['uri']}")
        return 200, {"thread": self._node(query["uri"], int(query["depth"]))}

    def _getList(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        members = [
            {"uri": uri, "subject": {"did": value["subject"]}}
            for uri, value in self.records.items()
            if value.get("list") == query["list"]
        ]
        return (200, {"list": {}, "items": members}) if members else refusal("InvalidRequest", "List not found")

    def _queryLabels(self, _service: str, query: dict[str, Any]) -> Answer:  # noqa: N802
        patterns, first = query["uriPatterns"], int(query.get("cursor", 0))
        found = [
            (place, label)
            for place, label in enumerate(self.labels, 1)
            if place > first and label["src"] in query["sources"] and any(fits(label["uri"], one) for one in patterns)
        ][: min(self.per_page, int(query["limit"]))]
        return 200, {"labels": [label for _, label in found], "cursor": str(found[-1][0] if found else first)}

    def is_shown(self, uri: str) -> bool:
        return uri in self.records and uri not in self.hidden and uri.split("/")[2] not in self.closed

    def cid(self, uri: str, value: dict[str, Any] | None = None) -> str:
        return f"cid-{hash(json.dumps(value or self.records[uri], sort_keys=True)) & 0xFFFFFFFF:x}"

    def _children(self, uri: str) -> list[str]:
        return [
            child
            for child, value in self.records.items()
            if value.get("reply", {}).get("parent", {}).get("uri") == uri and self.is_shown(child)
        ]

    def _view(self, uri: str) -> dict[str, Any]:
        value = self.frozen.get(uri, self.records[uri])
        counts = {"replyCount": len(self._children(uri)), "likeCount": 0}
        return {
            "uri": uri,
            "cid": self.cid(uri, value),
            "author": {"did": uri.split("/")[2]},
            "record": value,
            **counts,
        }

    def _node(self, uri: str, depth: int) -> dict[str, Any]:
        node: dict[str, Any] = {"$type": "app.bsky.feed.defs#threadViewPost", "post": self._view(uri)}
        if depth:
            node["replies"] = [
                self._node(child, depth - 1) for child in self._children(uri) if not self._is_blocked(child)
            ]
        return node

    def _is_blocked(self, uri: str) -> bool:
        root = self.records[uri]["reply"]["root"]["uri"].split("/")[2]
        blocks = (value for key, value in self.records.items() if key.startswith(f"at://{root}/app.bsky.graph.block/"))
        return any(block["subject"] == uri.split("/")[2] for block in blocks)


@contextmanager
def running(network: Network) -> Iterator[Network]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            _, service, *rest = parts.path.split("/")
            found = network.answer(service, rest[-1], parse_qs(parts.query))
            status, body = (200, found) if isinstance(found, bytes) else (found[0], json.dumps(found[1]).encode())
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if service == "public.api.bsky.app" and network.headers:
                self.send_header("Atproto-Content-Labelers", ", ".join(f"{who};redact" for who in network.labelers))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    network.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield network
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
