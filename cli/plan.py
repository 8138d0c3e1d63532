"""``onrecord plan``: what is looked at again, how often, and what a day costs."""

from __future__ import annotations

import math

import click


@click.command(epilog="\b\nExample:\n  onrecord plan")
def command() -> None:
    """How often records are looked at again, and whether a day fits each credential's budget.

    The steps and budgets are those of policy/revisit.yaml. Where a day does not fit, all intervals are stretched until it
    does: the column says by how much. Records are counted as of the last `onrecord normalize`.
    """
    from rich.table import Table

    from cli.options import screen
    from pipeline import planning
    from pipeline.workspace import Workspace

    workspace, out = Workspace(), screen()
    revisit = workspace.policy.revisit
    steps = Table(title="Looking again", title_justify="left")
    for name in ("Records younger than", "are looked at again every"):
        steps.add_column(name)
    for step in planning.steps_of(revisit):
        steps.add_row(f"{step.age.days:,} days", f"{step.every.total_seconds() / 3600:g} hours")
    out.print(steps)
    hot = revisit.hot_threads
    out.print(
        f"Threads with {hot.comments} comments or more within {hot.within_hours} hours: with every capture, "
        f"each {revisit.capture_every_minutes} minutes.",
        soft_wrap=True,
    )
    table = Table(title="A day, by credential", title_justify="left")
    for name in ("Credential", "Platform"):
        table.add_column(name)
    for name in ("Accounts", "Posts", "Requests: schedule", "looking again", "budget", "Intervals"):
        table.add_column(name, justify="right")
    for one in planning.plans(workspace):
        made = one.plan
        stretched = "as written" if made.fits else f"[red]{made.stretch:,.1f} times as long[/]"
        table.add_row(
            one.lane,
            one.platform,
            f"{one.accounts:,}",
            f"{one.posts:,}",
            f"{made.looks:,.0f}",
            f"{made.again:,.0f}",
            "none set" if math.isinf(made.budget) else f"{made.budget:,.0f}",
            "[red]schedule alone exceeds it[/]" if math.isinf(made.stretch) else stretched,
        )
    out.print(table)
