"""What changed since a record was last seen: observations against the last known versions.

Every record has two channels. *Presence* (present, deleted, unavailable) comes from listings, threads and direct reads; *hidden*
from the platform's own list, complete for a thread at a time, or from the item itself. The state follows from both: gone beats hidden, hidden
beats present. A version row is written when state or content differs from the look before; one look that changes both gives one
row, named after the state.

Rules that make any order of work give the same rows:

- Looks are ordered by ``seen_at``, then by where their bytes lie. Equal looks in a row are one version; A, B, A are three.
- A look already among the sightings adds nothing. A look older than the newest one known is *late*: its record is named in
  ``Changes.late`` and left out, to be made again from all its evidence (:func:`changes` with no past does that).
- A direct read that finds nothing outweighs listings of the same capture.
- A version told afterwards by the platform stands where the platform puts it in time, unless a look showed the same content.
- The interval of a change rests on the channel that changed: a look at a comment says nothing about the thread's list of hidden
  replies. Where that list was never read before, ``seen_before`` stays null.

The work is set-based: DuckDB over Arrow, in ``sql/history_*.sql``, on narrow columns; the wide ones are only picked by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from transforms import plain, version_rows
from transforms.observations import EDIT_HISTORY, Batch
from transforms.records import MEDIA, METRICS, SIGHTINGS, UTC

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADS = pa.schema(
    [
        pa.field("family", pa.string(), nullable=False),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("kind", pa.string()),
        pa.field("account_id", pa.string()),
        pa.field("root_id", pa.string()),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("presence", pa.string()),
        pa.field("held", pa.bool_(), nullable=False),
        pa.field("gate_hidden", pa.bool_(), nullable=False),
        pa.field("gate_root", pa.string()),
        pa.field("state", pa.string()),
        pa.field("content_sha256", pa.string()),
        pa.field("published_at", UTC),
        pa.field("content_at", UTC),
        pa.field("presence_at", UTC),
        pa.field("last_seen", UTC, nullable=False),
    ]
)
"""What is known of a record: its last version and when each channel was last looked at.

``family`` is ``record`` for posts and comments (a direct read does not tell which), else the kind; ``gate`` for the list of hidden
replies of a thread. Version 0: looked at, but no content seen yet. ``held``: hidden by the item's own word. ``gate_hidden``: on the
list of the thread ``gate_root``."""
KNOWN_HEADS = HEADS.append(pa.field("fresh", pa.bool_(), nullable=False))
"""``fresh``: changed by rows that are not in the tables yet."""
KEYS = pa.schema([HEADS.field("family"), HEADS.field("record_id")])
KNOWN_METRICS = pa.schema([METRICS.field(name) for name in ("record_id", "name", "value", "seen_at")])
KNOWN_MEDIA = pa.schema([MEDIA.field(name) for name in ("record_id", "media_id")])

_BEFORE = ("presence", "content_sha256", "last_seen")
_GONE = pa.array(["deleted", "unavailable"])
_NO_SUSPECTS = pa.table({"record_id": pa.array([], pa.string()), "fresh": pa.array([], pa.bool_())})

FAMILIES = {"posts": "record", "comments": "record", "moderation_actions": "moderation_action", "profiles": "profile"}
KINDS = {"posts": "post", "comments": "comment", "moderation_actions": "moderation_action", "profiles": "profile"}
"""Table with versions -> kind of its records."""
SOURCES = tuple(KINDS)

_SQL = Path(__file__).parent / "sql"
_LOOK = (
    "record_id", "account_id", "root_id", "state", "state_basis", "published_at", "platform_edited_at",
    "content_sha256", "seen_at", "capture_id", "evidence_key", "evidence_offset",
)  # fmt: skip
_MARK = (
    "record_id",
    "account_id",
    "kind",
    "state",
    "state_basis",
    "seen_at",
    "capture_id",
    "evidence_key",
    "evidence_offset",
)
_GATE = ("root_id", "account_id", "hidden_ids", "seen_at", "capture_id", "evidence_key", "evidence_offset")
_FILE = ("record_id", "media_id", "seen_after", "evidence_key", "evidence_offset")


class Unsettled(Exception):
    """The batch needs what is written but not committed yet. Commit it, then compare again."""


class Past(Protocol):
    """What was known before the batch."""

    def heads(self, keys: pa.Table, roots: Sequence[str]) -> pa.Table:
        """``KNOWN_HEADS`` of these ``KEYS``, and of everything ever on the gates of these threads."""

    def sightings(self, record_ids: Sequence[str]) -> pa.Table:
        """``SIGHTINGS`` of these records and gates."""

    def versions(self, name: str, wanted: Mapping[str, int]) -> pa.Table:
        """Rows of a table with versions: record_id -> version."""

    def metrics(self, record_ids: pa.ChunkedArray) -> pa.Table:
        """``KNOWN_METRICS``: the last counts of records among those whose heads were asked for last."""

    def media(self, shown: pa.Table) -> pa.Table:
        """Those of these ``KNOWN_MEDIA`` that are known already, of records among those whose heads were asked for last."""


class NoPast:
    """Nothing was known: for making records again from all their evidence."""

    def heads(self, keys: pa.Table, roots: Sequence[str]) -> pa.Table:  # noqa: ARG002
        """No heads."""
        return KNOWN_HEADS.empty_table()

    def sightings(self, record_ids: Sequence[str]) -> pa.Table:  # noqa: ARG002
        """No sightings."""
        return SIGHTINGS.empty_table()

    def versions(self, name: str, wanted: Mapping[str, int]) -> pa.Table:
        """Raises ``LookupError``: nothing known can be carried on."""
        msg = f"{name}: {len(wanted)} versions asked for without a past"
        raise LookupError(msg)

    def metrics(self, record_ids: pa.ChunkedArray) -> pa.Table:  # noqa: ARG002
        """No counts."""
        return KNOWN_METRICS.empty_table()

    def media(self, shown: pa.Table) -> pa.Table:  # noqa: ARG002
        """No files."""
        return KNOWN_MEDIA.empty_table()


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to add."""

    tables: Mapping[str, pa.Table]
    """posts, comments, moderation_actions, profiles, sightings, media, metrics."""
    heads: pa.Table
    """``HEADS`` of every record the batch showed."""
    metrics: pa.Table
    """``KNOWN_METRICS`` after the batch, changed ones."""
    late: pa.Table
    """``KEYS`` of records with a look older than what is known: left out, to be made again."""


