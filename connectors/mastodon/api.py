"""Mastodon's API as data: calls, shapes, faults, ids. What each call means is written in :mod:`connectors.mastodon.platform`."""

from __future__ import annotations

from typing import Any

import msgspec

from connectors.contract import Connection, Item, Kind
from connectors.faults import AccountUnavailable, CredentialRejected, ScopeMissing
from connectors.kit.auth import Bearer, secret
from connectors.kit.client import Client
from connectors.kit.clocktime import moment
from connectors.kit.endpoint import Endpoint
from connectors.kit.verdict import Fault

# fmt: off
LOOKUP        = Endpoint("account_lookup",       "/api/v1/accounts/lookup")
WEBFINGER     = Endpoint("webfinger",            "/.well-known/webfinger")
SELF          = Endpoint("verify_credentials",   "/api/v1/accounts/verify_credentials")
ACCOUNT       = Endpoint("account",              "/api/v1/accounts/{id}")
STATUSES      = Endpoint("account_statuses",     "/api/v1/accounts/{id}/statuses")
HISTORY       = Endpoint("status_history",       "/api/v1/statuses/{id}/history")
CONTEXT       = Endpoint("status_context",       "/api/v1/statuses/{id}/context")
STATUS        = Endpoint("confirm_status",       "/api/v1/statuses/{id}")
MISSING       = Endpoint("missing_status",       "/api/v1/statuses/{id}")
AUTHOR        = Endpoint("author",               "/api/v1/accounts/{id}")
BLOCKS        = Endpoint("blocks",               "/api/v1/blocks")
MUTES         = Endpoint("mutes",                "/api/v1/mutes")
DOMAIN_BLOCKS = Endpoint("domain_blocks",        "/api/v1/domain_blocks")
FILTERS       = Endpoint("filters",              "/api/v2/filters")
RELATIONSHIP  = Endpoint("confirm_relationship", "/api/v1/accounts/relationships")
DOMAINS_AGAIN = Endpoint("confirm_domain_block", "/api/v1/domain_blocks")
FILTER        = Endpoint("confirm_filter",       "/api/v2/filters/{id}")

FAULTS = (
    Fault(401, CredentialRejected, advice="Make a new token in the account's settings (Development); a server may also ask one of everybody"),
    Fault(403, CredentialRejected, says="login is currently disabled", advice="The account that owns the token is disabled"),
    Fault(403, ScopeMissing,       advice="Make a token with the scope read"),
    Fault(404, AccountUnavailable, state="not_found", advice="Look whether it still exists on its server"),
    Fault(410, AccountUnavailable, state="gone", advice="It was deleted or suspended for good"),
    Fault(422, AccountUnavailable, state="not_found", advice="The server does not understand the id"),
)
# fmt: on


GONE = (404, 410)


class Account(msgspec.Struct, gc=False):
    """An account: what tells its state."""

    id: str
    suspended: bool | None = None
    moved: dict[str, Any] | None = None
    statuses_count: object = None


class Status(msgspec.Struct, gc=False):
    """A status: its id and what leads on from it. One without an id is left to the normalizer."""

    id: str = ""
    created_at: str | None = None
    edited_at: str | None = None
    in_reply_to_id: str | None = None
    replies_count: int | None = None


class Context(msgspec.Struct, gc=False):
    """What stands above and below a status."""

    descendants: list[Status]
    ancestors: list[Status] = []


def open_client(connection: Connection, *, with_token: bool = True) -> Client:
    """A client for the account's server, with the token where there is one."""
    credential = connection.credential if with_token else None
    auth = Bearer(secret(credential, "token", "access_token")) if credential else None
    return Client(connection, host=connection.account.service, auth=auth, faults=FAULTS)


def number_of(native_id: str) -> str:
    """The server's own id: the last part of ``{host}/{id}``."""
    return native_id.rpartition("/")[2]


def item_of(host: str, status: Status, kind: Kind | None = None) -> Item:
    """A status as an item; an answer is a comment unless ``kind`` says otherwise."""
    return Item(
        f"{host}/{status.id}",
        kind or ("comment" if status.in_reply_to_id else "post"),
        published_at=moment(status.created_at),
        replies=status.replies_count,
    )
