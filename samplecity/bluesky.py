"""Bluesky's AppView: profiles, feeds and threads, as the reference implementation answers (atproto, ``packages/bsky``).

It cuts the thread below a deleted reply without a mark; hidden replies stay in the thread and are named only in the thread gate.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from samplecity.people import LABELER_DID
from samplecity.records import Json, gate_record, gate_uri, post_view, profile_view, record_cid, value_cid
from samplecity.world import POST_COLLECTION
from samplecity.xrpc import LARGEST_PAGE, Xrpc, XrpcError, bare, number, required

if TYPE_CHECKING:
    from samplecity.bulk import BulkAccount
    from samplecity.messages import Request, Response
    from samplecity.world import Entry, World

LARGEST_LOOKUP = 25
DEEPEST = 1000
OK = 200


class AppView(Xrpc):
    """``public.api.bsky.app``: profiles, feeds and threads."""

    def __init__(self, world: World, bulk: BulkAccount | None = None) -> None:
        super().__init__(world, bulk)
        self.methods |= {
            "app.bsky.actor.getProfile": self.profile,
            "app.bsky.feed.getAuthorFeed": self.author_feed,
            "app.bsky.feed.getPosts": self.posts,
            "app.bsky.feed.getPostThread": self.thread,
            "app.bsky.graph.getList": self.members,
        }

    def answer(self, request: Request) -> Response:
        """Dispatch; an answer says whose labels were applied."""
        response = super().answer(request)
        labelers = ("Atproto-Content-Labelers", f"{LABELER_DID};redact")
        return replace(response, headers=(*response.headers, labelers)) if response.status == OK else response

    def profile(self, request: Request) -> Json:
        """``app.bsky.actor.getProfile``."""
        actor = required(request, "actor")
        if self.bulk and actor in (self.bulk.did, self.bulk.handle):
            return self.bulk.profile()
        person = self.person(actor)
        if person is None:
            raise XrpcError(message="Profile not found")
        if not person.active:
            raise XrpcError(message="Account is deactivated", name="AccountDeactivated")
        return profile_view(self.world, person)

    def author_feed(self, request: Request) -> Json | bytes:
        """``app.bsky.feed.getAuthorFeed``: newest first; replies come with their parent and root."""
        actor, limit = required(request, "actor"), number(request, "limit", 50, LARGEST_PAGE)
        cursor = bare(request.one("cursor"))
        if self.bulk and actor in (self.bulk.did, self.bulk.handle):
            return self.bulk.feed_page(limit, cursor)
        person = self.person(actor)
        if person is None:
            raise XrpcError(message="Profile not found")
        if not person.active:
            raise XrpcError(message="Account is deactivated", name="AccountDeactivated")
        replies = request.one("filter", "posts_with_replies") == "posts_with_replies"
        written = self.world.written_by(person)
        own = [entry for entry in written if self.world.shown(entry.native_id) and (replies or not entry.parent)]
        places = sorted(((self._place(entry), entry) for entry in own), key=lambda pair: pair[0], reverse=True)
        if cursor:
            if not re.fullmatch(r"\d+::\w+", cursor):
                raise XrpcError(message="Malformed cursor")
            milliseconds, _, cid = cursor.partition("::")
            places = [pair for pair in places if pair[0] < (int(milliseconds), cid)]
        shown = places[:limit]
        feed = {"feed": [self._feed_item(entry) for _, entry in shown]}
        if len(places) > limit:
            feed["cursor"] = "{}::{}".format(*shown[-1][0])  # type: ignore[assignment]
        return feed

    def posts(self, request: Request) -> Json | bytes:
        """``app.bsky.feed.getPosts``: those that are there; the others are left out."""
        uris = request.many("uris")
        if not uris:
            required(request, "uris")
        if len(uris) > LARGEST_LOOKUP:
            raise XrpcError(message=f"Error: uris must not have more than {LARGEST_LOOKUP} elements")
        if self.bulk and uris[0].startswith(f"at://{self.bulk.did}/{POST_COLLECTION}/"):
            return self.bulk.posts(uris)
        found = (self.world.shown(uri) for uri in uris)
        return {"posts": [post_view(self.world, entry) for entry in found if entry]}

    def thread(self, request: Request) -> Json | bytes:
        """``app.bsky.feed.getPostThread``."""
        uri = required(request, "uri")
        depth = number(request, "depth", 6, DEEPEST, least=0)
        height = number(request, "parentHeight", 80, DEEPEST, least=0)
        if self.bulk and uri.startswith(f"at://{self.bulk.did}/"):
            return self.bulk.thread(uri)
        entry = self.world.shown(uri)
        if entry is None:
            raise XrpcError(message=f"Post not found: {uri}", name="NotFound")
        node = self._node(entry, depth)
        if entry.parent and height:
            node["parent"] = self._parent(entry.parent, height - 1)
        answer: Json = {"thread": node}
        root = self.world.gates.get(entry.root or entry.native_id)
        if root:
            held = gate_record(root)
            answer["threadgate"] = {"uri": gate_uri(root), "cid": value_cid(held), "record": held, "lists": []}
        return answer

    def members(self, request: Request) -> Json:
        """``app.bsky.graph.getList``: nobody here keeps lists."""
        raise XrpcError(message=f"List not found: {required(request, 'list')}")

    def _node(self, entry: Entry, depth: int) -> Json:
        node: Json = {"$type": "app.bsky.feed.defs#threadViewPost", "post": post_view(self.world, entry)}
        if depth:
            answers = sorted(self.world.replies(entry.native_id), key=lambda answer: answer.at, reverse=True)
            node["replies"] = [self._node(answer, depth - 1) for answer in answers]
        node["threadContext"] = {}
        return node

    def _parent(self, uri: str, height: int) -> Json:
        entry = self.world.shown(uri)
        if entry is None:
            return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
        node: Json = {"$type": "app.bsky.feed.defs#threadViewPost", "post": post_view(self.world, entry)}
        if entry.parent and height:
            node["parent"] = self._parent(entry.parent, height - 1)
        node["threadContext"] = {}
        return node

    def _feed_item(self, entry: Entry) -> Json:
        item: Json = {"post": post_view(self.world, entry)}
        if entry.parent and entry.root:
            item["reply"] = {"root": self._reference(entry.root), "parent": self._reference(entry.parent)}
        return item

    def _reference(self, uri: str) -> Json:
        entry = self.world.shown(uri)
        if entry is None:
            return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
        return {"$type": "app.bsky.feed.defs#postView", **post_view(self.world, entry)}

    def _place(self, entry: Entry) -> tuple[int, str]:
        return int(entry.at.timestamp() * 1000), record_cid(entry, 0)
