"""Direct reads: is a record there, and if not, why not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from connectors.bluesky.batch import item_at
from connectors.bluesky.labels import Labelers, is_label
from connectors.bluesky.records import (
    GET_POSTS,
    GET_RECORD,
    HIDE,
    POSTS,
    REFUSALS,
    REPOSITORY,
    THREAD_GATES,
    Answer,
    Views,
)
from connectors.bluesky.replies import ended
from connectors.bluesky.servers import Servers
from connectors.bluesky.thread import parent_and_root, reply_in
from connectors.bluesky.uri import AtUri
from connectors.bluesky.views import VIEWS_PER_CALL, views
from connectors.contract import Item, Page
from connectors.faults import AccountUnavailable, ConnectorError
from connectors.kit.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.contract import Connection

CONFIRM_RECORD = Endpoint("confirm_record", GET_RECORD)
CONFIRM_VIEWS = Endpoint("confirm_views", GET_POSTS)
CONFIRM_REPOSITORY = Endpoint("confirm_repository", REPOSITORY)


def confirm(connection: Connection, native_ids: Sequence[str]) -> Iterator[Page]:
    """Read records where they lie; of the posts that are there, ask the AppView whether the public sees them.

    A stranger's server that does not answer leaves its records as they were known: ``not_confirmed`` counts them, and where it is
    all of them, the failure is raised.
    """
    with Servers(connection) as servers:
        left_out: Counter[str] = Counter()
        work = _Confirmation(servers, left_out)
        yield from ended(work.pages(native_ids), left_out)
        if left_out and work.failure:
            raise work.failure


class _Confirmation:
    def __init__(self, servers: Servers, left_out: Counter[str]) -> None:
        self._servers = servers
        self._left_out = left_out
        self._labelers = Labelers(servers, left_out)
        self._closed: set[str] = set()
        self.failure: ConnectorError | None = None

    def pages(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """One direct read for each record, one look at the AppView for every 25 posts that are there; labels from who gave them."""
        there: list[AtUri] = []
        yield from self._labelers.confirmed([native_id for native_id in native_ids if is_label(native_id)])
        for uri in self._addresses([native_id for native_id in native_ids if not is_label(native_id)]):
            for page in self._record(uri):
                yield page
                if page.items and uri.collection == POSTS:
                    there.append(uri)
            if len(there) == VIEWS_PER_CALL:
                yield from self._views(there)
                there.clear()
        if there:
            yield from self._views(there)

    def _addresses(self, native_ids: Sequence[str]) -> Iterator[AtUri]:
        """What to read. A hide has no record of its own: the gate of its thread is read."""
        hidden = [native_id.removeprefix(HIDE) for native_id in native_ids if native_id.startswith(HIDE)]
        for native_id in native_ids:
            uri = AtUri.parse(native_id)
            if uri:
                yield uri
            elif not native_id.startswith(HIDE):
                self._left_out["strange_address"] += 1
        gates = dict.fromkeys(self._gates(hidden))
        yield from (gate for gate in gates if str(gate) not in native_ids)

    def _gates(self, hidden: Sequence[str]) -> Iterator[AtUri]:
        for start in range(0, len(hidden), VIEWS_PER_CALL):
            params = {"uris": hidden[start : start + VIEWS_PER_CALL]}
            _, answer = self._servers.appview.peek("hidden_replies", GET_POSTS, Views, params)
            roots = [AtUri.parse(parent_and_root(view.get("record"))[1]) for view in answer.posts]
            yield from (AtUri(root.did, THREAD_GATES, root.key) for root in roots if root)
            self._left_out["not_confirmed"] += len(params["uris"]) - sum(root is not None for root in roots)

    def _record(self, uri: AtUri) -> Iterator[Page]:
        try:
            if uri.did not in self._closed:
                yield self._read(uri)
            if uri.did in self._closed:
                yield self._status(uri)
        except ConnectorError as problem:
            if not isinstance(problem, AccountUnavailable) and self._servers.is_ours(uri.did):
                raise
            self._left_out["not_confirmed"] += 1
            self.failure = problem

    def _read(self, uri: AtUri) -> Page:
        params = {"repo": uri.did, "collection": uri.collection, "rkey": uri.key}
        server = self._servers.of(uri.did)
        try:
            exchange, answer = server.read(*CONFIRM_RECORD, Answer, params, subject=str(uri), accept=REFUSALS)
        except AccountUnavailable as problem:
            if problem.exchange is None:
                raise
            self._closed.add(uri.did)
            return Page(problem.exchange)
        if answer.error and answer.error != "RecordNotFound":
            self._closed.add(uri.did)
        return Page(exchange, (_item(uri, answer),) if answer.uri else ())

    def _status(self, uri: AtUri) -> Page:
        server = self._servers.of(uri.did)
        try:
            exchange = server.get(*CONFIRM_REPOSITORY, {"did": uri.did}, subject=str(uri), accept=REFUSALS)
        except AccountUnavailable as problem:
            if problem.exchange is None:
                raise
            exchange = problem.exchange
        return Page(exchange)

    def _views(self, uris: Sequence[AtUri]) -> Iterator[Page]:
        asked = [str(uri) for uri in uris]
        exchange, answer = views(self._servers, CONFIRM_VIEWS, Views, asked)
        shown = [view for view in map(reply_in, answer.posts) if view and str(view.uri) in asked]
        yield Page(exchange, tuple(item_at(view.uri, view.parent, replies=view.counted) for view in shown))
        there = {str(view.uri) for view in shown}
        yield from self._labelers.about_hidden(exchange, [uri for uri in asked if uri not in there])


def _item(uri: AtUri, answer: Answer) -> Item:
    if uri.collection == POSTS:
        return item_at(uri, parent_and_root(answer.value)[0])
    return Item(str(uri), "moderation_action", published_at=uri.made_at)
