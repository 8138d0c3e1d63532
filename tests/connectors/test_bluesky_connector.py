"""Bluesky's connector against a small network that can be made to behave badly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from atproto_looks import ANN, BOB, CITY, DOWN, EVE, calls, confirm, connect, left_out, look, shown, thread
from atproto_network import START, Network, refusal, running, tid
from hypothesis import given
from hypothesis import strategies as st

from connectors.bluesky import replies as bluesky_replies
from connectors.bluesky.platform import PLATFORM
from connectors.bluesky.servers import Servers
from connectors.bluesky.uri import AtUri, tid_time
from connectors.contract import AccountRef, Look
from connectors.faults import AccountUnavailable, PagingLoop, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.exchange import Exchange


@pytest.fixture
def network() -> Iterator[Network]:
    with running(Network()) as network:
        yield network


# --- names ----------------------------------------------------------------------------------------


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy adds it
def test_a_record_key_gives_back_the_time_it_was_made_of(at: datetime) -> None:
    assert tid_time(tid(at)) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "at://",
        "at://city.gov/app.bsky.feed.post/1",
        "at://did:plc:a/b",
        "at://did:plc:a/app.x/1/2",
        "https://x",
        7,
        None,
    ],
)
def test_what_is_no_address_of_a_record_is_not_taken_for_one(text: object) -> None:
    assert AtUri.parse(text) is None


@pytest.mark.parametrize("handle", ["city.example", "@City.Example", CITY, f"at://{CITY}"])
def test_a_handle_and_a_did_lead_to_the_same_account(network: Network, handle: str) -> None:
    network.post(CITY)
    found = PLATFORM.identify(connect(network, account=AccountRef("bluesky", "", "", "")), handle)
    assert found == AccountRef("bluesky", CITY, "city.example", "public.api.bsky.app")


@pytest.mark.parametrize("handle", ["nobody.example", "did:plc:nobody", "did:", "did:key:zabc"])
def test_an_unknown_handle_names_no_account(network: Network, handle: str) -> None:
    with pytest.raises(AccountUnavailable) as unknown:
        PLATFORM.identify(connect(network), handle)
    assert unknown.value.state == "not_found"


# --- servers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://localhost",
        "https://10.0.0.8",
        "https://[::1]",
        "https://pds.evil.example:6379",
        "https://user@pds.evil.example",
        "https://pds.evil.example/admin",
        "https://pds.evil.example?x=1",
        "file:///etc/passwd",
        "https://169.254.169.254",
        "https://[bad",
        "",
    ],
)
def test_an_address_in_a_did_document_leads_only_to_the_public_internet(network: Network, address: str) -> None:
    with Servers(connect(network)) as servers, pytest.raises(AccountUnavailable) as refused:
        servers.at(address)
    assert refused.value.state == "address_refused"


def test_a_server_with_a_port_is_asked_where_the_settings_map_it(network: Network) -> None:
    network.post(CITY)
    services = {**network.services, "localhost:2583": f"{network.base}/pds.example"}
    with Servers(connect(network, services=services)) as servers:
        client = servers.at("http://localhost:2583")
        client.get("x", "/xrpc/com.atproto.sync.getRepoStatus", {"did": CITY})
    assert network.asked[-1] == "pds.example/com.atproto.sync.getRepoStatus"


def test_a_did_document_of_somebody_else_is_refused(network: Network) -> None:
    network.post(CITY)
    network.fault = lambda path, _: (200, {"id": EVE}) if path.startswith("plc.") else None
    with pytest.raises(AccountUnavailable):
        look(network, "posts")


# --- posts ----------------------------------------------------------------------------------------


def test_every_post_is_listed_newest_first_and_then_viewed(network: Network) -> None:
    network.per_page = 30
    written = [network.post(CITY) for _ in range(70)]
    pages = look(network, "posts")
    assert [item.native_id for page in pages for item in page.items] == written[::-1]
    assert calls(pages)[:3] == ["post_records", "post_views", "post_views"]
    assert pages[-1].checkpoint is None


def test_own_answers_are_comments_and_their_replies_are_counted(network: Network) -> None:
    root = network.post(CITY)
    own = network.post(CITY, answers=root)
    network.post(ANN, answers=own)
    items = {item.native_id: item for page in look(network, "posts") for item in page.items}
    assert (items[root].kind, items[root].replies) == ("post", 1)
    assert (items[own].kind, items[own].replies) == ("comment", 1)


def test_a_post_the_appview_does_not_show_is_still_listed(network: Network) -> None:
    network.hidden.add(post := network.post(CITY))
    items = [item for page in look(network, "posts") for item in page.items]
    assert [(item.native_id, item.replies) for item in items] == [(post, None)]


def test_a_look_back_ends_at_the_first_page_made_before_it_whatever_the_posts_say_of_themselves(
    network: Network,
) -> None:
    network.per_page = 10
    for _ in range(40):
        network.post(CITY, createdAt="2031-01-01T00:00:00Z")
    since = network.now
    fresh = [network.post(CITY, createdAt="1999-01-01T00:00:00Z") for _ in range(5)]
    pages = look(network, "posts", Look(since=since + timedelta(milliseconds=1)))
    assert shown(pages) == set(fresh)
    assert calls(pages).count("post_records") == 2


@pytest.mark.parametrize("name", ["posts", "comments", "moderation"])
def test_going_on_from_any_page_gives_what_an_unbroken_look_gives(
    network: Network, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluesky_replies, "THREADS_PER_BATCH", 2)
    network.per_page = 4
    roots = [network.post(CITY) for _ in range(8)]
    for root in roots[::3]:
        network.chain([ANN, BOB, EVE], root, 6)
    del network.records[next(uri for uri, value in network.records.items() if value["text"] == "link 2")]
    for name_of_list in ("one", "two"):
        blocked = network.write(CITY, {"name": name_of_list}, collection="app.bsky.graph.list")
        network.write(CITY, {"subject": blocked}, collection="app.bsky.graph.listblock")
        network.write(CITY, {"subject": EVE, "list": blocked}, collection="app.bsky.graph.listitem")
        network.write(CITY, {"subject": EVE}, collection="app.bsky.graph.block")
    asked = thread(*roots[::-1]) if name == "comments" else Look()
    whole = look(network, name, asked)
    assert len(whole) > 3
    for count in range(1, len(whole)):
        checkpoint = json.loads(json.dumps(whole[count - 1].checkpoint))
        rest = look(network, name, Look(resume=checkpoint, subjects=asked.subjects))
        assert shown(whole[:count]) | shown(rest) == shown(whole)
        assert len(rest) <= len(whole)


def test_a_cursor_that_leads_back_is_a_loop(network: Network) -> None:
    network.post(CITY)
    page = {"records": [], "cursor": "again"}
    network.fault = lambda path, _: (200, page) if path.endswith("listRecords") else None
    with pytest.raises(PagingLoop):
        look(network, "posts")


def test_an_empty_page_with_a_cursor_is_not_the_end(network: Network) -> None:
    post = network.post(CITY)
    empty = {"records": [], "cursor": "zzzzzzzzzzzzz"}
    network.fault = lambda path, query: (200, empty) if path.endswith("listRecords") and "cursor" not in query else None
    assert shown(look(network, "posts")) == {post}


@pytest.mark.parametrize(
    ("status", "state"), [("deactivated", "deactivated"), ("takendown", "takendown"), ("deleted", "deleted")]
)
def test_a_closed_account_says_how_it_was_closed(network: Network, status: str, state: str) -> None:
    network.post(CITY)
    network.closed[CITY] = status
    kept: list[Exchange] = []
    with pytest.raises(AccountUnavailable) as closed:
        look(network, "posts", record=kept.append)
    assert closed.value.state == state
    assert [exchange.call for exchange in kept] == ["post_records", "account_status"]


@pytest.mark.parametrize("code", ["RepoNotFound", "RepoDeactivated", "RepoTakendown", "RepoSuspended"])
def test_other_servers_name_the_state_at_once(network: Network, code: str) -> None:
    network.post(CITY)
    network.fault = lambda path, _: refusal(code) if path.endswith("listRecords") else None
    with pytest.raises(AccountUnavailable) as closed:
        look(network, "posts")
    assert closed.value.state == {"RepoNotFound": "deleted"}.get(code, code.removeprefix("Repo").lower())


# --- moderation and direct reads ------------------------------------------------------------------


def test_gates_hides_blocks_and_members_of_blocked_lists_are_items(network: Network) -> None:
    root = network.post(CITY)
    rude = network.post(EVE, answers=root)
    gate = {"post": root, "hiddenReplies": [rude, "nonsense"]}
    gate_uri = network.write(CITY, gate, collection="app.bsky.feed.threadgate", key=root.rpartition("/")[2])
    block = network.write(CITY, {"subject": EVE}, collection="app.bsky.graph.block")
    blocked = network.write(BOB, {"name": "list"}, collection="app.bsky.graph.list")
    member = network.write(BOB, {"subject": ANN, "list": blocked}, collection="app.bsky.graph.listitem")
    by_list = network.write(CITY, {"subject": blocked}, collection="app.bsky.graph.listblock")
    pages = look(network, "moderation")
    assert shown(pages) == {gate_uri, f"hide/{rude}", block, by_list, member}
    assert {item.kind for page in pages for item in page.items} == {"moderation_action"}
    assert pages[-2].exchange.subject == blocked


def test_a_blocked_list_that_is_gone_is_counted(network: Network) -> None:
    gone = f"at://{BOB}/app.bsky.graph.list/x"
    network.write(CITY, {"subject": gone}, collection="app.bsky.graph.listblock")
    assert left_out(look(network, "moderation")) == {"list_not_shown": 1}


def test_a_direct_read_says_there_deleted_or_taken_down(network: Network) -> None:
    there, deleted, taken = (network.post(ANN) for _ in range(3))
    del network.records[deleted]
    network.hidden.add(taken)
    pages = confirm(network, there, deleted, taken)
    assert [(page.exchange.call, page.exchange.subject, page.exchange.status) for page in pages] == [
        ("confirm_record", there, 200),
        ("confirm_record", deleted, 400),
        ("confirm_record", taken, 200),
        ("confirm_views", "", 200),
    ]
    assert [item.native_id for item in pages[-1].items] == [there]
    assert deleted.rpartition("/")[2] not in pages[-1].exchange.url


@pytest.mark.parametrize("status", ["deactivated", "deleted"])
def test_a_closed_repository_is_asked_why_once_for_each_record(network: Network, status: str) -> None:
    first, second = network.post(ANN), network.post(ANN)
    network.closed[ANN] = status
    pages = confirm(network, first, second)
    assert calls(pages) == ["confirm_record", "confirm_repository", "confirm_repository"]
    assert [page.exchange.subject for page in pages] == [first, first, second]


def test_a_hide_is_confirmed_by_the_gate_of_its_thread(network: Network) -> None:
    root = network.post(CITY)
    rude, ruder = network.post(EVE, answers=root), network.post(EVE, answers=root)
    pages = confirm(network, f"hide/{rude}", f"hide/{ruder}")
    gate = f"at://{CITY}/app.bsky.feed.threadgate/{root.rpartition('/')[2]}"
    assert [(page.exchange.subject, page.exchange.status) for page in pages] == [(gate, 400)]


def test_what_a_strangers_silent_server_holds_stays_as_it_was_known(network: Network) -> None:
    network.home[EVE] = "pds.eve.example"
    network.post(CITY)
    mine, hers = network.post(ANN), network.post(EVE)
    network.fault = lambda path, _: DOWN if path.startswith("pds.eve") else None
    pages = confirm(network, mine, hers)
    assert left_out(pages) == {"not_confirmed": 1}
    with pytest.raises(Unreachable):
        confirm(network, hers)


def test_a_record_key_of_the_network_lies_after_its_start(network: Network) -> None:
    made = tid_time(network.post(CITY).rpartition("/")[2])
    assert made is not None
    assert made > START
