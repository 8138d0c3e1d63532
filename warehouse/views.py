"""What can be asked: the mart's views, functions and tables with their meaning and an example each."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse import dictionary, duck
from warehouse.mart import VIEWS, read_sql
from warehouse.query import NoMart

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.dictionary import Entry

_EXAMPLE = re.compile(r"^-- example: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Described:
    """A view, function or table of the mart, with questions to begin with."""

    entry: Entry
    examples: tuple[str, ...]


def describe(mart: Path) -> tuple[Described, ...]:
    """Everything in the mart: views first, then functions, then tables. Raises :class:`warehouse.query.NoMart`."""
    if not mart.is_file():
        msg = f"there is no mart at {mart} yet: run `onrecord mart build`"
        raise NoMart(msg)
    with contextlib.closing(duck.connect(mart, read_only=True)) as connection:
        return tuple(Described(entry, examples(entry)) for entry in dictionary.entries(connection))


def examples(entry: Entry) -> tuple[str, ...]:
    """Questions to begin with: those in the view's file; the first rows, for a table."""
    name = entry.name.partition("(")[0]
    if name in VIEWS:
        return tuple(_EXAMPLE.findall(read_sql(name)))
    return (f"SELECT * FROM {name} LIMIT 10",)  # noqa: S608  (a name of the catalog, shown to people)
