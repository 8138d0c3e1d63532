"""What is known of an account, so that a look can tell what is missing from it.

Read from small local files where they are up to date (see :mod:`warehouse.known`), else from the tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import Item
from warehouse import known as files
from warehouse.replacement import one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path

    from pyiceberg.expressions import BooleanExpression
    from sqlalchemy import Engine

    from warehouse.tables import Archive

TABLES = {"posts": "posts", "comments": "comments", "moderation": "moderation_actions"}
"""Resource -> table of its records."""
KINDS = {"posts": "post", "comments": "comment", "moderation": "moderation_action"}
GONE = ("deleted", "unavailable")


@dataclass(frozen=True)
class Known:
    """What the tables say was there when last looked at. For one visit: what was read once is not read again."""

    archive: Archive
    engine: Engine
    home: Path
    _read: dict[tuple[str, str, datetime | None], pa.Table] = field(default_factory=dict)

    def ids(
        self,
        resource: str,
        *,
        account_id: str,
        since: datetime | None = None,
        roots: Collection[str] | None = None,
    ) -> set[str]:
        """Native ids of the account's records of this resource, published since then (or without a date).

        ``roots`` (native ids of posts) narrows comments to those threads instead of by time, for platforms whose comments are read
        thread by thread.
        """
        if resource not in TABLES:
            return set()
        prefix = f"{account_id.partition(':')[0]}:"
        by_time = None if resource == "moderation" or roots is not None else since
        there = self._there(resource, account_id, by_time)
        if roots is not None:
            wanted = pa.array([prefix + root for root in roots], pa.string())
            there = there.filter(pc.is_in(there["root_id"], value_set=wanted))
        return {record.removeprefix(prefix) for record in there["record_id"].to_pylist()}

    def authors(self, resource: str, account_id: str, ids: Collection[str]) -> dict[str, list[str]]:
        """Who wrote these records: native id of the author -> native ids, both sorted. Those whose author is not known are left out."""
        prefix = f"{account_id.partition(':')[0]}:"
        from pyiceberg.expressions import And

        wanted = And(_filter(account_id, None), one_of("record_id", [prefix + one for one in ids]))
        found = self.archive.scan(TABLES[resource], columns=["record_id", "author_id"], row_filter=wanted)
        pairs = set(zip(found["author_id"].to_pylist(), found["record_id"].to_pylist(), strict=True))
        wrote: dict[str, list[str]] = {}
        for author, record in sorted(pair for pair in pairs if pair[0] is not None):
            wrote.setdefault(author, []).append(record.removeprefix(prefix))
        return wrote

    def hot_threads(self, account_id: str, *, since: datetime, comments: int) -> Iterator[Item]:
        """Posts with at least so many comments published since, the one published last first."""
        recent = self._there("comments", account_id, since)
        found = recent.group_by("root_id").aggregate([("record_id", "count")])
        busy = found.filter(pc.greater_equal(found["record_id_count"], comments))["root_id"]
        if len(busy) == 0:
            return
        posts = self._there("posts", account_id, None)
        there = posts.filter(pc.is_in(posts["record_id"], value_set=busy))
        for row in there.sort_by([("published_at", "descending"), ("record_id", "descending")]).to_pylist():
            yield Item(row["record_id"].partition(":")[2], "post", row["published_at"])

    def _there(self, resource: str, account_id: str, since: datetime | None) -> pa.Table:
        asked = (resource, account_id, since)
        if asked not in self._read:
            self._read[asked] = self._read_there(*asked)
        return self._read[asked]

    def _read_there(self, resource: str, account_id: str, since: datetime | None) -> pa.Table:
        if self._files_are_current:
            return files.read(self.home, account_id, KINDS[resource], since=since)
        has_roots = resource != "moderation"
        columns = ["record_id", "version", "state", *(["root_id", "published_at"] if has_roots else [])]
        rows = self.archive.scan(TABLES[resource], columns=columns, row_filter=_filter(account_id, since))
        newest = _last_versions(rows) if rows.num_rows else rows
        return newest.filter(pc.invert(pc.is_in(newest["state"], value_set=pa.array(GONE))))

    @cached_property
    def _files_are_current(self) -> bool:
        return files.reflects(self.home, files.state_of_tables(self.engine))


def _last_versions(rows: pa.Table) -> pa.Table:
    last = rows.group_by("record_id").aggregate([("version", "max")])
    return rows.join(last.rename_columns(["record_id", "version"]), keys=["record_id", "version"], join_type="inner")


def _filter(account_id: str, since: datetime | None) -> BooleanExpression:
    from pyiceberg import expressions

    made: Any = expressions  # pydantic hides these constructors from type checkers
    mine = made.EqualTo("account_id", account_id)
    if since is None:
        return mine  # type: ignore[no-any-return]
    recent = made.Or(made.GreaterThanOrEqual("published_at", since.isoformat()), made.IsNull("published_at"))
    return made.And(mine, recent)  # type: ignore[no-any-return]
