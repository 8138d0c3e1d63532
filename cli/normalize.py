"""``onrecord normalize``: from evidence to tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.normalize import NormalizeReport
    from pipeline.workspace import Storage, Workspace


@click.command(
    epilog="""\b
Examples:
  onrecord normalize
  onrecord normalize && onrecord mart build"""
)
def command() -> None:
    """Put captured evidence into the tables: one row per version of each record.

    Running it again adds nothing twice. Items that cannot be understood go to the table quarantine with the reason.
    """
    from cli.options import screen
    from pipeline.workspace import Workspace

    workspace = Workspace()
    with workspace.storage() as storage:
        run(workspace, storage, screen(), screen(err=True))


def run(workspace: Workspace, storage: Storage, out: Console, err: Console) -> NormalizeReport:
    """Normalize with a progress bar and print what was added."""
    from rich.progress import Progress

    from pipeline.steps import normalize_all

    with Progress(console=err, transient=True) as bar:
        task = bar.add_task("Normalizing", total=None)
        report = normalize_all(
            workspace, storage, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    _print(report, out)
    return report


def _print(report: NormalizeReport, out: Console) -> None:
    rows = ", ".join(f"{count} {name}" for name, count in sorted(report.rows.items()) if count)
    out.print(f"Added: {rows or 'nothing new'}")
    changes = ", ".join(f"{count} {name}" for name, count in sorted(report.changes.items()) if count)
    if changes:
        out.print(f"Changes: {changes}")
    for reason, count in sorted(report.skipped.items()):
        out.print(f"Left out on purpose: {count} {reason}")
