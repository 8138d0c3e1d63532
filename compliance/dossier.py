"""All that the archive knows of one record, now or as it was at a moment: what ``onrecord show`` prints."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.faults import UnknownRecord
from transforms.difference import differences
from warehouse import duck
from warehouse.query import NoMart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from transforms.difference import Difference

MEMORY = "1GB"
Row = dict[str, Any]
_SQL = Path(__file__).with_name("sql")


@dataclass(frozen=True, slots=True)
class Dossier:
    """One record. Rows have the columns of the ``dossier_*.sql`` beside this file."""

    record_id: str
    moment: datetime | None
    """The moment it is shown as of; None: as it stands."""
    versions: Sequence[Row]
    """All of them, whatever the moment."""
    held: Row | None
    """The version that held at the moment, with its ``certainty``; the latest where no moment was given. None: not there then."""
    thread: Sequence[Row]
    moderation: Sequence[Row]
    media: Sequence[Row]
    counts: Sequence[Row]

    @property
    def latest(self) -> Row:
        """The version known last."""
        return self.versions[-1]

    @property
    def following(self) -> Row | None:
        """The version after the one that held."""
        if self.held is None:
            return self.versions[0]
        return next((one for one in self.versions if one["version"] > self.held["version"]), None)

    def changed(self, version: Row) -> tuple[Difference, ...]:
        """What a version has different from the one before it; nothing for the first."""
        place = self.versions.index(version)
        return differences(self.versions[place - 1], version) if place else ()


def read(mart: Path, record_id: str, moment: datetime | None = None) -> Dossier:
    """Gather what the mart holds of a post or comment.

    Raises :class:`UnknownRecord`, and :class:`warehouse.query.NoMart` where there is no mart yet.
    """
    if not mart.is_file():
        msg = f"there is no mart at {mart} yet: run `onrecord mart build`"
        raise NoMart(msg)
    with contextlib.closing(duck.connect(mart, read_only=True, memory_limit=MEMORY)) as connection:
        record = {"record": record_id}
        versions = _rows(connection, "versions", record)
        if not versions:
            msg = f"no post or comment {record_id!r} in the mart. Record ids look like mastodon:host/123; onrecord sql finds them"
            raise UnknownRecord(msg)
        at = {**record, "moment": moment}
        then = [versions[-1]] if moment is None else _rows(connection, "held", at)
        return Dossier(
            record_id=record_id,
            moment=moment,
            versions=versions,
            held=then[0] if then else None,
            thread=_rows(connection, "thread", record) if moment is None else _rows(connection, "thread_then", at),
            moderation=_rows(connection, "moderation", {**at, **_concerned(versions[-1])}),
            media=_rows(connection, "media", at),
            counts=_rows(connection, "counts", at),
        )


def _concerned(version: Row) -> dict[str, str | None]:
    """Who and what an action may be about besides the record: its author, its thread, its author's server."""
    platform, author, handle = version["platform"], version["author_id"], version["author_handle"] or ""
    server = handle.rpartition("@")[2] if platform == "mastodon" and "@" in handle else None
    return {
        "author": f"{platform}:{author}" if author else None,
        "root": version["root_id"] if version["root_id"] != version["record_id"] else None,
        "server": f"{platform}:{server}" if server else None,
    }


def _rows(connection: DuckDBPyConnection, name: str, params: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = connection.execute(_sql(name), dict(params)).to_arrow_table().to_pylist()
    return rows


@cache
def _sql(name: str) -> str:
    return (_SQL / f"dossier_{name}.sql").read_text(encoding="utf-8")
