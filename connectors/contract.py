"""What every connector offers and what it yields.

A connector is a module with one :class:`Platform` value named ``PLATFORM``: who an account is, which resources it has,
and one generator per resource. A generator yields :class:`Page` values: the exchange as it happened, what the
page shows (ids only, never records) and where to go on. Parsing records is the work of ``transforms``, later, from
the evidence.

Connectors know nothing of storage, Airflow or the database. They talk through one :class:`connectors.kit.client.Client`, which hands
every exchange to ``Connection.record`` before the connector sees it: evidence first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - msgspec reads the types of Item
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from connectors.exchange import Exchange

Kind = Literal["post", "comment", "profile", "moderation_action"]
Checkpoint = Mapping[str, Any]
"""Where a listing goes on: JSON values only, so that it can lie in a ledger and be used by another process."""


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account as its platform knows it. ``native_id`` never changes, ``handle`` does."""

    platform: str
    native_id: str
    handle: str
    service: str
    """Host name of the server the account lives on (``mastodon.social``); for Bluesky the AppView asked."""

    @property
    def account_id(self) -> str:
        """``platform:native_id``."""
        return f"{self.platform}:{self.native_id}"


@dataclass(frozen=True, slots=True)
class Credential:
    """Secrets of one account by field name; its text form shows the name only."""

    name: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """All a connector needs from outside: who, with what, how to reach it, and where exchanges go."""

    account: AccountRef
    record: Callable[[Exchange], None]
    """Called with each exchange, in order, before anything reads it."""
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    credential: Credential | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    """Host name -> base URL, where it is not ``https://{host}``."""
    allow_private: bool = False
    """Whether addresses outside the public Internet (loopback, private networks, plain http) may be asked."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a page shows."""

    native_id: str
    kind: Kind
    published_at: datetime | None = None
    replies: int | None = None
    """Posts: how many replies the platform counts; ``None`` where it does not say."""


@dataclass(frozen=True, slots=True)
class Page:
    """One exchange, what it shows, and where the listing goes on."""

    exchange: Exchange
    items: tuple[Item, ...] = ()
    checkpoint: Checkpoint | None = None
    """Pass it as ``Look.resume`` to go on after this page; ``None`` on the last page."""
    total: int | None = None
    """The platform's own count of the listing, where it gives one; with a profile, of what the account wrote."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Things the page shows that are left out on purpose: reason code -> count."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one capture asks of a resource."""

    since: datetime | None = None
    """Read newest first down to this publication time; ``None``: to the beginning."""
    resume: Checkpoint | None = None
    subjects: Iterable[Item] = ()
    """Posts whose threads to read, newest first (resources that need them)."""


def _none(_native_id: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing of an account that can be read, and what can be known of it."""

    name: Literal["profile", "posts", "comments", "moderation"]
    fetch: Callable[[Connection, Look], Iterator[Page]]
    """Read it. Raises :class:`connectors.faults.NotCovered`, before any page, where the account is connected in a way that does not show it."""
    confirm: Callable[[Connection, Sequence[str]], Iterator[Page]] | None = None
    """Read these native ids directly, one Page or more: the answer tells present, deleted, made private, ..."""
    authors: Callable[[Connection, Mapping[str, Sequence[str]]], Iterator[Page]] | None = None
    """As ``confirm``, where who wrote it is known: native id of the author -> native ids. Asks about the accounts of those whose records are not
    there. ``None`` where a record's own answer tells why it is gone."""
    needs_posts: bool = False
    """Whether ``Look.subjects`` must be given."""
    deletion: str = ""
    """How a deletion shows, in a sentence, with the platform's own words."""
    never: str = ""
    """What the platform never tells about this resource."""
    again: bool = True
    """Whether it can be read again at any time; ``False`` where each item is told once (events, messages)."""
    reveals: tuple[str, ...] = ()
    """Kinds of moderation it reveals, in the words of ``moderation_actions.action``."""
    unlisted: Callable[[str], bool] = _none
    """Which native ids a complete listing may leave out while they are there: not shown, they are read directly, and are no loss."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What looking costs in requests, near enough to plan a day."""

    each: int
    """Any look at an account with nothing new: its profile, first pages, moderation lists."""
    posts_per_page: int
    """Posts that one request brings, all calls needed for them counted."""
    per_thread: float
    """Requests for the comments of one post; 0 where comments are one listing of the whole account."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform as data: its resources in the order in which a capture reads them."""

    name: str
    identify: Callable[[Connection, str], AccountRef]
    """Look a handle or address up and return the account with its immutable id."""
    resources: tuple[Resource, ...]
    cost: Cost
    credential_fields: tuple[str, ...] = ()
    """What a credential must hold; empty where none is ever needed."""
    credential_needed: bool = False
    """Whether public content cannot be read without one."""
    docs: str = ""
    """Where the platform documents the API used."""
