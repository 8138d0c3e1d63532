"""A large account, made on the spot: N posts of about 2.4 KB, computed from their number, never held in memory.

``BulkAccount(n)`` answers the calls of the Bluesky fronts; ``write`` puts the same pages into files::

    >>> account = BulkAccount(1000)
    >>> sum(page.count(b'"cid":"bafyrei') for page in account.pages(100)) > 1000
    True
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from samplecity.identifiers import EPOCH, blob_cid, cid, did, tid, tid_microseconds
from samplecity.world import POST_COLLECTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = datetime(2018, 1, 1, 8, tzinfo=UTC)
STEP = timedelta(minutes=4, seconds=1)
"""Time between two posts: a million of them fill seven and a half years."""
Shape = Literal["records", "posts", "feed"]
_WORDS = (
    "The council heard the report on street repair and asked for a second estimate before the vote. ",
    "Crews return on Monday; please move cars from the even side of the street before nine in the morning. ",
    "A reader asks whether the new crossing at the school has a light: it does, since last week 🚦. ",
    "Die Bücherei öffnet später; la piscina cierra temprano; 図書館は木曜日休館です. ",
    "Correspondence with the mayor about the harbor plan is published on the City's website every Friday. ",
    "Complaint number closed: the pothole is filled, the street light works, the pickup was made up. ",
    "Flood stage is forecast for the weekend; sandbags are at the Depot until six in the evening. ",
)
TEXT_LENGTH = 300
"""Letters of a post's text, as many as Bluesky allows."""


class BulkAccount:
    """An account with ``count`` posts, the newest last in number and first in every listing."""

    def __init__(self, count: int, seed: str = "bulk") -> None:
        self.count = count
        self.did = did(seed)
        self.handle = f"{seed}.harborfalls.example"
        self._author = json.dumps(
            {
                "did": self.did,
                "handle": self.handle,
                "displayName": "Harbor Falls Bulletin",
                "avatar": f"https://cdn.bsky.app/img/avatar/plain/{self.did}/{blob_cid(b'avatar')}@jpeg",
                "associated": {"chat": {"allowIncoming": "following"}},
                "labels": [],
                "createdAt": "2018-01-01T08:00:00.000Z",
            },
            separators=(",", ":"),
        )
        self._root = f"at://{self.did}/{POST_COLLECTION}"

    def profile(self) -> dict[str, Any]:
        """``app.bsky.actor.getProfile``."""
        return {**json.loads(self._author), "description": "Made for measuring.", "postsCount": self.count}

    def uri(self, number: int) -> str:
        """The at-URI of a post by its number."""
        return f"{self._root}/{tid(FIRST + STEP * number)}"

    def records(self, limit: int, cursor: str = "") -> bytes:
        """A page of ``com.atproto.repo.listRecords``."""
        return self._page("records", limit, cursor)

    def feed_page(self, limit: int, cursor: str = "") -> bytes:
        """A page of ``app.bsky.feed.getAuthorFeed``."""
        return self._page("feed", limit, cursor)

    def posts(self, uris: list[str]) -> bytes:
        """``app.bsky.feed.getPosts``."""
        numbers = (self._number(uri.rsplit("/", 1)[-1]) for uri in uris)
        views = ",".join(self._item("posts", number) for number in numbers if 0 <= number < self.count)
        return f'{{"posts":[{views}]}}'.encode()

    def thread(self, uri: str) -> bytes:
        """``app.bsky.feed.getPostThread``: nobody answers."""
        view = self._item("posts", self._number(uri.rsplit("/", 1)[-1]))
        head = '{"thread":{"$type":"app.bsky.feed.defs#threadViewPost","post":'
        return f'{head}{view},"replies":[],"threadContext":{{}}}}}}'.encode()

    def pages(self, limit: int = 100, shape: Shape = "records") -> Iterator[bytes]:
        """All pages, newest first."""
        for newest in range(self.count - 1, -1, -limit):
            yield self._body(shape, newest, min(limit, newest + 1))

    def write(self, folder: Path, limit: int = 100, shape: Shape = "records") -> list[Path]:
        """All pages as files ``00000.json`` and so on."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for number, page in enumerate(self.pages(limit, shape)):
            path = folder / f"{number:05d}.json"
            path.write_bytes(page)
            written.append(path)
        return written

    def _page(self, shape: Shape, limit: int, cursor: str) -> bytes:
        newest = self._number(cursor) - 1 if cursor else self.count - 1
        if newest < 0:
            return f'{{"{shape}":[]}}'.encode()
        return self._body(shape, newest, min(limit, newest + 1))

    def _body(self, shape: Shape, newest: int, size: int) -> bytes:
        items = ",".join(self._item(shape, number) for number in range(newest, newest - size, -1))
        last = tid(FIRST + STEP * (newest - size + 1))
        more = newest - size + 1 > 0 or shape == "records"
        cursor = f',"cursor":"{last}"' if more else ""
        return f'{{"{shape}":[{items}]{cursor}}}'.encode()

    def _number(self, rkey: str) -> int:
        return (EPOCH + timedelta(microseconds=tid_microseconds(rkey)) - FIRST) // STEP

    def _item(self, shape: Shape, number: int) -> str:
        at = FIRST + STEP * number
        uri, when = f"{self._root}/{tid(at)}", at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = (f"Bulletin {number}: " + "".join(_WORDS[(number + part) % 7] for part in range(4)))[:TEXT_LENGTH]
        content = cid(uri.encode())
        head = f'"uri":"{uri}","cid":"{content}"'
        record = self._record(number, text, when, content[7:])
        if shape == "records":
            return f'{{{head},"value":{record}}}'
        view = (
            f'{{{head},"author":{self._author},"record":{record},"bookmarkCount":0,"replyCount":0,'
            f'"repostCount":{number % 7},"likeCount":{number % 41},"quoteCount":0,"indexedAt":"{when}","labels":[]}}'
        )
        return view if shape == "posts" else f'{{"post":{view}}}'

    def _record(self, number: int, text: str, when: str, letters: str) -> str:
        blobs = (f"bafkrei{letters[turn:]}{letters[:turn]}" for turn in range(1, 5))
        images = ",".join(
            f'{{"alt":"Photograph of the work described in bulletin {number}, seen from the north side of the street",'
            f'"aspectRatio":{{"height":900,"width":1600}},"image":{{"$type":"blob","ref":{{"$link":"{blob}"}},'
            f'"mimeType":"image/jpeg","size":{100_000 + number % 900_000}}}}}'
            for blob in blobs
        )
        link = f"https://harborfalls.example/bulletin/{number}"
        return (
            f'{{"$type":"{POST_COLLECTION}","createdAt":"{when}","langs":["en","de"],"text":"{text}",'
            f'"facets":[{{"$type":"app.bsky.richtext.facet","index":{{"byteStart":0,"byteEnd":8}},'
            f'"features":[{{"$type":"app.bsky.richtext.facet#link","uri":"{link}"}}]}}],'
            f'"embed":{{"$type":"app.bsky.embed.images","images":[{images}]}},"tags":["bulletin","harborfalls"]}}'
        )
