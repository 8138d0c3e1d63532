"""``onrecord capture``: look at accounts now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from compliance.accounts import Account
    from pipeline.workspace import Storage, Workspace
    from warehouse.ledger import Capture

SOME_FAILED = 4
BUSY = 3


@click.command(
    epilog="""\b
Examples:
  onrecord capture                      all approved accounts
  onrecord capture city-hall ward-3     only these
  onrecord capture --due                as the schedule does: what is due by `onrecord plan`
Then `onrecord normalize` puts what was captured into the tables."""
)
@click.argument("names", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--due", is_flag=True, help="Look back only as far as the plan says is due, as the schedule does.")
def command(names: tuple[str, ...], *, due: bool) -> None:
    """Look at accounts now and lock what they show as evidence.

    Without names all approved accounts are looked at. An account that fails does not stop the others; the exit code
    is 4 if any failed, 3 if all that failed are being captured by another process. Interrupted at any moment, the same
    command goes on where it was.
    """
    from cli.options import screen
    from cli.sample import awake
    from pipeline.steps import to_capture
    from pipeline.workspace import Workspace
    from warehouse.lease import AccountBusy

    with awake(Workspace()) as workspace:
        accounts = to_capture(workspace, names)
        with workspace.storage() as storage:
            failed = capture_all(workspace, storage, accounts, screen(), screen(err=True), due_only=due)
    if failed:
        only_busy = all(isinstance(problem, AccountBusy) for _, problem in failed)
        raise click.exceptions.Exit(BUSY if only_busy else SOME_FAILED)


def capture_all(
    workspace: Workspace,
    storage: Storage,
    accounts: list[Account],
    out: Console,
    err: Console,
    *,
    due_only: bool = False,
) -> list[tuple[Account, Exception]]:
    """Look at each account in turn with a progress bar, and print what was captured. Returns those that failed."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from pipeline.capture import CaptureFailed
    from pipeline.steps import look_at
    from warehouse.lease import AccountBusy

    results: list[tuple[Account, list[Capture]]] = []
    failed: list[tuple[Account, Exception]] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[what]}"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task("Capturing", total=len(accounts), what="")
        for account in accounts:

            def watch(resource: str, pages: int, items: int, total: int | None, name: str = account.name) -> None:
                of = f" of {total}" if total else ""
                bar.update(task, what=f"{name} {resource}: {pages} pages, {items}{of} items")

            try:
                results.append((account, look_at(workspace, storage, account, watch=watch, due_only=due_only)))
            except CaptureFailed as fault:
                results.append((account, fault.captures))
                failed.append((account, fault))
            except AccountBusy as busy:
                failed.append((account, busy))
            bar.advance(task)
    print_captures(results, out)
    for _, problem in failed:
        err.print(f"[bold red]Failed[/] {problem}")
    return failed


def print_captures(results: list[tuple[Account, list[Capture]]], out: Console) -> None:
    """A table: one line per account."""
    from rich.table import Table

    table = Table(title="Captured", title_justify="left")
    for name in ("Account", "Platform"):
        table.add_column(name)
    for name in ("Exchanges kept", "Items they show"):
        table.add_column(name, justify="right")
    table.add_column("Outcome")
    for account, looks in results:
        bad = next((look.outcome for look in looks if look.outcome not in ("complete", "not_covered")), None)
        table.add_row(
            account.name,
            account.platform,
            f"{sum(look.pages for look in looks):,}",
            f"{sum(look.items for look in looks):,}",
            f"[red]{bad}[/]" if bad else "complete",
        )
    out.print(table)
    for account, looks in results:
        for look in looks:
            if look.outcome == "not_covered":
                out.print(f"Not covered: {account.name}, {look.resource}: {look.message}", markup=False, soft_wrap=True)
