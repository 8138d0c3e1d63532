"""The shape of a JSON answer: which fields it has and of which types, without a word of its content. Pure.

A path names a field by its keys: ``$`` is the answer, ``$.a`` a field of it, ``$.a[]`` the items of a list. Keys that look like data (ids,
addresses, names in a map) become ``{*}``, a key within itself (replies of replies) counts as one.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = dict[str, Counter[str]]
"""Path -> kind (null, boolean, number, string, array, object) -> how often."""

OPEN = "{*}"
"""Stands for keys that are data."""
MOST_KEYS = 64
"""An object with more keys is a map, whatever its keys look like."""
ALIKE = 3
"""So many fields that are objects with the same keys make a map."""
MOST_PATHS = 4_000
DEEPEST = 16
"""Fields below so many keys are left out."""
_WORD = re.compile(r"[$@_]{0,2}[a-z][A-Za-z_$-]*[0-9]{0,3}[A-Za-z_$-]*")
_LONGEST_KEY = 40
_KINDS: Mapping[type, str] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


def shape_of(content: bytes) -> Shape | None:
    """The shape of a body; ``None`` where it is not JSON."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return None
    shape: Shape = {}
    waiting: list[tuple[str, tuple[str, ...], Any]] = [("$", (), value)]
    while waiting:
        path, keys, value = waiting.pop()
        if path not in shape and len(shape) >= MOST_PATHS:
            continue
        shape.setdefault(path, Counter())[_KINDS[type(value)]] += 1
        if isinstance(value, list):
            waiting.extend((items_of(path), keys, item) for item in value)
        elif isinstance(value, dict):
            is_map = _is_map(value)
            for key, child in value.items():
                name = OPEN if is_map or not is_name(key) else key
                if keys and keys[-1] == name != OPEN:
                    waiting.append((path.removesuffix("[]") if isinstance(child, list) else path, keys, child))
                elif len(keys) < DEEPEST:
                    waiting.append((f"{path}.{name}", (*keys, name), child))
    return shape


def _is_map(value: Mapping[str, Any]) -> bool:
    """Whether the keys of an object are data: there are many, one is a phrase, or what they lead to is all alike."""
    if len(value) > MOST_KEYS or any(" " in key or not key.isascii() for key in value):
        return True
    fields = {frozenset(child) if isinstance(child, dict) else frozenset() for child in value.values()}
    return len(value) >= ALIKE and len(fields) == 1 and bool(fields.pop())


def is_name(key: str) -> bool:
    """Whether a key is the name of a field, and not an id, an address or a person."""
    return len(key) <= _LONGEST_KEY and _WORD.fullmatch(key) is not None


def items_of(path: str) -> str:
    """The path of a list's items."""
    return f"{path}[]"


def parent_of(path: str) -> str | None:
    """The object a field belongs to; ``None`` for the answer, for items of a list and for fields of a map."""
    if path.endswith("[]") or path == "$":
        return None
    parent, _, key = path.rpartition(".")
    return None if key == OPEN else parent
