"""What stands below a status: all of it that the server shows to the account and to the public.

No single call shows a whole thread, and none says what it leaves out:

- To someone without a token a server shows 60 descendants of a status, 20 levels deep (``StatusesController``, Mastodon 4).
- To the account itself it shows 4,096, but not those of people whom the account blocks or mutes. What they said is the record.

What a server does say is how many replies each status has. So the thread is read with the token where there is one; below each status
that has more replies than were seen, it is read again as the public, from there. What still lacks then (beyond the limit,
private, or lost on the way between servers) is counted as ``replies_not_shown``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from connectors.contract import Item, Page
from connectors.faults import AccountUnavailable, CredentialRejected
from connectors.kit.clocktime import moment
from connectors.mastodon.api import CONTEXT, GONE, HISTORY, Context, Status, item_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connectors.kit.client import Client

READS_LIMIT = 400
"""Calls that one thread may take."""


class Readers(NamedTuple):
    """Whose eyes a thread is read with: ``first`` the account's own, where it has a token; ``public`` without one."""

    first: Client
    public: Client


class _Thread:
    """What was seen of a thread so far."""

    def __init__(self, subject: Item) -> None:
        self.root = number_of(subject.native_id)
        self.replies: dict[str, int] = {self.root: subject.replies or 0}
        self.seen: Counter[str] = Counter()
        self.asked: set[str] = set()

    def add(self, statuses: list[Status]) -> list[Status]:
        """Take note of statuses; those that are new are given back."""
        new = [status for status in statuses if status.id and status.id not in self.replies]
        for status in new:
            self.replies[status.id] = status.replies_count or 0
            self.seen[status.in_reply_to_id or ""] += 1
        return new

    def lacking(self) -> str | None:
        """A status with more replies than were seen, not yet asked about as the public."""
        if len(self.asked) >= READS_LIMIT:
            return None
        counts = self.replies.items()
        return next(
            (number for number, count in counts if count > self.seen[number] and number not in self.asked), None
        )

    def not_shown(self) -> int:
        """How many replies lack in all."""
        return sum(max(0, count - self.seen[number]) for number, count in self.replies.items())


def read_thread(readers: Readers, subject: Item, since: datetime | None) -> Iterator[Page]:
    """The pages of one thread: contexts, and the histories of comments edited after ``since``."""
    thread = _Thread(subject)
    with_token = readers.first is not readers.public
    if not with_token:
        thread.asked.add(thread.root)
    yield from _read(readers.first, thread, thread.root, since)
    while (number := thread.lacking()) is not None:
        thread.asked.add(number)
        try:
            yield from _read(readers.public, thread, number, since)
        except CredentialRejected as closed:
            if not with_token or closed.exchange is None:
                raise
            # a server may answer nobody without a token: then the account's own view is all there is
            yield Page(closed.exchange, skipped={"closed_to_public": 1, "replies_not_shown": thread.not_shown()})
            return


def histories(client: Client, statuses: list[Status], since: datetime | None) -> Iterator[Page]:
    """All versions of each status that was edited after ``since``."""
    for status in statuses:
        edited_at = moment(status.edited_at)
        if not status.id or edited_at is None or (since is not None and edited_at < since):
            continue
        try:
            exchange, _ = client.read(*HISTORY.of(id=status.id), list[object], subject=f"{client.host}/{status.id}")
        except AccountUnavailable as gone:
            yield _gone(gone, "history_gone")
        else:
            yield Page(exchange)


def _read(client: Client, thread: _Thread, number: str, since: datetime | None) -> Iterator[Page]:
    try:
        exchange, context = client.read(*CONTEXT.of(id=number), Context, subject=f"{client.host}/{number}")
    except AccountUnavailable as gone:
        yield _gone(gone, "thread_gone")
        return
    yield from histories(client, thread.add(context.descendants), since)
    skipped = {"ancestor": len(context.ancestors)} if context.ancestors and number == thread.root else {}
    if thread.lacking() is None and (not_shown := thread.not_shown()):
        skipped["replies_not_shown"] = not_shown
    items = tuple(item_of(client.host, status, "comment") for status in context.descendants if status.id)
    yield Page(exchange, items, skipped=skipped)


def _gone(problem: AccountUnavailable, reason: str) -> Page:
    """A status that went while its thread was read is no failure of the look. What else it was is raised again."""
    if problem.exchange is None or problem.exchange.status not in GONE:
        raise problem
    return Page(problem.exchange, skipped={reason: 1})
