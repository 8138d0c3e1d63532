"""``onrecord show``: one record, all of it, now or as it was at a moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compliance.dossier import Dossier, Row
    from pipeline.workspace import Workspace


@click.command(
    epilog="""\b
Examples:
  onrecord show mastodon:social.example.gov/109412345678901234
  onrecord show mastodon:social.example.gov/109412345678901234 --as-of 2026-06-30T17:00
  onrecord show "$(onrecord sql 'SELECT record_id FROM edits LIMIT 1' --format csv | tail -1 | tr -d '\\r')" --native"""
)
@click.argument("record_id")
@click.option(
    "--as-of",
    "moment",
    metavar="TIME",
    help="Show what the public could see then (ISO 8601; UTC where no zone is given).",
)
@click.option(
    "--sightings", "all_looks", is_flag=True, help="List every look at the record, not only how many there were."
)
@click.option(
    "--native", is_flag=True, help="Also print the platform's own JSON of each version, read back from evidence."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(record_id: str, *, moment: str | None, all_looks: bool, native: bool, form: str) -> None:
    """Show one record: every version and what changed in it word by word, its thread, moderation, files, looks and evidence.

    In what changed, [-these words-] went and {+these words+} came.
    """
    from cli.options import actor
    from compliance import audit_log, dossier
    from pipeline.workspace import Workspace

    workspace = Workspace()
    then = None if moment is None else _moment(moment, workspace.clock())
    found = dossier.read(workspace.settings.mart, record_id, then)
    detail = {"native": native, "as_of": then.isoformat() if then else None}
    audit_log.append(workspace.engine, actor(), "show", record_id, detail, now=workspace.clock())
    looks, sent = _from_storage(workspace, found, native=native)
    if form == "json":
        click.echo(_json(found, looks, sent, all_looks=all_looks))
        return
    from cli import show_text
    from cli.options import screen

    show_text.write(found, looks, screen(), all_looks=all_looks)
    show_text.write_native(sent, screen())


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        msg = f"{text!r} is not a time: write it like 2026-06-30, 2026-06-30T17:00 or 2026-06-30T17:00-05:00"
        raise click.BadParameter(msg, param_hint="--as-of") from None
    if moment > now:
        msg = f"{moment:%Y-%m-%d %H:%M:%S} UTC is yet to come: nobody has seen it"
        raise click.BadParameter(msg, param_hint="--as-of")
    return moment


def _from_storage(
    workspace: Workspace, found: Dossier, *, native: bool
) -> tuple[list[Row] | None, list[tuple[int, str]]]:
    """All looks at the record, and each version as sent where that is wanted. No looks where the store cannot be reached."""
    from warehouse import sightings
    from warehouse.faults import WarehouseError

    try:
        with workspace.storage() as storage:
            looks = sightings.of_record(storage.archive, found.record_id)
            return looks, [_sent(storage.evidence, one) for one in found.versions] if native else []
    except WarehouseError as problem:
        if native:
            raise
        click.echo(f"The looks at it are left out: {problem}", err=True)
        return None, []


def _sent(bucket: Any, version: Row) -> tuple[int, str]:  # noqa: ANN401 - a bucket, imported late
    """Number of the version, and the platform's own words for it."""
    from compliance import native
    from warehouse import evidence

    page = evidence.payload_at(bucket, version["evidence_key"], version["evidence_offset"])
    payload = version["payload_sha256"]
    content = native.find(page.content, [payload]).get(payload, page.content)
    try:
        return version["version"], json.dumps(json.loads(content), ensure_ascii=False, indent=2)
    except ValueError:
        return version["version"], content.decode(errors="replace")


def _json(found: Dossier, looks: Sequence[Row] | None, sent: Sequence[tuple[int, str]], *, all_looks: bool) -> str:
    from dataclasses import asdict

    from compliance import certainty

    told: dict[str, Any] = {
        "record_id": found.record_id,
        "as_of": found.moment,
        "certainty": found.held and found.held.get("certainty"),
        "rests_on": certainty.sentence(found, looks) if found.moment else None,
        "record": found.held,
        "versions": [
            {**one, "differences": [asdict(change) for change in found.changed(one)]} for one in found.versions
        ],
        "thread": found.thread,
        "moderation": found.moderation,
        "media": found.media,
        "counts": found.counts,
        "looks": certainty.summary(looks) if looks is not None else None,
    }
    if all_looks:
        told["sightings"] = looks
    if sent:
        told["as_sent"] = dict(sent)
    return json.dumps(told, ensure_ascii=False, indent=2, default=lambda moment: moment.isoformat())
