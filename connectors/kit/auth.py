"""How a request shows who asks: callables in the sense of ``requests``, made from a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase, HTTPBasicAuth

from connectors.faults import CredentialRejected

if TYPE_CHECKING:
    from requests import PreparedRequest

    from connectors.contract import Credential


class Bearer(AuthBase):
    """``Authorization: Bearer …`` (RFC 6750). Its text form shows nothing."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def basic(username: str, password: str) -> AuthBase:
    """``Authorization: Basic …`` in UTF-8 (RFC 7617)."""
    return HTTPBasicAuth(username.encode(), password.encode())


def secret(credential: Credential, field: str, *aliases: str) -> str:
    """A field of a credential, by its name or by another that it is known under.

    Raises :class:`CredentialRejected` where it is missing, empty or unfit for a header.
    """
    value = next((held for name in (field, *aliases) if (held := credential.values.get(name, "").strip())), "")
    if not value:
        msg = f"credential {credential.name} has no {field}: set it under that name and run again"
        raise CredentialRejected(msg)
    if not value.isprintable():
        msg = f"credential {credential.name}: its {field} holds control characters: enter it again"
        raise CredentialRejected(msg)
    return value
