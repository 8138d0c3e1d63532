"""``onrecord demo``: the whole path on the sample city, in about half a minute."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.workspace import Storage, Workspace
    from samplecity.server import City

QUESTION = """\
SELECT account, published_at::DATE AS published, coalesce(author_name, author_handle) AS author, state, text
FROM records
WHERE kind = 'comment' AND state IN ('hidden', 'deleted') AND published_at > current_date - INTERVAL 120 DAY
ORDER BY published_at DESC
LIMIT 8"""
FOUND = """
SELECT
    (SELECT count(DISTINCT record_id) FROM versions WHERE change = 'edited') AS edited,
    (SELECT count(*) FROM records WHERE state = 'deleted') AS deleted,
    (SELECT count(*) FROM records WHERE state = 'unavailable') AS unavailable,
    (SELECT count(*) FROM versions WHERE change = 'hidden' AND version > 1 AND seen_after > $since) AS hidden,
    (SELECT count(*) FROM versions WHERE change = 'shown') AS shown,
    (SELECT count(*) FROM versions WHERE change = 'first_seen' AND seen_after > $since) AS new,
    (SELECT count(*) FROM current_posts WHERE state IN ('present', 'hidden')) AS posts,
    (SELECT count(*) FROM current_comments WHERE state IN ('present', 'hidden')) AS comments"""
"""What the archive found, by the script's words."""
HELD = """
SELECT
    accounts.name AS account,
    accounts.platform,
    count(*) FILTER (WHERE kind = 'post' AND state IN ('present', 'hidden')) AS posts,
    count(*) FILTER (WHERE kind = 'comment' AND state IN ('present', 'hidden')) AS comments,
    count(*) FILTER (WHERE records.record_id IN (SELECT record_id FROM edits)) AS edited,
    count(*) FILTER (WHERE state = 'deleted') AS deleted,
    count(*) FILTER (WHERE state = 'hidden') AS hidden
FROM accounts LEFT JOIN records USING (account_id)
WHERE accounts.status IN ('approved', 'active')
GROUP BY ALL ORDER BY account"""
"""What the archive holds of each account."""
LABELS = {
    "edited": "Edits",
    "deleted": "Deletions",
    "unavailable": "Author's account gone",
    "hidden": "Comments hidden",
    "shown": "Comments shown again",
    "new": "New posts and comments",
    "posts": "Posts standing now",
    "comments": "Comments standing now",
}


@click.command(
    epilog="""\b
Examples:
  onrecord demo
  onrecord sql "SELECT * FROM deletions"      afterwards: every command works on what the demo captured"""
)
def command() -> None:
    """Capture the sample city of Harbor Falls twice, with its life moving in between, and show what was found.

    It uses var/ only while that holds nothing else than an earlier demo, which it replaces.
    """
    from cli.options import screen
    from cli.sample import reaching
    from pipeline.workspace import Workspace
    from samplecity.server import City

    out, err = screen(), screen(err=True)
    _clear(Workspace())
    with City.start() as city, reaching(city):
        workspace = Workspace()
        with workspace.storage() as storage:
            since = _two_looks(workspace, storage, city, out, err)
        _show_holdings(workspace, out)
        _show_changes(workspace, city, since, out)
        _show_retention(workspace, out)
        _show_answer(workspace, out)
        _show_places(workspace, out)


