"""Whom and what an account keeps away on Mastodon. Only its own token shows it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.contract import Connection, Item, Look, Page
from connectors.faults import AccountUnavailable, CredentialRejected, NotCovered, ScopeMissing
from connectors.kit.pager import LinkHeader, Listing, Shown, pages
from connectors.kit.stages import in_turn
from connectors.mastodon.api import (
    BLOCKS,
    DOMAIN_BLOCKS,
    DOMAINS_AGAIN,
    FILTER,
    FILTERS,
    GONE,
    MUTES,
    RELATIONSHIP,
    SELF,
    Account,
    number_of,
    open_client,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors.kit.client import Client
    from connectors.kit.endpoint import Endpoint


class _Named(msgspec.Struct, gc=False):
    id: str = ""


class _Found(msgspec.Struct, gc=False):
    """Any answer about one thing."""


class _Relationship(msgspec.Struct, gc=False):
    id: str
    blocking: bool = False
    muting: bool = False


LISTS: tuple[tuple[str, Endpoint, type[Any]], ...] = (
    ("block", BLOCKS, list[_Named]),
    ("mute", MUTES, list[_Named]),
    ("domain_block", DOMAIN_BLOCKS, list[str]),
    ("filter", FILTERS, list[_Named]),
)


DOMAINS_PER_PAGE = 200
"""The most a server gives at once. A list of as many may go on: then a domain that is not on it is not said to be unblocked."""


def moderation(connection: Connection, look: Look) -> Iterator[Page]:
    """Blocks, mutes, blocked servers and filters in force.

    A list that the token may not read does not keep the others from being read. Raises :class:`ScopeMissing` at the end for
    those, :class:`CredentialRejected` where the token is another account's, and :class:`NotCovered` without one.
    """
    if connection.credential is None:
        msg = f"whom and what {connection.account.handle} keeps away is told to its own token only: name a credential for the account"
        raise NotCovered(msg, reason="credential_needed")
    refused: list[str] = []
    with open_client(connection) as client:
        _check_owner(connection, client)
        read = partial(_list, client, connection.account.native_id, refused)
        yield from in_turn(look, [(one[0], partial(read, one)) for one in LISTS])
    if refused:
        msg = f"credential {connection.credential.name} may not read {', '.join(refused)}: make a token with the scope read"
        raise ScopeMissing(msg)


def confirm(connection: Connection, native_ids: Sequence[str]) -> Iterator[Page]:
    """Ask of each whether it is still in force: blocks and mutes by the relationship, filters by their number, blocked servers by their list."""
    with open_client(connection) as client:
        for native_id in native_ids:
            word, name = native_id.rpartition("/")[0].rpartition("/")[2], number_of(native_id)
            if word == "filter":
                exchange, _ = client.read(*FILTER.of(id=name), _Found, subject=native_id, accept=GONE)
                in_force = exchange.status not in GONE
            elif word == "domain_block":
                asked = {"limit": DOMAINS_PER_PAGE}
                exchange, domains = client.read(*DOMAINS_AGAIN, list[str], asked, subject=native_id)
                in_force = name in domains
            else:
                exchange, found = client.read(*RELATIONSHIP, list[_Relationship], {"id[]": name}, subject=native_id)
                in_force = any(one.blocking if word == "block" else one.muting for one in found)
            yield Page(exchange, (Item(native_id, "moderation_action"),) if in_force else ())


def _check_owner(connection: Connection, client: Client) -> None:
    _, owner = client.peek(*SELF, Account)
    if owner.id != number_of(connection.account.native_id):
        name = connection.credential.name if connection.credential else ""
        msg = f"credential {name} belongs to another account of {client.host}: make a token while logged in as {connection.account.handle}"
        raise CredentialRejected(msg)


def _list(
    client: Client, owner: str, refused: list[str], which: tuple[str, Endpoint, type[Any]], look: Look
) -> Iterator[Page]:
    word, endpoint, shape = which
    params = {} if endpoint is FILTERS else {"limit": 80}
    listing = Listing(endpoint, shape, LinkHeader(keep=("max_id",)), _show(f"{owner}/{word}"), params)
    try:
        yield from pages(client, listing, Look(resume=look.resume))
    except (ScopeMissing, AccountUnavailable) as problem:
        if problem.exchange is None:
            raise
        if isinstance(problem, ScopeMissing):
            refused.append(endpoint.call)
        # servers that speak Mastodon's API do not all have every list: 404
        yield Page(problem.exchange, skipped={problem.code if isinstance(problem, ScopeMissing) else "not_offered": 1})


def _show(prefix: str) -> Callable[[list[Any]], Shown]:
    def show(entries: list[Any]) -> Shown:
        names = [entry if isinstance(entry, str) else entry.id for entry in entries]
        return Shown(tuple(Item(f"{prefix}/{name}", "moderation_action") for name in names if name))

    return show
