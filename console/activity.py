"""Activity: what each account said, what changed, how fresh its captures are. Each table can be had as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response  # noqa: TC002 - FastAPI reads the annotations of routes

from console import alarms
from console.charts import bars_by_week
from console.login import current_user
from console.mart import Mart
from console.pages import Problem, page
from console.security import READING
from console.tables import Column, Kind, Table, csv_answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from markupsafe import Markup

    from console.tables import Row

router = APIRouter(dependencies=[Depends(current_user)])

WEEK = Column("week", "Week of", Kind.DAY)
WEEKS = (WEEK, Column("posts", "Posts", Kind.NUMBER), Column("comments", "Comments", Kind.NUMBER))
CHANGES = (
    WEEK,
    Column("edits", "Edits", Kind.NUMBER),
    Column("deletions", "Deletions", Kind.NUMBER),
    Column("hidden", "Hidden", Kind.NUMBER),
)
ACCOUNTS = (
    Column("title", "Account", link="/accounts/{}", key="name"),
    Column("capture", "Capture", Kind.STATE),
    Column("complete_as_of", "Complete as of (UTC)", Kind.MOMENT),
    Column("platform", "Platform"),
    Column("belongs_to", "Belongs to"),
    Column("posts", "Posts", Kind.NUMBER),
    Column("comments", "Comments", Kind.NUMBER),
    Column("edits", "Edits", Kind.NUMBER),
    Column("gone", "Deleted or gone", Kind.NUMBER),
    Column("hidden", "Hidden", Kind.NUMBER),
    Column("last_error_at", "Last error (UTC)", Kind.MOMENT),
    Column("last_error", "What it was"),
)
FRESHNESS = (
    Column("resource", "Resource", Kind.CODE),
    Column("looks", "Looks", Kind.NUMBER),
    Column("last_complete_at", "Last complete look (UTC)", Kind.MOMENT),
    Column("last_tried_at", "Last tried (UTC)", Kind.MOMENT),
    Column("last_outcome", "Outcome", Kind.CODE),
    Column("gap_since", "Not covered since (UTC)", Kind.MOMENT),
    Column("last_error_at", "Last error (UTC)", Kind.MOMENT),
    Column("last_error", "What it was"),
)
COUNTS = (
    ("posts", "posts"),
    ("comments", "comments"),
    ("edits", "edits caught"),
    ("gone", "deleted or gone"),
    ("hidden", "comments hidden now"),
)
WORDS = {
    "posts": ("post", "posts"),
    "comments": ("comment", "comments"),
    "edits": ("edit", "edits"),
    "deletions": ("deletion", "deletions"),
    "hidden": ("hidden comment", "hidden comments"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """A number to see first."""

    number: str
    label: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, what it says in a sentence, and its numbers."""

    table: Table
    sentence: str
    chart: Markup


@router.api_route("/", methods=READING)
def overview(request: Request) -> Response:
    """All accounts together."""
    with _mart(request) as mart:
        built_at = _built_at(mart)
        accounts = _accounts(request, mart)
        tables = _by_week(mart, built_at, base="/activity")
    now = request.app.state.sources.clock()
    old = alarms.of_mart(built_at, now, request.app.state.sources.late_after)
    return page(
        request,
        "activity.html",
        alarms=old + alarms.of_accounts(accounts, now),
        cards=[_up_to_date(accounts), *_cards(accounts)],
        figures=[_figure(table) for table in tables],
        accounts=Table("accounts", "Accounts", ACCOUNTS, accounts, "/activity/accounts.csv"),
        built_at=built_at,
    )


@router.api_route("/accounts/{name}", methods=READING)
def one_account(request: Request, name: str) -> Response:
    """One account."""
    with _mart(request) as mart:
        built_at = _built_at(mart)
        account = _account(request, mart, name)
        tables = _by_week(mart, built_at, base=_address(name), account=name)
        looks = _freshness(mart, name)
    return page(
        request,
        "account.html",
        account=account,
        alarms=alarms.of_accounts([account], request.app.state.sources.clock()),
        cards=[_state(account), *_cards([account])],
        figures=[_figure(table) for table in tables],
        looks=looks,
        built_at=built_at,
    )


