"""What Bluesky's services share: XRPC (atproto.com/specs/xrpc)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from samplecity.messages import Request, Response, as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from samplecity.bulk import BulkAccount
    from samplecity.people import Person
    from samplecity.records import Json
    from samplecity.world import World

BUDGET = 3000
WINDOW_SECONDS = 300
LARGEST_PAGE = 100


class XrpcError(Exception):
    """An error answer: HTTP status, name, message."""

    def __init__(self, *, message: str, name: str = "InvalidRequest", status: int = 400) -> None:
        super().__init__(message)
        self.name = name
        self.status = status


class Xrpc:
    """What AppView and PDS share: method dispatch, rate limit headers, error bodies."""

    def __init__(self, world: World, bulk: BulkAccount | None = None) -> None:
        self.world = world
        self.bulk = bulk
        self._asked = 0
        self.methods: dict[str, Callable[[Request], Any]] = {"com.atproto.identity.resolveHandle": self.resolve_handle}

    def answer(self, request: Request) -> Response:
        """Dispatch ``/xrpc/{method}``."""
        if request.path == "/xrpc/_health":
            return as_json({"version": "0.4.158"})
        method = self.methods.get(request.path.removeprefix("/xrpc/"))
        try:
            with self.world.lock:
                value = method(request) if method else _not_implemented()
        except XrpcError as problem:
            return as_json({"error": problem.name, "message": str(problem)}, problem.status, self._headers())
        if isinstance(value, bytes):
            return Response(200, (("Content-Type", "application/json; charset=utf-8"), *self._headers()), value)
        return as_json(value, headers=self._headers())

    def resolve_handle(self, request: Request) -> Json:
        """``com.atproto.identity.resolveHandle``."""
        handle = required(request, "handle").lower()
        if self.bulk and handle == self.bulk.handle:
            return {"did": self.bulk.did}
        for person in self.world.people.values():
            if person.platform == "bluesky" and person.handle == handle:
                return {"did": person.number}
        raise XrpcError(message="Unable to resolve handle")

    def person(self, name: str) -> Person | None:
        """Someone by DID or handle."""
        by_did = self.world.people.get(("bluesky", name))
        if by_did:
            return by_did
        people = (person for person in self.world.people.values() if person.platform == "bluesky")
        return next((person for person in people if person.handle == name.lower()), None)

    def _headers(self) -> list[tuple[str, str]]:
        self._asked += 1
        now = int(time.time())
        return [
            ("X-Powered-By", "Express"),
            ("Access-Control-Allow-Origin", "*"),
            ("RateLimit-Limit", str(BUDGET)),
            ("RateLimit-Remaining", str(BUDGET - 1 - self._asked % (BUDGET - 1))),
            ("RateLimit-Reset", str(now - now % WINDOW_SECONDS + WINDOW_SECONDS)),
            ("RateLimit-Policy", f"{BUDGET};w={WINDOW_SECONDS}"),
            ("Vary", "Accept-Encoding"),
        ]


def _not_implemented() -> Json:
    raise XrpcError(message="Method Not Implemented", name="MethodNotImplemented", status=501)


def required(request: Request, name: str) -> str:
    """A parameter that must be there."""
    value = request.one(name)
    if not value:
        raise XrpcError(message=f'Error: Params must have the property "{name}"')
    return value


def number(request: Request, name: str, default: int, most: int, least: int = 1) -> int:
    """A whole number between its limits."""
    text = request.one(name, str(default))
    if not re.fullmatch(r"-?\d+", text):
        raise XrpcError(message=f"Error: {name} must be an integer")
    if int(text) > most:
        raise XrpcError(message=f"Error: {name} can not be greater than {most}")
    if int(text) < least:
        raise XrpcError(message=f"Error: {name} can not be less than {least}")
    return int(text)


def bare(cursor: str) -> str:
    """A cursor without the mark that makes two of the same place differ (see ``faults.py``)."""
    return cursor.partition("~")[0]
