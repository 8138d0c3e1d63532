from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from exchanges import capture_facts, exchange
from lying_proxy import lying_proxy
from warcio.archiveiterator import ArchiveIterator

from warehouse import evidence
from warehouse.bucket import Bucket
from warehouse.faults import AlreadyThere, Damaged, NotThere, StorageRefused
from warehouse.spool import Spool, adopt

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.exchange import Exchange
    from warehouse.bucket import Buckets
    from warehouse.evidence import Stored
    from warehouse.spool import CaptureFacts, Sealed

NOW = datetime.now(UTC)


def seal(folder: Path, *exchanges: Exchange, facts: CaptureFacts | None = None) -> Sealed:
    spool = Spool.open(folder, facts or capture_facts())
    for one in exchanges:
        spool.append(one)
    return spool.seal()


def store(bucket: Bucket, folder: Path, *exchanges: Exchange) -> Stored:
    sealed = seal(folder, *exchanges)
    stored = evidence.lock(bucket, sealed, clock=lambda: NOW)
    sealed.discard()
    return stored


def put(bucket: Bucket, key: str, data: bytes) -> None:
    bucket.put_if_absent(key, data, sha256=hashlib.sha256(data).hexdigest())


def test_what_was_captured_is_read_back_exactly(buckets: Buckets, tmp_path: Path) -> None:
    bodies = [b"{}", os.urandom(200_000), "Zürich 🎺".encode()]
    taken = [exchange(body, subject=f"ü/{number} %") for number, body in enumerate(bodies)]
    facts = capture_facts()
    sealed = seal(tmp_path, *taken, facts=facts)
    stored = evidence.lock(buckets.evidence, sealed, clock=lambda: NOW)
    pages = list(evidence.read(buckets.evidence, stored.key, stored.sha256))
    assert [page.content for page in pages] == bodies
    for page, one in zip(pages, taken, strict=True):
        assert (page.call, page.subject, page.url) == (one.call, one.subject, one.url)
        assert (page.status, page.fetched_at) == (200, one.fetched_at)
        assert (page.platform, page.account_id) == (facts.platform, facts.account_id)
        assert (page.service, page.capture_id) == (facts.service, facts.capture_id)
        assert page.evidence_key == stored.key
    assert list(evidence.read(buckets.evidence, stored.key)) == pages
    sealed.discard()


def test_a_subject_of_thousands_of_characters_is_read_back_whole(buckets: Buckets, tmp_path: Path) -> None:
    subject = " ".join(["social.example/7", *(str(109_301_842_205_417_733 + number) for number in range(200))])
    stored = store(buckets.evidence, tmp_path, exchange(subject=subject))
    assert [page.subject for page in evidence.read(buckets.evidence, stored.key)] == [subject]


def test_an_object_is_locked_for_as_long_as_the_bucket_says(buckets: Buckets, tmp_path: Path) -> None:
    stored = store(buckets.evidence, tmp_path, exchange())
    head = buckets.evidence.head(stored.key)
    assert head is not None
    assert head.lock is not None
    assert head.lock.until == NOW.replace(microsecond=0) + timedelta(days=1)
    assert (head.sha256, head.size, head.version_id) == (stored.sha256, stored.bytes, stored.version_id)
    with pytest.raises(StorageRefused):
        buckets.evidence.delete(stored.key, version_id=stored.version_id)


def test_locking_a_part_again_changes_nothing(buckets: Buckets, tmp_path: Path) -> None:
    sealed = seal(tmp_path, exchange())
    first = evidence.lock(buckets.evidence, sealed, clock=lambda: NOW)
    sealed.release()
    [adopted] = adopt(tmp_path)
    again = evidence.lock(buckets.evidence, adopted, clock=lambda: NOW)
    assert again == first
    adopted.discard()


def test_another_part_never_takes_a_place(buckets: Buckets, tmp_path: Path) -> None:
    facts = capture_facts()
    first = seal(tmp_path / "a", exchange(b"first"), facts=facts)
    second = seal(tmp_path / "b", exchange(b"second"), facts=facts)
    stored = evidence.lock(buckets.evidence, first, clock=lambda: NOW)
    with pytest.raises(AlreadyThere):
        evidence.lock(buckets.evidence, second, clock=lambda: NOW)
    assert [page.content for page in evidence.read(buckets.evidence, stored.key)] == [b"first"]
    first.discard()
    second.discard()


def test_evidence_goes_to_a_locked_bucket_only(buckets: Buckets, tmp_path: Path) -> None:
    sealed = seal(tmp_path, exchange())
    with pytest.raises(StorageRefused, match="locked bucket only"):
        evidence.lock(buckets.tables, sealed)
    sealed.discard()


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_content_encodings_are_undone_for_readers_and_kept_in_evidence(
    buckets: Buckets, tmp_path: Path, encoding: str, encode: object
) -> None:
    body = encode(b'{"text": "hello"}')  # type: ignore[operator]
    stored = store(buckets.evidence, tmp_path, exchange(body, response_headers=(("content-encoding", encoding),)))
    [page] = evidence.read(buckets.evidence, stored.key)
    assert page.content == b'{"text": "hello"}'
    [file] = evidence.export(buckets.evidence, [stored.key], tmp_path / "out")
    with file.open("rb") as stream:
        [raw] = [record.raw_stream.read() for record in ArchiveIterator(stream) if record.rec_type == "response"]
    assert raw == body


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"cut" * 100)[:-9], b""])
def test_a_body_that_cannot_be_unfolded_is_handed_on_as_it_came(buckets: Buckets, tmp_path: Path, body: bytes) -> None:
    stored = store(buckets.evidence, tmp_path, exchange(body, response_headers=(("Content-Encoding", "gzip"),)))
    [page] = evidence.read(buckets.evidence, stored.key)
    assert page.content == body