def workbench() -> duckdb.DuckDBPyConnection:
    """A connection for :func:`changes`; use one for many batches."""
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    connection.execute(_sql("setup"))
    return connection


def changes(batch: Batch, past: Past, connection: duckdb.DuckDBPyConnection) -> Changes:
    """Compare a batch with the past.

    Raises :class:`Unsettled` where the answer depends on rows that are not committed yet (heads that are ``fresh``).
    """
    looks = _register_batch(batch, connection)
    heads, unsettled = _register_past(batch, looks, past, connection)
    known = _known_of_plain(looks, heads, connection, intricate=unsettled or _any_twice(looks))
    decided, remembered = plain.decide(looks, known)
    tables = {"sightings": _plain_sightings(looks, known, connection)}
    versions, heads = [decided], [remembered]
    if tables["sightings"].num_rows < looks.num_rows or batch.marks.num_rows or batch.gates.num_rows:
        for step in ("gates", "parts", "steps"):
            connection.execute(_sql(step))
        versions.append(_table(connection, "versions"))
        heads.append(_table(connection, "heads"))
        others = _table(connection, "sightings").cast(SIGHTINGS)
        tables["sightings"] = pa.concat_tables([tables["sightings"], others])
    tables |= version_rows.assemble(batch, _one(versions), past)
    tables["metrics"] = _table(connection, "metrics").cast(METRICS) if batch.metrics.num_rows else batch.metrics
    tables["media"] = _first_media(batch, connection)
    late = connection.execute("SELECT family, record_id FROM late").to_arrow_table().cast(KEYS)
    known = _one([part.select(HEADS.names).cast(HEADS) for part in heads])
    return Changes(tables, known, tables["metrics"].select(KNOWN_METRICS.names), late)


