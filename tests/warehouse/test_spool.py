from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from exchanges import capture_facts, exchange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from warehouse.spool import Sealed, Spool, adopt, evidence_key

if TYPE_CHECKING:
    from connectors.exchange import Exchange

ROOT = Path(__file__).resolve().parents[2]


def sealed_with(folder: Path, *exchanges: Exchange) -> Sealed:
    spool = Spool.open(folder, capture_facts())
    for one in exchanges:
        spool.append(one)
    return spool.seal()


def responses(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        records = ArchiveIterator(file, check_digests="raise")
        return [record.raw_stream.read() for record in records if record.rec_type == "response"]


class _Arguments:
    """What ``warcio check -v`` would be called with."""

    def __init__(self, path: Path) -> None:
        self.inputs, self.verbose = [str(path)], True


def test_warcio_finds_every_digest_right_and_every_body_exact(tmp_path: Path) -> None:
    bodies = [b"", b"\x00\xff\r\n\r\nWARC/1.1\r\n", os.urandom(100_000), "Zürich 🎺".encode(), b"x" * 3_000_000]
    sealed = sealed_with(tmp_path, *(exchange(body) for body in bodies))
    assert Checker(_Arguments(sealed.path)).process_all() == 0
    assert responses(sealed.path) == bodies
    sealed.discard()


def test_the_warcio_command_passes(tmp_path: Path) -> None:
    sealed = sealed_with(tmp_path, exchange(b"{}"), exchange(b"[]"))
    warcio = Path(sys.executable).parent / "warcio"
    said = subprocess.run([warcio, "check", "-v", sealed.path], capture_output=True, text=True, check=True).stdout
    assert said.count("digest pass") == 5
    subprocess.run([warcio, "index", sealed.path], capture_output=True, check=True)
    sealed.discard()


def test_records_say_what_happened(tmp_path: Path) -> None:
    one = exchange(b"{}", call="status.context", subject="at://did:plc:ü/x y%", url="https://a.example/p?q=ü b#c")
    sealed = sealed_with(tmp_path, one)
    with sealed.path.open("rb") as file:
        records = ArchiveIterator(file, no_record_parse=True)
        info, request, response = ((record.rec_headers, record.raw_stream.read()) for record in records)
    assert b"onrecord-account: mastodon:social.example.org/7\r\n" in info[1]
    assert request[0]["WARC-Concurrent-To"] == response[0]["WARC-Record-ID"]
    assert response[0]["WARC-Concurrent-To"] == request[0]["WARC-Record-ID"]
    assert response[0]["WARC-Date"] == one.fetched_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert response[0]["WARC-Target-URI"] == "https://a.example/p?q=%C3%BC%20b#c"
    assert response[0]["WARC-Payload-Digest"].startswith("sha256:")
    assert response[0]["Onrecord-Call"] == "status.context"
    assert response[0]["Onrecord-Subject"] == "at://did:plc:%C3%BC/x y%25"
    assert response[0]["Onrecord-Elapsed-Seconds"] == "0.125000"
    assert request[1].startswith(b"GET /p?q=%C3%BC%20b HTTP/1.1\r\nHost: a.example\r\n")
    assert b"\r\nAuthorization: REDACTED\r\n" in request[1]
    assert response[1] == b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{}"
    sealed.discard()


def test_every_record_is_a_gzip_member_of_its_own(tmp_path: Path) -> None:
    sealed = sealed_with(tmp_path, exchange(b"first"), exchange(b"second"))
    with sealed.path.open("rb") as file:
        records = ArchiveIterator(file)
        offsets = [records.get_record_offset() for _ in records]
    data = sealed.path.read_bytes()
    assert len(offsets) == 5
    for begin, end in zip(offsets, [*offsets[1:], len(data)], strict=True):
        assert gzip.decompress(data[begin:end]).startswith(b"WARC/1.1\r\n")
    sealed.discard()


def test_headers_from_outside_cannot_forge_lines(tmp_path: Path) -> None:
    hostile = (("X-Name", "a\r\nSet-Cookie: forged\r\n\r\nbody"), ("Transfer-Encoding", "chunked"), ("X-U", "Zü🎺"))
    sealed = sealed_with(tmp_path, exchange(b"not chunked", response_headers=hostile, reason="OK\r\nX: y"))
    with sealed.path.open("rb") as file:
        [headers] = [record.http_headers for record in ArchiveIterator(file) if record.rec_type == "response"]
    assert headers.get_header("Set-Cookie") is None
    assert headers.get_header("Transfer-Encoding") is None
    assert headers.get_header("X-Archive-Orig-Transfer-Encoding") == "chunked"
    assert responses(sealed.path) == [b"not chunked"]
    sealed.discard()


def test_a_sealed_part_says_its_digest_and_its_place(tmp_path: Path) -> None:
    facts = capture_facts()
    spool = Spool.open(tmp_path, facts, 3)
    spool.append(exchange())
    sealed = spool.seal()
    assert sealed.sha256 == hashlib.sha256(sealed.path.read_bytes()).hexdigest()
    assert (sealed.bytes, sealed.exchanges, sealed.part) == (sealed.path.stat().st_size, 1, 3)
    assert sealed.key == f"evidence/mastodon/social.example.org-7/2026/03/{facts.capture_id}.0003.warc.gz"
    sealed.discard()
    assert list(tmp_path.iterdir()) == []


def test_native_ids_of_any_shape_make_usable_keys() -> None:
    for native in ("did:plc:z72i7hdynmk6r22z27h6tvur", "../../etc/passwd", "host/ü /x", "...", "x" * 500):
        key = evidence_key(capture_facts(account_id=f"mastodon:{native}"), 1)
        assert key.count("/") == 5
        assert ".." not in key
        assert key.isascii()
        assert len(key) < 250


def test_a_capture_id_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    for bad in ("../x", "", "a/b", ".hidden"):
        with pytest.raises(ValueError, match="file name"):
            Spool.open(tmp_path, capture_facts(capture_id=bad))


def test_a_part_is_begun_once(tmp_path: Path) -> None:
    facts = capture_facts()
    spool = Spool.open(tmp_path, facts)
    with pytest.raises(FileExistsError):
        Spool.open(tmp_path, facts)
    spool.discard()


def test_a_spool_without_exchanges_is_not_sealed(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, capture_facts())
    with pytest.raises(ValueError, match="no exchange"):
        spool.seal()
    spool.discard()
    assert list(tmp_path.iterdir()) == []


def test_files_of_living_captures_are_left_alone(tmp_path: Path) -> None:
    writing = Spool.open(tmp_path, capture_facts())
    writing.append(exchange())
    sealed = sealed_with(tmp_path, exchange())
    assert list(adopt(tmp_path)) == []
    sealed.release()
    assert [found.path for found in adopt(tmp_path)] == [sealed.path]
    writing.discard()


def test_a_part_that_was_not_locked_is_adopted_as_it_was(tmp_path: Path) -> None:
    sealed = sealed_with(tmp_path, exchange(b"one"), exchange(b"two"))
    sealed.release()
    [adopted] = adopt(tmp_path)
    assert adopted == sealed
    adopted.discard()
    assert list(adopt(tmp_path)) == []


def test_files_without_an_exchange_are_removed(tmp_path: Path) -> None:
    empty = Spool.open(tmp_path, capture_facts())
    empty._file.close()
    (tmp_path / "20260301T000000000000-0.0001.warc.gz").write_bytes(b"\0" * 4096)
    (tmp_path / ".20260301T000000000000-1.0001.warc.gz.new").write_bytes(b"")
    assert list(adopt(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 10_000), garbage=st.binary(max_size=64))
def test_a_torn_tail_is_cut_to_the_last_whole_exchange(tmp_path: Path, cut: int, garbage: bytes) -> None:
    spool = Spool.open(tmp_path, capture_facts())
    ends = [spool.size]
    for number in range(3):
        spool.append(exchange(b"%d" % number * 200))
        ends.append(spool.size)
    whole = spool.path.read_bytes()
    spool._file.close()
    cut = min(cut, len(whole))
    spool.path.write_bytes(whole[:cut] + garbage)
    kept = max((number for number, end in enumerate(ends) if end <= cut), default=0)
    found = list(adopt(tmp_path))
    if not kept:
        assert found == []
        return
    [sealed] = found
    assert sealed.exchanges == kept
    assert sealed.path.read_bytes() == whole[: ends[kept]]
    assert sealed.sha256 == hashlib.sha256(whole[: ends[kept]]).hexdigest()
    sealed.discard()


def test_what_was_spooled_before_a_kill_is_adopted_whole(tmp_path: Path) -> None:
    script = f"""
        import sys
        sys.path.insert(0, {str(ROOT / "tests")!r})
        from pathlib import Path
        from exchanges import capture_facts, exchange
        from warehouse.spool import Spool
        spool = Spool.open(Path({str(tmp_path)!r}), capture_facts())
        for number in range(10**9):
            spool.append(exchange(b"%d" % number))
            print(number, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    seen = [int(process.stdout.readline()) for _ in range(25)][-1]
    process.kill()
    seen = max([seen, *map(int, process.communicate()[0].split())])
    [sealed] = adopt(tmp_path)
    assert sealed.exchanges > seen
    assert responses(sealed.path) == [b"%d" % number for number in range(sealed.exchanges)]
    sealed.discard()


def test_a_full_disk_leaves_what_was_there_and_says_so(tmp_path: Path) -> None:
    script = f"""
        import io, os, resource, sys
        sys.path.insert(0, {str(ROOT / "tests")!r})
        from pathlib import Path
        from exchanges import capture_facts, exchange
        from warehouse.faults import DiskFull
        from warehouse.spool import Spool
        spool = Spool.open(Path({str(tmp_path)!r}), capture_facts())
        spool.append(exchange(b"kept"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (spool.size + 500, spool.size + 500))
        try:
            spool.append(exchange(os.urandom(5000)))
        except DiskFull as problem:
            print(problem)
        print(spool.seal().exchanges)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    message, exchanges = done.stdout.splitlines()
    assert "no space left" in message
    assert "make room and run again" in message
    assert exchanges == "1"
    [sealed] = adopt(tmp_path)
    assert responses(sealed.path) == [b"kept"]
    sealed.discard()


def test_spool_files_are_readable_by_this_user_only(tmp_path: Path) -> None:
    sealed = sealed_with(tmp_path, exchange())
    assert sealed.path.stat().st_mode & 0o077 == 0
    sealed.discard()


def test_fastwarc_reads_the_same_as_warcio(tmp_path: Path) -> None:
    from fastwarc.warc import ArchiveIterator as Fast
    from fastwarc.warc import WarcRecordType

    sealed = sealed_with(tmp_path, exchange(b"a" * 1000), exchange(b"b"))
    found = []
    for record in Fast(io.BytesIO(sealed.path.read_bytes()), record_types=WarcRecordType.response, parse_http=True):
        assert record.verify_payload_digest()
        found.append(record.reader.read())
    assert found == responses(sealed.path)
    sealed.discard()
