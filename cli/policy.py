"""``onrecord policy``: check the City's rules."""

from __future__ import annotations

import click


@click.group(epilog="\b\nExample:\n  onrecord policy check")
def command() -> None:
    """The City's rules as data: the YAML files in policy/."""


@command.command("check", epilog="\b\nExample:\n  onrecord policy check")
def check() -> None:
    """Read all policy files and name every error by file, line and field."""
    from pipeline.workspace import Workspace

    workspace = Workspace()
    policy = workspace.policy
    click.echo(
        f"{workspace.settings.policy}: {len(policy.accounts.accounts)} accounts, {len(policy.retention.series)} series, "
        f"{len(policy.retention.rules)} rules; no errors"
    )
    if policy.accounts.sample:
        click.echo("These are sample values: replace them with your City's own before use.")