def _clear(workspace: Workspace) -> None:
    """Make room for a new demo; an archive that is not a demo's is left alone."""
    from cli.sample import MARKER
    from warehouse import seaweed

    home = workspace.home
    if any(home.iterdir()) and not (home / MARKER).exists() and (home / "onrecord.db").exists():
        msg = f"{home} holds an archive that is not the demo's. Choose another place: ONRECORD_HOME=/tmp/demo onrecord demo"
        raise click.ClickException(msg)
    seaweed.stop(home)
    for entry in home.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _two_looks(workspace: Workspace, storage: Storage, city: City, out: Console, err: Console) -> Any:  # noqa: ANN401 - a time
    from cli import capture, mart, normalize
    from cli.sample import leave_marker
    from compliance import accounts

    leave_marker(workspace.home, city)
    accounts.load(workspace.engine, workspace.policy.accounts, now=workspace.clock())
    registered = list(accounts.listing(workspace.engine, capturable_only=True))
    refused = [account.name for account in accounts.listing(workspace.engine) if account not in registered]
    out.rule("First look")
    out.print(f"Not approved, so never looked at: {', '.join(refused)}")
    capture.capture_all(workspace, storage, registered, out, err)
    normalize.run(workspace, storage, out, err)
    since = workspace.clock()
    city.advance()
    leave_marker(workspace.home, city)
    out.rule("The City's life moves on; second look")
    capture.capture_all(workspace, storage, registered, out, err)
    normalize.run(workspace, storage, out, err)
    mart.run(workspace, storage, out, err)
    return since


def _show_holdings(workspace: Workspace, out: Console) -> None:
    out.rule("What the archive holds now")
    _rows(workspace, "Standing posts and comments; edits, deletions and hidden comments caught", HELD, out)


def _show_changes(workspace: Workspace, city: City, since: Any, out: Console) -> None:  # noqa: ANN401 - a time
    from rich.table import Table

    from warehouse import query

    truth = city.truth()["total"]
    script = {word: len(records) for word, records in truth["changes"]["1"].items()}
    script |= {kind: truth[kind]["1"] for kind in ("posts", "comments")}
    with query.ask(workspace.settings.mart, FOUND, params={"since": since.isoformat()}) as answer:
        (found,) = answer.table().to_pylist()
    table = Table(title="What the second look caught", title_justify="left")
    table.add_column("")
    table.add_column("In the script", justify="right")
    table.add_column("Found", justify="right")
    for word, label in LABELS.items():
        table.add_row(label, str(script[word]), str(found[word]))
    out.print(table)
    _rows(
        workspace,
        "Some of them",
        """SELECT change, account, kind, left(text, 50) AS text, strftime(seen_before, '%H:%M:%S') AS after, strftime(seen_after, '%H:%M:%S') AS before
           FROM versions WHERE change <> 'first_seen' AND version > 1
           QUALIFY row_number() OVER (PARTITION BY change ORDER BY seen_after, record_id) <= 2 ORDER BY change""",
        out,
    )


def _show_retention(workspace: Workspace, out: Console) -> None:
    from cli.audit import print_summary
    from pipeline.steps import audited

    with audited(workspace) as audit:
        print_summary(audit, out)


def _show_answer(workspace: Workspace, out: Console) -> None:
    out.rule("A records question: which comments of the last 120 days can the public no longer see?")
    out.print(QUESTION)
    _rows(workspace, "Answer", QUESTION, out)


def _show_places(workspace: Workspace, out: Console) -> None:
    home, chosen = workspace.home, workspace.settings
    out.rule("Where things lie")
    for label, place in (
        (
            "Evidence",
            f"s3://{chosen.s3.evidence_bucket} (locked; data in {home / 'seaweed'}); onrecord evidence export --out DIR",
        ),
        ("Tables", f"s3://{chosen.s3.tables_bucket} (Iceberg; catalog in {home / 'onrecord.db'})"),
        ("Mart", f"{chosen.mart}; onrecord views, onrecord sql"),
        ("Dashboard", "make up, or: onrecord console serve"),
        ("Next", 'onrecord respond --request City-2026-001 --sql "SELECT record_id FROM deletions" --out answer'),
    ):
        out.print(f"{label:<10} {place}", soft_wrap=True)


def _rows(workspace: Workspace, title: str, sql: str, out: Console) -> None:
    import io

    from warehouse import formats, query

    text = io.BytesIO()
    formats.write(query.ask(workspace.settings.mart, sql), "table", text, columns=out.width)
    out.print(f"[bold]{title}[/]")
    out.print(text.getvalue().decode(), markup=False, soft_wrap=True, end="")
