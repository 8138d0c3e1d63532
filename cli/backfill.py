"""``onrecord backfill``: read an account's past to its beginning."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from compliance.accounts import Account
    from pipeline.workspace import Storage, Workspace
    from warehouse.backfills import Backfill

MINUTE = 60
HOUR = 3600


@click.command(
    epilog="""\b
Examples:
  onrecord backfill city-hall
  onrecord backfill city-hall --slices 5     five slices, then stop
Interrupted at any moment, the same command goes on where it was; so does the schedule, a slice at a time."""
)
@click.argument("name", metavar="ACCOUNT")
@click.option("--slices", type=click.IntRange(min=1), help="Stop after so many slices; to the beginning unless given.")
def command(name: str, slices: int | None) -> None:
    """Read what an account published before it was first captured: newest first, slice by slice.

    Each slice is kept as evidence before the next begins. Until the beginning is reached, the account has an open gap in
    its history. Captures on schedule go on in between.
    """
    from cli.options import screen
    from cli.sample import awake
    from pipeline.steps import to_capture
    from pipeline.workspace import Workspace

    out, err = screen(), screen(err=True)
    with awake(Workspace()) as workspace:
        (account,) = to_capture(workspace, [name])
        with workspace.storage() as storage:
            state = _read(workspace, storage, account, slices, err)
    _tell(account, state, out)


def _read(
    workspace: Workspace, storage: Storage, account: Account, slices: int | None, err: Console
) -> Backfill | None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from pipeline import steps
    from warehouse import backfills

    state = backfills.get(workspace.engine, account.account_id)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(f"Reading back {account.name}", total=None, what="")
        begun, items_before, count = time.monotonic(), state.items if state else 0, 0
        while (state is None or state.waiting) and (slices is None or count < slices):
            try:
                state = steps.read_back(workspace, storage, account)
            except LookupError:  # the first look came to the beginning
                return backfills.get(workspace.engine, account.account_id)
            count += 1
            total = state.total if state.total is not None else steps.written_by(workspace, account)
            speed = (state.items - items_before) / max(time.monotonic() - begun, 0.001)
            bar.update(task, completed=state.items, total=total, what=progress(state, total, speed))
            if not err.is_terminal:
                err.print(f"{account.name}: {progress(state, total, speed)}", soft_wrap=True)
    return state


def progress(state: Backfill, total: int | None, per_second: float) -> str:
    """How far it came and when it ends, in words that claim no more than is known."""
    back_to = f", back to {state.reached_at:%Y-%m-%d}" if state.reached_at else ""
    so_far = f"{state.items:,} items{back_to}"
    if total is None:
        return f"{so_far}; the platform does not tell how many there are, so neither when it ends"
    if total < state.items:
        return f"{so_far}; more than the {total:,} the platform counts, so when it ends is not known"
    left = total - state.items
    when = _duration(left / per_second) if per_second > 0 else "an unknown time"
    return f"{so_far} of about {total:,}; about {when} left at {per_second:,.0f} items a second"


def _duration(seconds: float) -> str:
    if seconds < MINUTE:
        return "a minute"
    return f"{seconds / MINUTE:,.0f} minutes" if seconds < 2 * HOUR else f"{seconds / HOUR:,.1f} hours"


def _tell(account: Account, state: Backfill | None, out: Console) -> None:
    if state is None or state.slices == 0:
        out.print(f"{account.name}: nothing to read back; its first look came to the beginning.")
    elif state.waiting:
        out.print(f"{account.name}: {state.items:,} items so far; {', '.join(state.waiting)} not at the beginning yet.")
    else:
        out.print(
            f"{account.name}: read to the beginning, {state.items:,} items"
            + (f", back to {state.reached_at:%Y-%m-%d}." if state.reached_at else ".")
            + " `onrecord normalize` puts them into the tables.",
            soft_wrap=True,
        )
