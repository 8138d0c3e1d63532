"""``onrecord audit coverage``: what of each account was covered, and what is probably lost."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from compliance.coverage import Asked, Known
    from compliance.loss import Loss
    from warehouse.formats import Format

DAY = click.DateTime(["%Y-%m-%d"])
FITTED_UNASKED = 40
"""Accounts for which the estimate of loss is shown without being asked for: it takes about a second each."""
COLUMNS = ("Account", "Days", "", "Coverage", "Captures", "Gaps", "Posts", "Comments", "Replies held of", "Own held of")


@click.command(
    epilog="""\b
Examples:
  onrecord audit coverage
  onrecord audit coverage --account parks --from 2026-01-01 --to 2026-03-31
  onrecord audit coverage --format csv > days.csv
  onrecord audit coverage --show items
  onrecord audit coverage --show loss --account parks --format json
  onrecord audit coverage --capture 20260301T120000000000-1a2b3c4d"""
)
@click.option("--account", help="Only this account.")
@click.option("--from", "first", type=DAY, help="First day (UTC).")
@click.option("--to", "last", type=DAY, help="Last day (UTC).")
@click.option(
    "--show",
    type=click.Choice(["days", "gaps", "items", "loss"]),
    help="Only the days, the gaps, the counts that do not reconcile (item by item), or the estimate of loss.",
)
@click.option("--capture", "capture_id", help="Count this one look again from its evidence, item by item.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def command(
    *,
    account: str | None,
    first: datetime | None,
    last: datetime | None,
    show: str | None,
    capture_id: str | None,
    form: str,
) -> None:
    """Each account by day: complete, recovered, partial or missing, with what is held beside what the platform counts.

    Below it, how many posts and comments were probably created and deleted between two looks. docs/auditor.md says what the words
    mean, docs/loss-estimate.md how the estimate is made. CSV and JSON give the days unless --show says otherwise.
    """
    import settings
    from cli.options import screen
    from compliance.coverage import Asked

    if capture_id is not None:
        _count_again(capture_id, screen())
        return
    asked = Asked(settings.load().mart, account, first.date() if first else None, last.date() if last else None)
    known = asked.known()
    if account is not None and account not in {one.account for one in known}:
        msg = f"the mart knows no account {account!r}: `onrecord accounts list` names them; after adding one, run `onrecord mart build`"
        raise click.UsageError(msg)
    if show == "loss" and form != "table":
        _write_losses(asked, form)
    elif show in ("gaps", "items") or form != "table":
        _write(asked, show or "days", cast("Format", form))
    else:
        _report(asked, known, show, screen())


def _count_again(capture_id: str, out: Console) -> None:
    """Say where each item of a capture ended; exit code 1 where one ended nowhere."""
    from pipeline.recount import recount
    from pipeline.workspace import Workspace

    workspace = Workspace()
    with workspace.storage() as storage:
        found = recount(storage.archive, workspace.engine, storage.evidence, capture_id)
    ended = ", ".join(f"{name} {count:,}" for name, count in found.ended.items() if count) or "nothing"
    reasons = "".join(f"; {reason} {count:,}" for reason, count in sorted(found.skipped.items()))
    out.print(f"Items in the evidence: {found.items:,}. They ended as: {ended}{reasons}.", markup=False)
    out.print(f"Different records shown: {found.records:,}. Lacking in the tables: {len(found.lacking):,}.")
    for record_id in found.lacking:
        click.echo(record_id)
    if not found.reconciles:
        sys.exit(1)


def _write(asked: Asked, show: str, form: Format) -> None:
    from cli.options import screen
    from warehouse import formats

    ask = {"days": asked.days, "gaps": asked.gaps, "items": asked.items}[show]
    formats.write(ask(), form, sys.stdout.buffer, guard=True, columns=screen().width)


def _write_losses(asked: Asked, form: str) -> None:
    import csv

    rows = [_row(one) for one in asked.losses()]
    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    writer = csv.DictWriter(sys.stdout, list(_row_names()))
    writer.writeheader()
    writer.writerows(rows)


def _row(one: Loss) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _row_names()}


def _row_names() -> tuple[str, ...]:
    from compliance.loss import Loss

    return tuple(Loss.__dataclass_fields__)


def _report(asked: Asked, known: list[Known], show: str | None, out: Console) -> None:
    if show != "loss":
        _print_days(asked, out)
        _print_silent(asked, known, out)
    if show == "days":
        return
    fitted = sum(one.days > 0 for one in known)
    if show is None and asked.account is None and fitted > FITTED_UNASKED:
        out.print(f"Estimate of loss: add --account NAME, or --show loss for all {fitted:,} accounts.")
    else:
        _print_losses(asked.losses(), {one.account_id: one.account for one in known}, out)


def _print_days(asked: Asked, out: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Coverage by day (UTC)", title_justify="left")
    for place, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if place > COLUMNS.index("Coverage") else "left")
    for run in asked.runs():
        days = f"{run['first_day']}" if run["days"] == 1 else f"{run['first_day']} to {run['last_day']}"
        word = run["coverage"] + (f" ({run['lacking']})" if run["lacking"] else "")
        table.add_row(
            Text(run["account"]),
            days,
            f"{run['days']:,}",
            Text(word),
            f"{run['complete_captures']:,} of {run['captures']:,}" if run["captures"] else "",
            f"{run['gaps']:,}" if run["gaps"] else "",
            f"{run['posts']:,}",
            f"{run['comments']:,}",
            _beside(run["replies"], run["platform_replies"]),
            _beside(run["own_posts"], run["platform_posts"]),
        )
    out.print(table)


def _beside(held: int | None, counted: int | None) -> str:
    return "" if counted is None else f"{held or 0:,} of {counted:,}"


def _print_silent(asked: Asked, known: list[Known], out: Console) -> None:
    silent = [
        one.account
        for one in known
        if not one.days and one.status in ("approved", "active") and asked.account in (None, one.account)
    ]
    if silent:
        out.print(f"Approved, but never looked at: {', '.join(silent)}", markup=False)


def _print_losses(losses: list[Loss], names: dict[str, str], out: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    estimated = [one for one in losses if one.unseen is not None]
    for note, count in Counter(one.note for one in losses if one.unseen is None).items():
        out.print(f"Loss, {count} of {len(losses)} accounts and kinds: {note}.", markup=False)
    if not losses:
        out.print("Loss: cannot be estimated: nothing was published while the accounts were watched.")
    if not estimated:
        return
    table = Table(
        title="Probably created and deleted between two looks, and never seen",
        title_justify="left",
        caption="An estimate from observed lifetimes: docs/loss-estimate.md has the method and its limits.",
        caption_justify="left",
    )
    for name in ("Account", "Kind"):
        table.add_column(name)
    for name in ("Seen", "Vanished", "Unseen", "95 % interval"):
        table.add_column(name, justify="right")
    table.add_column("Basis")
    for one in estimated:
        table.add_row(
            Text(names.get(one.account_id, one.account_id)),
            one.kind,
            f"{one.seen:,}",
            f"{one.gone:,}",
            f"{one.unseen:,.1f}",
            f"{one.low:,.1f} to {one.high:,.1f}",
            Text(one.note),
        )
    out.print(table)
