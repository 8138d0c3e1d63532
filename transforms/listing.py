"""The items of a page, each with its exact bytes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from transforms.quarantine import DECODING, PAGE_NOT_JSON, PAGE_SHAPE, PageBroken
from transforms.spans import Unbalanced, elements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transforms.sheets import Item


def listed(body: bytes, key: str | None = None) -> Sequence[Item]:
    """The elements of the list at ``key`` of the answer, or of the answer itself.

    An item that is no JSON does not take the others with it.

    Raises:
        PageBroken: it is no JSON, or has no such list.
    """
    try:
        if key is None:
            return _list().decode(body)
        return getattr(_object(key).decode(body), key)  # type: ignore[no-any-return]
    except msgspec.ValidationError as problem:
        raise PageBroken(PAGE_SHAPE, str(problem)) from None
    except DECODING:
        return _cut_out(body, key)


def _cut_out(body: bytes, key: str | None) -> list[bytes]:
    try:
        return elements(body, key.encode() if key else None)
    except Unbalanced:
        raise PageBroken(PAGE_NOT_JSON, f"{len(body)} bytes") from None


@cache
def _list() -> msgspec.json.Decoder[list[msgspec.Raw]]:
    return msgspec.json.Decoder(list[msgspec.Raw])


@cache
def _object(key: str) -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(msgspec.defstruct(key.title(), [(key, list[msgspec.Raw])]))
