"""The pages all benchmarks work on: a large account's posts, as files and as locked evidence.

The posts are those of :mod:`samplecity.bulk`: some 2 KB of JSON each as their repository lists them, 100 to a page, four pictures and
a link in each, in three scripts.
"""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import settings
from connectors.exchange import Exchange
from pipeline.look import PART_BYTES, evidence_object
from pipeline.workspace import Workspace
from samplecity.bulk import BulkAccount
from samplecity.people import PDS
from transforms.page import ArchivedPage
from warehouse import evidence, inventory
from warehouse.spool import CaptureFacts, Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.workspace import Storage

SEEN = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALL = "post_records"
URL = f"https://{PDS}/xrpc/com.atproto.repo.listRecords?collection=app.bsky.feed.post&limit=100"
CAPTURE = "20260302T120000000000-00000001"


def written(folder: Path, posts: int) -> list[Path]:
    """The pages as files."""
    return BulkAccount(posts).write(folder)


def archived(files: Iterable[Path]) -> Iterator[ArchivedPage]:
    """Page files as the normalizers see pages."""
    for number, file in enumerate(files):
        yield archived_page(number, file.read_bytes())


def archived_page(number: int, body: bytes) -> ArchivedPage:
    """One of them."""
    return ArchivedPage(
        platform="bluesky",
        account_id=f"bluesky:{BulkAccount(1).did}",
        service=PDS,
        capture_id=CAPTURE,
        call=CALL,
        subject="",
        url=URL,
        status=200,
        content=body,
        fetched_at=SEEN + timedelta(seconds=number),
        evidence_key=f"evidence/{CAPTURE}",
        evidence_offset=number,
    )


def workspace(home: Path, **environment: str) -> Workspace:
    """An installation in a folder of its own, deaf to the settings of the one who runs the benchmark."""
    return Workspace(
        settings.load({"ONRECORD_HOME": str(home), "ONRECORD_CONFIG": str(home / "none.toml"), **environment})
    )


@contextmanager
def locked(home: Path, posts: int) -> Iterator[tuple[Workspace, Storage]]:
    """An installation whose locked evidence holds the pages, none of them normalized yet."""
    made = workspace(home)
    with made.storage() as storage:
        for spool in _spooled(made.spool, posts):
            sealed = spool.seal()
            inventory.store(made.engine, [evidence_object(evidence.lock(storage.evidence, sealed))])
            sealed.discard()
        yield made, storage


def _spooled(folder: Path, posts: int) -> Iterator[Spool]:
    """Spool files of the size a capture seals them at."""
    account = BulkAccount(posts)
    facts = CaptureFacts(CAPTURE, f"bluesky:{account.did}", "bluesky", PDS, "posts", SEEN, "onrecord benchmark")
    spool, part = Spool.open(folder, facts), 1
    for number, body in enumerate(account.pages()):
        if spool.size >= PART_BYTES:
            yield spool
            part += 1
            spool = Spool.open(folder, facts, part)
        spool.append(_exchange(body, SEEN + timedelta(seconds=number)))
    yield spool


def _exchange(body: bytes, at: datetime) -> Exchange:
    """A page as it comes over the wire: compressed."""
    return Exchange(
        call=CALL,
        subject="",
        method="GET",
        url=URL,
        request_headers=(("Accept-Encoding", "gzip"),),
        status=200,
        reason="OK",
        response_headers=(("Content-Type", "application/json"), ("Content-Encoding", "gzip")),
        body=gzip.compress(body, compresslevel=1, mtime=0),
        fetched_at=at,
        elapsed_seconds=0.1,
    )
