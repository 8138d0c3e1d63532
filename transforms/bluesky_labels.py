"""What moderation services say about posts and accounts on Bluesky: labels, their take-downs among them.

A label in force is an action: whose it is, on what, since when. Labelers tell the last word on each label, a negated one included, but of
that a look at everything makes nothing: only the answer to "is this label still in force?" says that it is not. What authors say about
their own posts is content. Values are whatever a service wrote; what is no short printable word is left out.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from transforms.listing import listed
from transforms.quarantine import DECODING
from transforms.rows import Action, Mark
from transforms.sheets import Item, Outcome, Sheets, sha256
from transforms.text import digest, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from transforms.page import ArchivedPage

TAKE_DOWNS = frozenset({"!takedown", "!suspend"})
"""Values with which the AppView stops to show what they are on."""
BASIS = "labeler:queryLabels"

_DID = r"did:[a-z]+:[A-Za-z0-9._:%-]{1,2000}"
_LABELER = re.compile(_DID)
_VALUE = re.compile(r"[!-.0-~]{1,128}")
_SUBJECT = re.compile(rf"(?:at://)?({_DID})(?:/[A-Za-z0-9.-]{{3,317}}/[A-Za-z0-9._~:-]{{1,512}})?")
_NO_LABELS = (b"", b"[]")


class Label(msgspec.Struct, gc=False):
    """``com.atproto.label.defs#label``; which version of a record it was given for makes no difference to the AppView."""

    src: str
    uri: str
    val: str
    neg: bool | None = None
    cts: str | None = None
    exp: str | None = None

    @property
    def native_id(self) -> str:
        """``label/``, the labeler, the value, and what it is on."""
        return f"label/{self.src}/{self.val}/{self.uri}"

    def over(self, at: datetime) -> str | None:
        """Why it is no longer in force; ``None`` where it is."""
        if self.neg:
            return f"negated {_written(self.cts)}".rstrip()
        ends = moment(self.exp)
        return f"expired {_written(self.exp)}" if ends and ends <= at.replace(tzinfo=None) else None

    def unfit(self) -> str | None:
        """Why it is no action; ``None`` where it is one."""
        subject = _SUBJECT.fullmatch(self.uri)
        if subject is None or not _VALUE.fullmatch(self.val) or not _LABELER.fullmatch(self.src):
            return "strange_label"
        return "self_label" if subject[1] == self.src else None


_label = msgspec.json.Decoder(Label).decode
_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode


def show_with_post(sheets: Sheets, labels: msgspec.Raw, uri: str, *, at: datetime, basis: str) -> None:
    """The labels beside a post as the AppView shows it."""
    if bytes(labels) in _NO_LABELS:
        return
    try:
        items = _raw(labels)
    except DECODING:
        items = [labels]
    for item in items:
        try:
            found = _label(item)
        except DECODING:
            sheets.leave_out("strange_label")
            continue
        why = found.unfit() if found.uri == uri else "strange_label"
        why = why or ("label_over" if found.over(at) else None)
        if why:
            sheets.leave_out(why)
        else:
            _show(sheets, found, payload=sha256(item), basis=basis)


def labels(page: ArchivedPage, sheets: Sheets) -> None:
    """``queryLabels``: what is in force."""
    sources, patterns = _asked(page)

    def read(item: Item) -> Outcome:
        found = _label(item)
        why = _unfit(found, sources, patterns) or ("label_over" if found.over(page.fetched_at) else None)
        if why is None:
            _show(sheets, found, payload=sha256(item), basis=BASIS)
        return why

    sheets.each(listed(page.content, "labels"), read)


def confirm_labels(page: ArchivedPage, sheets: Sheets) -> None:
    """``queryLabels`` about known labels: in force still, or undone."""
    sources, patterns = _asked(page)
    asked = set(page.subject.split())
    items = listed(page.content, "labels")
    in_force: set[str] = set()
    undone: dict[str, tuple[str, str]] = {}

    def read(item: Item) -> Outcome:
        found = _label(item)
        why = _unfit(found, sources, patterns) or (None if found.native_id in asked else "label_not_asked_for")
        if why:
            return why
        over = found.over(page.fetched_at)
        if over:
            undone[found.native_id] = over, sha256(item)
            return "label_over"
        in_force.add(found.native_id)
        _show(sheets, found, payload=sha256(item), basis=BASIS)
        return None

    before = sheets.quarantined
    sheets.each(items, read)
    limit = parse_qs(urlsplit(page.url).query).get("limit", [""])[0]
    if len(items) >= (int(limit) if limit.isdecimal() else 1) or sheets.quarantined > before:
        return  # what was cut off, or cannot be read, may be what was asked for
    for native_id in sorted(asked - in_force):
        over, payload = undone.get(native_id, ("not shown", sha256(page.content)))
        sheets.each([native_id.encode()], partial(_undo, sheets, over=over, payload=payload))


def _undo(sheets: Sheets, item: Item, *, over: str, payload: str) -> None:
    native_id = bytes(item).decode()
    sheets.marks.add(
        Mark(
            record_id=f"bluesky:{native_id}",
            kind="moderation_action",
            state="deleted",
            state_basis=f"{BASIS}: {over}",
            payload_sha256=payload,
        )
    )


def _show(sheets: Sheets, found: Label, *, payload: str, basis: str) -> None:
    action = "takedown" if found.val in TAKE_DOWNS else "label"
    subject = f"bluesky:{found.uri}"
    sheets.moderation_actions.add(
        Action(
            record_id=f"bluesky:{found.native_id}",
            content_sha256=digest(action, subject, found.val),
            payload_sha256=payload,
            action=action,
            state_basis=basis,
            subject_id=subject,
            actor_id=found.src,
            reason=found.val,
            acted_at=moment(found.cts),
        )
    )


def _asked(page: ArchivedPage) -> tuple[Sequence[str], Sequence[str]]:
    query = parse_qs(urlsplit(page.url).query)
    return query.get("sources", []), query.get("uriPatterns", [])


def _unfit(found: Label, sources: Sequence[str], patterns: Iterable[str]) -> str | None:
    """A labeler speaks for itself, and about what it was asked."""
    if found.src not in sources or not any(_fits(found.uri, pattern) for pattern in patterns):
        return "strange_label"
    return found.unfit()


def _fits(uri: str, pattern: str) -> bool:
    return uri.startswith(pattern[:-1]) if pattern.endswith("*") else uri == pattern


def _written(time: str | None) -> str:
    read = moment(time)
    return f"{read.isoformat(timespec='milliseconds')}Z" if read else ""
