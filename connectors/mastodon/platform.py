"""Mastodon and what speaks its API.

Ids are numbered per server, so a status is ``{host}/{status id}`` and an account ``{host}/{account id}``. Public statuses need no
credential. With a token of the account itself (``read`` scopes), its private statuses and its blocks, mutes and filters are read, too.

**What is asked, and what an answer means** (``call`` is what the normalizers go by; ``subject`` is empty unless said)

====================  ==================================  ===========================================================================
call                  path                                what its answer means
====================  ==================================  ===========================================================================
account               /api/v1/accounts/:id                200: the profile; ``suspended`` true: the server closed it; ``moved``: where
                                                          the account lives now. 404, 410: deleted
account_statuses      /api/v1/accounts/:id/statuses       what the account wrote or boosted, newest first. A status with
                                                          ``in_reply_to_id`` is a comment by the account (in anyone's thread), any
                                                          other is a post. A boost (``reblog``) is a post of its own, whose content
                                                          is another's
status_history        /api/v1/statuses/:id/history        all versions of the edited status ``subject``, oldest first
status_context        /api/v1/statuses/:id/context        ``descendants``: comments below the status ``subject``. ``ancestors``: what
                                                          it answers, belongs to others' threads and is left out (``ancestor``)
confirm_status        /api/v1/statuses/:id                200: the status ``subject`` as it is. 404, 410: not there for who asks:
                                                          deleted, or no longer public
missing_status        /api/v1/statuses/:id                the status ``subject``, whose author is known, as with ``confirm_status``;
                                                          but why one is not there is told by what is asked next, which names it
author                /api/v1/accounts/:id                the author of statuses that are not there; ``subject``: native id of the
                                                          author, then the numbers of the statuses. 404, 410: the account was deleted;
                                                          ``suspended`` true: the server closed it. Kept only where it is one of these
blocks, mutes         /api/v1/blocks, /api/v1/mutes       accounts the account blocks or mutes, in force now
domain_blocks         /api/v1/domain_blocks               servers it blocks, as names
filters               /api/v2/filters                     its filters with their words
confirm_relationship  /api/v1/accounts/relationships      whether the account still blocks or mutes the one ``subject`` names:
                                                          a list of one, ``blocking``, ``muting``
====================  ==================================  ===========================================================================

A moderation action is ``{host}/{account id}/{block|mute|domain_block|filter}/{id or domain}``.

Reference: https://docs.joinmastodon.org/methods/accounts/, …/statuses/, …/blocks/, …/mutes/, …/domain_blocks/, …/filters/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from connectors.contract import AccountRef, Checkpoint, Connection, Cost, Item, Look, Page, Platform, Resource
from connectors.faults import AccountUnavailable, ContractBroken
from connectors.kit.address import service_name
from connectors.kit.client import Client
from connectors.kit.pager import Listing, Shown, next_link, parameters_of, readings
from connectors.kit.threads import each_thread
from connectors.mastodon import moderation as mastodon_moderation
from connectors.mastodon.api import (
    ACCOUNT,
    FAULTS,
    LOOKUP,
    STATUSES,
    WEBFINGER,
    Account,
    Status,
    item_of,
    number_of,
    open_client,
)
from connectors.mastodon.direct import authors, confirm
from connectors.mastodon.thread import Readers, histories, read_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.exchange import Exchange

PER_PAGE = 40
_HANDLE = re.compile(r"@?([A-Za-z0-9_][A-Za-z0-9_.-]*)@([^@/\s]+)")
_ADDRESS = re.compile(r"https?://([^@/\s]+)/@([A-Za-z0-9_][A-Za-z0-9_.-]*)/?")


class _Found(msgspec.Struct, gc=False):
    id: str
    acct: str


class _Pointer(msgspec.Struct, gc=False):
    rel: str = ""
    href: str = ""


class _WebFinger(msgspec.Struct, gc=False):
    links: list[_Pointer]


def identify(connection: Connection, text: str) -> AccountRef:
    """Look up ``user@host``, ``@user@host`` or ``https://host/@user``.

    The host of a handle may be another than the server's (RFC 7033): where the first knows no such account, it is asked who does.
    Raises :class:`AccountUnavailable` where nobody does.
    """
    if found := _ADDRESS.fullmatch(text.strip()):
        host, user = found.groups()
    elif found := _HANDLE.fullmatch(text.strip()):
        user, host = found.groups()
    else:
        msg = f"{text!r} is not a Mastodon handle: write user@host"
        raise AccountUnavailable(msg, state="not_found")
    host = service_name(host)
    try:
        return _look_up(connection, host, user, f"{user}@{host}")
    except (AccountUnavailable, ContractBroken) as unknown:
        server = _server_of(connection, user, host)
        if server is None:
            raise unknown from None
    return _look_up(connection, server, user, f"{user}@{host}")


def profile(connection: Connection, _look: Look) -> Iterator[Page]:
    """The account as it describes itself. Raises :class:`AccountUnavailable` after the page where the server closed it."""
    native_id = connection.account.native_id
    with open_client(connection) as client:
        exchange, account = client.read(*ACCOUNT.of(id=number_of(native_id)), Account)
    moved = {"account_moved": 1} if account.moved else {}
    total = account.statuses_count if isinstance(account.statuses_count, int) else None
    yield Page(exchange, (Item(native_id, "profile"),), total=total, skipped=moved)
    if account.suspended:
        msg = f"{connection.account.handle} is suspended by {connection.account.service}: its content is not shown"
        raise AccountUnavailable(msg, state="suspended", exchange=exchange)


def posts(connection: Connection, look: Look) -> Iterator[Page]:
    """What the account wrote (answers to others included) and boosted; and all versions of what was edited since the last look."""
    with open_client(connection) as client:
        place: Checkpoint = look.resume or {}
        for page, statuses in readings(client, _statuses(connection), look):
            for history in histories(client, statuses, look.since):
                yield replace(history, checkpoint=place)
            yield page
            place = page.checkpoint or {}


def comments(connection: Connection, look: Look) -> Iterator[Page]:
    """What stands below each of ``look.subjects``."""
    with open_client(connection) as first, open_client(connection, with_token=False) as other:
        readers = Readers(first, public=other if connection.credential else first)
        yield from each_thread(look, lambda subject: read_thread(readers, subject, look.since))


@dataclass(frozen=True, slots=True)
class _Older:
    """The ``Link`` header says what follows; where it is missing (some servers, short pages), the last id does."""

    def query(self, place: Checkpoint, /) -> Checkpoint:
        """Ask with the place as it is."""
        return place

    def after(self, exchange: Exchange, value: list[Status], _place: Checkpoint, /) -> Checkpoint | None:
        """Go on below the oldest status; a page without one is the end unless the header says more."""
        linked = parameters_of(next_link(exchange), ("max_id",))
        if linked or not value:
            return linked
        return {"max_id": value[-1].id}


def _statuses(connection: Connection) -> Listing[list[Status]]:
    host = connection.account.service
    endpoint = STATUSES.of(id=number_of(connection.account.native_id))
    return Listing(endpoint, list[Status], _Older(), lambda found: _show(host, found), {"limit": PER_PAGE})


def _show(host: str, statuses: list[Status]) -> Shown:
    return Shown(tuple(item_of(host, status) for status in statuses if status.id))


def _look_up(connection: Connection, host: str, user: str, handle: str) -> AccountRef:
    with Client(connection, host=host, faults=FAULTS) as client:
        _, found = client.peek(*LOOKUP, _Found, {"acct": user})
    return AccountRef("mastodon", f"{host}/{found.id}", handle, host)


def _server_of(connection: Connection, user: str, host: str) -> str | None:
    """The server that answers for a handle, where it is not the handle's own host."""
    try:
        with Client(connection, host=host, faults=FAULTS) as client:
            _, answer = client.peek(*WEBFINGER, _WebFinger, {"resource": f"acct:{user}@{host}"})
    except AccountUnavailable as elsewhere:
        # many forward the question as a whole
        there = elsewhere.exchange.header("location") if elsewhere.exchange and elsewhere.state == "moved" else None
        hrefs = [there] if there else []
    except ContractBroken:
        return None
    else:
        hrefs = [link.href for link in answer.links if link.rel == "self"]
    servers = (urlsplit(href).hostname for href in hrefs)
    return next((server for server in servers if server and server != host), None)


