"""The mart as the console reads it: our own questions only, read-only, with nothing outside the file in reach."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb

from console.pages import Problem
from warehouse import duck

if TYPE_CHECKING:
    from console.tables import Row

_SQL = Path(__file__).parent / "sql"
_REBUILD = "Run on the server: onrecord normalize, then: onrecord mart build."


class Mart:
    """The mart file, opened for one page. Use as a context manager.

    It is opened anew each time, in a database of its own: a connection kept, or shared through DuckDB's cache of paths, would go on
    showing a file that was replaced, and keep on the disk what was destroyed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        if not self._path.exists():
            what = "There is nothing to show yet: no mart was built."
            raise Problem(what, _REBUILD, status=503)
        self._connection = duck.connect(threads=1)
        try:
            self._connection.execute(f"ATTACH {duck.literal(str(self._path))} AS mart (READ_ONLY); USE mart")
            self._connection.execute("SET enable_external_access = false; SET lock_configuration = true")
        except duckdb.Error as problem:
            self._connection.close()
            raise _unreadable() from problem
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, question: str, **parameters: Any) -> list[Row]:  # noqa: ANN401 - values of a row
        """The answer to ``sql/<question>.sql``, a dict per row."""
        try:
            answer = self._connection.execute(_text(question), parameters or None)
            names = [column[0] for column in answer.description]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        except duckdb.Error as problem:
            raise _unreadable() from problem


def _unreadable() -> Problem:
    what = "The mart cannot be read: it is damaged, or another version of Onrecord built it."
    return Problem(what, _REBUILD, status=503)


@cache
def _text(question: str) -> str:
    return (_SQL / f"{question}.sql").read_text(encoding="utf-8")
