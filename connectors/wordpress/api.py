"""The WordPress REST API as data: calls, shapes, faults, ids. What each call means is written in :mod:`connectors.wordpress.platform`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from connectors.faults import AccountUnavailable, ContractBroken, CredentialRejected, ScopeMissing
from connectors.kit.auth import basic, secret
from connectors.kit.client import Client
from connectors.kit.endpoint import Endpoint
from connectors.kit.verdict import Fault

if TYPE_CHECKING:
    from connectors.contract import Connection
    from connectors.exchange import Exchange

# fmt: off
SITE            = Endpoint("site",            "/wp-json/")
SELF            = Endpoint("user",            "/wp-json/wp/v2/users/me")
POSTS           = Endpoint("posts",           "/wp-json/wp/v2/posts")
COMMENTS        = Endpoint("comments",        "/wp-json/wp/v2/comments")
CONFIRM_POST    = Endpoint("confirm_post",    "/wp-json/wp/v2/posts/{id}")
CONFIRM_COMMENT = Endpoint("confirm_comment", "/wp-json/wp/v2/comments/{id}")

DEAD = (
    "incorrect_password", "invalid_username", "invalid_email", "invalidcombo", "rest_not_logged_in", "rest_cookie_invalid_nonce",
    "application_passwords_disabled", "application_passwords_disabled_for_user", "invalid_application_credentials",
)
CLOSED = ("rest_no_route", "rest_disabled", "rest_cannot_access", "rest_login_required", "disabled_rest_api")

FAULTS = (
    Fault(401, CredentialRejected, codes=DEAD, advice="Make a new application password (Users, Profile) and store it"),
    Fault(403, CredentialRejected, codes=DEAD, advice="Make a new application password (Users, Profile) and store it"),
    *(Fault(status, AccountUnavailable, codes=CLOSED, state="api_closed", advice="Open the site's REST API for the archive") for status in (401, 403, 404)),
    Fault(401, ScopeMissing, advice="Give the credential's user the role Editor or Administrator"),
    Fault(403, ScopeMissing, advice="Give the credential's user the role Editor or Administrator"),
)
# fmt: on

NOT_THERE = frozenset({"rest_post_invalid_id", "rest_comment_invalid_id"})
NOT_SHOWN = frozenset(
    {"rest_forbidden", "rest_cannot_read", "rest_cannot_read_post", "rest_cannot_edit", "rest_forbidden_context"}
)


WHOLE_SITE = frozenset({"editor", "administrator"})
"""Roles that may edit every post and moderate every comment."""


class Site(msgspec.Struct, gc=False):
    """The root of the API."""

    namespaces: list[str]


class Thing(msgspec.Struct, gc=False):
    """A post or a comment: its id and when it was published."""

    id: int = 0
    date_gmt: str | None = None


class User(msgspec.Struct, gc=False):
    """Who the credential is, and what it may do."""

    capabilities: dict[str, bool] = {}
    roles: list[str] = []

    def may(self, need: str) -> bool:
        """Whether its role or a capability allows it."""
        return self.capabilities.get(need, False) or not WHOLE_SITE.isdisjoint(self.roles)


class Direct(msgspec.Struct, gc=False):
    """The answer to a direct read: the thing, or why not."""

    id: int = 0
    date_gmt: str | None = None
    code: str = ""


def open_client(connection: Connection, *needs: str) -> Client:
    """A client for the site. With a credential, its user must have the capabilities named: a lesser one sees a part and is not told.

    Raises :class:`CredentialRejected`, :class:`ScopeMissing`.
    """
    credential = connection.credential
    service = connection.account.service
    if credential is None:
        return Client(connection, host=service, faults=FAULTS)
    auth = basic(
        secret(credential, "username", "user", "login"), secret(credential, "password", "application_password")
    )
    client = Client(connection, host=service, auth=auth, faults=FAULTS)
    try:
        _check_rights(client, credential.name, needs)
    except BaseException:
        client.close()
        raise
    return client


def _check_rights(client: Client, name: str, needs: tuple[str, ...]) -> None:
    _, user = client.peek(*SELF, User, {"context": "edit", "_fields": "id,capabilities,roles"})
    lacking = [need for need in needs if not user.may(need)]
    if lacking:
        msg = f"credential {name} may not {', '.join(lacking)} on {client.host}: give its user the role Editor or Administrator"
        raise ScopeMissing(msg)


def total_of(exchange: Exchange, _value: object) -> int | None:
    """The listing's own count."""
    total = exchange.header("x-wp-total") or ""
    return int(total) if total.isdigit() else None


def is_there(client: Client, exchange: Exchange, direct: Direct, native_id: str) -> bool:
    """Whether a direct read found the thing. Raises :class:`ContractBroken` where the answer does not tell."""
    if exchange.status == 200 and str(direct.id) == native_id.rpartition("/")[2]:  # noqa: PLR2004
        return True
    if exchange.status != 200 and direct.code in NOT_THERE | NOT_SHOWN:  # noqa: PLR2004
        return False
    said = direct.code or f"id {direct.id}"
    msg = f"{client.host} answered {exchange.status} {said!r} when asked for {native_id}: that tells nothing of it"
    raise ContractBroken(msg, exchange=exchange)
