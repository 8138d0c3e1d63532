"""``onrecord views``: what can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from warehouse.views import Described


@click.command(epilog="\b\nExamples:\n  onrecord views\n  onrecord views deletions")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the tables and views of the mart, or describe the columns of one, with questions to begin with."""
    import settings
    from cli.options import screen
    from warehouse import views

    described = views.describe(settings.load().mart)
    if name is None:
        _print_all(described, screen())
        return
    found = next((one for one in described if one.entry.name.partition("(")[0] == name), None)
    if found is None:
        msg = f"there is no table or view {name!r}: `onrecord views` lists them"
        raise click.UsageError(msg)
    _print_one(found, screen())


def _print_all(described: tuple[Described, ...], out: Console) -> None:
    from rich.table import Table

    table = Table(caption="onrecord views NAME describes the columns of one.", caption_justify="left")
    for column in ("Name", "Kind", "What it holds"):
        table.add_column(column)
    for one in described:
        table.add_row(one.entry.name, one.entry.kind, one.entry.comment)
    out.print(table)


def _print_one(one: Described, out: Console) -> None:
    from rich.table import Table

    out.print(f"[bold]{one.entry.name}[/] ({one.entry.kind}): {one.entry.comment}")
    table = Table()
    for label in ("Column", "Type", "Meaning"):
        table.add_column(label)
    for column in one.entry.columns:
        table.add_row(column.name, column.type, column.comment)
    out.print(table)
    for example in one.examples:
        out.print(f'  onrecord sql "{example}"', markup=False, soft_wrap=True)
