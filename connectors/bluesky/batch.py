"""Some threads read together, and what is known of them so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.bluesky.uri import AtUri
from connectors.contract import Checkpoint, Item, Page
from connectors.kit.clocktime import moment

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.bluesky.thread import Reply, Thread
    from connectors.exchange import Exchange


@dataclass(slots=True)
class Batch:
    """Threads of the account, from the newest to the oldest."""

    account: str
    """The account's DID."""
    before: Position | None = None
    """Where the batch before ended; ``None`` in the first one."""
    is_last: bool = False
    last: Item | None = None
    threads: int = 0
    roots: set[str] = field(default_factory=set)
    """Posts of the account that begin threads: every reply to them counts."""
    elsewhere: set[str] = field(default_factory=set)
    """Posts of others that begin threads in which the account wrote: only what lies below the account's words counts."""
    below: set[str] = field(default_factory=set)
    """at-URIs of the subjects and of everything found below them."""
    seen: dict[str, str] = field(default_factory=dict)
    """at-URI -> ``cid`` of the content read."""
    counted: dict[str, int] = field(default_factory=dict)
    children: Counter[str] = field(default_factory=Counter)
    """at-URI -> how many direct replies are known, as against ``counted`` by the platform."""
    anchored: set[str] = field(default_factory=set)
    """Posts at which a thread was read."""
    cut: list[str] = field(default_factory=list)
    """Replies whose own replies must still be asked for."""
    authors: dict[str, None] = field(default_factory=dict)
    """DIDs in the order met."""
    oldest: datetime | None = None

    def begin(self, subject: Item) -> None:
        """Add a thread that is about to be read."""
        self.last = subject
        self.threads += 1
        self.anchored.add(subject.native_id)
        self.below.add(subject.native_id)
        made_at = time_of(subject)
        if made_at and (self.oldest is None or made_at < self.oldest):
            self.oldest = made_at

    def take_root(self, uri: str, root: str) -> None:
        """Note whose thread it is that was read at ``uri``."""
        wrote, begun = AtUri.parse(uri), AtUri.parse(root)
        if wrote and begun and wrote.did == self.account:
            (self.roots if begun.did == self.account else self.elsewhere).add(root)

    def takes(self, root: AtUri) -> bool:
        """Whether replies to this post are looked for: also to posts of the account that are gone, each in one batch only."""
        if str(root) in self.roots or root.did != self.account:
            return str(root) in self.roots
        at = root.made_at
        if at is None:
            return self.is_last
        is_older = self.before is None or self.before.at is None or at < self.before.at
        return is_older and (self.is_last or self.oldest is None or at >= self.oldest)

    def add(self, thread: Thread) -> None:
        """Take in what a thread shows."""
        for reply in thread.replies:
            self.see(reply)
            if reply.cut:
                self.cut.append(str(reply.uri))
        for uri in thread.withheld:
            self.meet(uri.did)

    def expect(self, uri: str, parent: str | None) -> None:
        """Take note of a reply that is there, before it is read."""
        if uri not in self.seen:
            self.children[parent or ""] += 1
            self.seen[uri] = ""

    def see(self, reply: Reply) -> None:
        """Take in a reply that was read."""
        uri = str(reply.uri)
        self.expect(uri, reply.parent)
        self.seen[uri] = reply.version
        self.counted[uri] = reply.counted
        self.below.add(uri)
        self.meet(reply.uri.did)

    def meet(self, did: str) -> None:
        """Note an author whose repository is to be looked through."""
        self.authors.setdefault(did)

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the batch before ended and which thread was read last, so that a broken look can go on."""
        before = self.before.place if self.before else None
        return {"before": before, "after": self.end.place if self.end else None}

    @property
    def end(self) -> Position | None:
        """The thread read last."""
        return Position.at_subject(self.last) if self.last else None

    def page(self, exchange: Exchange, replies: Iterable[Reply], skipped: Mapping[str, int] = {}) -> Page:
        """An exchange that shows replies."""
        items = tuple(item_at(reply.uri, reply.parent, replies=reply.counted) for reply in replies)
        return Page(exchange, items, checkpoint=self.checkpoint, skipped=skipped)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list that goes from the newest to the oldest."""

    uri: str
    at: datetime | None

    @classmethod
    def of(cls, place: Any) -> Position | None:  # noqa: ANN401 - any JSON value
        """The place a checkpoint names."""
        return cls(str(place["uri"]), moment(place.get("at"))) if isinstance(place, Mapping) else None

    def covers(self, subject: Item) -> bool:
        """Whether the subject lies here or before. In doubt it does not: reading twice does no harm."""
        at = time_of(subject)
        return subject.native_id == self.uri or (at is not None and self.at is not None and at > self.at)

    @classmethod
    def at_subject(cls, subject: Item) -> Position:
        """The place of a post."""
        return cls(subject.native_id, time_of(subject))

    @property
    def place(self) -> Mapping[str, str | None]:
        """As a checkpoint names it."""
        return {"uri": self.uri, "at": self.at.isoformat() if self.at else None}


def time_of(subject: Item) -> datetime | None:
    """When a post was published, else when its key was made."""
    uri = AtUri.parse(subject.native_id)
    return subject.published_at or (uri.made_at if uri else None)


def item_at(uri: AtUri, parent: str | None, *, replies: int | None = None) -> Item:
    """What a page shows: what answers something is a comment, also where the account wrote it."""
    return Item(str(uri), "comment" if parent else "post", published_at=uri.made_at, replies=replies)
