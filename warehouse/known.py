"""What is known of each account, in small local files: so that a look can tell what is missing without reading the tables.

One Parquet file per account, newest records first in small row groups, written anew when the account's records change. A cache: a stamp says which state of the
tables the files reflect. Where it differs, or there is no file, the caller reads the tables themselves; nothing is lost with it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import column, inspect, select, table

from transforms.records import UTC
from warehouse.table_specs import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine

KNOWN = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("root_id", pa.string()),
        pa.field("published_at", UTC),
    ]
)
"""Records that were there when last looked at: posts, comments and moderation actions."""
STAMP = "reflects.json"
TABLES = ("posts", "comments", "moderation_actions")
"""Tables whose records the files hold."""


@contextmanager
def renewed(
    home: Path, before: Mapping[str, str], now: Mapping[str, str], changed: Collection[str]
) -> Iterator[tuple[Path, Collection[str] | None]]:
    """Renew the files of the accounts that ``changed`` between two states of the tables.

    Yields a folder to write the new ones to, as ``account=NAME/*.parquet``, and whose: ``None`` for all, where the files did not
    reflect the state ``before``.
    """
    folder = home / "known"
    fresh = folder / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = folder / STAMP
    lagging = not reflects(home, before)
    stamp.unlink(missing_ok=True)  # killed from here on, the next run renews all
    yield fresh, None if lagging else changed
    for old in folder.glob("*.parquet") if lagging else map(partial(_file, home), changed):
        old.unlink(missing_ok=True)
    for written in fresh.glob("account=*/*.parquet"):
        written.replace(folder / f"{written.parent.name.partition('=')[2]}.parquet")
    shutil.rmtree(fresh, ignore_errors=True)
    noted = folder / f"{STAMP}.fresh"
    noted.write_text(json.dumps(dict(now), sort_keys=True))
    noted.replace(stamp)


def state_of_tables(engine: Engine) -> dict[str, str]:
    """Where the metadata of each table lies now, as the catalog in the database says: another place, another state."""
    listed = table("iceberg_tables", column("table_namespace"), column("table_name"), column("metadata_location"))
    with engine.connect() as connection:
        if not inspect(connection).has_table(listed.name):
            return {}
        query = select(listed.c.table_name, listed.c.metadata_location).where(
            listed.c.table_namespace == NAMESPACE, listed.c.table_name.in_(TABLES)
        )
        return {str(name): str(place) for name, place in connection.execute(query)}


def reflects(home: Path, tables: Mapping[str, str]) -> bool:
    """Whether the files reflect this state of the tables."""
    try:
        return bool(json.loads((home / "known" / STAMP).read_text()) == dict(tables))
    except (OSError, ValueError):
        return False


def read(home: Path, account_id: str, kind: str, *, since: datetime | None = None) -> pa.Table:
    """The account's known records of a kind, published since (or without a date), newest first."""
    try:
        file = pq.ParquetFile(_file(home, account_id))
    except FileNotFoundError:
        return KNOWN.empty_table()
    with file:
        groups = [number for number in range(file.num_row_groups) if _may_hold(file, number, since)]
        found = file.read_row_groups(groups).cast(KNOWN)
    wanted = pc.equal(found["kind"], kind)
    if since is not None:
        moment = pa.scalar(since, UTC)
        recent = pc.or_kleene(pc.greater_equal(found["published_at"], moment), pc.is_null(found["published_at"]))
        wanted = pc.and_(wanted, recent)
    return found.filter(wanted)


def counted(home: Path, account_id: str, moments: Sequence[datetime]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How many of the account's known posts were published since each moment, and how many of these have comments."""
    posts = read(home, account_id, "post", since=min(moments, default=None))
    answered = read(home, account_id, "comment", since=min(moments, default=None))["root_id"].unique()
    with_answers = posts.filter(pc.is_in(posts["record_id"], value_set=answered))
    return tuple(
        tuple(pc.sum(pc.greater_equal(table["published_at"], pa.scalar(one, UTC))).as_py() or 0 for one in moments)
        for table in (posts, with_answers)
    )  # type: ignore[return-value]


def _may_hold(file: pq.ParquetFile, group: int, since: datetime | None) -> bool:
    if since is None:
        return True
    told = file.metadata.row_group(group).column(KNOWN.get_field_index("published_at")).statistics
    return told is None or told.null_count > 0 or not told.has_min_max or told.max >= since


def _file(home: Path, account_id: str) -> Path:
    """Ids hold colons and slashes; a hash is a name everywhere."""
    return home / "known" / f"{hashlib.sha256(account_id.encode()).hexdigest()[:32]}.parquet"
