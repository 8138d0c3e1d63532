"""Bluesky's connector against a small network that can be made to behave badly."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from atproto_network import START, Network, did, refusal, running, tid
from hypothesis import given
from hypothesis import strategies as st

from connectors import bluesky_replies, bluesky_search
from connectors.bluesky import PLATFORM
from connectors.bluesky_servers import Servers
from connectors.bluesky_uri import AtUri, tid_time
from connectors.contract import AccountRef, Connection, Item, Look, Page, Resource
from connectors.faults import AccountUnavailable, ContractBroken, PagingLoop, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.exchange import Exchange

CITY, ANN, BOB, EVE = did("city"), did("ann"), did("bob"), did("eve")
RESOURCES: dict[str, Resource] = {resource.name: resource for resource in PLATFORM.resources}
DOWN = (503, {"error": "Unavailable"})


@pytest.fixture
def network() -> Iterator[Network]:
    with running(Network()) as network:
        yield network


def connect(network: Network, record: Callable[[Exchange], None] = lambda _: None, **more: Any) -> Connection:
    options: dict[str, Any] = {
        "account": AccountRef("bluesky", CITY, "city.example", "public.api.bsky.app"),
        "record": record,
        "clock": lambda: datetime.now(UTC),
        "sleep": lambda _: None,
        "services": network.services,
    }
    return Connection(**{**options, **more})


def look(network: Network, name: str, look: Look | None = None, **more: Any) -> list[Page]:
    return list(RESOURCES[name].fetch(connect(network, **more), look or Look()))


def shown(pages: list[Page]) -> set[str]:
    return {item.native_id for page in pages for item in page.items}


def left_out(pages: list[Page]) -> Counter[str]:
    return sum((Counter(page.skipped) for page in pages), Counter[str]())


def thread(*roots: str) -> Look:
    return Look(subjects=[Item(root, "post", published_at=tid_time(root.rpartition("/")[2])) for root in roots])


def confirm(network: Network, *ids: str) -> list[Page]:
    reader = RESOURCES["comments"].confirm
    assert reader is not None
    return list(reader(connect(network), ids))


def calls(pages: list[Page]) -> list[str]:
    return [page.exchange.call for page in pages]


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


# --- comments -------------------------------------------------------------------------------------


def test_what_lies_below_a_deleted_reply_is_found_and_nothing_else_of_its_authors_is_kept(network: Network) -> None:
    root = network.post(CITY)
    network.post(ANN, answers=root)
    chain = network.chain([ANN, BOB], root, 20)
    for author in (ANN, BOB):
        network.post(author, "a private picnic")
        network.post(author, "a private answer", answers=network.post(EVE, "elsewhere"))
    del network.records[chain[3]]
    kept: list[Exchange] = []
    pages = look(network, "comments", thread(root), record=kept.append)
    assert shown(pages) >= set(chain) - {chain[3]}
    assert calls(pages) == ["thread", "reply_views"]
    assert [exchange.call for exchange in kept] == calls(pages)
    assert not [exchange for exchange in kept if b"private" in exchange.body]


def test_an_author_who_appears_only_below_a_deleted_reply_is_found_through_who_stands_above(network: Network) -> None:
    root = network.post(CITY)
    gone = network.post(BOB, answers=root)
    network.post(ANN, answers=root)
    below = network.post(ANN, answers=gone)
    stranger = network.post(EVE, answers=below)
    del network.records[gone]
    pages = look(network, "comments", thread(root))
    assert {below, stranger} <= shown(pages)
    assert calls(pages) == ["thread", "reply_views", "thread"]


def test_replies_of_a_blocked_person_are_found_although_no_thread_names_them(network: Network) -> None:
    root = network.post(CITY)
    network.write(CITY, {"subject": EVE}, collection="app.bsky.graph.block")
    abuse = network.post(EVE, answers=root)
    assert abuse in shown(look(network, "comments", thread(root)))


def test_replies_of_a_hidden_person_are_found_although_no_thread_names_them(network: Network) -> None:
    root = network.post(CITY)
    key = root.rpartition("/")[2]
    hidden = network.post(EVE, answers=root)
    gate = {"post": root, "hiddenReplies": [hidden]}
    network.write(CITY, gate, collection="app.bsky.feed.threadgate", key=key)
    network.hidden.add(hidden)
    pages = look(network, "comments", thread(root))
    assert hidden in shown(pages)
    assert calls(pages) == ["thread", "reply_views", "reply_record"]


def test_a_thread_deeper_than_one_answer_is_read_to_its_end(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_replies, "DEPTH", 10)
    root = network.post(CITY)
    chain = network.chain([ANN], root, 35)
    pages = look(network, "comments", thread(root))
    assert shown(pages) == {root, *chain}
    assert calls(pages) == ["thread"] * 4


def test_the_deepest_answer_asked_for_can_be_decoded(network: Network) -> None:
    root = network.post(CITY)
    chain = network.chain([ANN], root, bluesky_replies.DEPTH + 5)
    assert set(chain) <= shown(look(network, "comments", thread(root)))


def test_an_edit_the_appview_ignores_is_read_from_its_author(network: Network) -> None:
    root = network.post(CITY)
    reply = network.post(ANN, "before", answers=root)
    network.frozen[reply] = dict(network.records[reply])
    network.records[reply]["text"] = "after"
    pages = look(network, "comments", thread(root))
    assert [page.exchange.subject for page in pages if page.exchange.call == "reply_record"] == [reply]
    assert b"after" in pages[-1].exchange.content


def test_each_author_is_asked_once_for_all_threads(network: Network) -> None:
    roots = [network.post(CITY) for _ in range(6)]
    for root in roots:
        network.chain([ANN, BOB], root, 4)
    look(network, "comments", thread(*roots[::-1]))
    lists = [path for path in network.asked if path.endswith("listRecords")]
    assert len(lists) <= 2 * len({ANN, BOB, CITY}) + 2


def test_a_reply_found_by_the_search_is_read_in_one_batch_only(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluesky_replies, "THREADS_PER_BATCH", 2)
    roots = [network.post(CITY) for _ in range(8)]
    chains = [network.chain([ANN, BOB], root, 5) for root in roots]
    for chain in chains:
        del network.records[chain[2]]
    del network.records[roots[3]]
    pages = look(network, "comments", thread(*(root for root in roots[::-1] if root in network.records)))
    searched = [item.native_id for page in pages if page.exchange.call == "reply_views" for item in page.items]
    below = {uri for chain in chains for uri in chain[3:]}
    assert sorted(searched) == sorted(below | set(chains[3][:2]))


def test_threads_of_posts_without_replies_are_not_asked_for(network: Network) -> None:
    quiet, asked = network.post(CITY), network.post(CITY)
    network.post(ANN, answers=asked)
    subjects = [item for page in look(network, "posts") for item in page.items]
    pages = look(network, "comments", Look(subjects=subjects))
    assert [item.native_id for item in subjects] == [asked, quiet]
    assert [page.exchange.subject for page in pages] == [asked]


def test_posts_older_than_the_oldest_thread_are_not_looked_through(network: Network) -> None:
    network.per_page = 10
    for _ in range(200):
        network.post(ANN, "long ago")
    network.now += timedelta(days=30)
    root = network.post(CITY)
    network.post(ANN, answers=root)
    network.asked.clear()
    look(network, "comments", thread(root))
    assert len([path for path in network.asked if path.endswith("listRecords")]) <= 6


def test_only_what_lies_below_the_accounts_own_words_counts_in_a_strangers_thread(network: Network) -> None:
    strange = network.post(EVE)
    ours = network.post(CITY, answers=network.post(ANN, answers=strange))
    answer = network.post(BOB, answers=ours)
    gone = network.post(BOB, answers=answer)
    aside = network.post(BOB, "aside", answers=strange)
    below = network.post(BOB, answers=answer)
    network.hidden.add(below)
    del network.records[gone]
    found = shown(look(network, "comments", thread(ours)))
    assert {answer, below} <= found
    assert aside not in found


def test_a_thread_that_is_not_shown_is_counted_and_searched_for(network: Network) -> None:
    taken, other = network.post(CITY), network.post(CITY)
    network.hidden.add(taken)
    network.post(ANN, answers=other)
    reply = network.post(ANN, answers=taken)
    pages = look(network, "comments", thread(other, taken))
    assert left_out(pages) == {"thread_not_shown": 1}
    assert reply in shown(pages)


def test_blocked_and_missing_nodes_are_counted_by_name(network: Network) -> None:
    root = network.post(CITY)
    secret = network.post(EVE, answers=root)
    nodes = [
        {"$type": "app.bsky.feed.defs#blockedPost", "uri": secret, "blocked": True},
        {"$type": "app.bsky.feed.defs#notFoundPost", "uri": f"at://{BOB}/app.bsky.feed.post/x", "notFound": True},
        {"$type": "app.bsky.feed.defs#somethingNew"},
    ]
    answer = {"thread": {"$type": "app.bsky.feed.defs#threadViewPost", "post": network._view(root), "replies": nodes}}
    network.fault = lambda path, _: (200, answer) if path.endswith("getPostThread") else None
    pages = look(network, "comments", thread(root))
    assert left_out(pages) == {"blocked_post": 1, "not_found_post": 1, "unknown_node": 1}
    assert secret in shown(pages)


def test_a_thread_of_another_shape_is_a_broken_contract(network: Network) -> None:
    root = network.post(CITY)
    network.fault = lambda path, _: (200, {"thread": None}) if path.endswith("getPostThread") else None
    with pytest.raises(ContractBroken, match="thread"):
        look(network, "comments", thread(root))


@pytest.mark.parametrize("answer", [DOWN, (429, {}), (200, {"records": 7}), b"<html>", (403, {"error": "no"})])
def test_a_strangers_server_cannot_stop_a_look(network: Network, answer: Any) -> None:
    network.home[EVE] = "pds.eve.example"
    root = network.post(CITY)
    replies = {network.post(EVE, answers=root), network.post(ANN, answers=network.post(ANN, answers=root))}
    network.fault = lambda path, _: answer if path.startswith("pds.eve") else None
    pages = look(network, "comments", thread(root))
    assert replies <= shown(pages)
    assert left_out(pages) == {"author_unreadable": 1}


def test_a_server_that_may_not_be_asked_is_counted(network: Network) -> None:
    root = network.post(CITY)
    network.post(EVE, answers=root)
    services = network.services
    network.home[EVE] = "10.0.0.8"
    pages = look(network, "comments", thread(root), services=services)
    assert left_out(pages) == {"author_unreadable": 1}


def test_after_many_silent_servers_only_known_ones_are_asked(network: Network) -> None:
    root = network.post(CITY)
    for number in range(20):
        author = did(f"silent{'bcdefghijklmnopqrstu'[number]}")
        network.home[author] = f"pds{number}.example"
        network.post(author, answers=root)
    network.fault = lambda path, _: DOWN if path.startswith("pds") and not path.startswith("pds.example") else None
    pages = look(network, "comments", thread(root))
    assert left_out(pages) == {"author_unreadable": 20}
    tried = {path.partition("/")[0] for path in network.asked if path.startswith("pds")} - {"pds.example"}
    assert len(tried) == bluesky_search.FAILING_SERVERS


def test_the_citys_own_server_being_away_stops_the_look(network: Network) -> None:
    root = network.post(CITY)
    network.post(ANN, answers=root)
    network.fault = lambda path, _: DOWN if path.startswith("pds.") else None
    with pytest.raises(Unreachable):
        look(network, "comments", thread(root))


def test_the_directory_being_away_stops_the_look(network: Network) -> None:
    root = network.post(CITY)
    network.post(ANN, answers=root)
    network.fault = lambda path, _: DOWN if path.startswith("plc.") and not path.endswith(CITY) else None
    with pytest.raises(Unreachable):
        look(network, "comments", thread(root))


def test_authors_beyond_the_limit_are_counted(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_search, "AUTHORS_PER_BATCH", 2)
    root = network.post(CITY)
    for author in (ANN, BOB, EVE):
        network.post(author, answers=root)
    pages = look(network, "comments", thread(root))
    assert left_out(pages) == {"author_scan_limit": 2}


def test_an_author_without_end_is_left_at_a_limit(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_search, "PAGES_PER_AUTHOR", 3)
    network.per_page = 2
    root = network.post(CITY)
    network.post(ANN, answers=root)
    for _ in range(20):
        network.post(ANN, "more")
    assert left_out(look(network, "comments", thread(root))) == {"author_scan_limit": 1}


def test_going_on_does_not_record_again_the_threads_read_before(network: Network) -> None:
    roots = [network.post(CITY) for _ in range(3)]
    for root in roots:
        network.chain([ANN], root, 3)
    asked = thread(*roots[::-1])
    first = look(network, "comments", asked)
    rest = look(network, "comments", Look(resume=first[1].checkpoint, subjects=asked.subjects))
    assert [page.exchange.subject for page in rest] == [roots[0]]


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
    assert pages[-1].exchange.subject == blocked


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
