"""How listings go on from page to page, and the loop that reads them.

A pager is a small value without state: given an answer and the place it was read at, it names the next place. A place is a JSON
mapping and is what a checkpoint holds, so that any process can go on from it. The loop (:func:`pages`) owns what every listing
must be careful about: a page that leads back, an empty page that is not the end, a page too old to matter, a listing without end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from connectors.contract import Checkpoint, Item, Look, Page
from connectors.faults import AccountUnavailable, ContractBroken, CursorExpired, PagingLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from connectors.exchange import Exchange
    from connectors.kit.client import Client
    from connectors.kit.endpoint import Endpoint
    from connectors.kit.transport import Params

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

PAGE_LIMIT = 100_000
"""More pages than any listing has."""


REFUSALS = frozenset({400, 404, 410, 422})
"""How platforms say that they do not know a place."""


class Pager(Protocol[T_contra]):
    """Where a listing goes on."""

    def query(self, place: Checkpoint, /) -> Params:
        """The parameters that ask for the page at a place."""

    def after(self, exchange: Exchange, value: T_contra, place: Checkpoint, /) -> Checkpoint | None:
        """The place after an answer; ``None`` at the end."""


class _PlaceIsQuery:
    __slots__ = ()

    def query(self, place: Checkpoint, /) -> Params:
        """Ask with the place as it is."""
        return place


@dataclass(frozen=True, slots=True)
class Once(_PlaceIsQuery):
    """A call with one page."""

    def after(self, _exchange: Exchange, _value: object, _place: Checkpoint, /) -> None:
        """Nothing follows."""


@dataclass(frozen=True, slots=True)
class Token(_PlaceIsQuery, Generic[T]):
    """The answer holds a token for the next page: ``Token("cursor", lambda answer: answer.cursor)``."""

    parameter: str
    find: Callable[[T], str | None]

    def after(self, _exchange: Exchange, value: T, _place: Checkpoint, /) -> Checkpoint | None:
        """Go where the token says."""
        token = self.find(value)
        return {self.parameter: token} if token else None


@dataclass(frozen=True, slots=True)
class MaxId(_PlaceIsQuery, Generic[T]):
    """The next page holds what is older than the last id of this one; an empty page is the end."""

    parameter: str
    find: Callable[[T], str | None]

    def after(self, _exchange: Exchange, value: T, _place: Checkpoint, /) -> Checkpoint | None:
        """Go on below the last id."""
        last = self.find(value)
        return {self.parameter: last} if last else None


@dataclass(frozen=True, slots=True)
class NextUrl(_PlaceIsQuery, Generic[T]):
    """The answer holds the address of the next page. Only ``keep`` of its parameters are used, never its host or path."""

    find: Callable[[T], str | None]
    keep: tuple[str, ...]

    def after(self, _exchange: Exchange, value: T, _place: Checkpoint, /) -> Checkpoint | None:
        """Go where the address says."""
        return parameters_of(self.find(value), self.keep)


@dataclass(frozen=True, slots=True)
class LinkHeader(_PlaceIsQuery):
    """The ``Link`` header names the next page (RFC 8288). Only ``keep`` of its parameters are used, never its host or path."""

    keep: tuple[str, ...]

    def after(self, exchange: Exchange, _value: object, _place: Checkpoint, /) -> Checkpoint | None:
        """Go where the header says."""
        return parameters_of(next_link(exchange), self.keep)


@dataclass(frozen=True, slots=True)
class PageNumber(Generic[T]):
    """Pages are counted from 1; the end is told by the number of pages, or by a page without items where it is not given.

    Items that come or go while one reads shift the pages: right only for listings that do not change, see ``seam``.
    """

    parameter: str
    last: Callable[[Exchange, T], int | None]
    is_empty: Callable[[T], bool]

    def query(self, place: Checkpoint, /) -> Params:
        """Ask for the first page by its number, too."""
        return place or {self.parameter: 1}

    def after(self, exchange: Exchange, value: T, place: Checkpoint, /) -> Checkpoint | None:
        """Go to the next number."""
        number = int(place.get(self.parameter, 1))
        last = self.last(exchange, value)
        ended = self.is_empty(value) if last is None else number >= last
        return None if ended else {self.parameter: number + 1}


class Shown(NamedTuple):
    """What a page shows: items, and what is left out on purpose (reason code -> count)."""

    items: tuple[Item, ...] = ()
    skipped: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A call whose answers come in pages, as data."""

    endpoint: Endpoint
    shape: type[T]
    pager: Pager[T]
    show: Callable[[T], Shown]
    params: Params = field(default_factory=dict)
    """Sent with every page."""
    subject: str = ""
    total: Callable[[Exchange, T], int | None] | None = None
    """Reads the platform's own count."""


