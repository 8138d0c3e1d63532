"""Whom and what an account keeps away on Mastodon. Only its own token shows it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.contract import Connection, Item, Look, Page
from connectors.faults import AccountUnavailable, CredentialRejected, ScopeMissing
from connectors.mastodon_api import (
    BLOCKS,
    DOMAIN_BLOCKS,
    FILTERS,
    MUTES,
    RELATIONSHIP,
    SELF,
    Account,
    number_of,
    open_client,
)
from connectors.pager import LinkHeader, Listing, Shown, pages
from connectors.stages import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors.client import Client
    from connectors.endpoint import Endpoint


class _Named(msgspec.Struct, gc=False):
    id: str = ""


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


def moderation(connection: Connection, look: Look) -> Iterator[Page]:
    """Blocks, mutes, blocked servers and filters in force; nothing without a token.

    A list that the token may not read does not keep the others from being read. Raises :class:`ScopeMissing` at the end for
    those, and :class:`CredentialRejected` where the token is another account's.
    """
    if connection.credential is None:
        return
    refused: list[str] = []
    with open_client(connection) as client:
        _check_owner(connection, client)
        read = partial(_list, client, connection.account.native_id, refused)
        yield from in_turn(look, [(one[0], partial(read, one)) for one in LISTS])
    if refused:
        msg = f"credential {connection.credential.name} may not read {', '.join(refused)}: make a token with the scope read"
        raise ScopeMissing(msg)


def confirm(connection: Connection, native_ids: Sequence[str]) -> Iterator[Page]:
    """Ask whether blocks and mutes are still in force. Blocked servers and filters have no direct read: their lists are complete."""
    if connection.credential is None:
        return
    with open_client(connection) as client:
        for native_id in native_ids:
            word = native_id.rpartition("/")[0].rpartition("/")[2]
            if word not in ("block", "mute"):
                continue
            asked = {"id[]": number_of(native_id)}
            exchange, found = client.read(*RELATIONSHIP, list[_Relationship], asked, subject=native_id)
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