def _one(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default")


def _known_of_plain(
    looks: pa.Table, heads: pa.Table, connection: duckdb.DuckDBPyConnection, *, intricate: bool
) -> pa.Table:
    """What was known of the records without history in the batch. Tells the others apart, if there may be any."""
    if not intricate and heads.num_rows == 0:
        connection.execute(_sql("unheard"))
        return plain.unheard(looks)
    connection.execute(_sql("intricate" if intricate else "alone"))
    return _table(connection, "plain")


def _plain_sightings(looks: pa.Table, known: pa.Table, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    rows = looks.select(SIGHTINGS.names)
    if known.num_rows < looks.num_rows:
        others = connection.execute("SELECT place FROM looks").to_arrow_table()["place"]
        rows = rows.filter(pc.invert(pc.is_in(looks["place"], value_set=others)))
    return rows.cast(SIGHTINGS)


def _register_batch(batch: Batch, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    looks = pa.concat_tables([_looks(number, name, getattr(batch, name)) for number, name in enumerate(SOURCES)])
    looks = looks.append_column("place", pa.arange(0, looks.num_rows))
    connection.register("all_looks", looks)
    marks = _numbered(batch.marks.select(_MARK))
    connection.register("bare_marks", marks)
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW marks AS SELECT *, family_of(coalesce(kind, 'post')) AS family FROM bare_marks"
    )
    connection.register("gates", _numbered(batch.gates.select(_GATE)))
    connection.register("metrics", _numbered(batch.metrics))
    return looks


def _register_past(
    batch: Batch, looks: pa.Table, past: Past, connection: duckdb.DuckDBPyConnection
) -> tuple[pa.Table, bool]:
    """The heads, and whether anything but new content in order may be in the batch."""
    others = batch.marks.num_rows + batch.gates.num_rows > 0
    keys = connection.execute(_sql("keys")).to_arrow_table() if others else looks.select(KEYS.names)
    if batch.metrics.num_rows:
        keys = pa.concat_tables([keys, _keys_of(batch.metrics["record_id"].unique()).cast(keys.schema)])
    heads = past.heads(keys, batch.gates["root_id"].unique().to_pylist())
    before = _beside(looks, heads)
    counts = past.metrics(batch.metrics["record_id"])
    connection.register("heads", heads)
    connection.register("known_metrics", counts)
    media = _of_other_content(_numbered(batch.media.select(_FILE)), looks, before)
    connection.register("media", media)
    connection.register("known_media", past.media(media.select(KNOWN_MEDIA.names)))
    in_order = not others and _in_order(looks, before) and _counted_later(batch.metrics, counts)
    suspects = _NO_SUSPECTS if in_order else _table(connection, "suspects")
    if any(suspects["fresh"].to_pylist()):
        raise Unsettled
    connection.register("suspects", suspects)
    ids = suspects["record_id"].unique().to_pylist()
    connection.register("sighted", past.sightings(ids) if ids else SIGHTINGS.empty_table())
    return heads, others or bool(ids)


def _keys_of(record_ids: pa.Array) -> pa.Table:
    """Counts can come without the record they are of."""
    return pa.table({"family": pa.repeat("record", len(record_ids)), "record_id": record_ids})


def _beside(looks: pa.Table, heads: pa.Table) -> pa.Table:
    """For each look, what is known of its record; nulls where nothing is."""
    own = heads.filter(pc.not_equal(heads["family"], "gate"))  # a thread's gate bears the id of its post
    return own.select(_BEFORE).take(pc.index_in(looks["record_id"], value_set=own["record_id"]))


def _in_order(looks: pa.Table, before: pa.Table) -> bool:
    """Whether each look is newer than all that is known, of a record that was there: then nothing seen before has to be looked up."""
    late = pc.less_equal(looks["seen_at"], before["last_seen"])
    gone = pc.is_in(before["presence"], value_set=_GONE)
    return not any(pc.any(one).as_py() for one in (looks["told"], late, gone))


def _counted_later(metrics: pa.Table, known: pa.Table) -> bool:
    """Whether every count is newer than all that are known of its record."""
    if metrics.num_rows == 0 or known.num_rows == 0:
        return True
    first = metrics.group_by("record_id").aggregate([("seen_at", "min")])
    last = known.group_by("record_id").aggregate([("seen_at", "max")])
    place = pc.index_in(first["record_id"], value_set=last["record_id"])
    return not pc.any(pc.less_equal(first["seen_at_min"], last["seen_at_max"].take(place))).as_py()


def _of_other_content(media: pa.Table, looks: pa.Table, before: pa.Table) -> pa.Table:
    """Files of records that are not known with the same content: a content's hash covers the ids of its files."""
    if media.num_rows == 0 or before["content_sha256"].null_count == before.num_rows:
        return media
    same = pc.fill_null(pc.equal(before["content_sha256"], looks["content_sha256"]), False)  # noqa: FBT003
    others = looks["record_id"].filter(pc.invert(same))
    return media.filter(pc.is_in(media["record_id"], value_set=others))


def _any_twice(looks: pa.Table) -> bool:
    """Whether a record is looked at twice, or an earlier version of one is told."""
    return bool(pc.any(looks["told"]).as_py()) or pc.count_distinct(looks["record_id"]).as_py() < looks.num_rows


def _looks(number: int, name: str, table: pa.Table) -> pa.Table:
    """The columns a comparison goes by, of one table of the batch."""
    rows = table.num_rows
    there = set(table.column_names)
    columns = {
        column: table[column] if column in there else pa.nulls(rows, UTC if column.endswith("_at") else pa.string())
        for column in _LOOK
    }
    columns["family"] = pa.repeat(FAMILIES[name], rows)
    columns["kind"] = pa.repeat(KINDS[name], rows)
    columns["source"] = pa.repeat(number, rows)
    columns["row"] = pa.arange(0, rows)
    columns["told"] = _told(columns["state_basis"])
    return pa.table(columns)


def _told(basis: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(basis, EDIT_HISTORY), False)  # noqa: FBT003


def _numbered(table: pa.Table) -> pa.Table:
    return table.append_column("row", pa.arange(0, table.num_rows))


def _first_media(batch: Batch, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    rows = _table(connection, "media")["row"]
    return version_rows.picked(batch.media, rows)


def _table(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    return connection.execute(_sql(name)).to_arrow_table()


@cache
def _sql(name: str) -> str:
    return (_SQL / f"history_{name}.sql").read_text()
