"""What everything in the mart means: the texts behind ``COMMENT ON``, and the data dictionary read back from them.

Columns of the archive's tables are described in :mod:`transforms.records`, columns that only a view has in the view's ``.sql`` file. Here are
the tables, and the columns the mart adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from transforms.records import CONTENT, TABLES, UTC, column
from warehouse import coverage_tables
from warehouse.duck import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from duckdb import DuckDBPyConnection

TABLE_COMMENTS = {
    "posts": "Posts of the City-supported accounts: one row per version.",
    "comments": "Comments and replies in the threads of the City's posts: one row per version.",
    "moderation_actions": "What was done to comments and people: hides, blocks, mutes, holds. One row per version.",
    "profiles": "The accounts' own pages: handle, name, description. One row per version.",
    "media": "Files attached to posts and comments.",
    "metrics": "Likes, shares, replies, views: a row each time a count changed.",
    "captures": "Every look at every account, and what came of it.",
    "gaps": "Intervals in which a resource of an account was not covered.",
    "quarantine": "Items that could not be read. Their bytes are in the evidence.",
    "evidence": "The objects in the evidence bucket: the bytes the platforms sent.",
    "accounts": "The City-supported accounts, from the registry.",
    "changes": "Every version after the first, and first ones that were not public, with what the record was before.",
    "thread_places": "Where each post and comment stands in its thread. The view threads shows it with the texts.",
    "mart_info": "What this mart was built from, table by table.",
    **coverage_tables.COMMENTS,
}

ACCOUNTS = pa.schema(
    [
        column("account_id", pa.string(), "platform:native-id; never changes.", required=True),
        column("name", pa.string(), "Name of the account in the registry.", required=True),
        column("title", pa.string(), "What the account is called."),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ..."),
        column("handle", pa.string(), "Handle when last seen."),
        column("status", pa.string(), "proposed, approved, active or deactivated."),
        column("department", pa.string(), "Department that answers for it."),
        column("office", pa.string(), "Office that answers for it, such as a ward."),
    ]
)
"""What the mart needs of the registry; a table given to the build may have more."""

RECORD_KEY = column("record_key", pa.uint64(), "Number made from record_id, by which many rows are joined quickly.")
THREAD_PLACES = pa.schema(
    [
        column("record_id", pa.string(), "The post or comment."),
        RECORD_KEY,
        column("root_id", pa.string(), "record_id of the post that begins the thread."),
        column("root_key", pa.uint64(), "Number made from root_id."),
        column("depth", pa.int32(), "0 for the post, 1 for a comment on it, 2 for an answer to that, and so on."),
        column(
            "under_id",
            pa.string(),
            "record_id it is shown under: what it answers, or the root where that is not archived.",
        ),
        column("position", pa.int64(), "Place in the thread, read from top to bottom: 1, 2, 3, ..."),
        column("account_ids", pa.list_(pa.string()), "Accounts under which it is held: nearly always one."),
    ]
)

MART_INFO = pa.schema(
    [
        column("table_name", pa.string(), "Table of the mart."),
        column("row_count", pa.int64(), "Rows it holds."),
        column("snapshot_id", pa.int64(), "Iceberg snapshot it was read from; null where it does not come from one."),
        column("built_at", UTC, "When the mart was built."),
        column("software", pa.string(), "What built it."),
    ]
)

VERSIONED = ("posts", "comments", "moderation_actions", "profiles")
"""Tables with one row per version."""
OF_VERSIONS = pa.schema(
    [
        RECORD_KEY,
        column("account", pa.string(), "Name of the City-supported account in the registry."),
        column(
            "seen_until",
            UTC,
            "Last time this version was seen before the next one; null for the latest, and where no look says it.",
        ),
        column("superseded_at", UTC, "First time the next version was seen; null for the latest version of a record."),
    ]
)
"""What each of them has besides the archive's columns."""

CHANGES = pa.schema(
    [
        column("kind", pa.string(), "post or comment."),
        *CONTENT,
        *OF_VERSIONS,
        column("state_before", pa.string(), "State of the version before; null for the first version."),
        column("title_before", pa.string(), "Title of the version before."),
        column("text_before", pa.string(), "Text of the version before."),
        column(
            "unhidden_at", UTC, "Where this version is hidden: the first time the record was seen in another state."
        ),
    ]
)

