from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from lookout import HOST, Lookout, native_ids
from scripted_server import Answer, Asked, Server, as_json, scripted_server

from connectors.contract import Item, Look, Page
from connectors.faults import PagingLoop
from connectors.kit.client import Client
from connectors.kit.clocktime import moment
from connectors.kit.endpoint import Endpoint
from connectors.kit.pager import (
    LinkHeader,
    Listing,
    MaxId,
    NextUrl,
    Once,
    PageNumber,
    Pager,
    Shown,
    Token,
    pages,
    readings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = [{"id": str(number), "at": f"2026-01-{number:02}T00:00:00Z"} for number in range(28, 0, -1)]
SIZE = 5


class Row(msgspec.Struct):
    id: str
    at: str


class Answered(msgspec.Struct):
    rows: list[Row]
    next: str | None = None


def show(answer: Answered) -> Shown:
    return Shown(tuple(Item(row.id, "post", moment(row.at)) for row in answer.rows))


def answer_for(asked: Asked) -> Answer:
    start = int(asked.query.get("cursor", 0))
    if asked.query.get("page"):
        start = (int(asked.query["page"]) - 1) * SIZE
    if asked.query.get("max_id"):
        start = next((at for at, row in enumerate(ROWS) if int(row["id"]) < int(asked.query["max_id"])), len(ROWS))
    following = start + SIZE if start + SIZE < len(ROWS) else None
    linked: Any = asked.query.get("link")
    told = None if following is None else f"https://elsewhere.example/other?cursor={following}&token=x"
    headers = {"Link": f'<https://x/?a=1>; rel="prev", <{told}>; rel="next"'} if linked and told else {}
    named = told if asked.query.get("urls") else following
    return as_json({"rows": ROWS[start : start + SIZE], "next": None if named is None else str(named)}, **headers)


PAGERS: dict[str, tuple[Pager[Answered], dict[str, str]]] = {
    "token": (Token("cursor", lambda answer: answer.next), {}),
    "max_id": (MaxId("max_id", lambda answer: answer.rows[-1].id if answer.rows else None), {}),
    "next_url": (NextUrl(lambda answer: answer.next, keep=("cursor",)), {"urls": "1"}),
    "link": (LinkHeader(keep=("cursor",)), {"link": "1"}),
    "page": (PageNumber("page", lambda _exchange, _answer: 6, lambda answer: not answer.rows), {}),
    "page_untold": (PageNumber("page", lambda _exchange, _answer: None, lambda answer: not answer.rows), {}),
}


def listing(name: str) -> Listing[Answered]:
    pager, params = PAGERS[name]
    return Listing(Endpoint("rows", "/rows"), Answered, pager, show, params)


@pytest.fixture
def server() -> Iterator[Server]:
    with scripted_server() as running:
        running.script = answer_for
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(Lookout(server.url).connection, host=HOST) as opened:
        yield opened


@pytest.mark.parametrize("name", PAGERS)
def test_every_pager_reads_all_and_resumes_anywhere(client: Client, name: str) -> None:
    whole = list(pages(client, listing(name), Look()))
    assert native_ids(whole) == [row["id"] for row in ROWS]
    assert whole[-1].checkpoint is None
    for number, page in enumerate(whole[:-1], 1):
        stored = json.loads(json.dumps(page.checkpoint))
        rest = list(pages(client, listing(name), Look(resume=stored)))
        assert native_ids(rest) == native_ids(whole[number:])


def test_the_address_of_the_next_page_gives_parameters_only(server: Server, client: Client) -> None:
    list(pages(client, listing("next_url"), Look()))
    assert {asked.path for asked in server.asked} == {"/rows"}
    assert not any("token" in asked.query for asked in server.asked)


def test_reading_stops_at_the_first_page_that_is_too_old(client: Client) -> None:
    since = datetime(2026, 1, 20, tzinfo=UTC)
    read = list(pages(client, listing("token"), Look(since=since)))
    assert native_ids(read) == [str(number) for number in range(28, 13, -1)]
    assert read[-1].checkpoint is None


def test_a_page_with_one_young_or_undated_item_is_not_too_old(server: Server, client: Client) -> None:
    rows = [{"id": "1", "at": "2020-01-01T00:00:00Z"}, {"id": "2", "at": "unknown"}]
    server.answers(as_json({"rows": rows, "next": "1"}), as_json({"rows": [], "next": None}))
    assert len(list(pages(client, listing("token"), Look(since=datetime(2026, 1, 1, tzinfo=UTC))))) == 2


def test_an_empty_page_with_a_token_is_not_the_end(server: Server, client: Client) -> None:
    server.answers(
        as_json({"rows": [], "next": "a"}),
        as_json({"rows": [], "next": "b"}),
        as_json({"rows": ROWS[:1], "next": None}),
    )
    read = list(pages(client, listing("token"), Look(since=datetime(2026, 1, 1, tzinfo=UTC))))
    assert native_ids(read) == ["28"]


@pytest.mark.parametrize("tokens", [["a", "a"], ["a", "b", "a"]])
def test_a_token_that_leads_back_is_a_loop(server: Server, client: Client, tokens: list[str]) -> None:
    server.answers(*(as_json({"rows": ROWS[:1], "next": token}) for token in tokens))
    read = []
    with pytest.raises(PagingLoop) as loop:
        read.extend(pages(client, listing("token"), Look()))
    assert loop.value.exchange is not None


def test_a_listing_without_end_is_given_up(server: Server, client: Client) -> None:
    server.script = lambda asked: as_json({"rows": [], "next": str(int(asked.query.get("cursor", 0)) + 1)})
    with pytest.raises(PagingLoop, match="does not end"):
        list(readings(client, listing("token"), Look(), page_limit=9))


def test_a_call_with_one_page_has_one(client: Client) -> None:
    once = replace(listing("token"), pager=Once())
    assert len(list(pages(client, once, Look()))) == 1


def test_the_platforms_count_is_told(client: Client) -> None:
    counted = replace(listing("token"), total=lambda _exchange, _answer: 28)
    assert {page.total for page in pages(client, counted, Look())} == {28}


def test_pages_hold_the_exchange_that_was_recorded(server: Server) -> None:
    look = Lookout(server.url)
    with Client(look.connection, host=HOST) as client:
        read: list[Page] = list(pages(client, listing("token"), Look()))
    assert [page.exchange for page in read] == look.recorded
