"""``onrecord mart``: the DuckDB file that answers questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.workspace import Storage, Workspace


@click.group(epilog="\b\nExample:\n  onrecord mart build")
def command() -> None:
    """The mart: one DuckDB file, derived from the tables, safe to delete."""


@command.command("build", epilog="\b\nExample:\n  onrecord mart build")
def build() -> None:
    """Build the mart from the tables and swap it in; questions go on against the old one meanwhile."""
    from cli.options import screen
    from pipeline.workspace import Workspace

    workspace = Workspace()
    with workspace.storage() as storage:
        run(workspace, storage, screen(), screen(err=True))


def run(workspace: Workspace, storage: Storage, out: Console, err: Console) -> None:
    """Build with a progress bar and say what is in it."""
    from rich.progress import Progress

    from pipeline.steps import mart_from

    with Progress(console=err, transient=True) as bar:
        task = bar.add_task("Building the mart", total=None)
        info = mart_from(workspace, storage, progress=lambda done, total: bar.update(task, completed=done, total=total))
    rows = ", ".join(f"{table.rows:,} {table.name}" for table in info.tables if table.rows)
    out.print(f"Mart {workspace.settings.mart}: {rows}", soft_wrap=True)
