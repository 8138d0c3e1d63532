"""Evidence: WARC objects in the locked bucket, written once, read back and checked."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from fastwarc.warc import ArchiveIterator, WarcRecordType

from transforms.page import ArchivedPage
from warehouse.faults import Damaged, DiskFull, StorageRefused, is_disk_full
from warehouse.warc import CaptureFacts, decoded, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from warehouse.bucket import Bucket
    from warehouse.spool import Sealed

LARGEST_CONTENT = 256 * 1024 * 1024
"""Bytes a compressed body may unfold to; a larger one is handed on as it came."""
_HEADERS = 16 * 1024 * 1024
_FIRST_RECORD = 4 * 1024
_USUAL_RECORD = 256 * 1024
_GZIP = 31
_INFLATE = {"gzip": 31, "x-gzip": 31, "deflate": zlib.MAX_WBITS}
_now = functools.partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class Stored:
    """An evidence object as the ledger keeps it."""

    key: str
    sha256: str
    bytes: int
    exchanges: int
    version_id: str | None
    written_at: datetime
    facts: CaptureFacts
    part: int


def lock(bucket: Bucket, sealed: Sealed, *, clock: Callable[[], datetime] = _now) -> Stored:
    """Write a sealed part to the evidence bucket, locked. Writing the same part again is no error and no change.

    Raises :class:`warehouse.faults.StorageUnavailable` (run again), :class:`warehouse.faults.AlreadyThere`.
    """
    if bucket.retention is None:
        msg = f"bucket {bucket.name} has no retention: evidence goes to a locked bucket only"
        raise StorageRefused(msg)
    written_at = clock()
    version_id = bucket.put_if_absent(
        sealed.key,
        sealed.path,
        sha256=sealed.sha256,
        lock=bucket.retention.lock(written_at),
        content_type="application/warc",
    )
    return Stored(
        key=sealed.key,
        sha256=sealed.sha256,
        bytes=sealed.bytes,
        exchanges=sealed.exchanges,
        version_id=version_id,
        written_at=written_at,
        facts=sealed.facts,
        part=sealed.part,
    )


def read(bucket: Bucket, key: str, sha256: str | None = None) -> Iterator[ArchivedPage]:
    """The exchanges of an object, in order. Raises :class:`Damaged`, :class:`warehouse.faults.NotThere`.

    With ``sha256`` (hexadecimal) the whole object is checked before the first page comes; without, each record is checked by its
    own digest. An object holds some 8 MB at most, and one page of it is unfolded at a time.
    """
    data = bucket.get(key)
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        msg = f"{bucket.name}/{key} does not have the SHA-256 it was written with ({sha256}): restore it from a copy"
        raise Damaged(msg)
    return pages(data, key, verify=sha256 is None)


def pages(data: bytes, key: str, *, verify: bool = True) -> Iterator[ArchivedPage]:
    """The exchanges in the bytes of an object or an exported file. Raises :class:`Damaged`."""
    facts: CaptureFacts | None = None
    records = ArchiveIterator(io.BytesIO(data), parse_http=False, max_header_len=_HEADERS)
    while True:
        with _damage(key):
            record = next(records, None)
            if record is None and facts is None:
                msg = f"{key} is no evidence object: it has no warcinfo record"
                raise Damaged(msg)
            if record is None:
                return
            if verify and not record.verify_block_digest():
                msg = f"{key}: the record at byte {record.stream_pos} does not have its digest"
                raise Damaged(msg)
            if record.record_type == WarcRecordType.warcinfo:
                facts, _ = facts_of(record.reader.read())
                continue
            if record.record_type != WarcRecordType.response:
                continue
            if facts is None:
                msg = f"{key} has no warcinfo record before its first exchange"
                raise Damaged(msg)
            page = _page(record, facts, key, record.stream_pos)
        yield page


def payload_at(bucket: Bucket, key: str, offset: int) -> ArchivedPage:
    """One exchange by the offset of its response record, reading little more than that record."""
    with _damage(key):
        facts, _ = facts_of(_only_record(bucket, key, 0, near=_FIRST_RECORD).reader.read())
        record = _only_record(bucket, key, offset, near=_USUAL_RECORD)
        if record.record_type != WarcRecordType.response or not record.verify_block_digest():
            msg = f"{key}: at byte {offset} lies no whole response record"
            raise Damaged(msg)
        return _page(record, facts, key, offset)


def _only_record(bucket: Bucket, key: str, offset: int, *, near: int) -> Any:  # noqa: ANN401 - fastwarc has no types
    """The record that begins at an offset: ``near`` bytes are asked for, the rest only if the record is longer."""
    engine = zlib.decompressobj(_GZIP)
    unfolded, taken = io.BytesIO(), 0
    for end in (offset + near, None):
        with contextlib.closing(bucket.stream(key, start=offset + taken, end=end)) as chunks:
            for chunk in chunks:
                taken += len(chunk)
                unfolded.write(engine.decompress(chunk))
                if engine.eof:
                    unfolded.seek(0)
                    return next(ArchiveIterator(unfolded, parse_http=False, max_header_len=_HEADERS))
        if taken < near:
            break
    msg = f"{key} ends within the record at byte {offset}"
    raise Damaged(msg)


def export(
    bucket: Bucket,
    keys: Iterable[str],
    out_dir: Path,
    *,
    sha256: Mapping[str, str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> list[Path]:
    """Copy objects to files under ``out_dir``, named as their keys; files there with the same bytes are kept.

    Each file appears whole, after its SHA-256 agreed with ``sha256`` (by key), else with what the bucket says. ``progress`` is told key and size of each.
    Raises :class:`Damaged`, :class:`DiskFull`.
    """
    written = []
    for key in keys:
        target = out_dir / _inside(key)
        expected = (sha256 or {}).get(key) or _known_digest(bucket, key)
        if not (target.exists() and _file_digest(target) == expected):
            _copy(bucket, key, target, expected)
        written.append(target)
        if progress is not None:
            progress(key, target.stat().st_size)
    return written


def _copy(bucket: Bucket, key: str, target: Path, expected: str | None) -> None:
    fresh = target.with_name(f".{target.name}.part")
    digest = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            for chunk in bucket.stream(key):
                file.write(chunk)
                digest.update(chunk)
            file.flush()
            os.fsync(file.fileno())
        if expected is not None and digest.hexdigest() != expected:
            msg = f"{bucket.name}/{key} does not have the SHA-256 it was written with ({expected}): restore it from a copy"
            raise Damaged(msg)
        fresh.replace(target)
    except OSError as problem:
        if is_disk_full(problem):
            msg = f"no space left to write {target}: make room and run again"
            raise DiskFull(msg) from problem
        raise
    finally:
        fresh.unlink(missing_ok=True)


def _known_digest(bucket: Bucket, key: str) -> str | None:
    head = bucket.head(key)
    return None if head is None else head.sha256


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inside(key: str) -> PurePosixPath:
    """The key as a relative path that stays below its folder."""
    path = PurePosixPath(key)
    if path.is_absolute() or ".." in path.parts or "\0" in key:
        msg = f"the object {key!r} cannot be a file below a folder"
        raise Damaged(msg)
    return path


def _page(record: Any, facts: CaptureFacts, key: str, offset: int) -> ArchivedPage:  # noqa: ANN401 - fastwarc has no types
    record.parse_http(auto_decode="none", max_header_len=_HEADERS)
    headers = record.headers
    return ArchivedPage(
        platform=facts.platform,
        account_id=facts.account_id,
        service=facts.service,
        capture_id=facts.capture_id,
        call=decoded(headers["Onrecord-Call"]),
        subject=decoded(headers["Onrecord-Subject"]),
        url=headers["WARC-Target-URI"],
        status=int(record.http_headers.status_code),
        content=_unfolded(record.reader.read(), record.http_headers.get("Content-Encoding")),
        fetched_at=datetime.fromisoformat(headers["WARC-Date"]),
        evidence_key=key,
        evidence_offset=offset,
    )


def _unfolded(body: bytes, encoding: str | None) -> bytes:
    """The body with its content encoding undone; as it came where that cannot be done."""
    bits = _INFLATE.get((encoding or "").strip().lower())
    if bits is None:
        return body
    engine = zlib.decompressobj(bits)
    try:
        content = engine.decompress(body, LARGEST_CONTENT)
    except zlib.error:
        return body
    return content if engine.eof else body


@contextlib.contextmanager
def _damage(key: str) -> Iterator[None]:
    """Raise what a reader stumbles over as :class:`Damaged`."""
    try:
        yield
    except (OSError, ValueError, KeyError, StopIteration, zlib.error) as problem:
        msg = f"{key} cannot be read as WARC ({type(problem).__name__}: {problem}): restore it from a copy"
        raise Damaged(msg) from problem
