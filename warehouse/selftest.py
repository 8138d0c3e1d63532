"""What a bucket really does, tried out: evidence rests on it, and "S3-compatible" promises none of it.

Servers were met that accept every conditional write, keep bytes that do not fit their checksum, echo an Object Lock they do not
enforce, or check no secret, all without an error. Each promise is a small trial on keys under ``selftest/``; what is locked there stays
for a minute and is swept by the next run.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warehouse.endpoint import Endpoint, client
from warehouse.faults import BucketLies
from warehouse.private import private_folder, write_private
from warehouse.s3_faults import storage_faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

EDITION = 1
"""Raised whenever the trials change: reports of an older edition do not count."""
PREFIX = "selftest/"
RACERS = 8
RACES = 3
LOCK_SECONDS = 60
_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501
_now = functools.partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class Report:
    """What the trials showed."""

    url: str
    bucket: str
    locked: bool
    checked_at: str
    checks: dict[str, bool]
    edition: int = EDITION

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the promises not kept."""
        return tuple(name for name, kept in self.checks.items() if not kept)


def examine(endpoint: Endpoint, bucket: str, *, locked: bool, clock: Callable[[], datetime] = _now) -> Report:
    """Try the bucket out. Raises :class:`BucketLies` naming every promise it broke.

    A bucket for evidence (``locked``) must enforce Object Lock; any other must really forget what is deleted.
    """
    trial = _Trial(endpoint, bucket, f"{PREFIX}{secrets.token_hex(8)}/", clock)
    with storage_faults(endpoint, bucket, trial.prefix):
        trial.sweep()
        trial.reach()
        checks = {name: _kept(check) for name, check in (_for_evidence if locked else _for_tables)(trial).items()}
        trial.sweep()
    report = Report(endpoint.url, bucket, locked, clock().isoformat(timespec="seconds"), checks)
    if report.failed:
        msg = (
            f"bucket {bucket} at {endpoint.url} cannot hold this archive. It fails: {'; '.join(report.failed)}. "
            "Use an object store that keeps these promises, and a bucket made with Object Lock "
            f"{'on' if locked else 'and versioning off'}"
        )
        raise BucketLies(msg, failed=report.failed)
    return report


class Reports:
    """Reports kept in a file, so that the trials run once per endpoint and bucket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def has_passed(self, endpoint: Endpoint, bucket: str, *, locked: bool) -> bool:
        """Whether the bucket passed the trials of this edition."""
        kept = self._read().get(_name(endpoint.url, bucket))
        return (
            isinstance(kept, dict)
            and kept.get("edition") == EDITION
            and kept.get("locked") is locked
            and isinstance(kept.get("checks"), dict)
            and all(kept["checks"].values())
        )

    def keep(self, report: Report) -> None:
        """Add or replace a report."""
        reports = {**self._read(), _name(report.url, report.bucket): dataclasses.asdict(report)}
        private_folder(self._path.parent)
        write_private(self._path, json.dumps(reports, indent=2, sort_keys=True).encode())

    def _read(self) -> dict[str, Any]:
        try:
            reports = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return reports if isinstance(reports, dict) else {}


def _name(url: str, bucket: str) -> str:
    return f"{url.rstrip('/')}/{bucket}"


def _kept(check: Callable[[], bool]) -> bool:
    """The outcome of a trial; one that the server refuses to take part in is lost."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - loaded with the client

    try:
        return check()
    except ClientError as problem:
        status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED:
            raise
        return False


