"""What the archive says, read from its mart with SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from completeness.compare import Gap, Row

_SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Held:
    """Versions, gaps, and items that could not be read."""

    rows: list[Row]
    gaps: list[Gap]
    quarantined: list[str]


Content = Callable[[str, str, Sequence[str]], str]
"""What is compared of a text, its visibility and the ids of its files: platforms dress texts up differently."""
Kind = Callable[[str, str], str]
"""The kind of a moderation record, by its id and action."""


def read(mart: Path, content: Content, kind: Kind = lambda _, action: action) -> Held:
    """Read a mart."""
    with closing(duckdb.connect(str(mart), read_only=True)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = [_row(one, content) for one in _asked(connection, "content")]
        rows += [_action(one, kind) for one in _asked(connection, "moderation")]
        gaps = [Gap(**one) for one in _asked(connection, "gaps")]
        quarantined = [" ".join(map(str, one.values())) for one in _asked(connection, "quarantined")]
    return Held(rows, gaps, quarantined)


def acted(action: str, subject_id: str | None, reason: str | None) -> str:
    """The content of a moderation action."""
    return " ".join(filter(None, (action, subject_id, reason)))


def _row(one: dict[str, Any], content: Content) -> Row:
    text, visibility, files = one.pop("text"), one.pop("source_visibility"), one.pop("files")
    return Row(content=content(text or "", visibility or "", files or []), **one)


def _action(one: dict[str, Any], kind: Kind) -> Row:
    action = one.pop("action")
    content = acted(action, one.pop("subject_id"), one.pop("reason"))
    return Row(kind=kind(one["record_id"], action), content=content, **one)


def _asked(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    answer = connection.execute((_SQL / f"{name}.sql").read_text())
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, values, strict=True)) for values in answer.fetchall()]
