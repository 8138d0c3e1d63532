"""What one capture's listing of posts showed, kept in a file: an account's history need not fit in memory, and a capture may be cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from connectors.contract import Item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Subjects:
    """Posts in the order in which they were seen; can be read many times, and by the process that goes on.

    What else the listing showed, the account's own answers to others, is kept with them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Item).decode

    @property
    def kept(self) -> bool:
        """Whether the posts of an earlier look are still here."""
        return self._path.exists()

    def begin(self, *, resumed: bool) -> None:
        """Forget the posts of an earlier look, unless this one goes on with it: then cut off a line that was half written."""
        if not resumed:
            self._path.write_bytes(b"")
        elif self._path.exists():
            content = self._path.read_bytes()
            self._path.write_bytes(content[: content.rfind(b"\n") + 1])

    def add(self, items: tuple[Item, ...]) -> None:
        """Remember these."""
        lines = [self._encode(item) + b"\n" for item in items]
        if lines:
            with self._path.open("ab") as file:
                file.write(b"".join(lines))

    def __iter__(self) -> Iterator[Item]:
        return (item for item in self._all() if item.kind == "post")

    @property
    def others(self) -> Iterator[str]:
        """Native ids of what is no post."""
        return (item.native_id for item in self._all() if item.kind != "post")

    def _all(self) -> Iterator[Item]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield self._decode(line)
