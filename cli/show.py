"""``onrecord show``: one record, all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.workspace import Workspace

VERSIONS = """
SELECT version, change, state, state_basis, seen_before, seen_after, author_handle, title, text, url, published_at,
       evidence_key, evidence_offset, payload_sha256, capture_id, kind, root_id, account
FROM versions WHERE record_id = $record ORDER BY version"""
THREAD = """
SELECT record_id, depth, state, author_handle, published_at, text
FROM threads WHERE root_id = (SELECT coalesce(any_value(root_id), $record) FROM records WHERE record_id = $record)
ORDER BY position"""


@click.command(
    epilog="""\b
Examples:
  onrecord show mastodon:social.example.gov/109412345678901234
  onrecord show "$(onrecord sql 'SELECT record_id FROM edits LIMIT 1' --format csv | tail -1 | tr -d '\\r')" --native"""
)
@click.argument("record_id")
@click.option(
    "--native", is_flag=True, help="Also print the platform's own JSON of each version, read back from evidence."
)
def command(record_id: str, *, native: bool) -> None:
    """Show one record: every version with its interval, its thread, and where its evidence lies."""
    from cli.options import actor, screen
    from compliance import audit_log
    from pipeline.workspace import Workspace

    workspace, out = Workspace(), screen()
    versions = _ask(workspace, VERSIONS, record_id)
    audit_log.append(workspace.engine, actor(), "show", record_id, {"native": native}, now=workspace.clock())
    if not versions:
        msg = f"no record {record_id!r} in the mart. Record ids look like mastodon:host/123; onrecord sql finds them"
        raise click.ClickException(msg)
    last = versions[-1]
    out.print(f"[bold]{last['kind'].capitalize()}[/] {record_id} of {last['account']}: {last['state']}", soft_wrap=True)
    out.print(f"  by {last['author_handle']}, published {_time(last['published_at'])}", soft_wrap=True)
    if last["url"]:
        out.print(f"  {last['url']}", soft_wrap=True)
    for one in versions:
        _print_version(one, out)
    _print_thread(_ask(workspace, THREAD, record_id), record_id, out)
    if native:
        _print_native(workspace, versions, out)


def _ask(workspace: Workspace, sql: str, record_id: str) -> list[dict[str, Any]]:
    from warehouse import query

    rows: list[dict[str, Any]] = (
        query.ask(workspace.settings.mart, sql, params={"record": record_id}).table().to_pylist()
    )
    return rows


def _print_version(one: dict[str, Any], out: Console) -> None:
    between = f"between {_time(one['seen_before'])} and {_time(one['seen_after'])}"
    when = between if one["seen_before"] else f"first seen {_time(one['seen_after'])}"
    out.print(f"\n[bold]Version {one['version']}[/]: {one['change'].replace('_', ' ')}, {when}")
    if one["state_basis"]:
        out.print(f"  State {one['state']}: {one['state_basis']}", soft_wrap=True, markup=False)
    for text in (one["title"], one["text"]):
        if text:
            out.print(f"  {text}".replace("\n", "\n  "), soft_wrap=True, markup=False)
    out.print(f"  [dim]evidence {one['evidence_key']} at byte {one['evidence_offset']}[/]", soft_wrap=True)
    out.print(f"  [dim]SHA-256 of the bytes sent {one['payload_sha256']}[/]", soft_wrap=True)


def _print_thread(rows: list[dict[str, Any]], record_id: str, out: Console) -> None:
    if not rows:
        return
    out.print(f"\n[bold]Thread[/] ({len(rows)} records)")
    for row in rows:
        mark = ">" if row["record_id"] == record_id else " "
        state = "" if row["state"] == "present" else f" [{row['state']}]"
        text = " ".join((row["text"] or "").split())
        line = f"{mark} {'  ' * row['depth']}{row['author_handle'] or 'unknown'}{state}: {text}"
        out.print(line, markup=False, no_wrap=True, overflow="ellipsis", crop=True)


def _print_native(workspace: Workspace, versions: list[dict[str, Any]], out: Console) -> None:
    import json

    from compliance import native
    from warehouse import evidence

    with workspace.storage() as storage:
        for one in versions:
            page = evidence.payload_at(storage.evidence, one["evidence_key"], one["evidence_offset"])
            found = native.find(page.content, [one["payload_sha256"]]).get(one["payload_sha256"], page.content)
            out.print(f"\n[bold]As sent[/], version {one['version']}")
            try:
                shown = json.dumps(json.loads(found), ensure_ascii=False, indent=2)
            except ValueError:
                shown = found.decode(errors="replace")
            out.print(shown, markup=False, soft_wrap=True)


def _time(moment: Any) -> str:  # noqa: ANN401 - a time or none
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "an unknown time"
