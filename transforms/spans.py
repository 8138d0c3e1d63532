"""Where things lie in a JSON body, found without recursion.

Two bodies need it: a thread nested deeper than a decoder may recurse, and a page on which one item holds an escape that is no
character, for which a decoder refuses all the others too. Only brackets are checked here: what is cut out is decoded by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(\s*+:)?|[{}\[\]]|[^\s"{}\[\],:]++', re.DOTALL)


class Unbalanced(ValueError):
    """The body is not one complete JSON value with the list asked for."""


@dataclass(slots=True)
class Node:
    """One post of a thread as it stands in the body, without what hangs on it."""

    above: bool = False
    """Whether it stands above the post asked for, so not in its thread."""
    post: bytes | None = None
    """The exact bytes of ``post``; None where the thread only says that there was one."""
    words: dict[bytes, str] = field(default_factory=dict)
    """The node's own texts: ``$type``, ``uri``."""
    body: bytes = b""
    """The node's own bytes where it has no post."""
    key: bytes = b""
    start: int = 0


def elements(body: bytes, key: bytes | None) -> list[bytes]:  # noqa: C901 - one pass over the tokens
    """The elements of the list at ``key`` of the outermost object, or of the outermost list, each with its exact bytes."""
    found: list[bytes] = []
    depth, inner, start, done = 0, 0, 0, False
    last_key: bytes | None = None
    for token in _TOKEN.finditer(body):
        sign = token[0]
        if sign in (b"{", b"["):
            if inner and depth == inner:
                start = token.start()
            elif not inner and not done and sign == b"[" and depth == (key is not None) and last_key == key:
                inner = depth + 1
            depth += 1
        elif sign in (b"}", b"]"):
            depth -= 1
            if inner and depth == inner:
                found.append(body[start : token.end()])
            elif inner and depth < inner:
                inner, done = 0, True
        elif inner and depth == inner:
            found.append(sign)
        elif depth == 1:
            last_key = token[1] if token[2] else None
    if depth or not done:
        raise Unbalanced
    return found


_TOP, _LIST, _OTHER = "top", "list", "other"
_Place = str | Node


def thread_nodes(body: bytes) -> Iterator[Node]:  # noqa: C901 - one pass over the tokens
    """Every node of ``{"thread": {"post": …, "parent": …, "replies": [{"post": …}, …]}}``, however deep.

    Raises:
        Unbalanced: at the end, where the body is cut or has no thread.
    """
    stack: list[_Place] = []
    top_key, seen = b"", False
    for token in _TOKEN.finditer(body):
        sign = token[0]
        place = stack[-1] if stack else None
        if sign in (b"{", b"["):
            opened = _opened(place, sign, top_key)
            if isinstance(opened, Node):
                seen = True
                opened.start = token.start()
            elif isinstance(place, Node) and place.key == b"post" and sign == b"{":
                place.start = token.start()
            stack.append(opened)
        elif sign in (b"}", b"]"):
            if not stack:
                raise Unbalanced
            yield from _closed(stack, body, token.end())
        elif isinstance(place, Node):
            if token[2]:
                place.key = token[1]
            elif token[1] is not None:
                place.words[place.key] = token[1].decode("utf-8", "replace")
        elif place == _TOP and token[2]:
            top_key = token[1]
    if stack or not seen:
        raise Unbalanced


def _opened(place: _Place | None, sign: bytes, top_key: bytes) -> _Place:
    if place is None:
        return _TOP
    if place == _TOP and top_key == b"thread" and sign == b"{":
        return Node()
    if place == _LIST and sign == b"{":
        return Node()
    if isinstance(place, Node):
        if place.key == b"parent" and sign == b"{":
            return Node(above=True)
        if place.key == b"replies" and sign == b"[" and not place.above:
            return _LIST
    return _OTHER


def _closed(stack: list[_Place], body: bytes, end: int) -> Iterator[Node]:
    closed = stack.pop()
    if isinstance(closed, Node):
        if closed.post is None:
            closed.body = body[closed.start : end]
            yield closed
        return
    place = stack[-1] if stack else None
    if closed == _OTHER and isinstance(place, Node) and place.key == b"post" and place.post is None:
        place.post = body[place.start : end]
        yield place
