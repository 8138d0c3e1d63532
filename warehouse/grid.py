"""Rows as a table in plain text, for a terminal: aligned, wide text shortened, nothing in it able to steer the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse import cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP = "  "
NARROWEST = 6
WIDEST = 60
"""Columns a cell may take where the screen does not set a limit."""
LONGEST = 2000
"""Columns a cell may take where each value has a line of its own."""


def lines(
    names: Sequence[str], rows: Sequence[Sequence[object]], *, numeric: Sequence[bool], columns: int
) -> Iterator[str]:
    """The table line by line, ``columns`` wide; one value per line where it would not fit side by side."""
    grid = [[cells.printable(cells.brief(value)) for value in row] for row in rows]
    titles = [cells.printable(name) for name in names]
    widths = _widths(titles, grid, columns)
    return _standing(titles, grid) if widths is None else _lying(titles, grid, widths, numeric)


def _widths(titles: Sequence[str], grid: Sequence[Sequence[str]], columns: int) -> list[int] | None:
    """A width per column, the widest shrunk until all fit; None where even narrow ones do not."""
    widths = [
        min(WIDEST, max([cells.width(title), *(cells.width(row[index]) for row in grid)]))
        for index, title in enumerate(titles)
    ]
    floors = [min(width, max(NARROWEST, cells.width(title))) for width, title in zip(widths, titles, strict=True)]
    room = columns - len(GAP) * (len(titles) - 1)
    if sum(floors) > room:
        return None
    while sum(widths) > room:
        spare = [
            (width, place) for place, (width, floor) in enumerate(zip(widths, floors, strict=True)) if width > floor
        ]
        widths[max(spare)[1]] -= 1
    return widths


def _lying(
    titles: Sequence[str], grid: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]
) -> Iterator[str]:
    yield _line(titles, widths, numeric)
    yield GAP.join("─" * width for width in widths)
    for row in grid:
        yield _line(row, widths, numeric)


def _line(row: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = []
    for value, width, right in zip(row, widths, numeric, strict=True):
        shown = cells.shortened(value, width)
        blank = " " * (width - cells.width(shown))
        parts.append(blank + shown if right else shown + blank)
    return GAP.join(parts).rstrip()


def _standing(titles: Sequence[str], grid: Sequence[Sequence[str]]) -> Iterator[str]:
    width = max(map(cells.width, titles))
    for number, row in enumerate(grid, 1):
        yield f"── row {number:,} " + "─" * width
        for title, value in zip(titles, row, strict=True):
            blank = " " * (width - cells.width(title))
            yield f"{title}{blank}{GAP}{cells.shortened(value, LONGEST)}".rstrip()
