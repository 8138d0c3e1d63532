"""``onrecord evidence``: the evidence as files."""

from __future__ import annotations

from pathlib import Path

import click


@click.group(epilog="\b\nExample:\n  onrecord evidence export --out ./warc")
def command() -> None:
    """The evidence: WARC files, exactly as locked in the bucket."""


@command.command(
    "export",
    epilog="""\b
Examples:
  onrecord evidence export --out ./warc
  onrecord evidence export --out ./warc --account city-hall
  warcio check ./warc/evidence/*/*/*/*/*.warc.gz""",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
@click.option("--account", help="Only this account's evidence.")
@click.option("--capture", "capture_id", help="Only this capture's evidence.")
def export(out: Path, account: str | None, capture_id: str | None) -> None:
    """Copy evidence objects to files, checking each against the hash it was written with.

    Interrupted, the same command goes on: files already there and whole are kept.
    """
    from rich.progress import Progress

    from cli.options import actor, screen
    from compliance import accounts, audit_log
    from pipeline.workspace import Workspace
    from warehouse import evidence, inventory

    workspace = Workspace()
    account_id = accounts.get(workspace.engine, account).account_id if account else None
    objects = list(inventory.objects(workspace.engine, capture_id=capture_id, account_id=account_id))
    detail = {"objects": len(objects), "account": account, "capture": capture_id}
    audit_log.append(
        workspace.engine,
        actor=actor(),
        action="evidence.export",
        subject="evidence",
        detail=detail,
        now=workspace.clock(),
    )
    with workspace.storage() as storage, Progress(console=screen(err=True), transient=True) as bar:
        task = bar.add_task("Exporting", total=len(objects))
        written = evidence.export(
            storage.evidence,
            (one.key for one in objects),
            out,
            sha256={one.key: one.sha256 for one in objects},
            progress=lambda _key, _size: bar.advance(task),
        )
    click.echo(f"{len(written)} WARC files in {out}")
