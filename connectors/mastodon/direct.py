"""Statuses read directly, and what it means that one is not there.

A status that its author deleted, one that a server removed and one whose author's account is gone have the same answer: 404. The account
has another: 404 where it was deleted, ``suspended`` where the server closed it (Mastodon 4.4: ``Api::V1::AccountsController``,
``DeleteAccountService``). So where a status is not there, its author is asked about. The profile of somebody who is there is looked
at and not kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from connectors.contract import Connection, Page
from connectors.faults import AccountUnavailable, ContractBroken, CredentialRejected, ScopeMissing
from connectors.mastodon.api import AUTHOR, GONE, MISSING, STATUS, Account, Status, item_of, number_of, open_client
from connectors.mastodon.thread import histories

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from connectors.kit.client import Client
    from connectors.kit.endpoint import Endpoint

AT_ONCE = 200
"""Statuses that one answer about their author speaks of: their numbers are part of its subject."""
MOST_AUTHORS = 40
"""Accounts asked about in one look. What others wrote has only its own answer, and is counted as ``author_not_asked``."""


class _Author(msgspec.Struct, gc=False):
    """An account, or the answer that there is none."""

    suspended: bool | None = None


def confirm(connection: Connection, native_ids: Sequence[str]) -> Iterator[Page]:
    """Read statuses one by one; with their versions where they were edited."""
    with open_client(connection) as client:
        for native_id in native_ids:
            yield from _read(client, STATUS, native_id)


def authors(connection: Connection, missing: Mapping[str, Sequence[str]]) -> Iterator[Page]:
    """Read the statuses of each author; and, where one is not there, whether the author's account is."""
    asked = 0
    with open_client(connection) as client:
        for author, native_ids in missing.items():
            asked += yield from _of_author(client, author, native_ids, may_ask=asked < MOST_AUTHORS)


def _read(client: Client, endpoint: Endpoint, native_id: str) -> Iterator[Page]:
    """The last page shows the status, or nothing."""
    exchange, status = client.read(*endpoint.of(id=number_of(native_id)), Status, subject=native_id, accept=GONE)
    if exchange.status in GONE:
        yield Page(exchange)
        return
    if status.id != number_of(native_id):
        msg = f"{client.host} was asked for status {native_id} and sent another"
        raise ContractBroken(msg, exchange=exchange)
    yield from histories(client, [status], None)
    yield Page(exchange, (item_of(client.host, status),))


def _of_author(client: Client, author: str, native_ids: Sequence[str], *, may_ask: bool) -> Generator[Page, None, bool]:
    """Returns whether the account was asked about."""
    closed = None if may_ask else False
    gone = []
    for native_id in native_ids:
        *versions, last = _read(client, STATUS if closed is False else MISSING, native_id)
        yield from versions
        is_there = bool(last.items)
        yield last if is_there or may_ask else replace(last, skipped={"author_not_asked": 1})
        if is_there or last.exchange.call == STATUS.call:
            continue
        closed = _is_closed(client, author) if closed is None else closed
        if closed:
            gone.append(native_id)
        else:
            yield from _read(client, STATUS, native_id)
    yield from _said_of(client, author, gone)
    return may_ask and closed is not None


def _is_closed(client: Client, author: str) -> bool:
    try:
        _, account = client.peek(*AUTHOR.of(id=number_of(author)), Account)
    except AccountUnavailable as problem:
        return problem.exchange is not None and problem.exchange.status in GONE
    except (CredentialRejected, ScopeMissing):
        return False  # who asks may read no accounts: the status's own answer is all there is
    return bool(account.suspended)


def _said_of(client: Client, author: str, gone: Sequence[str]) -> Iterator[Page]:
    """What the server says of an author, for each of these statuses."""
    for start in range(0, len(gone), AT_ONCE):
        subject = " ".join([author, *map(number_of, gone[start : start + AT_ONCE])])
        exchange, _ = client.read(*AUTHOR.of(id=number_of(author)), _Author, subject=subject, accept=GONE)
        yield Page(exchange)
