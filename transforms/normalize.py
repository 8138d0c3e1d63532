"""From archived pages to what they show. Pure: the same pages give the same rows, on any machine, at any time.

Nothing a platform sends makes it raise. Every item of every page ends as rows, as a quarantine row with the reason, or as a named, counted
skip; ``Batch.ended`` adds up to ``Batch.items``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from transforms import bluesky, mastodon, wordpress
from transforms.page import CONTROL, ArchivedPage
from transforms.quarantine import CALL_UNKNOWN, PageBroken
from transforms.sheets import Sheets

if TYPE_CHECKING:
    from transforms.observations import Batch

Reader = Callable[[ArchivedPage, Sheets], None]
OK = 200


class Dialect(NamedTuple):
    """The calls of a platform, and those of which a refusal says something about a record."""

    calls: Mapping[str, Reader]
    answers: frozenset[str]


DIALECTS: Mapping[str, Dialect] = {
    "bluesky": Dialect(bluesky.CALLS, bluesky.ANSWERS),
    "mastodon": Dialect(mastodon.CALLS, mastodon.ANSWERS),
    "wordpress": Dialect(wordpress.CALLS, wordpress.ANSWERS),
}


def normalize(pages: Iterable[ArchivedPage], *, version: str) -> Batch:
    """All that the pages show, as Arrow tables.

    Args:
        pages: Read back from locked evidence, in the order of capture.
        version: Of this code; it ends in every row as ``normalizer_version``.
    """
    sheets = Sheets(version)
    with _no_garbage_collection():
        for page in pages:
            try:
                _read(page, sheets)
            except PageBroken as problem:
                sheets.items += 1
                sheets.put_aside(page.content, problem)
            sheets.end_page(page)
        return sheets.batch()


def _read(page: ArchivedPage, sheets: Sheets) -> None:
    if page.call.startswith(CONTROL):
        sheets.leave_out("control")
        return
    dialect = DIALECTS.get(page.platform)
    reader = dialect.calls.get(page.call) if dialect else None
    if dialect is None or reader is None:
        raise PageBroken(CALL_UNKNOWN, f"{page.platform} {page.call}")
    if page.status != OK and page.call not in dialect.answers:
        sheets.leave_out(f"answer_{page.status}")
        return
    reader(page, sheets)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Rows are many small objects without cycles: looking for cycles among them would double the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
