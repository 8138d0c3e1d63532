"""``onrecord respond``: answer a records request with a package to hand over."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  onrecord respond --request City-2026-001 --sql "SELECT record_id FROM deletions" --out City-2026-001
  onrecord respond --request City-2026-002 --file request.sql --out City-2026-002
  bagit.py --validate City-2026-001"""
)
@click.option("--request", required=True, help="The City's number of the request.")
@click.option("--sql", help="The question; its answer must have a column record_id.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Read the question from a file."
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder to make; must not exist or be empty."
)
def command(request: str, sql: str | None, file: Path | None, out: Path) -> None:
    """Write a package (BagIt 1.0) with the records that answer a question.

    It holds the records as CSV and XLSX, each one's native JSON as captured, its thread for context, the data dictionary, the
    query and the snapshot it ran on, and a manifest with hashes.
    """
    from rich.progress import Progress

    from cli.options import actor, screen
    from compliance import audit_log, productions
    from pipeline.workspace import SOFTWARE, Workspace

    if (sql is None) == (file is None):
        msg = "give the question with --sql or with --file, one of the two"
        raise click.UsageError(msg)
    text = sql if sql is not None else file.read_text()  # type: ignore[union-attr]
    workspace = Workspace()
    audit_log.append(
        workspace.engine, actor(), "respond", request, {"sql": text, "out": out.name}, now=workspace.clock()
    )
    with workspace.storage() as storage, Progress(console=screen(err=True), transient=True) as bar:
        task = bar.add_task("Writing the package", total=None)
        made = productions.respond(
            workspace.settings.mart,
            storage.evidence,
            request=request,
            sql=text,
            out=out,
            actor=actor(),
            organization=workspace.settings.console.city,
            software=SOFTWARE,
            clock=workspace.clock,
            progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
        )
    click.echo(f"{made.records:,} records in {out}; check it with: bagit.py --validate {out}")
