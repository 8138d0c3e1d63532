"""Tables as pages show them and as CSV gives them: the same columns, the same values."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi.responses import Response

from warehouse import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


class Kind(Enum):
    """How the values of a column are shown."""

    TEXT = "text"
    CODE = "code"
    STATE = "state"
    NUMBER = "number"
    MOMENT = "moment"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the row's key, the words above it, and what its values are.

    ``link`` is the address the value leads to, with the value of ``key`` in it.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    link: str = ""
    key: str = ""

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, to be set flush right."""
        return self.kind is Kind.NUMBER

    def text(self, row: Row) -> str:
        """The value for a person; "" where there is none."""
        value = row[self.name]
        if value is None:
            return ""
        match self.kind:
            case Kind.NUMBER:
                return f"{value:,}"
            case Kind.MOMENT:
                return f"{value:%Y-%m-%d %H:%M}"
            case Kind.DAY:
                return f"{value:%Y-%m-%d}"
            case Kind.CODE | Kind.STATE:
                return str(value).replace("_", " ").capitalize()
            case Kind.TEXT:
                return str(value)

    def plain(self, row: Row) -> str | int | None:
        """The value for a program: as :meth:`text`, but a number without separators."""
        value: int = row[self.name]
        return value if self.numeric else self.text(row)

    def address(self, row: Row) -> str:
        """Where the value leads to; "" for nowhere."""
        return self.link.format(quote(str(row[self.key]), safe="")) if self.link else ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their columns, and the address of the same as CSV."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    csv: str = ""


def csv_answer(table: Table, filename: str) -> Response:
    """The table as RFC 4180 wants it, with texts that a spreadsheet program would run as formulas disarmed by an apostrophe."""
    text = io.StringIO()
    text.write(BYTE_ORDER_MARK)
    writer = csv.writer(text)
    writer.writerow([column.label for column in table.columns])
    writer.writerows([_cell(column.plain(row)) for column in table.columns] for row in table.rows)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}.csv"}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: str | int | None) -> str | int | None:
    return cells.guarded(value) if isinstance(value, str) else value
