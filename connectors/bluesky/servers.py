"""Which server holds a repository, and clients for the servers asked.

A DID document names its owner's server (PDS). Whoever owns the DID wrote it: it is hostile input. An address in it is asked
only over https on the public Internet, unless the settings map its host, with its port where it has one (``localhost:2583``), or
allow private addresses at all. https://atproto.com/specs/did
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

import msgspec

from connectors.faults import AccountUnavailable
from connectors.kit.address import service_name
from connectors.kit.client import Client
from connectors.kit.verdict import Fault

if TYPE_CHECKING:
    from types import TracebackType

    from connectors.contract import Connection

APPVIEW = "public.api.bsky.app"
DIRECTORY = "plc.directory"

_GONE = "The account was deleted on its server"
_CLOSED = "Its owner or its server's staff closed it; the next run looks again"
FAULTS = (
    Fault(400, AccountUnavailable, codes=("RepoNotFound",), state="deleted", advice=_GONE),
    Fault(
        400, AccountUnavailable, codes=("RepoDeactivated", "AccountDeactivated"), state="deactivated", advice=_CLOSED
    ),
    Fault(400, AccountUnavailable, codes=("RepoTakendown", "AccountTakedown"), state="takendown", advice=_CLOSED),
    Fault(400, AccountUnavailable, codes=("RepoSuspended",), state="suspended", advice=_CLOSED),
    Fault(400, AccountUnavailable, says="could not find repo", state="closed", advice=_CLOSED),
    Fault(400, AccountUnavailable, codes=("NotFound",), state="not_shown", advice="The AppView does not show it"),
    Fault(400, AccountUnavailable, says="profile not found", state="deleted", advice=_GONE),
    Fault(400, AccountUnavailable, says="list not found", state="not_shown", advice="The AppView does not show it"),
    Fault(
        400,
        AccountUnavailable,
        says="unable to resolve handle",
        state="not_found",
        advice="Correct the account's handle",
    ),
)
"""What complaints of the AppView and of the personal data servers mean."""


class _Service(msgspec.Struct):
    id: str = ""
    type: str = ""
    endpoint: Any = msgspec.field(default=None, name="serviceEndpoint")


class DidDocument(msgspec.Struct):
    """What is read of a DID document."""

    id: str
    names: list[str] = msgspec.field(default_factory=list, name="alsoKnownAs")
    services: list[_Service] = msgspec.field(default_factory=list, name="service")

    @property
    def handle(self) -> str | None:
        """The handle it claims; the first counts."""
        return next((name.removeprefix("at://") for name in self.names if name.startswith("at://")), None)

    @property
    def server(self) -> str | None:
        """Address of its owner's server, as written there."""
        return self._endpoint("#atproto_pds", "AtprotoPersonalDataServer")

    @property
    def labeler(self) -> str | None:
        """Address of the moderation service it runs, as written there."""
        return self._endpoint("#atproto_labeler", "AtprotoLabeler")

    def _endpoint(self, name: str, kind: str) -> str | None:
        fits = (service.endpoint for service in self.services if service.id.endswith(name) and service.type == kind)
        return next((endpoint for endpoint in fits if isinstance(endpoint, str)), None)


class Servers:
    """Clients by host, and what DID documents say, kept for one look. Use it in a ``with`` block."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stack = ExitStack()
        self._clients: dict[str, Client] = {}
        self._addresses: dict[str, str] = {}
        self._labelers: dict[str, str] = {}
        self.shown: str | None = None
        """A post that the AppView has shown during this look."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def appview(self) -> Client:
        """The AppView the account is read through."""
        return self._client(self._connection.account.service or APPVIEW)

    def address_of(self, did: str) -> str:
        """Address of the server that holds a repository, as its DID document has it. Raises :class:`AccountUnavailable`."""
        if did not in self._addresses:
            address = self.document_of(did).server
            if address is None:
                msg = f"{did} names no server that holds its records: the account was closed or never finished"
                raise AccountUnavailable(msg, state="no_server")
            self._addresses[did] = address.rstrip("/")
        return self._addresses[did]

    def known_address(self, did: str) -> str | None:
        """The same where it was looked up before."""
        return self._addresses.get(did)

    def is_ours(self, did: str) -> bool:
        """Whether a failure to read this repository is the City's own trouble: the directory's, or that of its own server."""
        address = self._addresses.get(did)
        if address is None:
            return did.startswith("did:plc:")
        return address == self.address_of(self._connection.account.native_id)

    def of(self, did: str) -> Client:
        """The server that holds a repository. Raises :class:`AccountUnavailable` where it may not be asked."""
        return self.at(self.address_of(did))

    def labeler(self, did: str) -> Client:
        """The moderation service an account runs. Raises :class:`AccountUnavailable` where it runs none or it may not be asked."""
        if did not in self._labelers:
            address = self.document_of(did).labeler
            if address is None:
                msg = f"{did} names no moderation service: it labels nothing any more"
                raise AccountUnavailable(msg, state="no_labeler")
            self._labelers[did] = address.rstrip("/")
        return self.at(self._labelers[did])

    def document_of(self, did: str) -> DidDocument:
        """The DID document as it is now. Raises :class:`AccountUnavailable` where there is none."""
        _, method, name = did.split(":", 2)
        if method == "plc":
            client, path = self._client(DIRECTORY), f"/{did}"
        elif method == "web":
            client, path = self.at(f"https://{unquote(name)}"), "/.well-known/did.json"
        else:
            msg = f"{did}: only did:plc and did:web are known to the AT Protocol"
            raise AccountUnavailable(msg, state="not_found")
        _, document = client.peek("did_document", path, DidDocument)
        if document.id != did:
            msg = f"the DID document of {did} says it is another's: its records are not read"
            raise AccountUnavailable(msg, state="not_found")
        return document

    def at(self, address: str) -> Client:
        """The server at an address from outside. Raises :class:`AccountUnavailable` where it may not be asked."""
        scheme, host, place = _parts(address)
        services = self._connection.services
        if place in services:
            return self._client(host, key=place, base=services[place])
        if host not in services:
            if self._connection.allow_private:
                return self._client(host, key=place, base=f"{scheme}://{place}")
            if place not in (host, f"{host}:443"):
                raise _refused(
                    address, f"only https on its usual port is. Map {place} under [services] if it is the City's own"
                )
        return self._client(host)

    def _client(self, host: str, *, key: str = "", base: str = "") -> Client:
        key = key or host
        if key not in self._clients:
            services = {**self._connection.services, host: base} if base else self._connection.services
            client = Client(replace(self._connection, services=services), host=host, faults=FAULTS)
            self._clients[key] = self._stack.enter_context(client)
        return self._clients[key]


def _parts(address: str) -> tuple[str, str, str]:
    """Scheme, host, and host with port. Raises :class:`AccountUnavailable` for what is no address of a server."""
    try:
        parts = urlsplit(address)
        host, place = service_name(parts.hostname or ""), parts.netloc.lower()
    except ValueError:
        raise _refused(address, "it is no address of a server") from None
    if parts.scheme not in ("http", "https") or parts.path.strip("/") or parts.query or "@" in place:
        raise _refused(address, "it is no address of a server")
    return parts.scheme, host, place


def _refused(address: str, why: str) -> AccountUnavailable:
    return AccountUnavailable(f"{address[:200]!r}, from a DID document, is not asked: {why}", state="address_refused")
