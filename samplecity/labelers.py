"""Bluesky's moderation service (a labeler), as the reference implementation answers (atproto, ``packages/ozone``).

It keeps its last word on each subject and value, one that it took back as ``neg``. A pattern may end with ``*``. A page has a cursor as long
as it holds a label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samplecity.people import LABELER_DID
from samplecity.records import Json, label_view
from samplecity.xrpc import Xrpc, XrpcError, number, required

if TYPE_CHECKING:
    from samplecity.messages import Request
    from samplecity.world import World

LARGEST_PAGE = 250


class Labeler(Xrpc):
    """Whoever moderates for everybody on the platform."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.methods["com.atproto.label.queryLabels"] = self.labels

    def labels(self, request: Request) -> Json:
        """``com.atproto.label.queryLabels``: oldest word first."""
        required(request, "uriPatterns")
        patterns, sources = request.many("uriPatterns"), request.many("sources")
        limit, cursor = number(request, "limit", 50, LARGEST_PAGE), request.one("cursor", "0")
        for pattern in patterns:
            if "*" in pattern[:-1]:
                raise XrpcError(message=f"invalid pattern: {pattern}")
        if not cursor.isdecimal():
            raise XrpcError(message="invalid cursor")
        if sources and LABELER_DID not in sources:
            return {"labels": []}
        fitting = [
            label
            for label in sorted(self.world.labels.values(), key=lambda one: one.number)
            if label.number > int(cursor) and any(_fits(label.uri, pattern) for pattern in patterns)
        ]
        page = fitting[:limit]
        answer: Json = {"labels": [label_view(label) for label in page]}
        return {**answer, "cursor": str(page[-1].number)} if page else answer


def _fits(uri: str, pattern: str) -> bool:
    return uri.startswith(pattern[:-1]) if pattern.endswith("*") else uri == pattern
