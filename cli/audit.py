"""``onrecord audit``: audits over the mart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import coverage

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from compliance.retention import Audit, Status


@click.group(epilog="\b\nExamples:\n  onrecord audit coverage\n  onrecord audit retention\n  onrecord audit log")
def command() -> None:
    """What was covered, what must be kept, what is due, and whether the audit log is whole."""


command.add_command(coverage.command, "coverage")


@command.command(
    "retention",
    epilog="""\b
Examples:
  onrecord audit retention
  onrecord audit retention --as-of 2030-01-01
  onrecord audit retention --file due.csv --status due""",
)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to audit for; today unless given.")
@click.option(
    "--file", "output", type=click.Path(path_type=Path), help="Write each record with its series and expiry as CSV."
)
@click.option(
    "--status",
    type=click.Choice(["keep", "due", "held", "permanent", "no_series"]),
    help="Only records of this status.",
)
def retention(as_of: datetime | None, output: Path | None, status: Status | None) -> None:
    """Each record's series, trigger date and expiry; what is due, what is held, what has no series.

    Nothing is destroyed by this; a record without a series is never due.
    """
    from cli.options import screen
    from pipeline.steps import audited
    from pipeline.workspace import Workspace

    with audited(Workspace(), as_of.date() if as_of else None) as audit:
        print_summary(audit, screen())
        if output:
            click.echo(f"{_write(audit, output, status):,} records written to {output}")


def _write(audit: Audit, output: Path, status: Status | None) -> int:
    """The records as CSV, one line each; returns how many."""
    import csv
    import io

    from warehouse import cells, formats

    count = 0
    with formats.replacing(output) as stream:
        text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        rows = audit.rows(status)
        writer.writerow(rows.schema.names)
        for batch in rows:
            count += batch.num_rows
            writer.writerows([cells.guarded(cells.text(value)) for value in row] for row in formats.rows(batch))
        text.detach()  # the stream is closed by who opened it
    return count


@command.command("log", epilog="\b\nExample:\n  onrecord audit log")
def log() -> None:
    """Check the audit log's chain from its first entry to its last."""
    from compliance import audit_log
    from pipeline.workspace import Workspace

    workspace = Workspace()
    count = audit_log.verify(workspace.engine)
    head = audit_log.head(workspace.engine)
    click.echo(f"{count:,} entries, unbroken" + (f"; the last has the hash {head.hash}" if head else ""))


def print_summary(audit: Audit, out: Console) -> None:
    """The audit as a table, a line per series."""
    from rich.table import Table

    table = Table(title=f"Retention as of {audit.as_of}", title_justify="left", caption_justify="left")
    for name in ("Series", "Title"):
        table.add_column(name)
    for name in ("Records", "Keep", "Due", "Held", "Permanent", "No series"):
        table.add_column(name, justify="right")
    for name in ("Due since", "Next due"):
        table.add_column(name)
    for one in audit.summary:
        numbers = (one.records, one.keep, one.due, one.held, one.permanent, one.no_series)
        table.add_row(
            one.series or "none",
            one.title or "no rule matches: never due",
            *(f"{number:,}" if number else "" for number in numbers),
            str(one.due_since or ""),
            str(one.next_due or ""),
        )
    out.print(table)
