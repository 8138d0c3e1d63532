"""The search for replies that no thread shows, in the repositories of those who may have written them.

Looking through a repository is not recorded (see :mod:`connectors.bluesky.replies`). A stranger's server must not be able to stop or
to slow a City's capture: what it refuses or does not answer is counted, and each author's part is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from connectors.bluesky.records import LIST_RECORDS, POSTS, RECORDS_PER_CALL, THREAD_GATES, Records, Written
from connectors.bluesky.thread import parent_and_root
from connectors.bluesky.uri import AtUri, tid_time
from connectors.faults import AccountUnavailable, ConnectorError, Unreachable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    from connectors.bluesky.batch import Batch
    from connectors.bluesky.servers import Servers

AUTHORS_PER_BATCH = 1_000
PAGES_PER_AUTHOR = 50
FAILING_SERVERS = 10
"""After so many servers that gave no answer, only servers that answered before are asked."""
CLOCK_SKEW = timedelta(days=1)
"""Keys are made by the authors' clocks: a reply may look that much older than the post it answers."""

SCAN_LIMIT = "author_scan_limit"
UNREADABLE = "author_unreadable"


@dataclass(frozen=True, slots=True)
class Found:
    """A reply in its author's repository."""

    uri: AtUri
    version: str
    parent: str | None
    root: AtUri


class Search:
    """One look's memory of whom it asked. ``left_out`` counts what it did not look through."""

    def __init__(self, servers: Servers, account: str, left_out: Counter[str]) -> None:
        self._servers = servers
        self._account = account
        self._left_out = left_out
        self._failing: set[str] = set()
        self._answering: set[str] = set()

    def meet_silenced(self, batch: Batch) -> None:
        """Name those the account blocked or hid: threads leave them out, and who they were."""
        for written in self._listed(self._account, "app.bsky.graph.block", None):
            blocked = AtUri.parse(f"at://{written.value.get('subject')}/{POSTS}/any")
            if blocked:
                batch.meet(blocked.did)
        for written in self._listed(self._account, THREAD_GATES, None):
            hidden = written.value.get("hiddenReplies")
            if written.value.get("post") in batch.roots and isinstance(hidden, list):
                for uri in filter(None, map(AtUri.parse, hidden)):
                    batch.meet(uri.did)

    def replies(self, batch: Batch, authors: list[str], *, looked: int) -> list[Found]:
        """Replies to the batch's threads by these authors, new or newer than what was read; ``looked``: how many were asked before."""
        asked = authors[: max(0, AUTHORS_PER_BATCH - looked)]
        self._leave_out(SCAN_LIMIT, len(authors) - len(asked))
        found: list[Found] = []
        waiting: list[Found] = []
        for reply in chain.from_iterable(self._replies_of(did, batch.oldest) for did in asked):
            if batch.takes(reply.root) or str(reply.uri) in batch.seen:
                found.append(reply)
            elif str(reply.root) in batch.elsewhere:
                waiting.append(reply)
        found += _joined(waiting, batch.below | {str(reply.uri) for reply in found})
        return [reply for reply in found if batch.seen.get(str(reply.uri)) != reply.version]

    def count_failure(self, did: str, problem: ConnectorError) -> None:
        """Count an author who could not be read. Raises the problem where the directory or the account's own server is away."""
        if isinstance(problem, Unreachable) and self._servers.is_ours(did):
            raise problem
        if not isinstance(problem, AccountUnavailable):
            self._failing.add(self._servers.known_address(did) or did)
        self._leave_out(UNREADABLE, 1)

    def _replies_of(self, did: str, oldest: datetime | None) -> Iterator[Found]:
        try:
            for written in self._listed(did, POSTS, oldest):
                uri = AtUri.parse(written.uri)
                parent, root = parent_and_root(written.value)
                if uri and uri.did == did and (begun := AtUri.parse(root)):
                    yield Found(uri, written.cid, parent, begun)
        except AccountUnavailable as problem:
            if problem.state in ("address_refused", "moved"):
                self._leave_out(UNREADABLE, 1)
        except ConnectorError as problem:
            self.count_failure(did, problem)

    def _listed(self, did: str, collection: str, oldest: datetime | None) -> Iterator[Written]:
        """Records of a repository, newest first, unrecorded."""
        is_wary = len(self._failing) >= FAILING_SERVERS
        if is_wary and did.startswith("did:web:"):
            self._leave_out(UNREADABLE, 1)
            return
        address = self._servers.address_of(did)
        if address in self._failing or (is_wary and address not in self._answering):
            self._leave_out(UNREADABLE, 1)
            return
        client = self._servers.at(address)
        params: dict[str, Any] = {"repo": did, "collection": collection, "limit": RECORDS_PER_CALL}
        for _ in range(PAGES_PER_AUTHOR):
            _, page = client.peek("author_records", LIST_RECORDS, Records, params)
            self._answering.add(address)
            yield from page.records
            if not page.cursor or page.cursor == params.get("cursor") or _is_past(page, oldest):
                return
            params["cursor"] = page.cursor
        self._leave_out(SCAN_LIMIT, 1)

    def _leave_out(self, reason: str, count: int) -> None:
        if count > 0:
            self._left_out[reason] += count


def _joined(waiting: Iterable[Found], below: set[str]) -> list[Found]:
    """Those that hang, directly or through each other, on something ``below`` the account's words."""
    joined: list[Found] = []
    by_parent: dict[str | None, list[Found]] = {}
    for reply in waiting:
        by_parent.setdefault(reply.parent, []).append(reply)
    reached = [reply for parent in below for reply in by_parent.pop(parent, ())]
    while reached:
        reply = reached.pop()
        joined.append(reply)
        reached += by_parent.pop(str(reply.uri), ())
    return joined


def _is_past(page: Records, oldest: datetime | None) -> bool:
    """Whether the page's last record is older than every thread looked for."""
    keys = (uri.key for uri in map(AtUri.parse, (written.uri for written in reversed(page.records))) if uri)
    last = next((made_at for made_at in map(tid_time, keys) if made_at), None)
    return last is not None and oldest is not None and last < oldest - CLOCK_SKEW
