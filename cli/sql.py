"""``onrecord sql``: one question to the mart, read-only."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from subprocess import Popen

    from settings import Settings


@click.command(
    epilog="""\b
Examples:
  onrecord sql "SELECT platform, count(*) FROM records GROUP BY ALL"
  onrecord sql "SELECT * FROM deletions" --format csv --file deletions.csv
  onrecord sql --query-file request.sql --param account=city-hall
`onrecord views` lists what can be asked."""
)
@click.argument("query", required=False)
@click.option(
    "--query-file", type=click.Path(path_type=Path), help="Read the question from a file (- for standard input)."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
@click.option(
    "--file", "output", type=click.Path(path_type=Path), help="Write the answer to a file instead of the screen."
)
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Bound to $NAME in the question; may be repeated."
)
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), default=60, show_default=True, help="Stop the question after so long."
)
@click.option(
    "--rows", type=click.IntRange(min=1), default=10_000_000, show_default=True, help="Most rows the answer may have."
)
@click.option(
    "--memory", type=click.IntRange(min=64), default=1024, show_default=True, help="MiB the question may use."
)
@click.option("--guard", is_flag=True, help="CSV: keep spreadsheet programs from running texts as formulas.")
@click.pass_obj
def command(
    child: Popen[bytes] | None,
    *,
    query: str | None,
    query_file: Path | None,
    form: str,
    output: Path | None,
    params: tuple[str, ...],
    seconds: float,
    rows: int,
    memory: int,
    guard: bool,
) -> None:
    """Ask the mart one question in SQL (DuckDB's dialect).

    The question runs in a process of its own that can read the mart and nothing else: no file, no network, one SELECT, with
    limits on time and memory. Every question goes to the audit log.
    """
    import settings
    from warehouse import query as asking

    chosen = settings.load()
    text = _text(query, query_file)
    bound = _bound(params)
    limits = asking.Limits(seconds=seconds, rows=rows, memory_mebibytes=memory)
    _log(chosen, text, bound)
    running = asking.start(chosen.mart, text, params=bound, limits=limits, child=child)
    try:
        from warehouse import formats  # what is imported here is imported while the child works

        answer = running.answer()
    except BaseException:
        running.stop()
        raise
    if output:
        formats.write_file(answer, form, output, guard=guard)  # type: ignore[arg-type]
        click.echo(f"{answer.rows:,} rows written to {output}", err=True)
        return
    if form == "parquet" and sys.stdout.isatty():
        answer.close()
        msg = "Parquet is not for the screen: give --file FILE, or send it to a file"
        raise click.UsageError(msg)
    width = shutil.get_terminal_size((int(os.environ.get("COLUMNS", "0")) or 160, 40)).columns
    formats.write(answer, form, sys.stdout.buffer, guard=guard, columns=width)  # type: ignore[arg-type]


def _text(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        msg = "give the question as an argument or with --query-file, one of the two"
        raise click.UsageError(msg)
    if query is not None:
        return query
    assert file is not None  # noqa: S101 - one of the two is given
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as problem:
        msg = f"{file} cannot be read: {problem}"
        raise click.UsageError(msg) from None


def _bound(params: tuple[str, ...]) -> dict[str, str | int | float | bool | None]:
    bound: dict[str, str | int | float | bool | None] = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or not name.isidentifier():
            msg = f"--param {param!r}: write it as NAME=VALUE"
            raise click.UsageError(msg)
        bound[name] = value
    return bound


def _log(chosen: Settings, text: str, bound: dict[str, str | int | float | bool | None]) -> None:
    from datetime import UTC, datetime

    from cli.options import actor
    from compliance import audit_log

    detail = {"sql": text, "params": bound}
    audit_log.append(chosen.database, actor(), "sql", "mart", detail, now=datetime.now(UTC))
