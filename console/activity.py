"""Activity: what each account said, what changed, how fresh its captures are. Each table can be had as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from console.charts import bars_by_week
from console.login import current_user
from console.mart import Mart
from console.pages import Problem, page

router = APIRouter(dependencies=[Depends(current_user)])
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table on a page: the row's key, the words above it, and how its values are shown."""

    name: str
    label: str
    numeric: bool = False
    time: bool = False
    date: bool = False
    link: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, with a chart and a sentence where it has one."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    svg: str = ""
    sentence: str = ""


WEEK = Column("week", "Week of", date=True)
WEEKS = (WEEK, Column("posts", "Posts", numeric=True), Column("comments", "Comments", numeric=True))
CHANGES = (
    WEEK,
    Column("edits", "Edits", numeric=True),
    Column("deletions", "Deletions", numeric=True),
    Column("hidden", "Comments hidden", numeric=True),
)
ACCOUNTS = (
    Column("title", "Account", link="/accounts/{}", key="name"),
    Column("platform", "Platform"),
    Column("belongs_to", "Belongs to"),
    Column("posts", "Posts", numeric=True),
    Column("comments", "Comments", numeric=True),
    Column("edits", "Edits", numeric=True),
    Column("gone", "Deleted or gone", numeric=True),
    Column("hidden", "Hidden", numeric=True),
    Column("last_complete_at", "Last complete look", time=True),
    Column("last_error", "Last error"),
)
FRESHNESS = (
    Column("resource", "What"),
    Column("last_complete_at", "Last complete look", time=True),
    Column("last_tried_at", "Last tried", time=True),
    Column("last_outcome", "Outcome"),
    Column("last_error", "Last error"),
)


@router.get("/")
def overview(request: Request) -> Response:
    """All accounts together."""
    with _mart(request) as mart:
        accounts = mart.rows("accounts", account=None)
        weeks, changes = _by_week(request, mart, None)
        return page(
            request,
            "activity.html",
            alarms=[_alarm(row) for row in accounts if row["last_error"]],
            cards=_cards(accounts),
            weeks=weeks,
            changes=changes,
            accounts=Table(ACCOUNTS, accounts),
            built_at=mart.rows("built")[0]["built_at"],
        )


@router.get("/accounts/{name}")
def one_account(request: Request, name: str) -> Response:
    """One account."""
    with _mart(request) as mart:
        account = _account(mart, name)
        weeks, changes = _by_week(request, mart, name)
        return page(
            request,
            "account.html",
            account=account,
            alarms=[_alarm(account)] if account["last_error"] else [],
            weeks=weeks,
            changes=changes,
            looks=Table(FRESHNESS, mart.rows("freshness", account=name)),
            built_at=mart.rows("built")[0]["built_at"],
        )


@router.get("/activity/{table}.csv")
def overview_csv(request: Request, table: str) -> Response:
    """A table of the overview as CSV."""
    with _mart(request) as mart:
        if table == "accounts":
            return _csv("accounts", Table(ACCOUNTS, mart.rows("accounts", account=None)))
        weeks, changes = _by_week(request, mart, None, drawn=False)
    return _csv(table, _one_of(table, weeks=weeks, changes=changes))


@router.get("/accounts/{name}/{table}.csv")
def account_csv(request: Request, name: str, table: str) -> Response:
    """A table of an account's page as CSV."""
    with _mart(request) as mart:
        _account(mart, name)
        weeks, changes = _by_week(request, mart, name, drawn=False)
        freshness = Table(FRESHNESS, mart.rows("freshness", account=name))
    return _csv(f"{name}-{table}", _one_of(table, weeks=weeks, changes=changes, freshness=freshness))


def _mart(request: Request) -> Mart:
    return Mart(request.app.state.sources.mart)


def _account(mart: Mart, name: str) -> Row:
    found = mart.rows("accounts", account=name)
    if not found:
        what = "There is no account of that name."
        raise Problem(what, "The overview lists all accounts.", status=404)
    return found[0]


def _by_week(request: Request, mart: Mart, account: str | None, *, drawn: bool = True) -> tuple[Table, Table]:
    rows = mart.rows("weeks", account=account, today=request.app.state.sources.clock().date())
    said = _said(rows, [("posts", "posts"), ("comments", "comments")])
    changed = _said(rows, [("edits", "edits"), ("deletions", "deletions")])
    if not drawn:
        return Table(WEEKS, rows), Table(CHANGES, rows)
    return (
        Table(WEEKS, rows, _chart(rows, "Posts and comments by week", said, "Posts", "Comments"), said),
        Table(CHANGES, rows, _chart(rows, "Edits and deletions by week", changed, "Edits", "Deletions"), changed),
    )


def _chart(rows: list[Row], title: str, sentence: str, *labels: str) -> str:
    return bars_by_week(rows, title=title, sentence=sentence, series=[(label.lower(), label) for label in labels])


def _said(rows: list[Row], series: list[tuple[str, str]]) -> str:
    """The chart in a sentence: totals, and the week with the most."""
    totals = " and ".join(f"{sum(row[name] for row in rows):,} {label}" for name, label in series)
    most = max(rows, key=lambda row: sum(row[name] for name, _ in series))
    peak = sum(most[name] for name, _ in series)
    if not peak:
        return f"{totals} in the last {len(rows)} weeks."
    return f"{totals} in the last {len(rows)} weeks; most in the week of {most['week']:%B} {most['week'].day}: {peak:,}."


def _cards(accounts: list[Row]) -> list[dict[str, object]]:
    totals = [(name, sum(row[name] for row in accounts)) for name in ("posts", "comments", "edits", "gone", "hidden")]
    labels = {"posts": "posts", "comments": "comments", "edits": "edits seen", "gone": "deleted or gone", "hidden": "hidden now"}
    return [{"number": len(accounts), "label": "accounts"}, *({"number": n, "label": labels[name]} for name, n in totals)]


def _alarm(row: Row) -> dict[str, str]:
    return {"account": row["title"], "what": f"the last look did not complete. {row['last_error']}"}


def _one_of(wanted: str, **tables: Table) -> Table:
    if wanted not in tables:
        what = "There is no such table."
        raise Problem(what, "Use the links below the charts.", status=404)
    return tables[wanted]


def _csv(name: str, table: Table) -> Response:
    """RFC 4180, with texts that a spreadsheet program would run as formulas disarmed by an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.label for column in table.columns])
    writer.writerows([_cell(row[column.name]) for column in table.columns] for row in table.rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
