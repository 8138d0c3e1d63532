"""What an evidence object shows, in runs of pages small enough for memory.

Where an object is cut depends on the object alone, so its rows are the same whenever and with whatever it is read.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from transforms.normalize import normalize
from transforms.observations import SCHEMAS, Batch
from warehouse import evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transforms.page import ArchivedPage
    from warehouse.bucket import Bucket

VERSION = "1"
"""Of the normalizers; it ends in every row. Raise it whenever the same bytes would give other rows."""
RUN_BYTES = 8 * 1024 * 1024
RUN_PAGES = 80
"""A run of pages ends when it has either."""
FAR_TOO_LARGE = 4
"""Times these, after which it ends anywhere."""


def shown_by(bucket: Bucket, key: str, sha256: str | None = None) -> Iterator[Batch]:
    """What the pages of an object show, run by run. Raises :class:`warehouse.faults.Damaged`."""
    for run in cut(evidence.read(bucket, key, sha256)):
        yield normalize(run, version=VERSION)


def cut(pages: Iterator[ArchivedPage]) -> Iterator[Iterator[ArchivedPage]]:
    """The pages in runs. Each run must be read to its end before the next is asked for.

    Pages of other calls belong to the page before them: the views of the records just listed, the replies of the thread just read.
    So a run ends before a page of the call it began with, unless it grows far too large.
    """
    waiting = list(islice(pages, 1))
    while waiting:
        yield _run(waiting, pages)


def _run(waiting: list[ArchivedPage], others: Iterator[ArchivedPage]) -> Iterator[ArchivedPage]:
    first = waiting.pop()
    yield first
    size, count = len(first.content), 1
    for page in others:
        full = max(size / RUN_BYTES, count / RUN_PAGES)
        if full >= (1 if page.call == first.call else FAR_TOO_LARGE):
            waiting.append(page)
            return
        yield page
        size += len(page.content)
        count += 1


def together(batches: Sequence[Batch]) -> Batch:
    """Several batches as one; their order is kept."""
    if len(batches) == 1:
        return batches[0]
    tables = {
        name: pa.concat_tables([SCHEMAS[name].empty_table(), *(getattr(batch, name) for batch in batches)])
        for name in SCHEMAS
    }
    return Batch(**tables)


def looks_in(batch: Batch) -> int:
    """How many observations a batch holds."""
    tables = (getattr(batch, one.name) for one in fields(batch))
    return sum(table.num_rows for table in tables if isinstance(table, pa.Table))
