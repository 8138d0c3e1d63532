"""What of each account was covered, day by day, what the gaps cost, and which counts do not reconcile: questions to the mart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance import loss
from warehouse import query

if TYPE_CHECKING:
    from datetime import date

    from compliance.loss import Loss
    from warehouse.query import Answer

SQL = Path(__file__).with_name("sql")
EARLIEST, LATEST = "0001-01-01", "9999-12-30"


@dataclass(frozen=True, slots=True)
class Known:
    """An account as the mart knows it."""

    account: str
    account_id: str
    status: str | None
    days: int
    """Days the mart can speak of; 0: it was never looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which account and days; None is no limit. Every question raises :class:`warehouse.query.QueryError`."""

    mart: Path
    account: str | None = None
    first: date | None = None
    last: date | None = None

    def days(self) -> Answer:
        """The view ``coverage_by_day``."""
        return self._ask("days", **self._span())

    def runs(self) -> list[dict[str, Any]]:
        """Days that follow each other and were covered alike, together."""
        rows: list[dict[str, Any]] = self._ask("runs", **self._span()).table().to_pylist()
        return rows

    def gaps(self) -> Answer:
        """Gaps that touch the days: the view ``gap_recovery``."""
        return self._ask("gaps", **self._span())

    def items(self) -> Answer:
        """The view ``unreconciled``."""
        return self._ask("items")

    def losses(self) -> list[Loss]:
        """The estimate of loss, whatever the days."""
        if self.account is None:
            return loss.of_mart(self.mart)
        return [
            one
            for known in self.known()
            if known.account == self.account
            for one in loss.of_mart(self.mart, known.account_id)
        ]

    def known(self) -> list[Known]:
        """All accounts the mart knows."""
        return [Known(**row) for row in query.ask(self.mart, _sql("names")).table().to_pylist()]

    def _span(self) -> dict[str, str]:
        return {
            "first": self.first.isoformat() if self.first else EARLIEST,
            "last": self.last.isoformat() if self.last else LATEST,
        }

    def _ask(self, name: str, **params: str) -> Answer:
        return query.ask(self.mart, _sql(name), params={"account": self.account, **params})


@cache
def _sql(name: str) -> str:
    return (SQL / f"coverage_{name}.sql").read_text(encoding="utf-8")
