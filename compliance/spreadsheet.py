"""Records as a workbook a person can open, sort and print, written row by row in little memory.

Every text is written as text: nothing in a record can become a formula or a link.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import xlsxwriter

from warehouse import cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from compliance.record_columns import RecordColumn

LONGEST_TEXT = 32_767
"""Characters a cell can hold."""
LAST_ROW = 1_048_575
"""Rows a sheet can hold, less the header."""
PRINTED = 12
"""Columns that go on paper: more would be too small to read."""
_CUT = " … [cut: the whole text is in records.csv]"
_LINE = 15
_HIGHEST_ROW = 300
_FIRST_YEAR = 1900
_MAX_EXACT_INTEGER = 2**53


class Spreadsheet:
    """A workbook with the records, what their columns mean, and what the package is."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[RecordColumn],
        *,
        about: Mapping[str, str],
        created: datetime,
        zone: tzinfo = UTC,
        scratch: Path,
    ) -> None:
        options = {
            "constant_memory": True,
            "tmpdir": str(scratch),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.set_properties(
            {
                "title": about.get("Request", "Records"),
                "author": about.get("From", ""),
                "created": created.astimezone(UTC).replace(tzinfo=None),
            }
        )
        self._columns, self._about, self._zone = columns, about, zone
        shared = {"font_name": "Arial", "font_size": 10, "valign": "top"}
        self._plain = self._book.add_format(shared)
        self._wrapped = self._book.add_format({**shared, "text_wrap": True})
        self._moment = self._book.add_format({**shared, "num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        self._head = self._book.add_format(
            {
                **shared,
                "bold": True,
                "text_wrap": True,
                "font_color": "#FFFFFF",
                "bg_color": "#162E51",
                "valign": "vcenter",
                "border": 1,
            }
        )
        self._bold = self._book.add_format({**shared, "bold": True})
        self._sheet: Any = None
        self._sheets = 0
        self._row = 0
        self._begin_sheet()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def add(self, values: Sequence[object]) -> None:
        """One record, its values in the order of the columns."""
        if self._row == LAST_ROW:
            self._end_sheet()
            self._begin_sheet()
        self._row += 1
        self._sheet.set_row(self._row, self._height(values))
        for place, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            self._write(self._sheet, self._row, place, value, wrapped=column.wrapped)

    def close(self) -> None:
        """Write the other sheets and the file."""
        self._end_sheet()
        headings = ("Column", "Name in records.csv", "Meaning")
        self._page(
            "Columns", headings, (28, 28, 110), [(self._header(one), one.name, one.meaning) for one in self._columns]
        )
        self._page("About", ("", ""), (28, 110), list(self._about.items()))
        self._book.close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._row = 0
        self._sheet = self._book.add_worksheet("Records" if self._sheets == 1 else f"Records {self._sheets}")
        self._sheet.freeze_panes(1, 1)
        self._sheet.set_landscape()
        self._sheet.set_paper(5)  # legal
        self._sheet.fit_to_pages(1, 0)
        self._sheet.repeat_rows(0)
        self._sheet.set_footer("&L&A&RPage &P of &N")
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, column.width)
        self._sheet.set_row(0, 2 * _LINE + 2)
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, self._header(column), self._head)

    def _end_sheet(self) -> None:
        last = max(self._row, 1)
        self._sheet.autofilter(0, 0, last, len(self._columns) - 1)
        self._sheet.print_area(0, 0, last, PRINTED - 1)

    def _page(self, name: str, headings: Sequence[str], widths: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
        sheet = self._book.add_worksheet(name)
        for place, width in enumerate(widths):
            sheet.set_column(place, place, width)
        lines = [headings, *rows] if any(headings) else list(rows)
        for number, line in enumerate(lines):
            for place, value in enumerate(line):
                head = number == 0 and any(headings)
                sheet.write_string(
                    number, place, value, self._head if head else (self._wrapped if place else self._bold)
                )
        if any(headings):
            sheet.freeze_panes(1, 0)

    def _header(self, column: RecordColumn) -> str:
        timed = column.name.endswith(("_at", "_before", "_after"))
        return f"{column.header} ({self._zone})" if timed else column.header

    def _height(self, values: Sequence[object]) -> float:
        """Points the row needs so that wrapped text can be read; excessive text is cut from view, not from the cell."""
        lines = 1
        for column, value in zip(self._columns, values, strict=True):
            if column.wrapped and value is not None:
                lines = max(lines, _lines(_shown(value), column.width))
        return float(min(_HIGHEST_ROW, lines * _LINE))

    def _write(self, sheet: Any, row: int, place: int, value: object, *, wrapped: bool) -> None:  # noqa: ANN401  (xlsxwriter has no types)
        if isinstance(value, datetime) and value.year >= _FIRST_YEAR:
            local = value.astimezone(self._zone) if value.tzinfo else value
            sheet.write_datetime(row, place, local.replace(tzinfo=None), self._moment)
            return
        match value:
            case None | []:
                return
            case bool():
                sheet.write_string(row, place, "yes" if value else "no", self._plain)
            case int() | float() | Decimal() if _exact(value):
                sheet.write_number(row, place, value, self._plain)
            case _:
                sheet.write_string(row, place, _fitting(_shown(value)), self._wrapped if wrapped else self._plain)


def _shown(value: object) -> str:
    """The value for a person: list entries one per line, an attachment by its kind, description and address."""
    if isinstance(value, list):
        return "\n".join(_shown(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {cells.text(item)}" for name, item in value.items() if item is not None)
    return cells.text(value)


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - len(_CUT)] + _CUT


def _lines(text: str, width: int) -> int:
    return sum(max(1, math.ceil(cells.width(line) / width)) for line in text[:5000].split("\n"))


def _exact(value: float | Decimal) -> bool:
    """Whether a sheet's number holds it: larger integers and infinities are written as text."""
    return math.isfinite(value) and -_MAX_EXACT_INTEGER <= value <= _MAX_EXACT_INTEGER
