"""Files only this user can read, replaced whole or not at all."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from warehouse.faults import DiskFull, is_disk_full

if TYPE_CHECKING:
    from pathlib import Path


def private_folder(folder: Path) -> Path:
    """Make the folder if it is missing, closed to other users."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically, mode 0600. Raises :class:`DiskFull`; the old file is then still there."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        if is_disk_full(problem):
            msg = f"no space left to write {path}: make room and run again"
            raise DiskFull(msg) from problem
        raise