@router.api_route("/activity/{table}.csv", methods=READING)
def overview_csv(request: Request, table: str) -> Response:
    """A table of the overview as CSV."""
    with _mart(request) as mart:
        accounts = Table("accounts", "Accounts", ACCOUNTS, _accounts(request, mart))
        return _csv(table, "activity", [accounts, *_by_week(mart, _built_at(mart), base="")])


@router.api_route("/accounts/{name}/{table}.csv", methods=READING)
def account_csv(request: Request, name: str, table: str) -> Response:
    """A table of an account's page as CSV."""
    with _mart(request) as mart:
        _account(request, mart, name)
        return _csv(table, name, [_freshness(mart, name), *_by_week(mart, _built_at(mart), base="", account=name)])


def _mart(request: Request) -> Mart:
    return Mart(request.app.state.sources.mart)


def _built_at(mart: Mart) -> datetime:
    built_at: datetime = mart.rows("built")[0]["built_at"]
    return built_at


def _accounts(request: Request, mart: Mart, name: str | None = None) -> list[Row]:
    sources = request.app.state.sources
    return mart.rows("accounts", account=name, late_before=sources.clock() - sources.late_after)


def _account(request: Request, mart: Mart, name: str) -> Row:
    found = _accounts(request, mart, name)
    if not found:
        what = "There is no account of that name."
        raise Problem(what, "The overview lists all accounts.", status=404)
    return found[0]


def _by_week(mart: Mart, last: datetime, *, base: str, account: str | None = None) -> tuple[Table, Table]:
    rows = mart.rows("weeks", account=account, last=last.date())
    return (
        Table("weeks", "Posts and comments by week", WEEKS, rows, f"{base}/weeks.csv"),
        Table("changes", "Edits, deletions and hidden comments by week", CHANGES, rows, f"{base}/changes.csv"),
    )


def _freshness(mart: Mart, account: str) -> Table:
    rows = mart.rows("freshness", account=account)
    return Table("freshness", "Capture freshness", FRESHNESS, rows, f"{_address(account)}/freshness.csv")


def _address(account: str) -> str:
    return f"/accounts/{quote(account, safe='')}"


def _figure(table: Table) -> Figure:
    series = [(column.name, column.label) for column in table.columns if column.numeric]
    sentence = _said(table.rows, [name for name, _ in series])
    chart = bars_by_week(table.rows, name=table.name, title=table.title, sentence=sentence, series=series)
    return Figure(table, sentence, chart)


def _said(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The chart in a sentence: totals, and the week with the most."""
    counted = [_counted(sum(row[name] for row in rows), name) for name in names]
    totals = f"{', '.join(counted[:-1])} and {counted[-1]} in {len(rows)} weeks"
    most = max(rows, key=lambda row: sum(row[name] for name in names))
    peak = sum(most[name] for name in names)
    week = most["week"]
    return f"{totals}, most in the week of {week:%b} {week.day}, {week.year}: {peak:,}." if peak else f"{totals}."


def _counted(number: int, name: str) -> str:
    return f"{number:,} {WORDS[name][number != 1]}"


def _up_to_date(accounts: Sequence[Row]) -> Card:
    captured = sum(row["capture"] != "not captured" for row in accounts)
    well = sum(row["capture"] == "up to date" for row in accounts)
    return Card(f"{well:,} of {captured:,}", "accounts up to date", bad=well < captured)


def _state(account: Row) -> Card:
    capture = str(account["capture"])
    return Card(capture.capitalize(), "capture", bad=capture not in ("up to date", "not captured"))


def _cards(accounts: Sequence[Row]) -> list[Card]:
    return [Card(f"{sum(row[name] for row in accounts):,}", label) for name, label in COUNTS]


def _csv(wanted: str, prefix: str, tables: Sequence[Table]) -> Response:
    for table in tables:
        if table.name == wanted:
            return csv_answer(table, f"{prefix}-{wanted}")
    what = "There is no such table."
    raise Problem(what, "Use the links below the charts.", status=404)
