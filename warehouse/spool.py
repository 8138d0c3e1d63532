"""Exchanges on the local disk between the wire and the bucket.

A spool file takes each exchange before anything reads it, in one write of whole gzip members. ``kill -9`` leaves it as it
was; :func:`adopt` finds such files in the next run, cuts a torn tail off and hands them on, so nothing received is lost. A file belongs to the process that holds its lock:
locks of dead processes are gone, files of living ones are left alone.

::

    spool = Spool.open(folder, facts)
    spool.append(exchange)            # before the connector sees it
    sealed = spool.seal()             # synced, closed for writing, hashed
    stored = lock(bucket, sealed)     # warehouse.evidence
    ...                               # the ledger learns of it
    sealed.discard()                  # only now the local copy goes
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isal import isal_zlib

from warehouse.faults import DiskFull, is_disk_full
from warehouse.private import private_folder
from warehouse.warc import CaptureFacts, Exchange, exchange_records, facts_of, warcinfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CaptureFacts", "Sealed", "Spool", "adopt", "evidence_key"]

SUFFIX = ".warc.gz"
_NEW = ".new"
_CHUNK = 1024 * 1024
_HEAD = 16 * 1024
_GZIP = 31
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9T.-]*")
_SLUG_LENGTH = 100
_BROKEN: Any = isal_zlib.error


def evidence_key(facts: CaptureFacts, part: int) -> str:
    """Where the object of a capture's part lies: ``evidence/<platform>/<account>/<yyyy>/<mm>/<capture>.<part>.warc.gz``."""
    account = facts.account_id.removeprefix(f"{facts.platform}:")
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", account).strip("-.")[:_SLUG_LENGTH] or "account"
    return f"evidence/{facts.platform}/{slug}/{facts.started_at:%Y/%m}/{_file_name(facts, part)}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A spool file that will not change any more, still claimed by this process."""

    path: Path
    facts: CaptureFacts
    part: int
    sha256: str
    exchanges: int
    bytes: int
    _claim: io.FileIO = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """Its place in the evidence bucket."""
        return evidence_key(self.facts, self.part)

    def discard(self) -> None:
        """Delete the local copy: the bucket has it and the ledger knows."""
        self.path.unlink(missing_ok=True)
        self._claim.close()

    def release(self) -> None:
        """Leave the file for another run to adopt."""
        self._claim.close()