def test_a_body_that_unfolds_without_end_is_handed_on_as_it_came(
    buckets: Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "LARGEST_CONTENT", 1000)
    bomb = gzip.compress(b"\0" * 100_000)
    stored = store(buckets.evidence, tmp_path, exchange(bomb, response_headers=(("Content-Encoding", "gzip"),)))
    [page] = evidence.read(buckets.evidence, stored.key)
    assert page.content == bomb


def test_one_exchange_is_read_by_its_offset(buckets: Buckets, tmp_path: Path) -> None:
    bodies = [b"small", os.urandom(700_000), b"last"]
    stored = store(buckets.evidence, tmp_path, *map(exchange, bodies))
    for page in evidence.read(buckets.evidence, stored.key):
        assert evidence.payload_at(buckets.evidence, stored.key, page.evidence_offset) == page


@pytest.mark.parametrize("offset", [0, 5, 10**9])
def test_an_offset_that_is_no_response_is_refused(buckets: Buckets, tmp_path: Path, offset: int) -> None:
    stored = store(buckets.evidence, tmp_path, exchange())
    with pytest.raises(Damaged):
        evidence.payload_at(buckets.evidence, stored.key, offset)


def test_an_object_that_is_missing_is_named(buckets: Buckets) -> None:
    with pytest.raises(NotThere, match="nowhere"):
        evidence.read(buckets.evidence, "evidence/nowhere")


def test_a_changed_byte_is_found_by_the_object_digest(buckets: Buckets, tmp_path: Path) -> None:
    stored = store(buckets.evidence, tmp_path, exchange(b"x" * 5000))
    data = bytearray(buckets.evidence.get(stored.key))
    data[len(data) // 2] ^= 1
    put(buckets.evidence, "changed", bytes(data))
    with pytest.raises(Damaged, match="restore it from a copy"):
        evidence.read(buckets.evidence, "changed", stored.sha256)


def test_a_changed_record_is_found_by_its_own_digest(buckets: Buckets, tmp_path: Path) -> None:
    sealed = seal(tmp_path, exchange(b"the record said yes"))
    members = gzip.decompress(sealed.path.read_bytes()).replace(b"said yes", b"said no.")
    put(buckets.evidence, "forged", gzip.compress(members))
    with pytest.raises(Damaged, match="does not have its digest"):
        list(evidence.read(buckets.evidence, "forged"))
    sealed.discard()


@pytest.mark.parametrize("data", [b"", b"not a WARC", gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n\r\n")])
def test_other_files_are_not_taken_for_evidence(buckets: Buckets, data: bytes) -> None:
    put(buckets.evidence, "other", data)
    with pytest.raises(Damaged):
        list(evidence.read(buckets.evidence, "other"))


def test_exported_files_are_the_objects(buckets: Buckets, tmp_path: Path) -> None:
    stored = [store(buckets.evidence, tmp_path / "spool", exchange(b"%d" % number)) for number in range(3)]
    keys, told = [one.key for one in stored], []
    files = evidence.export(
        buckets.evidence, keys, tmp_path / "out", progress=lambda key, size: told.append((key, size))
    )
    assert [str(file.relative_to(tmp_path / "out")) for file in files] == keys
    assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] == [one.sha256 for one in stored]
    assert told == [(one.key, one.bytes) for one in stored]
    before = files[0].stat().st_mtime_ns
    assert evidence.export(buckets.evidence, keys, tmp_path / "out") == files
    assert files[0].stat().st_mtime_ns == before


def test_an_export_of_other_bytes_leaves_no_file(buckets: Buckets, tmp_path: Path) -> None:
    stored = store(buckets.evidence, tmp_path / "spool", exchange())
    with pytest.raises(Damaged):
        evidence.export(buckets.evidence, [stored.key], tmp_path / "out", sha256={stored.key: "0" * 64})
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../outside"])
def test_no_key_leads_out_of_the_folder(buckets: Buckets, tmp_path: Path, key: str) -> None:
    with pytest.raises(Damaged, match="below a folder"):
        evidence.export(buckets.evidence, [key], tmp_path / "out")


def test_a_lock_dropped_on_the_way_is_set_by_the_next_run(buckets: Buckets, tmp_path: Path) -> None:
    def without_lock(method: str, path: str, headers: dict[str, str]) -> dict[str, str] | None:
        kept = {name: value for name, value in headers.items() if "object-lock" not in name.lower()}
        return kept if method == "PUT" and "retention" not in path else None

    sealed = seal(tmp_path, exchange())
    with lying_proxy(buckets.evidence.endpoint, without_lock) as careless:
        evidence.lock(Bucket(careless, buckets.evidence.name, buckets.evidence.retention), sealed)
    sealed.release()
    [adopted] = adopt(tmp_path)
    stored = evidence.lock(buckets.evidence, adopted)
    head = buckets.evidence.head(stored.key)
    assert head is not None
    assert head.lock is not None
    adopted.discard()