def _refused(call: Callable[[], object], *codes: int) -> bool:
    """Whether the server answers the call with one of the HTTP status codes."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - loaded with the client

    try:
        call()
    except ClientError as problem:
        return problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in codes
    return False


@dataclass(frozen=True, slots=True)
class _Trial:
    """Trials on one bucket, all under one prefix."""

    endpoint: Endpoint
    bucket: str
    prefix: str
    clock: Callable[[], datetime]

    @property
    def s3(self) -> S3Client:
        return client(self.endpoint)

    def at(self, name: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.prefix + name}

    def until(self) -> datetime:
        return (self.clock() + timedelta(seconds=LOCK_SECONDS)).replace(microsecond=0)

    def put_locked(self, name: str) -> dict[str, Any]:
        """Write a locked object; the version, as keyword arguments that name it."""
        answer = self.s3.put_object(
            **self.at(name), Body=b"locked", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=self.until()
        )
        version = answer.get("VersionId")
        return {**self.at(name), **({"VersionId": version} if version else {})}

    def reach(self) -> None:
        """Write, read and delete: without these rights no trial would mean anything."""
        self.s3.put_object(**self.at("reach"), Body=b"reached")
        self.s3.get_object(**self.at("reach"))["Body"].read()
        self.s3.delete_object(**self.at("reach"))

    # --- what every bucket must do ---

    def one_winner(self) -> bool:
        """Races until somebody was told to have won: an answer lost on its way may leave a winner untold."""
        winners = next(filter(None, (self._race(f"race-{number}") for number in range(RACES))), 0)
        return winners == 1

    def _race(self, name: str) -> int:
        def write(number: int) -> bool:
            body = f"racer {number}".encode()
            return not _refused(lambda: self.s3.put_object(**self.at(name), Body=body, IfNoneMatch="*"), 412, 409)

        with ThreadPoolExecutor(RACERS) as pool:
            return sum(pool.map(write, range(RACERS)))

    def keeps_first(self) -> bool:
        self.s3.put_object(**self.at("once"), Body=b"first", IfNoneMatch="*")
        refused = _refused(lambda: self.s3.put_object(**self.at("once"), Body=b"second", IfNoneMatch="*"), 412, 409)
        return refused and self.s3.get_object(**self.at("once"))["Body"].read() == b"first"

    def wrong_checksum(self) -> bool:
        wrong = base64.b64encode(hashlib.sha256(b"other bytes").digest()).decode()
        refused = _refused(lambda: self.s3.put_object(**self.at("sum"), Body=b"bytes", ChecksumSHA256=wrong), 400)
        return refused and _refused(lambda: self.s3.head_object(**self.at("sum")), 404)

    def strangers(self) -> bool:
        self.s3.put_object(**self.at("closed"), Body=b"closed")
        anonymous = client(self.endpoint, anonymous=True)
        liar = client(dataclasses.replace(self.endpoint, secret_key="not-the-secret-key"))  # noqa: S106 - wrong on purpose
        return all(
            _refused(functools.partial(who.get_object, **self.at("closed")), 401, 403)
            and _refused(functools.partial(who.put_object, **self.at("open"), Body=b"x"), 401, 403)
            for who in (anonymous, liar)
        )

    # --- what the bucket for evidence must do ---

    def versions_kept(self) -> bool:
        first = self.s3.put_object(**self.at("version"), Body=b"1").get("VersionId")
        second = self.s3.put_object(**self.at("version"), Body=b"2").get("VersionId")
        if not first or not second or first == second:
            return False
        return self.s3.get_object(**self.at("version"), VersionId=first)["Body"].read() == b"1"

    def lock_holds(self) -> bool:
        version = self.put_locked("locked")
        refused = _refused(functools.partial(self.s3.delete_object, **version), 401, 403)
        return refused and self.s3.get_object(**version)["Body"].read() == b"locked"

    def lock_cannot_shrink(self) -> bool:
        version = self.put_locked("shrink")
        sooner = self.until() - timedelta(seconds=LOCK_SECONDS // 2)
        retention: Any = {"Mode": "GOVERNANCE", "RetainUntilDate": sooner}
        shorten = functools.partial(self.s3.put_object_retention, **version, Retention=retention)
        return _refused(shorten, 400, 401, 403)

    def lock_is_told(self) -> bool:
        version = self.put_locked("told")
        head = self.s3.head_object(**version)
        return head.get("ObjectLockMode") == "GOVERNANCE" and head.get("ObjectLockRetainUntilDate") is not None

    # --- what the bucket for tables must do ---

    def forgets(self) -> bool:
        self.s3.put_object(**self.at("gone"), Body=b"to be destroyed")
        self.s3.delete_object(**self.at("gone"))
        return not any(version["Key"] == self.prefix + "gone" for version in self._versions())

    # --- cleaning up ---

    def sweep(self) -> None:
        """Delete what earlier trials left, as far as its locks have run out."""
        for target in self._versions():
            _refused(functools.partial(self.s3.delete_object, **target), 401, 403)

    def _versions(self) -> list[dict[str, Any]]:
        """Every version and delete marker of the trials, as keyword arguments that name it."""
        try:
            return self._listed("list_object_versions", "Versions", "DeleteMarkers")
        except self.s3.exceptions.ClientError as problem:
            if problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != _NOT_IMPLEMENTED:
                raise
            return self._listed("list_objects_v2", "Contents")

    def _listed(self, call: str, *kinds: str) -> list[dict[str, Any]]:
        listing: Any = self.s3.get_paginator(call)  # type: ignore[call-overload]
        found = []
        for page in listing.paginate(Bucket=self.bucket, Prefix=PREFIX):
            for entry in (entry for kind in kinds for entry in page.get(kind, ())):
                version = entry.get("VersionId")
                known = {} if version in (None, "", "null") else {"VersionId": version}
                found.append({"Bucket": self.bucket, "Key": entry["Key"], **known})
        return found


def _common(trial: _Trial) -> dict[str, Callable[[], bool]]:
    return {
        f"of {RACERS} conditional writes at once exactly one wins": trial.one_winner,
        "a conditional write never replaces an object": trial.keeps_first,
        "bytes that do not fit their SHA-256 are refused": trial.wrong_checksum,
        "requests without a key, or with a wrong secret, are refused": trial.strangers,
    }


def _for_evidence(trial: _Trial) -> dict[str, Callable[[], bool]]:
    return {
        **_common(trial),
        "old versions are kept": trial.versions_kept,
        "a locked object cannot be deleted": trial.lock_holds,
        "a lock cannot be shortened": trial.lock_cannot_shrink,
        "a lock can be read back": trial.lock_is_told,
    }


def _for_tables(trial: _Trial) -> dict[str, Callable[[], bool]]:
    return {**_common(trial), "a deleted object leaves no version behind": trial.forgets}
