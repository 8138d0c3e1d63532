"""``onrecord views``: what can be asked."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExamples:\n  onrecord views\n  onrecord views deletions")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the tables and views of the mart, or describe the columns of one."""
    import settings
    from cli.options import screen
    from warehouse import views

    described = views.describe(settings.load().mart)
    out = screen()
    if name is None:
        views.print_all(described, out)
    else:
        views.print_one(described, name, out)
