"""``onrecord accounts``: the registry of City-supported accounts."""

from __future__ import annotations

import re
from pathlib import Path

import click

PLATFORM_NAMES = ("bluesky", "mastodon", "wordpress")


class _NotFound(click.ClickException):
    """The platform did not name the account."""

    exit_code = 4


@click.group(
    epilog="""\b
Examples:
  onrecord accounts load policy/accounts.yaml
  onrecord accounts list
  onrecord accounts add bluesky example.bsky.social
  onrecord accounts approve example-bsky-social --reason "official voice of the City"
  onrecord accounts show city-hall"""
)
def command() -> None:
    """The registry: only what is approved here is ever captured."""


@command.command("load", epilog="\b\nExample:\n  onrecord accounts load policy/accounts.yaml")
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Load accounts from a policy file; loading it again changes only what changed in it."""
    from cli.options import actor
    from compliance import accounts, audit_log
    from compliance.policy import load_accounts
    from pipeline.workspace import Workspace

    workspace = Workspace()
    done = accounts.load(workspace.engine, load_accounts(file), now=workspace.clock())
    audit_log.append(
        workspace.engine,
        actor=actor(),
        action="accounts.load",
        subject=file.name,
        detail={"added": list(done.added), "changed": list(done.changed)},
        now=workspace.clock(),
    )
    click.echo(f"{len(done.added)} added, {len(done.changed)} changed, {len(done.unchanged)} unchanged")
    for name in done.absent:
        click.echo(
            f"{name} is in the registry but not in {file}: it stays; `onrecord accounts deactivate {name}` ends its capture"
        )


@command.command("list", epilog="\b\nExample:\n  onrecord accounts list")
def listing() -> None:
    """List all accounts with their status."""
    from rich.table import Table

    from cli.options import screen
    from compliance import accounts
    from pipeline.workspace import Workspace

    table = Table()
    for name in ("Name", "Platform", "Handle", "Belongs to", "Status"):
        table.add_column(name)
    for account in accounts.listing(Workspace().engine):
        belongs = account.office or account.department or ""
        table.add_row(account.name, account.platform, account.handle, belongs, account.status)
    screen().print(table)


@command.command("show", epilog="\b\nExample:\n  onrecord accounts show ward-3")
@click.argument("name")
def show(name: str) -> None:
    """Show one account: who answers for it, who held it when, who decided what, and its last looks."""
    from cli.options import screen
    from compliance import accounts
    from pipeline.workspace import Workspace
    from warehouse import looked

    workspace = Workspace()
    details = accounts.details(workspace.engine, name)
    account, out = details.account, screen()
    out.print(f"[bold]{account.title}[/] ({account.name})")
    for label, value in (
        ("Platform", account.platform),
        ("Handle", account.handle),
        ("Immutable id", account.native_id),
        ("Service", account.service),
        ("Belongs to", account.office or account.department),
        ("Answers for it", account.head),
        ("Status", account.status),
        ("Credential", account.credential or "none needed"),
        ("Retention default", account.retention),
    ):
        if value:
            out.print(f"  {label:<18} {value}", soft_wrap=True)
    for one in details.assignments:
        out.print(
            f"  Held by            {one.person}, {one.role}, {one.assigned_from} to {one.assigned_until or 'now'}"
        )
    for decision in details.decisions:
        out.print(
            f"  {decision.status.capitalize():<18} {decision.decided_at:%Y-%m-%d} by {decision.decided_by}: {decision.reason}"
        )
    for resource in ("profile", "posts", "comments", "moderation"):
        look = looked.latest(workspace.engine, account.account_id, resource)
        if look:
            out.print(f"  Last {resource:<13} {look.started_at:%Y-%m-%d %H:%M} UTC, {look.outcome}, {look.items} items")


@command.command(
    "add",
    epilog="""\b
Examples:
  onrecord accounts add bluesky example.bsky.social
  onrecord accounts add mastodon clerk@mastodon.social
  onrecord accounts add wordpress https://news.example.gov --credential news""",
)
@click.argument("platform", type=click.Choice(PLATFORM_NAMES))
@click.argument("handle")
@click.option("--name", help="Short name in the registry; made from the handle if not given.")
@click.option("--department", help="The department it belongs to.")
@click.option("--office", help="The office (a ward) it belongs to.")
@click.option("--credential", help="Name of its credential, where one is needed.")
def add(
    *, platform: str, handle: str, name: str | None, department: str | None, office: str | None, credential: str | None
) -> None:
    """Look an account up on its platform and register it as proposed. Nothing is captured until it is approved."""
    from cli.options import actor
    from cli.sample import awake
    from compliance import accounts, audit_log
    from connectors.faults import ConnectorError
    from pipeline.steps import identify
    from pipeline.workspace import Workspace

    with awake(Workspace()) as workspace:
        try:
            found = identify(workspace, platform, handle)
        except ConnectorError as problem:
            msg = f"{handle} on {platform}: {problem}"
            raise _NotFound(msg) from None
    chosen = name or re.sub(r"[^a-z0-9]+", "-", handle.lower().removeprefix("https://").lstrip("@")).strip("-")
    accounts.add_proposed(
        workspace.engine,
        name=chosen,
        platform=platform,
        native_id=found.native_id,
        handle=found.handle,
        service=found.service,
        by=actor(),
        at=workspace.clock(),
        department=department,
        office=office,
        credential=credential,
    )
    audit_log.append(
        workspace.engine,
        actor=actor(),
        action="accounts.add",
        subject=chosen,
        detail={"account_id": found.account_id},
        now=workspace.clock(),
    )
    click.echo(f"{chosen}: {platform} {found.handle}, immutable id {found.native_id}, proposed")
    click.echo(f'Approve it with: onrecord accounts approve {chosen} --reason "..."')


@command.command(
    "approve", epilog='\b\nExample:\n  onrecord accounts approve ward-3 --reason "office account of Ward 3"'
)
@click.argument("name")
@click.option("--reason", default="approved on the command line", show_default=True, help="Why; kept for good.")
@click.option("--by", help="Who decided; the one who runs the command unless given.")
def approve(name: str, reason: str, by: str | None) -> None:
    """Approve an account: from now on it is captured."""
    _decide(name, reason, by, "approve")


@command.command(
    "deactivate", epilog='\b\nExample:\n  onrecord accounts deactivate ward-3 --reason "closed by the office"'
)
@click.argument("name")
@click.option("--reason", required=True, help="Why; kept for good.")
@click.option("--by", help="Who decided; the one who runs the command unless given.")
def deactivate(name: str, reason: str, by: str | None) -> None:
    """End the capture of an account. What was captured stays."""
    _decide(name, reason, by, "deactivate")


def _decide(name: str, reason: str, by: str | None, verb: str) -> None:
    from cli.options import actor
    from compliance import accounts, audit_log
    from pipeline.workspace import Workspace

    workspace = Workspace()
    decide = accounts.approve if verb == "approve" else accounts.deactivate
    account = decide(workspace.engine, name, by=by or actor(), at=workspace.clock(), reason=reason)
    audit_log.append(
        workspace.engine,
        actor=actor(),
        action=f"accounts.{verb}",
        subject=name,
        detail={"reason": reason, "by": by or actor()},
        now=workspace.clock(),
    )
    click.echo(f"{account.name} is {account.status}")
