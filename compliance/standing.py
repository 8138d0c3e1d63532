"""How each account stands in the ledger: its last looks, and what is not covered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Select, Text, column, func, select, values

from compliance import accounts
from compliance.accounts import CAPTURABLE, Account
from warehouse import gaps
from warehouse.ledger import COMPLETE, INTERRUPTED, RUNNING
from warehouse.ledger_rows import CaptureRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import CTE, ScalarSelect
    from sqlalchemy.engine import Connection

    from warehouse.gaps import Gap

RESOURCES = ("profile", "posts", "comments", "moderation")
TELLS_NOTHING = (RUNNING, INTERRUPTED, "unreachable", "rate_limited", "not_covered")
"""Outcomes that say nothing of the account or its credential: what an earlier look told still stands."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class LastLook:
    """What the last looks at one resource came to."""

    resource: str
    outcome: str
    """Of the last look, whatever it was."""
    progressed_at: datetime
    """Last sign of life of the last look."""
    retry_at: datetime | None
    completed_at: datetime | None
    """End of the last complete look."""
    told: str | None
    """Outcome of the last look that tells something of the account; see :data:`TELLS_NOTHING`."""
    told_by: str | None
    """That look's capture id."""
    told_at: datetime | None
    message: str | None
    """What it said."""
    reason: str | None
    """Why, in a word, where it tells."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An account that may be captured, with its last looks and open gaps."""

    account: Account
    since: datetime
    """From when on it was to be captured."""
    looks: tuple[LastLook, ...]
    gaps: tuple[Gap, ...]

    def look(self, resource: str) -> LastLook | None:
        """The last look at this resource; ``None`` if there never was one."""
        return next((one for one in self.looks if one.resource == resource), None)


def standings(engine: Engine) -> Iterator[Standing]:
    """All accounts that may be captured, by name. Each costs a few index lookups, however many captures there were."""
    missing: dict[str, list[Gap]] = {}
    for gap in gaps.listing(engine, unclosed_only=True):
        missing.setdefault(gap.account_id, []).append(gap)
    known = iter([one for one in accounts.all_details(engine) if one.account.status in CAPTURABLE])
    while some := list(islice(known, _AT_ONCE)):
        with engine.connect() as connection:
            looks = _last_looks(connection, [one.account.account_id for one in some])
        for one in some:
            account_id = one.account.account_id
            decided = [made.decided_at for made in one.decisions if made.status == "approved"]
            since = max([one.account.registered_at, *decided])
            yield Standing(one.account, since, tuple(looks.get(account_id, ())), tuple(missing.get(account_id, ())))


def _last_looks(connection: Connection, account_ids: Sequence[str]) -> dict[str, list[LastLook]]:
    pairs = [(account_id, resource) for account_id in account_ids for resource in RESOURCES]
    wanted = values(column("account_id", Text), column("resource", Text), name="wanted").data(pairs).cte("wanted")
    last, telling = CaptureRow.__table__.alias("last"), CaptureRow.__table__.alias("telling")
    query: Select[Any] = (
        select(
            wanted.c.account_id,
            wanted.c.resource,
            last.c.outcome,
            last.c.progressed_at,
            last.c.retry_at,
            _completed(wanted).label("completed_at"),
            telling.c.outcome.label("told"),
            telling.c.capture_id.label("told_by"),
            telling.c.started_at.label("told_at"),
            telling.c.message,
            telling.c.reason,
        )
        .select_from(wanted)
        .join(last, last.c.capture_id == _newest(wanted))
        .outerjoin(telling, telling.c.capture_id == _newest(wanted, besides=TELLS_NOTHING))
    )
    found: dict[str, list[LastLook]] = {}
    for row in connection.execute(query):
        found.setdefault(row[0], []).append(LastLook(*row[1:]))
    return found


def _newest(wanted: CTE, *, besides: Sequence[str] = ()) -> ScalarSelect[str]:
    """Capture id of the newest look, leaving out those with an outcome of ``besides``."""
    query = (
        select(CaptureRow.capture_id)
        .where(CaptureRow.account_id == wanted.c.account_id, CaptureRow.resource == wanted.c.resource)
        .order_by(CaptureRow.started_at.desc(), CaptureRow.capture_id.desc())
        .limit(1)
        .correlate(wanted)
    )
    return (query.where(CaptureRow.outcome.not_in(besides)) if besides else query).scalar_subquery()


def _completed(wanted: CTE) -> ScalarSelect[datetime]:
    return (
        select(func.coalesce(CaptureRow.ended_at, CaptureRow.started_at))
        .where(
            CaptureRow.account_id == wanted.c.account_id,
            CaptureRow.resource == wanted.c.resource,
            CaptureRow.outcome == COMPLETE,
        )
        .order_by(CaptureRow.started_at.desc())
        .limit(1)
        .correlate(wanted)
        .scalar_subquery()
    )
