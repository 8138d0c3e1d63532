"""The posts one capture saw, kept in a file: an account's history need not fit in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from connectors.contract import Item


class Subjects:
    """Posts in the order in which they were seen; can be read many times."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile("w+b", dir=folder)  # noqa: SIM115 - lives as long as the capture
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Item).decode

    def add(self, item: Item) -> None:
        """Remember a post."""
        self._file.seek(0, 2)
        self._file.write(self._encode(item) + b"\n")

    def __iter__(self) -> Iterator[Item]:
        place = 0
        while True:
            self._file.seek(place)
            line = self._file.readline()
            if not line:
                return
            place = self._file.tell()
            yield self._decode(line)

    def close(self) -> None:
        """Forget them."""
        self._file.close()
