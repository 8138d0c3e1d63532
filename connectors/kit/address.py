"""From a host name to an address that may be asked.

A host comes from an account that a person registered, or from an answer of a platform: from outside in both cases. Without a
setting, only ``https`` on the public Internet is asked; that the name does not lead into the City's own network is checked on
the connection itself, after the name was resolved, so that no second look-up can differ from the first. A host mapped in
``services`` is trusted: whoever writes the settings decided it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from connectors.faults import AccountUnavailable

if TYPE_CHECKING:
    from connectors.contract import Connection

_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH = re.compile(r"(/[\w.~-]+)*")
_DOTS = re.compile(r"/\.{1,2}(/|$)")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def service_name(text: str) -> str:
    """The name of a service as a person writes it (``https://City.gov/news/``), in its one normal form (``city.gov/news``).

    Raises :class:`AccountUnavailable` where it is not a host name, with or without a path.
    """
    bare = text.strip().removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, path = bare.partition("/")
    try:
        name = host.encode("idna").decode() if host and not host.isascii() else host.lower()
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name) or not _PATH.fullmatch(slash + path) or _DOTS.search(slash + path):
        raise _refused(text, "it is not a host name")
    return name + slash + path


def base_url(connection: Connection, service: str) -> str:
    """Where a service is asked, without a slash at the end.

    Raises :class:`AccountUnavailable` (state ``address_refused``) for what is not a host name or must not be asked.
    """
    name = service_name(service)
    host, slash, path = name.partition("/")
    if name in connection.services:
        return connection.services[name].rstrip("/")
    if host in connection.services:
        return connection.services[host].rstrip("/") + slash + path
    if not connection.allow_private and (_is_number(host) or "." not in host):
        raise _refused(service, "only public host names are asked")
    return f"https://{name}"


def is_trusted(connection: Connection, service: str) -> bool:
    """Whether the settings say where the service is, or that any address will do."""
    name = service_name(service)
    return connection.allow_private or name in connection.services or name.partition("/")[0] in connection.services


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what must be equal for a redirect to be followed."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def is_public(address: str) -> bool:
    """Whether an IP address lies in the public Internet."""
    number = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour or (number.teredo or (None, None))[1]
        if number in _NAT64:
            inner = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        if inner is not None:
            number = inner
    return number.is_global and not number.is_multicast


class _PublicConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        peer = self.sock.getpeername()[0] if self.sock else ""
        if not is_public(peer):
            self.close()
            raise _refused(self.host, "its name leads into a private network")


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class PublicAdapter(HTTPAdapter):
    """A transport that hands no request to an address outside the public Internet. Proxies of the environment are trusted."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the signature of requests
        """Make the pools; called by ``requests``."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": _PublicPool}


def _is_number(host: str) -> bool:
    # "127.1" and "2130706433" are addresses for the resolver, too
    return host.replace(".", "").isdigit() or host.rpartition(".")[2].isdigit()


def _refused(service: str, why: str) -> AccountUnavailable:
    msg = (
        f"{service!r} is not asked: {why}. Correct the account's service, or map it to an address under "
        "[services] in the settings if it is the City's own"
    )
    return AccountUnavailable(msg, state="address_refused")