def pages(client: Client, listing: Listing[T], look: Look) -> Iterator[Page]:
    """Read a listing from ``look.resume`` (or its start) to its end, or to the first page entirely older than ``look.since``.

    The page it begins with is never the last for its age alone.

    Raises :class:`PagingLoop` where a page leads back to one read before, :class:`CursorExpired` where the platform refuses to go on
    from a place it gave, and what :meth:`Client.read` raises.
    """
    return (page for page, _ in readings(client, listing, look))


def readings(
    client: Client, listing: Listing[T], look: Look, *, page_limit: int = PAGE_LIMIT
) -> Iterator[tuple[Page, T]]:
    """Like :func:`pages`, each with its decoded answer."""
    place: Checkpoint = look.resume or {}
    been = {_key(place)}
    in_order = bool(place)
    for _ in range(page_limit):
        params = {**listing.params, **listing.pager.query(place)}
        exchange, value = _read(client, listing, params, place)
        shown = listing.show(value)
        # a listing that begins with the past is out of order, or lost its newest items: one more page tells
        is_over = in_order and _is_past(shown.items, look.since)
        in_order = True
        following = None if is_over else listing.pager.after(exchange, value, place)
        if following is not None and _key(following) in been:
            msg = f"{client.host}: {listing.endpoint.call} leads back to a page already read ({len(been)} pages)"
            raise PagingLoop(msg, exchange=exchange)
        total = listing.total(exchange, value) if listing.total else None
        yield Page(exchange, shown.items, checkpoint=following, total=total, skipped=shown.skipped), value
        if following is None:
            return
        place = following
        been.add(_key(place))
    msg = f"{client.host}: {listing.endpoint.call} does not end after {page_limit} pages"
    raise PagingLoop(msg)


def _read(client: Client, listing: Listing[T], params: Params, place: Checkpoint) -> tuple[Exchange, T]:
    try:
        return client.read(*listing.endpoint, listing.shape, params, subject=listing.subject)
    except (AccountUnavailable, ContractBroken) as refused:
        if place and _is_about_the_place(refused):
            msg = f"{client.host} does not go on with {listing.endpoint.call}: {refused}. The listing starts over"
            raise CursorExpired(msg, exchange=refused.exchange) from refused
        raise


def _is_about_the_place(refused: AccountUnavailable | ContractBroken) -> bool:
    """Whether it may be the place that is refused; if it is the account after all, that shows when the listing starts over."""
    told = refused.exchange is not None and refused.exchange.status in REFUSALS
    return told and (isinstance(refused, ContractBroken) or refused.state == "not_found")


def next_link(exchange: Exchange) -> str | None:
    """Target of the ``Link`` header with ``rel="next"``."""
    return next((target for target, rel in _LINK.findall(exchange.header("link") or "") if "next" in rel.split()), None)


def parameters_of(url: str | None, keep: tuple[str, ...]) -> Checkpoint | None:
    """The wanted parameters of an address; ``None`` where there is none of them."""
    pairs = parse_qsl(urlsplit(url).query) if url else ()
    return {name: value for name, value in pairs if name in keep} or None


_LINK = re.compile(r"""<([^>]*)>[^,<]*?;\s*rel="?([^",;]+)"?""")


def _key(place: Checkpoint) -> bytes:
    return msgspec.json.encode(place, order="deterministic")


def _is_past(items: tuple[Item, ...], since: datetime | None) -> bool:
    dates = [item.published_at for item in items]
    return since is not None and bool(dates) and all(date is not None and date < since for date in dates)
