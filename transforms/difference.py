"""What differs between two versions of a record: texts word by word, lists element by element, all else as before and after."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

from transforms.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TEXTS = ("title", "text")
LISTS = ("links", "mentions", "hashtags")
VALUES = ("state", "source_visibility", "lang", "parent_id")
MOST_WORDS = 4_000
"""Longer texts are compared line by line: the time a comparison takes grows with the square of the words."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that stayed, went or came."""

    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one column."""

    field: str
    pieces: tuple[Piece, ...]
    """In the order of reading, for texts; what went, then what came, for everything else."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between two versions, in columns of :data:`transforms.records.CONTENT`."""
    return tuple(_differences(before, after))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in TEXTS:
        if before[name] != after[name]:
            yield Difference(name, by_words(before[name] or "", after[name] or ""))
    for name in LISTS:
        yield from _listed(name, before[name] or (), after[name] or ())
    yield from _attached(before["attachments"] or (), after["attachments"] or ())
    for name in VALUES:
        if before[name] != after[name]:
            yield Difference(name, _replaced(before[name], after[name]))


def by_words(before: str, after: str) -> tuple[Piece, ...]:
    """Two texts compared. What is not new gives the text before, what is not gone the text after."""
    return _compared(words(before), words(after))


def _compared(old: Sequence[str], new: Sequence[str]) -> tuple[Piece, ...]:
    begin = _alike(old, new)
    end = _alike(old[begin:][::-1], new[begin:][::-1])
    middle_old, middle_new = old[begin : len(old) - end], new[begin : len(new) - end]
    if max(len(middle_old), len(middle_new)) > MOST_WORDS:
        lines_old, lines_new = _lines(middle_old), _lines(middle_new)
        if max(len(lines_old), len(lines_new)) <= MOST_WORDS:
            middle_old, middle_new = lines_old, lines_new
    steps = [("equal", old[:begin], new[:begin]), *_steps(middle_old, middle_new)]
    steps.append(("equal", old[len(old) - end :], new[len(new) - end :]))
    return tuple(_merged(steps))


_Step = tuple[str, "Sequence[str]", "Sequence[str]"]


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterator[_Step]:
    if max(len(old), len(new)) > MOST_WORDS:
        yield "replace", old, new
        return
    matcher = SequenceMatcher(None, old, new)
    for tag, old_begin, old_end, new_begin, new_end in matcher.get_opcodes():
        yield tag, old[old_begin:old_end], new[new_begin:new_end]


def _merged(steps: Sequence[_Step]) -> Iterator[Piece]:
    """Pieces, with what went before what came."""
    same = ""
    for tag, old, new in steps:
        before, after = "".join(old), "".join(new)
        if tag == "equal":
            same += before
            continue
        kept = _begun_alike(old, new)
        same += kept
        if same:
            yield Piece("same", same)
        same = ""
        if len(before) > len(kept):
            yield Piece("gone", before[len(kept) :])
        if len(after) > len(kept):
            yield Piece("new", after[len(kept) :])
    if same:
        yield Piece("same", same)


def _begun_alike(old: Sequence[str], new: Sequence[str]) -> str:
    """The word both begin with where only the space after it differs, as when a text goes on after its last word."""
    if not old or not new:
        return ""
    word = old[0].rstrip()
    return word if word == new[0].rstrip() else ""


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words both begin with."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _lines(parts: Sequence[str]) -> list[str]:
    return "".join(parts).splitlines(keepends=True)


def _listed(name: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    gone = [Piece("gone", one) for one in old if one not in new]
    come = [Piece("new", one) for one in new if one not in old]
    if gone or come:
        yield Difference(name, (*gone, *come))


def _attached(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    """Files by their id; what is said of a file that stayed, word by word."""
    before, after = ({one["media_id"]: one for one in some} for some in (old, new))
    yield from _listed("attachments", [_file(one) for one in old], [_file(one) for one in new])
    for media_id in before.keys() & after.keys():
        alt_before, alt_after = before[media_id]["alt"], after[media_id]["alt"]
        if alt_before != alt_after:
            yield Difference(f"alt of {media_id}", by_words(alt_before or "", alt_after or ""))


def _file(one: Mapping[str, Any]) -> str:
    return f"{one['kind'] or 'file'} {one['media_id']}"


def _replaced(before: object, after: object) -> tuple[Piece, ...]:
    gone = () if before is None else (Piece("gone", str(before)),)
    come = () if after is None else (Piece("new", str(after)),)
    return gone + come
