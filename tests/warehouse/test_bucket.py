from __future__ import annotations

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from settings import S3
from warehouse import endpoint as endpoints
from warehouse.bucket import Bucket, Lock, ensure, prepare
from warehouse.faults import AlreadyThere, Damaged, NotThere, StorageRefused, StorageUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.bucket import Buckets
    from warehouse.endpoint import Endpoint


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(bucket: Bucket, key: str, data: bytes, lock: Lock | None = None) -> str | None:
    return bucket.put_if_absent(key, data, sha256=sha256(data), lock=lock)


def in_an_hour() -> datetime:
    return (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


def test_an_object_comes_back_as_it_was_written(buckets: Buckets) -> None:
    data = bytes(range(256)) * 9000
    put(buckets.tables, "a/b c/ü.bin", data)
    assert buckets.tables.get("a/b c/ü.bin") == data
    assert b"".join(buckets.tables.stream("a/b c/ü.bin")) == data
    assert b"".join(buckets.tables.stream("a/b c/ü.bin", start=100, end=300)) == data[100:300]
    head = buckets.tables.head("a/b c/ü.bin")
    assert head is not None
    assert (head.size, head.sha256, head.lock) == (len(data), sha256(data), None)


def test_a_file_is_written_as_bytes_are(buckets: Buckets, tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(b"from a file")
    buckets.tables.put_if_absent("file", file, sha256=sha256(b"from a file"))
    assert buckets.tables.get("file") == b"from a file"


def test_the_same_bytes_again_are_taken_for_ours(buckets: Buckets) -> None:
    lock = Lock("GOVERNANCE", in_an_hour())
    first = put(buckets.evidence, "once", b"bytes", lock)
    assert first is not None
    assert put(buckets.evidence, "once", b"bytes", lock) == first


def test_other_bytes_never_replace_an_object(buckets: Buckets) -> None:
    put(buckets.tables, "once", b"first")
    with pytest.raises(AlreadyThere, match="nothing was written"):
        put(buckets.tables, "once", b"second")
    assert buckets.tables.get("once") == b"first"


def test_of_many_writers_one_wins_and_all_others_are_told(buckets: Buckets) -> None:
    def write(number: int) -> bool:
        try:
            put(buckets.evidence, "race", b"%d" % number)
        except AlreadyThere:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(8))) == 1


def test_bytes_that_do_not_fit_their_digest_are_not_stored(buckets: Buckets) -> None:
    with pytest.raises(Damaged, match="nothing was written"):
        buckets.tables.put_if_absent("wrong", b"bytes", sha256=sha256(b"other"))
    assert buckets.tables.head("wrong") is None


def test_a_locked_version_cannot_be_deleted(buckets: Buckets) -> None:
    until = in_an_hour()
    version = put(buckets.evidence, "kept", b"evidence", Lock("GOVERNANCE", until))
    with pytest.raises(StorageRefused, match="locked"):
        buckets.evidence.delete("kept", version_id=version)
    head = buckets.evidence.head("kept")
    assert head is not None
    assert head.lock == Lock("GOVERNANCE", until)


def test_an_adopted_object_that_had_no_lock_gets_it(buckets: Buckets) -> None:
    put(buckets.evidence, "adopted", b"evidence")
    put(buckets.evidence, "adopted", b"evidence", Lock("GOVERNANCE", in_an_hour()))
    head = buckets.evidence.head("adopted")
    assert head is not None
    assert head.lock is not None


def test_what_is_deleted_from_the_tables_bucket_is_gone(buckets: Buckets) -> None:
    put(buckets.tables, "gone", b"row")
    buckets.tables.delete("gone")
    assert buckets.tables.head("gone") is None
    with pytest.raises(NotThere, match="gone"):
        buckets.tables.get("gone")


def test_a_listing_is_complete_and_in_order(buckets: Buckets) -> None:
    for number in range(7):
        put(buckets.tables, f"list/{number}", b"x")
    put(buckets.tables, "other", b"x")
    assert [entry.key for entry in buckets.tables.list("list/")] == [f"list/{number}" for number in range(7)]


def test_a_wrong_secret_is_refused_and_no_secret_is_told(buckets: Buckets) -> None:
    stranger = replace(buckets.tables.endpoint, secret_key="guessed-secret")
    with pytest.raises(StorageRefused) as refused:
        Bucket(stranger, buckets.tables.name).get("x")
    told = f"{refused.value} {stranger!r}"
    assert "guessed-secret" not in told
    assert stranger.access_key not in repr(stranger)


def test_a_server_that_does_not_answer_is_unavailable(s3_endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        silent = replace(s3_endpoint, url=f"http://127.0.0.1:{unused.getsockname()[1]}")
        once = endpoints.client(silent, attempts=1)
        monkeypatch.setattr("warehouse.bucket.client", lambda _: once)
        with pytest.raises(StorageUnavailable, match="does not answer"):
            Bucket(silent, "any").get("x")


def test_a_bucket_is_made_once(s3_endpoint: Endpoint) -> None:
    bucket = Bucket(s3_endpoint, "made-once")
    assert ensure(bucket, locked=False)
    assert not ensure(bucket, locked=False)


def test_an_unknown_lock_mode_is_named(s3_endpoint: Endpoint, tmp_path: Path) -> None:
    with pytest.raises(StorageRefused, match="SOFT"):
        prepare(s3_endpoint, S3(lock_mode="SOFT"), home=tmp_path)
