"""The columns in which records are handed over: name in the CSV, header in the spreadsheet, width, meaning."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.records import CONTENT


@dataclass(frozen=True, slots=True)
class RecordColumn:
    """One column of ``records.csv`` and ``records.xlsx``."""

    name: str
    header: str
    width: int
    meaning: str
    wrapped: bool = False
    """Whether long text breaks into lines in the spreadsheet."""


def _archived(name: str) -> str:
    """What the archive's own column of that name means."""
    return str(CONTENT.field(name).metadata[b"doc"].decode())


RECORD_COLUMNS = (
    RecordColumn("number", "No.", 6, "Number of the record in this package, in the order of the query."),
    RecordColumn("kind", "Kind", 18, "post, comment, moderation_action or profile."),
    RecordColumn("account_title", "City account", 22, "The City-supported account it belongs to.", wrapped=True),
    RecordColumn("published_at", "Published", 21, "When it was published, as the platform says; for a moderation action, when it was taken."),
    RecordColumn("author_name", "Author", 20, _archived("author_name"), wrapped=True),
    RecordColumn("author_handle", "Author's handle", 22, _archived("author_handle"), wrapped=True),
    RecordColumn("author_is_account", "By the City", 11, _archived("author_is_account")),
    RecordColumn("title", "Title", 24, _archived("title"), wrapped=True),
    RecordColumn("text", "Text", 70, "The text as plain text; for a moderation action, what was done and why; for a profile, its text.", wrapped=True),
    RecordColumn("attachments", "Attached files", 34, _archived("attachments"), wrapped=True),
    RecordColumn("links", "Links", 30, _archived("links"), wrapped=True),
    RecordColumn("state", "State", 12, "What the public could see: present, hidden, deleted, or unavailable (the platform does not say why)."),
    RecordColumn("change", "Last change", 12, "How this version came about: first_seen, edited, hidden, shown, deleted, restored or unavailable."),
    RecordColumn("seen_before", "Change after", 21, "The change happened after this time: the version before was last seen then."),
    RecordColumn("seen_after", "Change before", 21, "The change happened before this time: this version was first seen then."),
    RecordColumn("platform_edited_at", "Edited", 21, _archived("platform_edited_at")),
    RecordColumn("version", "Version", 8, "1 for the first state seen, then counting."),
    RecordColumn("url", "Address", 40, _archived("url")),
    RecordColumn("native_file", "Original data", 34, "File in this package with the record as the platform sent it."),
    RecordColumn("thread_file", "Conversation", 34, "File in this package with the conversation the record belongs to."),
    RecordColumn("record_id", "Record ID", 30, _archived("record_id")),
    RecordColumn("parent_id", "Answers record", 30, _archived("parent_id")),
    RecordColumn("root_id", "Conversation begins with", 30, _archived("root_id")),
    RecordColumn("author_id", "Author's ID", 24, _archived("author_id")),
    RecordColumn("account", "Account name", 18, "Name of the City-supported account in the registry."),
    RecordColumn("platform", "Platform", 11, _archived("platform")),
    RecordColumn("lang", "Language", 10, _archived("lang")),
    RecordColumn("source_visibility", "Platform's word", 16, _archived("source_visibility")),
    RecordColumn("state_basis", "State rests on", 20, _archived("state_basis")),
    RecordColumn("payload_sha256", "SHA-256 of the original", 24, "SHA-256 of the bytes the platform sent: of what shows the content, or of what shows that it is hidden or gone."),
    RecordColumn("evidence_key", "Evidence", 24, _archived("evidence_key")),
    RecordColumn("evidence_offset", "Evidence offset", 14, _archived("evidence_offset")),
)  # fmt: skip
"""In the order of the sheet: what a reader wants first, what proves it last."""


def query_column(name: str) -> RecordColumn:
    """A column the query computed, with no meaning of its own but the query."""
    return RecordColumn(name, name, 20, "Computed by the query; see query.sql.", wrapped=True)
