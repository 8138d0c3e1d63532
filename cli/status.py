"""``onrecord status``: what runs, what is fresh, what failed last."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  onrecord status")
def command() -> None:
    """What runs, how fresh each account is, which gaps are open, what waits to be normalized."""
    from rich.table import Table

    from cli.options import screen
    from compliance import accounts, findings
    from pipeline.workspace import SOFTWARE, Workspace
    from warehouse import gaps, inventory, looked, seaweed

    workspace = Workspace()
    out, chosen = screen(), workspace.settings
    running = chosen.s3.endpoint or (seaweed.running(workspace.home) and "embedded, running")
    out.print(f"{SOFTWARE}, state in {workspace.home}", soft_wrap=True)
    out.print(
        f"Object store: {running or 'embedded, not running (commands start it when they need it)'}", soft_wrap=True
    )
    mart = chosen.mart
    out.print(f"Mart: {mart if mart.exists() else 'not built yet: onrecord mart build'}", soft_wrap=True)
    table = Table(title="Accounts", title_justify="left")
    for name in ("Account", "Status", "Last look (UTC)", "Last complete (UTC)", "Last outcome"):
        table.add_column(name)
    names: dict[str, str] = {}
    for account in accounts.listing(workspace.engine):
        names[account.account_id] = account.name
        looks = [looked.latest(workspace.engine, account.account_id, each) for each in ("posts", "comments")]
        last = max((look for look in looks if look), key=lambda look: look.started_at, default=None)
        complete = looked.last_complete(workspace.engine, account.account_id, "posts")
        table.add_row(
            account.name,
            account.status,
            f"{last.started_at:%Y-%m-%d %H:%M}" if last else "never",
            f"{complete.started_at:%Y-%m-%d %H:%M}" if complete else "never",
            last.outcome if last else "",
        )
    out.print(table)
    uncovered: dict[tuple[str, str], list[gaps.Gap]] = {}
    for gap in gaps.listing(workspace.engine, unclosed_only=True):
        uncovered.setdefault((gap.account_id, gap.cause), []).append(gap)
    for (account_id, cause), open_gaps in uncovered.items():
        since = min(gap.opened_at for gap in open_gaps)
        what = ", ".join(gap.resource for gap in open_gaps)
        out.print(
            f"[red]Gap[/] {names.get(account_id, account_id)}: {what} not covered since {since:%Y-%m-%d %H:%M} UTC, {cause}",
            soft_wrap=True,
        )
    standing = findings.listing(workspace.engine)
    grave = len(findings.grave(standing))
    out.print(
        f"Findings open when last looked for: {len(standing)}, {grave} of severity error or worse (onrecord findings looks now)",
        soft_wrap=True,
    )
    waiting = sum(1 for _ in inventory.pending(workspace.engine))
    out.print(f"Evidence waiting to be normalized: {waiting} objects")
