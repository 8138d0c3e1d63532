"""The mart as the console reads it: our own questions only, read-only, with nothing outside the file in reach."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from console.pages import Problem

_SQL = Path(__file__).parent / "sql"


class Mart:
    """The mart file, opened for one page. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Mart:
        try:
            self._connection = duckdb.connect(
                str(self._path), read_only=True, config={"enable_external_access": "false", "threads": "2"}
            )
        except duckdb.IOException as problem:
            what = "There is no mart to read yet."
            raise Problem(what, "Run: onrecord normalize, then: onrecord mart build", status=503) from problem
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, question: str, **parameters: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - values of a row
        """The answer to ``sql/<question>.sql``, a dict per row."""
        answer = self._connection.execute(_text(question), parameters or None)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@cache
def _text(question: str) -> str:
    return (_SQL / f"{question}.sql").read_text()