AS_OF = {
    "certainty": "seen: looks say so. inside_interval: it changed between seen_until and superseded_at, and the moment lies between; what is shown "
    "is the version before. inferred: published by then, as the platform says, first seen later; what is shown is what was seen then. edited_since: the "
    "same, but edited in between, as the platform says; what it said is not known.",
}
"""Columns only a function has."""

_OWN = {
    "accounts": ACCOUNTS,
    "changes": CHANGES,
    "thread_places": THREAD_PLACES,
    "mart_info": MART_INFO,
    **coverage_tables.SCHEMAS,
}
MADE = frozenset({"changes", "thread_places", "mart_info", *coverage_tables.SCHEMAS}) - {"platform_resources"}
"""Tables the build makes besides those of the archive."""
_KINDS = {"BASE TABLE": "table", "VIEW": "view"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the mart describes it."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A table, view or table function of the mart."""

    name: str
    kind: str
    """table, view or function."""
    comment: str
    columns: tuple[Column, ...]


def comment_tables(connection: DuckDBPyConnection, given: Mapping[str, Mapping[str, str]]) -> None:
    """Describe every table and its columns. ``given`` describes tables not of this module: table -> column (``""``: itself) -> text."""
    for entry in list(_entries(connection)):
        if entry.kind != "table":
            continue
        own = given.get(entry.name, {})
        _comment(connection, f"TABLE {identifier(entry.name)}", own.get("") or TABLE_COMMENTS.get(entry.name))
        documented = _documented(entry.name)
        for one in entry.columns:
            _comment(connection, _column(entry, one), own.get(one.name) or documented.get(one.name))


def comment_views(connection: DuckDBPyConnection) -> None:
    """Describe every column of a view that its file does not, as the column of that name in the tables, above all in ``posts``."""
    described = sorted(_entries(connection), key=lambda entry: (entry.name in {"posts", "versions"}, entry.kind))
    known = {one.name: one.comment for entry in described for one in entry.columns if one.comment}
    for entry in list(_entries(connection)):
        if entry.kind == "view":
            for one in entry.columns:
                if not one.comment:
                    _comment(connection, _column(entry, one), known.get(one.name))


def entries(connection: DuckDBPyConnection) -> tuple[Entry, ...]:
    """The mart's dictionary: views, functions and tables, by kind and name."""
    order = {"view": 0, "function": 1, "table": 2}
    return tuple(sorted(_entries(connection), key=lambda entry: (order[entry.kind], entry.name)))


def _entries(connection: DuckDBPyConnection) -> Iterator[Entry]:
    columns: dict[str, list[Column]] = {}
    for table, name, kind, comment in connection.execute(_COLUMNS).fetchall():
        columns.setdefault(table, []).append(Column(name, kind, comment or ""))
    for name, kind, comment in connection.execute(_RELATIONS).fetchall():
        yield Entry(name, _KINDS[kind], comment or "", tuple(columns.get(name, ())))
    known = {
        one.name: one.comment for table in ("thread_places", "metrics", "versions") for one in columns.get(table, ())
    }
    for name, parameters, comment in connection.execute(_FUNCTIONS).fetchall():
        nothing = ", ".join("NULL" for _ in parameters)
        shown = connection.execute(f"DESCRIBE FROM {identifier(name)}({nothing})").fetchall()
        described = tuple(Column(one, kind, AS_OF.get(one) or known.get(one, "")) for one, kind, *_ in shown)
        yield Entry(f"{name}({', '.join(parameters)})", "function", comment or "", described)


_COLUMNS = """
    SELECT table_name, column_name, data_type, comment FROM duckdb_columns()
    WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index
"""
_RELATIONS = """
    SELECT table_name, 'BASE TABLE', comment FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal
    UNION ALL
    SELECT view_name, 'VIEW', comment FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal
"""
_FUNCTIONS = """
    SELECT function_name, parameters, comment FROM duckdb_functions() WHERE function_type = 'table_macro' AND NOT internal
"""


def _documented(table: str) -> dict[str, str]:
    schema = TABLES.get(table) or _OWN.get(table)
    texts = {} if schema is None else {field.name: field.metadata[b"doc"].decode() for field in schema}
    if table in VERSIONED:
        texts |= {field.name: field.metadata[b"doc"].decode() for field in OF_VERSIONS}
    return texts


def _column(entry: Entry, one: Column) -> str:
    return f"COLUMN {identifier(entry.name)}.{identifier(one.name)}"


def _comment(connection: DuckDBPyConnection, what: str, text: str | None) -> None:
    if text:
        connection.execute(f"COMMENT ON {what} IS {literal(text)}")
