"""A connection for tests: keeps what was recorded, sleeps in no time, and knows how long it slept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connectors.contract import AccountRef, Connection, Credential, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connectors.exchange import Exchange

HOST = "service.city.example"


@dataclass
class Lookout:
    url: str
    account: AccountRef = field(default_factory=lambda: AccountRef("test", f"{HOST}/1", "city", HOST))
    values: Mapping[str, str] | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    recorded: list[Exchange] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        return Connection(
            self.account,
            self.recorded.append,
            lambda: datetime.now(UTC),
            self.slept.append,
            credential=None if self.values is None else Credential("the-credential", self.values),
            services=self.services or {self.account.service: self.url},
        )


def native_ids(pages: Iterable[Page]) -> list[str]:
    return [item.native_id for page in pages for item in page.items]


def skipped(pages: Iterable[Page]) -> dict[str, int]:
    found: dict[str, int] = {}
    for page in pages:
        for reason, count in page.skipped.items():
            found[reason] = found.get(reason, 0) + count
    return found
