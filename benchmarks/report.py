"""The table a benchmark prints."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    """One thing measured, and its ratio to what it is compared with."""

    what: str
    value: float
    ratio: float | None = None
    target: str = ""


def show(title: str, lines: list[Line], *, unit: str) -> None:
    """Print the table."""
    table = Table(title=title, title_justify="left")
    table.add_column("what", no_wrap=True)
    for heading in (unit, "ratio", "target"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(line.what, _number(line.value), "" if line.ratio is None else f"{line.ratio:.2f}", line.target)
    Console(width=120, highlight=False).print(table)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
