"""What an evidence object shows, in runs of pages small enough for memory.

Where an object is cut depends on the object alone, so its rows are the same whenever and with whatever it is read.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa

from transforms.fullness import filled
from transforms.normalize import normalize
from transforms.observations import SCHEMAS, Batch
from warehouse import evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from transforms.page import ArchivedPage
    from warehouse.bucket import Bucket

VERSION = "1"
"""Of the normalizers; it ends in every row. Raise it whenever the same bytes would give other rows."""
RUN_BYTES = 24 * 1024 * 1024
RUN_PAGES = 160
"""A run of pages ends when it has either."""


def shown_by(bucket: Bucket, key: str, sha256: str | None, bench: duckdb.DuckDBPyConnection) -> Iterator[Batch]:
    """What the pages of an object show, run by run. Raises :class:`warehouse.faults.Damaged`."""
    for run in cut(evidence.read(bucket, key, sha256)):
        yield filled(normalize(run, version=VERSION), bench)


def cut(pages: Iterator[ArchivedPage]) -> Iterator[Iterator[ArchivedPage]]:
    """The pages in runs. Each run must be read to its end before the next is asked for."""
    for first in pages:
        yield _run(first, pages)


def _run(first: ArchivedPage, others: Iterator[ArchivedPage]) -> Iterator[ArchivedPage]:
    size = 0
    for number, page in enumerate(chain([first], others), start=1):
        size += len(page.content)
        yield page
        if size >= RUN_BYTES or number >= RUN_PAGES:
            return


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
