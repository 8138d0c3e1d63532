"""What the tables hold of an account, so that a look can tell what is missing from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from pyiceberg.expressions import BooleanExpression

    from warehouse.tables import Archive

TABLES = {"posts": "posts", "comments": "comments", "moderation": "moderation_actions"}
"""Resource -> table of its records."""
GONE = ("deleted", "unavailable")


def known(
    archive: Archive,
    resource: str,
    *,
    platform: str,
    account_id: str,
    since: datetime | None,
    roots: Collection[str] | None = None,
) -> set[str]:
    """Native ids of the account's records that were there when last seen, published since then.

    ``roots`` (native ids of posts) narrows comments to those threads instead of by time, for platforms whose comments are read
    thread by thread.
    """
    table = TABLES.get(resource)
    if table is None:
        return set()
    columns = ["record_id", "version", "state", *(["root_id"] if roots is not None else [])]
    rows = archive.scan(
        table, columns=columns, row_filter=_filter(account_id, None if resource == "moderation" else since)
    )
    if rows.num_rows == 0:
        return set()
    newest = _last_versions(rows)
    there = newest.filter(pc.invert(pc.is_in(newest["state"], value_set=pa.array(GONE))))
    prefix = f"{platform}:"
    if roots is not None:
        wanted = pa.array([prefix + root for root in roots], pa.string())
        there = there.filter(pc.is_in(there["root_id"], value_set=wanted))
    return {record.removeprefix(prefix) for record in there["record_id"].to_pylist()}


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
