"""The folder a package goes to: it appears whole or not at all, and one process at a time makes it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from compliance.production_faults import PlaceTaken
from warehouse.faults import DiskFull, is_disk_full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def beside(out: Path) -> Iterator[tuple[Path, Path]]:
    """A folder beside ``out`` that becomes it when the block ends well, and one for what does not fit into memory.

    What a dead process left there is removed. Raises :class:`PlaceTaken`, and :class:`DiskFull` for a full disk inside the block.
    """
    _require_free(out)
    fresh = out.absolute().with_name(f".{out.name}.part")
    try:
        fresh.mkdir(parents=True, exist_ok=True)
        handle = os.open(fresh, os.O_RDONLY)
    except OSError as problem:
        msg = f"{out} cannot be made: {problem.strerror or problem}"
        raise PlaceTaken(msg) from problem
    try:
        _claim(handle, out)
        _empty(fresh)
        try:
            with _scratch(fresh) as scratch:
                yield fresh, scratch
            _require_free(out)
            fresh.rename(out)
        except BaseException as problem:
            shutil.rmtree(fresh, ignore_errors=True)
            if isinstance(problem, OSError) and is_disk_full(problem):
                msg = f"no space left to write {out}: make room and run again"
                raise DiskFull(msg) from problem
            raise
    finally:
        os.close(handle)


def _require_free(out: Path) -> None:
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        msg = f"{out} is there already and not empty: name another folder, or move it away"
        raise PlaceTaken(msg)


def _claim(handle: int, out: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        msg = f"another process is writing {out}: wait for it, or name another folder"
        raise PlaceTaken(msg) from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def _scratch(fresh: Path) -> Iterator[Path]:
    """A folder of the same life as the block."""
    folder = fresh.with_name(f"{fresh.name}.scratch")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
