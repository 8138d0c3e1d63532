"""A bucket whose objects are written once: a thin face on boto3.

What the bucket must do for this to hold is tried out by :mod:`warehouse.selftest`, never assumed.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import io
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from warehouse import selftest
from warehouse.endpoint import Endpoint, client
from warehouse.faults import AlreadyThere, DiskFull, NotThere, StorageRefused, is_disk_full
from warehouse.s3_faults import storage_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

    from settings import S3

CHUNK = 1024 * 1024
PRECONDITION_FAILED = 412
CONFLICT_ATTEMPTS = 5
CONFLICT_PAUSE_SECONDS = 0.1
_now = functools.partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class Lock:
    """Nobody may delete or change the object before ``until``."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    until: datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is written to a bucket is locked."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    days: int

    def lock(self, now: datetime) -> Lock:
        """The lock for an object written now."""
        return Lock(self.mode, (now + timedelta(days=self.days)).replace(microsecond=0))


class Head(NamedTuple):
    """What is known of an object without reading it."""

    key: str
    size: int
    sha256: str | None
    """Hexadecimal, where the server stores it."""
    version_id: str | None
    modified_at: datetime
    lock: Lock | None


class Listed(NamedTuple):
    """An object in a listing."""

    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of one endpoint."""

    endpoint: Endpoint
    name: str
    retention: Retention | None = None

    @property
    def s3(self) -> S3Client:
        """The boto3 client, made on first use and shared."""
        return client(self.endpoint)

    def put_if_absent(
        self,
        key: str,
        data: bytes | Path,
        *,
        sha256: str,
        lock: Lock | None = None,
        content_type: str = "application/octet-stream",
    ) -> str | None:
        """Write an object that is not there yet; its version id, where the bucket keeps versions.

        ``sha256`` (hexadecimal) goes with the bytes: the server refuses others. An object with the same bytes is taken
        for ours, written by an earlier attempt. Raises :class:`AlreadyThere` where other bytes lie there; nothing is ever overwritten.
        """
        extra: dict[str, Any] = {}
        if lock is not None:
            extra = {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.until}
        for attempt in range(CONFLICT_ATTEMPTS):
            with storage_faults(self.endpoint, self.name, key), _opened(data) as body:
                try:
                    answer = self.s3.put_object(
                        Bucket=self.name,
                        Key=key,
                        Body=body,
                        ContentType=content_type,
                        IfNoneMatch="*",
                        ChecksumSHA256=_base64(sha256),
                        **extra,
                    )
                    return answer.get("VersionId")
                except self.s3.exceptions.ClientError as problem:
                    if not _lost(problem):
                        raise
                    is_there = _status(problem) == PRECONDITION_FAILED
            if is_there:
                return self._adopt(key, sha256, lock)
            time.sleep(CONFLICT_PAUSE_SECONDS * (attempt + 1))
        msg = f"others keep writing {key} in bucket {self.name}: run again"
        raise AlreadyThere(msg)

    def _adopt(self, key: str, sha256: str, lock: Lock | None) -> str | None:
        head = self.head(key)
        if head is None:
            msg = f"the bucket {self.name} said that {key} exists and then that it does not: run again"
            raise AlreadyThere(msg)
        if (head.sha256 or self._digest(key)) != sha256:
            msg = (
                f"other bytes already lie at {key} in bucket {self.name}; nothing was written. Find out who wrote them"
            )
            raise AlreadyThere(msg)
        if lock is not None and head.lock is None:
            with storage_faults(self.endpoint, self.name, key):
                self.s3.put_object_retention(
                    Bucket=self.name, Key=key, Retention={"Mode": lock.mode, "RetainUntilDate": lock.until}
                )
        return head.version_id

    def get(self, key: str) -> bytes:
        """The whole object. Raises :class:`NotThere`."""
        with storage_faults(self.endpoint, self.name, key):
            return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> Generator[bytes]:
        """The object, or its bytes from ``start`` up to, not including, ``end``, in chunks of up to 1 MB."""
        extra: dict[str, Any] = {}
        if start or end is not None:
            extra = {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        with storage_faults(self.endpoint, self.name, key):
            body = self.s3.get_object(Bucket=self.name, Key=key, **extra)["Body"]
            with contextlib.closing(body):
                yield from body.iter_chunks(CHUNK)

    def head(self, key: str) -> Head | None:
        """What is known of the object; ``None`` where there is none."""
        try:
            with storage_faults(self.endpoint, self.name, key):
                answer = self.s3.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
        except NotThere:
            return None
        checksum, mode = answer.get("ChecksumSHA256"), answer.get("ObjectLockMode")
        return Head(
            key=key,
            size=answer["ContentLength"],
            sha256=base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None,
            version_id=answer.get("VersionId"),
            modified_at=answer["LastModified"].astimezone(UTC),
            lock=Lock(mode, answer["ObjectLockRetainUntilDate"].astimezone(UTC)) if mode else None,
        )

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """Objects whose key begins with ``prefix``, in order of key."""
        with storage_faults(self.endpoint, self.name, prefix):
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    yield Listed(entry["Key"], entry["Size"], entry["LastModified"].astimezone(UTC))

    def delete(self, key: str, *, version_id: str | None = None) -> None:
        """Delete an object, or one version of it. Raises :class:`StorageRefused` where it is locked.

        Without a version id a versioned bucket only hides the object.
        """
        extra: dict[str, Any] = {} if version_id is None else {"VersionId": version_id}
        with storage_faults(self.endpoint, self.name, key):
            self.s3.delete_object(Bucket=self.name, Key=key, **extra)

    def _digest(self, key: str) -> str:
        digest = hashlib.sha256()
        for chunk in self.stream(key):
            digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Buckets:
    """The two buckets: evidence locked, tables not (else what is destroyed would stay as old versions)."""

    evidence: Bucket
    tables: Bucket


def prepare(
    endpoint: Endpoint, s3: S3, *, home: Path, clock: Callable[[], datetime] = _now, again: bool = False
) -> Buckets:
    """Make both buckets where they are missing and try out what they really do.

    The trial runs once per endpoint and bucket, when a bucket was made just now, and when asked for ``again``; its report lies in ``home/selftest.json``.
    Raises :class:`warehouse.faults.BucketLies` where a bucket does not keep what evidence rests on.
    """
    if s3.lock_mode not in ("GOVERNANCE", "COMPLIANCE"):
        msg = f"s3.lock_mode is {s3.lock_mode!r}: it must be GOVERNANCE or COMPLIANCE"
        raise StorageRefused(msg)
    retention = Retention("COMPLIANCE" if s3.lock_mode == "COMPLIANCE" else "GOVERNANCE", s3.lock_days)
    evidence = Bucket(endpoint, s3.evidence_bucket, retention)
    tables = Bucket(endpoint, s3.tables_bucket)
    reports = selftest.Reports(home / "selftest.json")
    for bucket in (evidence, tables):
        locked = bucket.retention is not None
        made = ensure(bucket, locked=locked)
        if made or again or not reports.has_passed(endpoint, bucket.name, locked=locked):
            reports.keep(selftest.examine(endpoint, bucket.name, locked=locked, clock=clock))
    return Buckets(evidence, tables)


def ensure(bucket: Bucket, *, locked: bool) -> bool:
    """Make the bucket, with Object Lock if asked, unless it is there; whether it was made."""
    try:
        with storage_faults(bucket.endpoint, bucket.name):
            bucket.s3.head_bucket(Bucket=bucket.name)
    except NotThere:
        pass
    else:
        return False
    with storage_faults(bucket.endpoint, bucket.name):
        try:
            bucket.s3.create_bucket(Bucket=bucket.name, ObjectLockEnabledForBucket=locked, **_location(bucket.endpoint))
        except (bucket.s3.exceptions.BucketAlreadyOwnedByYou, bucket.s3.exceptions.BucketAlreadyExists):
            return False
    return True


def _location(endpoint: Endpoint) -> dict[str, Any]:
    """Amazon wants the region named, except the first one, which it refuses to hear."""
    if endpoint.region == "us-east-1":
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": endpoint.region}}


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


@contextlib.contextmanager
def _opened(data: bytes | Path) -> Iterator[BinaryIO]:
    if isinstance(data, bytes):
        yield io.BytesIO(data)
        return
    try:
        file = data.open("rb")
    except OSError as problem:
        if is_disk_full(problem):
            msg = f"no space left while reading {data}"
            raise DiskFull(msg) from problem
        raise
    with file:
        yield file


def _status(problem: ClientError) -> int:
    return problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _lost(problem: ClientError) -> bool:
    """Whether a conditional write lost: the object is there (412), or two wrote at once and may try again (409)."""
    code = problem.response.get("Error", {}).get("Code")
    return _status(problem) == PRECONDITION_FAILED or code == "ConditionalRequestConflict"