PLATFORM = Platform(
    name="mastodon",
    identify=identify,
    resources=(
        Resource(
            "profile",
            profile,
            deletion="404 Not Found or 410 Gone for the account; suspended: true where its server closed it",
        ),
        Resource(
            "posts",
            posts,
            confirm=confirm,
            deletion="404 for the status; deleted and made private are the same answer",
            never="When and by whom a status was deleted; private and direct statuses without the account's own token",
        ),
        Resource(
            "comments",
            comments,
            confirm=confirm,
            authors=authors,
            needs_posts=True,
            deletion="404 for the status; deleted, made private and removed by a server are the same answer. Where the author's account is "
            "gone (404) or suspended, its own answer says so",
            never="Whether its author or a server removed the reply of somebody who is still there; replies the account's server "
            "never received; without a token, replies beyond the public limit of a thread (counted as replies_not_shown)",
        ),
        Resource(
            "moderation",
            mastodon_moderation.moderation,
            confirm=mastodon_moderation.confirm,
            deletion="No block or mute in the relationship, 404 for the filter, absence from the whole list of blocked servers",
            never="Anything without the account's own token; when a block began, reports made by the account, and that a server was "
            "unblocked while more than 200 are blocked",
            reveals=("block", "mute", "domain_block", "filter"),
        ),
    ),
    cost=Cost(each=8, posts_per_page=40, per_thread=1.1),
    credential_fields=("token",),
    docs="https://docs.joinmastodon.org/methods/",
)
