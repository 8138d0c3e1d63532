from __future__ import annotations

import copy
import gc
import json
import random
from typing import Any

import pytest
from archived_pages import archived, as_sets, golden_pages, rows, show, told
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.normalize import DIALECTS, normalize
from transforms.page import ArchivedPage

GOLDEN = golden_pages()
LISTS = {
    "records": "records",
    "views": "posts",
    "gates": "records",
    "timeline": None,
    "blocked_accounts": None,
    "news": None,
    "talk": None,
}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><title>Bad gateway</title>",
        b'{"records": [{"uri": "at:',
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
    ],
    ids=["empty", "html", "cut", "no text", "endless", "null"],
)
@pytest.mark.parametrize("call", ["post_records", "thread", "profile"])
def test_a_page_that_is_no_answer_is_one_quarantine_row(content: bytes, call: str) -> None:
    batch = show(archived("bluesky", call, content))
    assert batch.quarantine["reason"].to_pylist()[0] in {"page_not_json", "page_shape", "item_shape", "item_not_json"}
    assert (batch.items, batch.ended["quarantine"]) == (1, 1)


def test_html_in_place_of_a_listing_is_named_for_what_it_is() -> None:
    for platform, call in (("bluesky", "post_records"), ("mastodon", "account_statuses"), ("wordpress", "posts")):
        batch = show(archived(platform, call, b"<html><body>Please log in</body></html>"))
        assert batch.quarantine["reason"].to_pylist() == ["page_not_json"]
        assert "log in" not in str(rows(batch.quarantine))


def test_an_error_inside_a_200_is_quarantined_not_an_empty_page() -> None:
    for platform, call in (("bluesky", "post_records"), ("mastodon", "account_statuses"), ("wordpress", "comments")):
        batch = show(archived(platform, call, {"error": "Oops", "code": "oops"}))
        assert batch.quarantine["reason"].to_pylist() == ["page_shape"]


def test_a_refused_listing_is_a_counted_skip() -> None:
    batch = show(archived("mastodon", "account_statuses", {"error": "slow down"}, status=429))
    assert (batch.skipped, batch.items) == ({"answer_429": 1}, 1)


@pytest.mark.parametrize(("platform", "call"), [("bluesky", "something_new"), ("myspace", "posts")])
def test_a_call_nobody_reads_is_quarantined(platform: str, call: str) -> None:
    page = archived("bluesky", call, {}, platform=platform)
    assert show(page).quarantine["reason"].to_pylist() == ["call_unknown"]


@pytest.mark.parametrize(
    ("platform", "call", "body"),
    [("bluesky", "post_records", {"records": []}), ("mastodon", "account_statuses", []), ("wordpress", "posts", [])],
)
def test_an_empty_page_shows_nothing_and_is_no_fault(platform: str, call: str, body: object) -> None:
    batch = show(archived(platform, call, body))
    assert (batch.items, batch.ended) == (0, {"row": 0, "quarantine": 0, "skipped": 0})


def test_no_page_is_an_empty_batch_with_every_table() -> None:
    assert told(show()) == {"skipped": {}, "ended": {"row": 0, "quarantine": 0, "skipped": 0}}


def test_the_same_item_on_two_pages_is_observed_twice_and_alike() -> None:
    page = GOLDEN["timeline"]
    once, twice = show(page), show(page, page)
    assert twice.posts.num_rows == 2 * once.posts.num_rows
    assert twice.posts["content_sha256"].unique() == once.posts["content_sha256"].unique()


def test_every_row_leads_back_to_its_bytes() -> None:
    page = GOLDEN["records"]
    for row in show(page).posts.to_pylist():
        assert row["evidence_key"] == page.evidence_key
        assert row["evidence_offset"] == page.evidence_offset
        assert row["capture_id"] == page.capture_id
        assert row["seen_at"] == page.fetched_at
        assert row["normalizer_version"] == "1"


def test_the_garbage_collector_runs_again_afterwards() -> None:
    def failing() -> Any:
        yield GOLDEN["records"]
        raise OSError

    normalize([], version="1")
    with pytest.raises(OSError):  # noqa: PT011
        normalize(failing(), version="1")
    assert gc.isenabled()


@settings(max_examples=40, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(LISTS)))
def test_any_split_into_pages_gives_the_same_rows(data: st.DataObject, name: str) -> None:
    page, key = GOLDEN[name], LISTS[name]
    body = json.loads(page.content)
    items = body if key is None else body[key]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(items)), max_size=4)))
    groups = [items[start:end] for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)]
    wrapped = [group if key is None else {key: group} for group in groups]
    pages = [_like(page, group) for group in wrapped]
    together = data.draw(st.booleans())
    whole = as_sets([show(_like(page, body))])
    assert as_sets([show(*pages)] if together else [show(one) for one in pages]) == whole


def _like(page: ArchivedPage, body: object) -> ArchivedPage:
    url = page.url.partition("?")[0]
    return archived(page.platform, page.call, body, subject=page.subject, status=page.status, url=url)


ODD: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", "\x00", "0000-00-00T00:00:00", [], [None], {}, {"$type": 7}]


@pytest.mark.parametrize("name", GOLDEN)
def test_no_missing_key_and_no_odd_value_makes_it_raise(name: str) -> None:
    page = GOLDEN[name]
    body = json.loads(page.content)
    chance = random.Random(name)  # noqa: S311 - the same values each time
    bodies = []
    for place in _places(body):
        bodies += [_changed(body, place, drop=True), _changed(body, place, value=chance.choice(ODD))]
    show(*(_as_asked(page, changed) for changed in bodies))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(GOLDEN)))
def test_no_combination_of_odd_values_makes_it_raise(data: st.DataObject, name: str) -> None:
    page = GOLDEN[name]
    body = json.loads(page.content)
    for _ in range(data.draw(st.integers(1, 4))):
        places = list(_places(body))
        if not places:
            break
        body = _changed(body, data.draw(st.sampled_from(places)), value=data.draw(st.sampled_from(ODD)))
    show(_as_asked(page, body))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(GOLDEN)))
def test_no_damaged_byte_makes_it_raise(data: st.DataObject, name: str) -> None:
    page = GOLDEN[name]
    place = data.draw(st.integers(0, len(page.content)))
    noise = data.draw(st.binary(max_size=3))
    cut = data.draw(st.booleans())
    content = page.content[:place] + noise + (b"" if cut else page.content[place + 1 :])
    show(archived(page.platform, page.call, content, subject=page.subject, status=page.status, url=page.url))


@pytest.mark.parametrize("platform", DIALECTS)
def test_no_answer_of_one_call_makes_another_raise(platform: str) -> None:
    for page in GOLDEN.values():
        asked = {"subject": page.subject, "status": page.status, "url": page.url}
        calls = DIALECTS[platform].calls
        show(*(archived(platform, call, page.content, **asked) for call in calls))
        show(*(archived(platform, call, page.content) for call in calls))


def _as_asked(page: ArchivedPage, body: object) -> ArchivedPage:
    return archived(page.platform, page.call, body, subject=page.subject, status=page.status, url=page.url)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    found = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in found:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _changed(body: Any, place: tuple[Any, ...], *, value: Any = None, drop: bool = False) -> Any:
    changed = copy.deepcopy(body)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    if drop:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return changed
