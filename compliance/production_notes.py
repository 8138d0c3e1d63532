"""What a package says of itself: the letter to the requester, the state of the archive it was made from, what its columns mean."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.thread_text import moment
from warehouse import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from compliance.record_columns import RecordColumn

_README = Path(__file__).with_name("readme.txt")
_KINDS = {
    "post": ("post", "posts"),
    "comment": ("comment", "comments"),
    "moderation_action": ("moderation action", "moderation actions"),
    "profile": ("profile", "profiles"),
}
MANIFEST_MEANINGS = {
    "file": "Path below data/; empty where something asked for is missing.",
    "number": "Number of the record in records.csv; empty for files about the whole package.",
    "record_id": "The record.",
    "version": "The version of the record that the file shows.",
    "role": "content: the record as sent. state: what shows that it is hidden or gone. thread: its conversation. package: about all records.",
    "status": "included or missing.",
    "bytes": "Size of the file.",
    "sha256": "SHA-256 of the file.",
    "payload_sha256": "SHA-256 of the item's bytes, taken when they arrived. Equal to sha256 for native files.",
    "evidence_key": "Object in the City's evidence store that holds the platform's whole answer.",
    "evidence_offset": "Byte offset of that answer in the object.",
    "note": "Why something is missing.",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the notes tell of a package."""

    request: str
    organization: str
    actor: str
    prepared_at: datetime
    as_of: datetime
    zone: tzinfo
    sql: str
    params: Mapping[str, Any]
    software: str
    kinds: Mapping[str, int]
    accounts: Sequence[str]
    first: datetime | None
    last: datetime | None
    missing_natives: int
    unknown: int
    tables: Sequence[Mapping[str, Any]]

    @property
    def records(self) -> int:
        """How many records."""
        return sum(self.kinds.values())


def about(facts: Facts) -> dict[str, str]:
    """The facts as lines for the workbook's last sheet."""
    lines = {
        "Request": facts.request,
        "From": facts.organization,
        "Prepared": moment(facts.prepared_at, facts.zone),
        "Archive as of": moment(facts.as_of, facts.zone),
        "Records": _counted(facts.kinds),
        "Accounts": ", ".join(facts.accounts),
        "Times": f"All times in this workbook are {facts.zone}; in records.csv they are UTC.",
        "Formulas": "Every text in this workbook is plain text. Nothing in it is run.",
        "Software": facts.software,
    }
    return {name: text for name, text in lines.items() if text}


def readme(facts: Facts) -> str:
    """The letter to the requester."""
    return _README.read_text(encoding="utf-8").format(
        organization_or_city=facts.organization or "the City",
        request=facts.request,
        prepared_on=f"{facts.prepared_at.astimezone(facts.zone):%B %-d, %Y}",
        record_count=_counted(facts.kinds),
        account_words=_account_words(facts.accounts),
        span_words=_span_words(facts),
        as_of=moment(facts.as_of, facts.zone),
        zone_words="UTC (Coordinated Universal Time)" if facts.zone == UTC else f"local ({facts.zone})",
        missing_words=_missing_words(facts),
        contact_words=_contact_words(facts),
    )


def snapshot(facts: Facts) -> str:
    """The state of the archive that answered, as JSON."""
    content = {
        "request": facts.request,
        "prepared_at": cells.text(facts.prepared_at),
        "prepared_by": facts.actor,
        "software": facts.software,
        "as_of": cells.text(facts.as_of),
        "sql": facts.sql,
        "parameters": dict(facts.params),
        "records": dict(facts.kinds),
        "not_in_archive": facts.unknown,
        "tables": [{name: _plain(value) for name, value in table.items()} for table in facts.tables],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def write_dictionary(path: Path, columns: Iterable[RecordColumn]) -> None:
    """The data dictionary as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "column", "header_in_spreadsheet", "meaning"])
        writer.writerows(["records.csv", one.name, one.header, one.meaning] for one in columns)
        writer.writerows(["manifest.csv", name, "", meaning] for name, meaning in MANIFEST_MEANINGS.items())


def _counted(kinds: Mapping[str, int]) -> str:
    """``2 posts and 5 comments``."""
    parts = [f"{kinds[kind]:,} {names[kinds[kind] != 1]}" for kind, names in _KINDS.items() if kind in kinds]
    return _joined(parts) or "no records"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _account_words(accounts: Sequence[str]) -> str:
    few = 5
    if not accounts:
        return ""
    if len(accounts) > few:
        return f", from {len(accounts):,} accounts of the City"
    return ", from " + _joined(accounts)


def _span_words(facts: Facts) -> str:
    if facts.first is None or facts.last is None:
        return ""
    first, last = (f"{at.astimezone(facts.zone):%B %-d, %Y}" for at in (facts.first, facts.last))
    return f", published on {first}" if first == last else f", published from {first} to {last}"


def _missing_words(facts: Facts) -> str:
    lines = []
    if facts.missing_natives:
        lines.append(
            f"Original data: {facts.missing_natives:,} of the platform's own items could not be taken from the evidence store.\n"
            'data/manifest.csv lists each as "missing", with the reason. The records themselves are in the sheet.'
        )
    if facts.unknown:
        lines.append(
            f"Records: {facts.unknown:,} named by the query {'is' if facts.unknown == 1 else 'are'} not in the archive;"
            " data/manifest.csv lists which."
        )
    if not lines:
        lines.append("Nothing that the query found is missing from this package.")
    return "\n".join(lines)


def _contact_words(facts: Facts) -> str:
    whom = facts.organization or "the City"
    return f"Please write to {whom} and name the request: {facts.request}."


def _plain(value: object) -> object:
    """The value as JSON holds it; a number beyond 2^53, which many programs round, as text."""
    exact = isinstance(value, int) and abs(value) < 2**53
    return value if value is None or exact else cells.text(value)