class Spool:
    """A growing WARC file of one capture; one process writes it."""

    def __init__(self, file: io.FileIO, path: Path, facts: CaptureFacts, part: int) -> None:
        self._file, self.path, self.facts, self.part = file, path, facts, part
        self._sha256 = hashlib.sha256()
        self.size = 0
        """Bytes written so far."""
        self.exchanges = 0
        """Exchanges written so far."""

    @classmethod
    def open(cls, folder: Path, facts: CaptureFacts, part: int = 1) -> Spool:
        """Begin the file of a part. Raises :class:`DiskFull`, or ``FileExistsError`` where that part was begun before."""
        name = _file_name(facts, part)
        path, fresh = private_folder(folder) / name, folder / f".{name}{_NEW}"
        file = _open(fresh, os.O_CREAT | os.O_EXCL)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            spool = cls(file, path, facts, part)
            spool._write(warcinfo(facts, part, name))
            os.link(fresh, path)
        except BaseException:
            file.close()
            raise
        finally:
            fresh.unlink(missing_ok=True)
        return spool

    def append(self, exchange: Exchange) -> None:
        """Add an exchange, whole or not at all. Raises :class:`DiskFull`; what was there before stays readable."""
        self._write(exchange_records(exchange))
        self.exchanges += 1

    def seal(self) -> Sealed:
        """Sync the file and end writing. A spool without exchanges is for :meth:`discard`, not for this."""
        if not self.exchanges:
            msg = f"{self.path} holds no exchange: discard it"
            raise ValueError(msg)
        _sync(self._file, self.path.parent)
        return Sealed(self.path, self.facts, self.part, self._sha256.hexdigest(), self.exchanges, self.size, self._file)

    def discard(self) -> None:
        """Delete the file: nothing came."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._file.fileno(), data)
            while written < len(data):
                written += os.write(self._file.fileno(), data[written:])
        except OSError as problem:
            os.ftruncate(self._file.fileno(), self.size)
            if is_disk_full(problem):
                msg = (
                    f"no space left for evidence in {self.path.parent}: make room and run again. "
                    "What was captured before is kept; this exchange was not used"
                )
                raise DiskFull(msg) from problem
            raise
        self.size += len(data)
        self._sha256.update(data)


def adopt(folder: Path) -> Iterator[Sealed]:
    """Files that dead processes left, oldest first, each claimed, cut to its last whole exchange and sealed.

    Files of living processes are passed over. Files without a whole exchange are deleted.
    """
    for fresh in folder.glob(f".*{_NEW}"):
        with _claimed(fresh) as file:
            if file is not None:
                fresh.unlink(missing_ok=True)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with _claimed(path) as file:
            sealed = None if file is None else _adopted(path, file)
            if sealed is not None:
                yield sealed


def _adopted(path: Path, file: io.FileIO) -> Sealed | None:
    found = _whole_part(file)
    if found is None:
        path.unlink(missing_ok=True)
        return None
    facts, part, size, exchanges = found
    os.ftruncate(file.fileno(), size)
    _sync(file, path.parent)
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Sealed(path, facts, part, digest, exchanges, size, file)


def _whole_part(file: io.FileIO) -> tuple[CaptureFacts, int, int, int] | None:
    """Facts, part, size up to the last whole response, number of responses; ``None`` if there is none."""
    origin: tuple[CaptureFacts, int] | None = None
    size = exchanges = 0
    for end, head in _whole_members(file):
        if origin is None:
            try:
                origin = facts_of(head.partition(b"\r\n\r\n")[2].rstrip())
            except ValueError:
                return None
        elif b"\r\nWARC-Type: response\r\n" in head:
            size, exchanges = end, exchanges + 1
    return (*origin, size, exchanges) if origin is not None and exchanges else None


def _whole_members(file: io.FileIO) -> Iterator[tuple[int, bytes]]:
    """End offset and first bytes of each whole gzip member, up to the first that is not."""
    end, pending = 0, b""
    while True:
        engine, head, consumed = _decompressor(), b"", 0
        while not engine.eof:
            chunk = pending or file.read(_CHUNK)
            pending = b""
            if not chunk:
                return
            try:
                content = engine.decompress(chunk)
            except _BROKEN:
                return
            consumed += len(chunk)
            head += content[: _HEAD - len(head)]
        pending = engine.unused_data
        end += consumed - len(pending)
        yield end, head


def _decompressor() -> Any:  # noqa: ANN401 - isal has no types
    return isal_zlib.decompressobj(_GZIP)


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[io.FileIO | None]:
    """The file, locked, if it is there and nobody else's. Stays open, and locked, for who keeps it."""
    try:
        file = _open(path, 0)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine = path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except (BlockingIOError, FileNotFoundError):
        mine = False
    if not mine:
        file.close()
    yield file if mine else None


def _open(path: Path, flags: int) -> io.FileIO:
    try:
        return io.FileIO(os.open(path, os.O_RDWR | os.O_APPEND | flags, 0o600), "r+b")
    except OSError as problem:
        if is_disk_full(problem):
            msg = f"no space left for evidence in {path.parent}: make room and run again"
            raise DiskFull(msg) from problem
        raise


def _sync(file: io.FileIO, folder: Path) -> None:
    os.fsync(file.fileno())
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_name(facts: CaptureFacts, part: int) -> str:
    if not _SAFE_NAME.fullmatch(facts.capture_id) or not _SAFE_NAME.fullmatch(facts.platform):
        msg = f"not usable in a file name: capture {facts.capture_id!r}, platform {facts.platform!r}"
        raise ValueError(msg)
    return f"{facts.capture_id}.{part:04d}{SUFFIX}"
