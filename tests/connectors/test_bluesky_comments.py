"""Finding every reply, against a small network that hides them in all the ways the real one does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from atproto_looks import ANN, BOB, CITY, DOWN, EVE, calls, left_out, look, shown, thread
from atproto_network import Network, did, running

from connectors.bluesky import replies as bluesky_replies
from connectors.bluesky import search as bluesky_search
from connectors.contract import Look
from connectors.faults import ContractBroken, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.exchange import Exchange


@pytest.fixture
def network() -> Iterator[Network]:
    with running(Network()) as network:
        yield network


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
