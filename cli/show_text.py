"""One record on the screen. What people wrote is shown, never obeyed: control and direction signs appear as their codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from compliance import certainty
from compliance.certainty import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from compliance.dossier import Dossier, Row
    from transforms.difference import Difference, Piece

CONTEXT = 20
"""Records of the thread shown before and after this one, besides the one that begins it."""
CAPTURES = 3
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NAMES = {
    "source_visibility": "platform's word",
    "lang": "language",
    "parent_id": "answers",
    "attachments": "files",
}
_STYLES = {"same": "", "gone": "red", "new": "green"}
_MARKS = {"same": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}
_CERTAIN = {"inside_interval": " (or changed by then)", "inferred": " (presumably)", "edited_since": " (edited since)"}


def write(found: Dossier, looks: Sequence[Row] | None, out: Console, *, all_looks: bool) -> None:
    """Print everything, in the order in which one asks."""
    for line in _lines(found, looks, all_looks=all_looks):
        out.print(line, soft_wrap=True)
    _write_thread(found, out)


def write_native(sent: Sequence[tuple[int, str]], out: Console) -> None:
    """Print each version as the platform sent it."""
    for version, body in sent:
        out.print(_head(f"\nAs sent, version {version}"))
        out.print(_plain(body), soft_wrap=True)


def _lines(found: Dossier, looks: Sequence[Row] | None, *, all_looks: bool) -> Iterator[Text]:
    yield from _heading(found)
    if found.moment is not None:
        yield from _then(found, looks)
    else:
        for version in found.versions:
            yield from _version(found, version, looks)
    yield from _section("Counted", [f"{one['name']} {one['value']:,}, {told(one['seen_at'])}" for one in found.counts])
    yield from _section("Files", [_file(one) for one in found.media])
    yield from _section("Moderation", [_action(one) for one in found.moderation])
    if looks is not None:
        yield from _section("Looks", _looks(looks, all_looks=all_looks))


def _heading(found: Dossier) -> Iterator[Text]:
    last = found.latest
    state = last["state"] if found.moment is None else f"{last['state']} now"
    yield Text.assemble(_head(last["kind"].capitalize()), f" {found.record_id} of {last['account']}: {state}")
    author = last["author_handle"] or last["author_name"] or "an unknown author"
    yield _indented(f"by {author}, published {told(last['published_at'])}")
    if last["url"]:
        yield _indented(last["url"])


def _then(found: Dossier, looks: Sequence[Row] | None) -> Iterator[Text]:
    state = found.held["state"] if found.held else "not there"
    yield _head(f"\nAs of {told(found.moment)}: {state}")
    yield _indented(certainty.sentence(found, looks))
    if found.held is None:
        return
    yield from _content(found.held)
    if found.held["certainty"] == "inside_interval" and found.following is not None:
        yield _head(f"\nOr already, as version {found.following['version']}:")
        yield from map(_difference, found.changed(found.following))
    yield from _evidence(found.held)


def _version(found: Dossier, version: Row, looks: Sequence[Row] | None) -> Iterator[Text]:
    between = f"between {told(version['seen_before'])} and {told(version['seen_after'])}"
    when = between if version["seen_before"] else told(version["seen_after"])
    change = version["change"].replace("_", " ")
    yield Text.assemble(_head(f"\nVersion {version['version']}"), f": {change} {when}")
    if version["state_basis"]:
        yield _indented(f"State {version['state']}: {version['state_basis']}")
    if version["cause"]:
        yield _indented(f"Cause: {version['cause'].replace('_', ' ')}")
    if version["version"] == found.versions[0]["version"]:
        yield from _content(version)
    else:
        yield from map(_difference, found.changed(version))
    if looks:
        yield _indented(f"Seen {_times(certainty.of_version(looks, version))}")
    yield from _evidence(version)


def _content(version: Row) -> Iterator[Text]:
    for text in (version["title"], version["text"]):
        if text:
            yield _indented(text)
    for name in ("links", "attachments"):
        for one in version[name] or ():
            yield _indented(f"{name.removesuffix('s')}: {one if isinstance(one, str) else _file(one)}")


def _difference(change: Difference) -> Text:
    pieces = list(change.pieces)
    shown = Text().append(f"{_NAMES.get(change.field, change.field)}: ", style="bold")
    apart = change.field not in ("title", "text") and not change.field.startswith("alt of ")
    for place, piece in enumerate(pieces):
        shown.append(" " if apart and place else "")
        shown.append_text(_piece(piece))
    return _shifted(shown)


def _piece(piece: Piece) -> Text:
    begin, end = _MARKS[piece.kind]
    text = visible(piece.text)
    if piece.kind != "same" and piece.text.isspace():
        text = text.replace("\n", "⏎\n").replace("\t", "⇥").replace(" ", "·")
    return Text(f"{begin}{text}{end}", style=_STYLES[piece.kind])


def _evidence(version: Row) -> Iterator[Text]:
    for line in (
        f"evidence {version['evidence_key']} at byte {version['evidence_offset']}, capture {version['capture_id']}",
        f"SHA-256 of the bytes sent {version['payload_sha256']}",
    ):
        shown = _indented(line)
        shown.stylize("dim")
        yield shown


def _section(name: str, lines: Sequence[str]) -> Iterator[Text]:
    if lines:
        yield _head(f"\n{name}")
        yield from map(_indented, lines)


def _file(one: Row) -> str:
    parts = (one["kind"] or "file", one["media_id"], one["alt"] and f"“{one['alt']}”", one["url"])
    return " ".join(part for part in parts if part)


def _action(one: Row) -> str:
    between = f"after {told(one['seen_before'])} and before " if one["seen_before"] else "first seen "
    over = "" if one["in_force"] else ", undone"
    reason = f" ({one['reason']})" if one["reason"] else ""
    dated = f"dated {told(one['acted_at'])}, " if one["acted_at"] else ""
    return f"{one['action']} of the {one['concerns']} by {one['acted_by']}{over}{reason}: {dated}{between}{told(one['seen_after'])}"


def _looks(looks: Sequence[Row], *, all_looks: bool) -> list[str]:
    lines = [f"Seen {_times(looks)}"]
    if all_looks:
        lines += [
            f"{told(one['seen_at'])} {one['state']}, capture {one['capture_id']}, {one['evidence_key']} at byte {one['evidence_offset']}"
            for one in looks
        ]
    return lines


def _times(looks: Sequence[Row]) -> str:
    found = certainty.summary(looks)
    if not looks:
        return "0 times: it is known from what the platform told afterwards, or from a list"
    captures = found["captures"]
    more = f" and {len(captures) - CAPTURES:,} more" if len(captures) > CAPTURES else ""
    times = "once" if found["times"] == 1 else f"{found['times']:,} times"
    span = (
        f" {told(found['first'])}" if found["times"] == 1 else f" from {told(found['first'])} to {told(found['last'])}"
    )
    return (
        f"{times},{span}, by captures {', '.join(captures[:CAPTURES])}{more}"
        if len(captures) > 1
        else f"{times},{span}, by capture {captures[0]}"
    )


def _write_thread(found: Dossier, out: Console) -> None:
    if not found.thread:
        return
    out.print(_head(f"\nThread ({len(found.thread)} records)"))
    place = next((place for place, one in enumerate(found.thread) if one["record_id"] == found.record_id), 0)
    begin, end = max(1, place - CONTEXT), place + CONTEXT + 1
    shown = [*found.thread[:1], *found.thread[begin:end]]
    for number, one in enumerate(shown):
        if number == 1 and begin > 1:
            out.print(f"    … {begin - 1:,} more")
        mark = ">" if one["record_id"] == found.record_id else " "
        state = "" if one["state"] == "present" else f" [{one['state']}]"
        text = " ".join(visible(one["text"] or "").split())
        author = one["author_handle"] or one["author_name"] or "unknown"
        line = f"{mark} {'  ' * one['depth']}{visible(author)}{state}{_CERTAIN.get(one['certainty'], '')}: {text}"
        out.print(line, markup=False, no_wrap=True, overflow="ellipsis", crop=True)
    if end < len(found.thread):
        out.print(f"    … {len(found.thread) - end:,} more")


def visible(text: str) -> str:
    """The text with what would steer a terminal or turn its direction shown as a code."""
    return _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _head(text: str) -> Text:
    return Text(text, style="bold")


def _plain(text: str) -> Text:
    return Text(visible(text))


def _indented(text: str) -> Text:
    return _shifted(_plain(text))


def _shifted(text: Text) -> Text:
    """Every line two columns in."""
    return Text("\n").join(Text("  ") + line for line in text.split("\n", allow_blank=True))
