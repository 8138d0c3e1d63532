"""Every reply to the account's posts, those the AppView does not show in a thread included.

The AppView cuts off what lies below a deleted reply and leaves out what blocked people wrote, both without a mark (measured: of 320
live replies of one thread it showed 280). So the repositories of everybody seen in the threads, blocked by the account or hidden
in its gates are looked through for replies to these threads. That look is not recorded: the other posts of a commenter are
their own business and are never kept. What it finds is then read by its address, and that is evidence.

Threads are read in batches, each author's repository once for all threads of a batch, newest first and no deeper than
the oldest of them. What is not looked through is counted by name: ``author_scan_limit`` (more authors, or more posts of one
author, than a look takes), ``author_unreadable`` (their server fails, refuses or may not be asked).

A checkpoint names the thread before a batch and the last one read. A look that goes on from it reads the threads between
again without recording them, to know what was seen, and searches the repositories anew.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.bluesky.batch import Batch, Position, item_at
from connectors.bluesky.labels import Labelers
from connectors.bluesky.records import GET_POSTS, GET_RECORD, REFUSALS, Answer, Views
from connectors.bluesky.search import Found, Search
from connectors.bluesky.servers import Servers
from connectors.bluesky.thread import NotAThreadError, parent_and_root, reply_in, thread_in
from connectors.bluesky.views import VIEWS_PER_CALL, views
from connectors.contract import Item, Look, Page
from connectors.faults import AccountUnavailable, ConnectorError, ContractBroken
from connectors.kit.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connectors.contract import Connection

THREAD = Endpoint("thread", "/xrpc/app.bsky.feed.getPostThread")
REPLY_VIEWS = Endpoint("reply_views", GET_POSTS)
REPLY_RECORD = Endpoint("reply_record", GET_RECORD)

DEPTH = 300
"""Replies below replies asked for at once. The server allows 1,000; answers nested that deep overflow JSON decoders."""
THREADS_PER_BATCH = 500
REPLIES_PER_BATCH = 20_000


def fetch_comments(connection: Connection, look: Look) -> Iterator[Page]:
    """Read the threads of ``look.subjects`` and search for what they do not show."""
    with Servers(connection) as servers:
        left_out: Counter[str] = Counter()
        yield from ended(_Reading(servers, connection.account.native_id, left_out).pages(look), left_out)


def ended(pages: Iterable[Page], left_out: Counter[str]) -> Iterator[Page]:
    """The pages, each with what was left out since the one before, the last one without a checkpoint."""
    held: Page | None = None
    for page in pages:
        if held is not None:
            yield _with(held, left_out)
        held = page
    if held is not None:
        yield replace(_with(held, left_out), checkpoint=None)


def _with(page: Page, left_out: Counter[str]) -> Page:
    if not left_out:
        return page
    skipped = dict(Counter(page.skipped) + left_out)
    left_out.clear()
    return replace(page, skipped=skipped)


class _Reading:
    """The work of one look."""

    def __init__(self, servers: Servers, account: str, left_out: Counter[str]) -> None:
        self._servers = servers
        self._account = account
        self._search = Search(servers, account, left_out)
        self._labelers = Labelers(servers, left_out)

    def pages(self, look: Look) -> Iterator[Page]:
        """Batch after batch: the threads, then what they do not show."""
        batch = Batch(self._account, Position.of((look.resume or {}).get("before")))
        for subject, known in _subjects(look):
            if batch.threads >= THREADS_PER_BATCH or len(batch.seen) >= REPLIES_PER_BATCH:
                yield from self._complete(batch)
                batch = Batch(self._account, batch.end)
            batch.begin(subject)
            yield from self._thread(batch, subject.native_id, known=known)
        batch.is_last = True
        if batch.threads:
            yield from self._complete(batch)

    def _complete(self, batch: Batch) -> Iterator[Page]:
        """Go on until there is nobody left to ask and nothing left to read."""
        looked: set[str] = set()
        self._search.meet_silenced(batch)
        while True:
            yield from self._cut_threads(batch)
            authors = [did for did in batch.authors if did not in looked]
            if not authors:
                return
            found = self._search.replies(batch, authors, looked=len(looked))
            looked.update(authors)
            yield from self._read(batch, found)

    def _cut_threads(self, batch: Batch) -> Iterator[Page]:
        while batch.cut:
            uri = batch.cut.pop()
            if uri not in batch.anchored:
                batch.anchored.add(uri)
                yield from self._thread(batch, uri)

    def _thread(self, batch: Batch, uri: str, *, known: bool = False) -> Iterator[Page]:
        """Read the thread at a post; a known one is looked at again without recording it."""
        appview = self._servers.appview
        ask = appview.peek if known else appview.read
        params = {"uri": uri, "depth": DEPTH, "parentHeight": 0}
        try:
            exchange, answer = ask(*THREAD, dict[str, Any], params, subject=uri)
            thread = thread_in(answer)
        except AccountUnavailable as problem:
            if problem.state != "not_shown" or problem.exchange is None:
                raise
            batch.take_root(uri, uri)
            if not known:
                yield batch.page(problem.exchange, (), {"thread_not_shown": 1})
            return
        except NotAThreadError as problem:
            msg = f"the thread at {uri} came in a shape the connector does not know: {problem}"
            raise ContractBroken(msg, exchange=exchange) from None
        batch.take_root(uri, _root_of(answer) or uri)
        batch.add(thread)
        if not known:
            yield batch.page(exchange, thread.replies, thread.skipped)

    def _read(self, batch: Batch, found: list[Found]) -> Iterator[Page]:
        """Read what was found by its address; note what hangs below it that nobody looked at yet."""
        for reply in found:
            batch.expect(str(reply.uri), reply.parent)
        for start in range(0, len(found), VIEWS_PER_CALL):
            yield from self._views(batch, found[start : start + VIEWS_PER_CALL])
        for uri in (str(reply.uri) for reply in found):
            if batch.counted.get(uri, 0) > batch.children[uri]:
                batch.cut.append(uri)

    def _views(self, batch: Batch, found: list[Found]) -> Iterator[Page]:
        asked = [str(reply.uri) for reply in found]
        exchange, answer = views(self._servers, REPLY_VIEWS, Views, asked)
        shown = {str(reply.uri): reply for reply in map(reply_in, answer.posts) if reply}
        shown = {uri: shown[uri] for uri in asked if uri in shown}
        for view in shown.values():
            batch.see(view)
        yield batch.page(exchange, shown.values())
        hidden = [uri for uri in asked if uri not in shown]
        for page in self._labelers.about_hidden(exchange, hidden):
            yield replace(page, checkpoint=batch.checkpoint)
        for reply in found:
            uri = str(reply.uri)
            if uri not in shown or shown[uri].version != reply.version:
                yield from self._record(batch, reply)
            batch.seen[uri] = reply.version
            batch.below.add(uri)

    def _record(self, batch: Batch, reply: Found) -> Iterator[Page]:
        uri = reply.uri
        params = {"repo": uri.did, "collection": uri.collection, "rkey": uri.key}
        try:
            server = self._servers.of(uri.did)
            exchange, answer = server.read(*REPLY_RECORD, Answer, params, subject=str(uri), accept=REFUSALS)
        except ConnectorError as problem:
            self._search.count_failure(uri.did, problem)
            return
        shown = (item_at(uri, reply.parent),) if answer.uri else ()
        yield Page(exchange, shown, checkpoint=batch.checkpoint)


def _subjects(look: Look) -> Iterator[tuple[Item, bool]]:
    """The threads still to be read (of posts that may have replies), newest first, and whether each was read before the look was broken off."""
    resume = look.resume or {}
    before, after = (Position.of(resume.get(name)) for name in ("before", "after"))
    for subject in look.subjects:
        if subject.replies != 0 and (before is None or not before.covers(subject)):
            yield subject, after is not None and after.covers(subject)


def _root_of(answer: Mapping[str, Any]) -> str | None:
    view = answer["thread"].get("post")
    return parent_and_root(view.get("record"))[1] if isinstance(view, dict) else None
