"""``onrecord audit``: audits over the mart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


@click.group(epilog="\b\nExamples:\n  onrecord audit retention\n  onrecord audit log")
def command() -> None:
    """What must be kept, what is due, and whether the audit log is whole."""


@command.command(
    "retention",
    epilog="""\b
Examples:
  onrecord audit retention
  onrecord audit retention --as-of 2030-01-01
  onrecord audit retention --output due.csv --status due""",
)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to audit for; today unless given.")
@click.option("--output", type=click.Path(path_type=Path), help="Write each record with its series and expiry as CSV.")
@click.option("--status", type=click.Choice(["keep", "due", "held", "permanent", "no_series"]), help="Only records of this status.")
def retention(as_of: datetime | None, output: Path | None, status: str | None) -> None:
    """Each record's series, trigger date and expiry; what is due, what is held, what has no series.

    Nothing is destroyed by this; a record without a series is never due.
    """
    import settings
    from cli.options import screen
    from compliance import retention as audits

    day = (as_of or datetime.now(UTC)).date()
    found = audits.audit(settings.load().mart, day)
    print_summary(found, screen())
    if output:
        count = audits.write_csv(found, output, status=status)
        click.echo(f"{count:,} records written to {output}")


@command.command("log", epilog="\b\nExample:\n  onrecord audit log")
def log() -> None:
    """Check the audit log's chain from its first entry to its last."""
    from compliance import audit_log
    from pipeline.workspace import Workspace

    workspace = Workspace()
    count = audit_log.verify(workspace.engine)
    head = audit_log.head(workspace.engine)
    click.echo(f"{count:,} entries, unbroken" + (f"; the last has the hash {head.hash}" if head else ""))


def print_summary(found: Any, out: Console) -> None:  # noqa: ANN401 - see compliance.retention
    """The audit as a table, a line per series."""
    raise NotImplementedError
