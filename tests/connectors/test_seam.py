"""A listing read by offset while things come and go: nothing that was there all the time is missed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.exchange import Exchange
from connectors.faults import PagingLoop
from connectors.kit.seam import STEPS_BACK, Seam

SIZE = 20


def exchange(total: int | None) -> Exchange:
    headers = () if total is None else (("X-WP-Total", str(total)),)
    return Exchange("call", "", "GET", "https://a.gov", (), 200, "", headers, b"", datetime.now(UTC), 0.1)


def total_of(asked: Exchange, _value: object) -> int | None:
    told = asked.header("x-wp-total")
    return None if told is None else int(told)


PAGER: Seam[list[str]] = Seam(ids=list, total=total_of, size=SIZE)


class Shelf:
    """A listing by id, newest first, that is changed between pages."""

    def __init__(self, numbers: range, changes: list[tuple[str, int]], *, tells_total: bool = True) -> None:
        self.there = sorted(numbers, reverse=True)
        self.stayed = set(self.there)
        self.newest = len(self.there)
        self.changes = changes
        self.tells_total = tells_total

    def page(self, offset: int) -> tuple[Exchange, list[str]]:
        shown = [str(number) for number in self.there[offset : offset + SIZE]]
        answer = exchange(len(self.there) if self.tells_total else None), shown
        if self.changes:
            self.change(*self.changes.pop(0))
            self.stayed &= set(self.there)
        return answer

    def change(self, what: str, where: int) -> None:
        if what == "add":
            self.newest += 1
            self.there.insert(0, self.newest)
        elif what == "restore":
            number = where % self.newest + 1 if self.newest else 0
            if number and number not in self.there:
                self.there = sorted([*self.there, number], reverse=True)
        else:
            count = {"delete": 1, "purge": 15, "wipe": 60}[what]
            at = where % max(1, len(self.there))
            del self.there[at : at + count]


def read(shelf: Shelf, place: dict[str, Any] | None = None) -> tuple[list[str], list[dict[str, Any] | None]]:
    seen: list[str] = []
    places: list[dict[str, Any] | None] = []
    at: Any = place or {}
    while at is not None:
        asked, ids = shelf.page(int(PAGER.query(at)["offset"]))
        seen += ids
        at = PAGER.after(asked, ids, at)
        places.append(at)
    return seen, places


CHANGE = st.tuples(st.sampled_from(["add", "delete", "delete", "purge", "wipe", "restore"]), st.integers(0, 400))


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 200),
    changes=st.lists(CHANGE, max_size=12),
    tells_total=st.booleans(),
)
def test_what_was_there_all_the_time_is_seen(size: int, changes: list[tuple[str, int]], *, tells_total: bool) -> None:
    shelf = Shelf(range(1, size + 1), changes, tells_total=tells_total)
    seen, _ = read(shelf)
    assert {str(number) for number in shelf.stayed} <= set(seen)


@given(st.integers(0, 150))
def test_resumed_from_every_page_it_reads_the_same(size: int) -> None:
    whole, places = read(Shelf(range(1, size + 1), []))
    for number, place in enumerate(places[:-1], 1):
        rest, _ = read(Shelf(range(1, size + 1), []), place)
        assert set(whole[: number * SIZE]) | set(rest) == set(whole)


def test_a_page_number_would_have_lost_what_the_seam_keeps() -> None:
    numbers = range(1, 61)
    shelf = Shelf(numbers, [("delete", 0)] * 2)
    by_page = [shelf.page(offset)[1] for offset in (0, 20, 40)]
    lost = {str(number) for number in shelf.there} - {number for page in by_page for number in page}
    assert lost
    seen, _ = read(Shelf(numbers, [("delete", 0)] * 2))
    assert lost <= set(seen)


def test_a_server_that_does_not_page_is_found_out() -> None:
    ids = [str(number) for number in range(SIZE)]
    place = PAGER.after(exchange(60), ids, {})
    assert place is not None
    with pytest.raises(PagingLoop, match="does not page"):
        PAGER.after(exchange(60), ids, place)


def test_a_listing_that_never_holds_still_is_given_up() -> None:
    place: Any = {"offset": 5000, "seam": ["1"]}
    for _ in range(STEPS_BACK):
        place = PAGER.after(exchange(9000), ["other"], place)
    with pytest.raises(PagingLoop, match="faster than"):
        PAGER.after(exchange(9000), ["other"], place)


def test_items_left_out_of_a_page_do_not_end_the_listing() -> None:
    assert PAGER.after(exchange(60), [], {}) is not None
    assert PAGER.after(exchange(0), [], {}) is None
    assert PAGER.after(exchange(None), [], {}) is None
