"""Looks at the small network, and what to read off them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from atproto_network import Network, did

from connectors.bluesky.platform import PLATFORM
from connectors.bluesky.uri import tid_time
from connectors.contract import AccountRef, Connection, Item, Look, Page, Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.exchange import Exchange

CITY, ANN, BOB, EVE = did("city"), did("ann"), did("bob"), did("eve")
RESOURCES: dict[str, Resource] = {resource.name: resource for resource in PLATFORM.resources}
DOWN = (503, {"error": "Unavailable"})


def connect(network: Network, record: Callable[[Exchange], None] = lambda _: None, **more: Any) -> Connection:
    options: dict[str, Any] = {
        "account": AccountRef("bluesky", CITY, "city.example", "public.api.bsky.app"),
        "record": record,
        "clock": lambda: datetime.now(UTC),
        "sleep": lambda _: None,
        "services": network.services,
    }
    return Connection(**{**options, **more})


def look(network: Network, name: str, look: Look | None = None, **more: Any) -> list[Page]:
    return list(RESOURCES[name].fetch(connect(network, **more), look or Look()))


def shown(pages: list[Page]) -> set[str]:
    return {item.native_id for page in pages for item in page.items}


def left_out(pages: list[Page]) -> Counter[str]:
    return sum((Counter(page.skipped) for page in pages), Counter[str]())


def thread(*roots: str) -> Look:
    return Look(subjects=[Item(root, "post", published_at=tid_time(root.rpartition("/")[2])) for root in roots])


def confirm(network: Network, *ids: str) -> list[Page]:
    reader = RESOURCES["comments"].confirm
    assert reader is not None
    return list(reader(connect(network), ids))


def calls(pages: list[Page]) -> list[str]:
    return [page.exchange.call for page in pages]
