"""``onrecord findings``: what is wrong now, since when, and what to do."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from compliance.findings import Finding

GRAVE = 7
"""Exit code of ``--check`` while a finding of severity error or critical is open."""


@click.command(
    epilog="""\b
Examples:
  onrecord findings
  onrecord findings --all --format json
  onrecord findings --check
  onrecord findings --shapes --notify"""
)
@click.option("--all", "every", is_flag=True, help="Also those that are closed.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--check", is_flag=True, help=f"End with exit code {GRAVE} while one of severity error or critical is open."
)
@click.option(
    "--shapes", is_flag=True, help="First sample what platforms answered lately, to see whether they changed."
)
@click.option(
    "--notify", is_flag=True, help="Then tell the channels of policy/notifications.yaml what they were not told."
)
def command(*, every: bool, form: str, check: bool, shapes: bool, notify: bool) -> None:
    """Look for what is wrong, and list it: the gravest first, each with what to do now.

    A finding closes by itself once its cause is gone.
    """
    from compliance import finding_deliveries, findings
    from pipeline import watch
    from pipeline.workspace import Workspace

    workspace = Workspace()
    if shapes:
        with workspace.storage() as storage:
            watch.sample(workspace, storage)
    watch.detect(workspace)
    found = findings.listing(workspace.engine, open_only=not every)
    told = finding_deliveries.told(workspace.engine)
    if form == "json":
        click.echo(json.dumps([_as_json(one, told.get(one.finding_id)) for one in found], indent=2, ensure_ascii=False))
    else:
        _print(found)
    if notify:
        counts = watch.tell(workspace)
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        click.echo(f"Told: {said or 'nobody, no channel is enabled in policy/notifications.yaml'}", err=True)
    if check and findings.grave(found):
        sys.exit(GRAVE)


def _as_json(one: Finding, notified_at: datetime | None) -> dict[str, object]:
    moments = {"opened_at": one.opened_at, "last_seen_at": one.last_seen_at, "closed_at": one.closed_at}
    return {
        "finding_id": one.finding_id,
        "code": one.code,
        "severity": one.severity,
        "account_id": one.account_id,
        "subject": one.subject,
        "message": one.message,
        "advice": one.advice,
        "detail": one.detail,
        **{name: moment and moment.isoformat() for name, moment in {**moments, "notified_at": notified_at}.items()},
    }


def _print(found: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    from cli.options import screen

    out = screen()
    if not found:
        out.print("No finding is open.")
        return
    table = Table(show_lines=True)
    for name in ("Severity", "Code", "What, and what to do now", "Since (UTC)"):
        table.add_column(name, overflow="fold")
    for one in found:
        since = f"{one.opened_at:%Y-%m-%d %H:%M}"
        if one.closed_at:
            since += f"\nclosed {one.closed_at:%Y-%m-%d %H:%M}"
        table.add_row(one.severity, one.code, Text(f"{one.message}\n→ {one.advice}"), since)
    out.print(table)
