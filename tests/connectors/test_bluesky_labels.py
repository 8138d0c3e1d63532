"""Labels of moderation services: found, confirmed, and never the end of a look."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from atproto_looks import ANN, CITY, DOWN, RESOURCES, calls, confirm, connect, left_out, look, shown, thread
from atproto_network import MODERATION, Network, refusal, running
from hypothesis import given
from hypothesis import strategies as st

from connectors.bluesky import labels as bluesky_labels
from connectors.bluesky.labels import Label, named_in
from connectors.contract import Look, Page
from connectors.exchange import Exchange
from connectors.faults import AccountUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "did:plc:otheraaaaaaaaaaaaaaaaaaa"


@pytest.fixture
def network() -> Iterator[Network]:
    with running(Network()) as network:
        yield network


def from_labelers(network: Network) -> list[str]:
    return [asked for asked in network.asked if asked.startswith("labels.example")]


def test_labels_in_force_on_the_account_and_its_records_are_items(network: Network) -> None:
    post, hers = network.post(CITY), network.post(ANN)
    mine = {network.label(post, "!warn"), network.label(post, "!takedown", cid="c"), network.label(CITY, "!hide")}
    network.label(post, "rude", neg=True)
    network.label(post, "old", exp="2020-01-01T00:00:00Z")
    network.label(hers, "spam")
    assert shown(look(network, "moderation")) == mine


def test_a_listing_of_labels_goes_on_to_the_page_without_any(network: Network) -> None:
    post = network.post(CITY)
    given = {network.label(post, f"word-{number}") for number in range(5)}
    network.per_page = 2
    pages = [page for page in look(network, "moderation") if page.exchange.call == "labels"]
    assert shown(pages) == given
    assert len(pages) == 4


def test_a_look_that_goes_on_after_any_page_ends_and_finds_all_labels(network: Network) -> None:
    post = network.post(CITY)
    given = {network.label(post, f"word-{number}", by=by) for number in range(3) for by in (MODERATION, OTHER)}
    network.per_page = 2
    page, found = look(network, "moderation")[0], set[str]()
    for _ in range(50):
        if page.checkpoint is None:
            break
        page = look(network, "moderation", Look(resume=page.checkpoint))[0]
        found |= shown([page])
    assert page.checkpoint is None
    assert found == given


def test_a_label_of_another_service_or_about_another_account_is_no_item(network: Network) -> None:
    post = network.post(CITY)
    network.label(post, "!warn")
    hostile = [
        {"src": OTHER, "uri": post, "val": "forged"},
        {"src": MODERATION, "uri": post, "val": "two words"},
        {"src": MODERATION, "uri": post, "val": "a/b"},
        {"src": MODERATION, "uri": "https://elsewhere.example", "val": "spam"},
        {"src": 7, "uri": None, "val": {}},
    ]
    network.fault = lambda path, _: (200, {"labels": hostile}) if path.endswith("queryLabels") else None
    assert shown(look(network, "moderation")) == set()


@pytest.mark.parametrize("answer", [DOWN, refusal("InvalidRequest"), (200, {"labels": 1}), b"<html>"])
def test_a_labeler_in_trouble_costs_nothing_but_its_labels(network: Network, answer: Any) -> None:
    block = network.write(CITY, {"subject": ANN}, collection="app.bsky.graph.block")
    label = network.label(network.post(CITY), "!warn")
    network.fault = lambda path, _: answer if path.endswith("queryLabels") else None
    pages = look(network, "moderation")
    assert block in shown(pages)
    assert left_out(pages) == {"labels_not_read": 1}
    assert confirm(network, label) == []


@pytest.mark.parametrize("address", ["", "http://127.0.0.1", "https://labels.example/path", "https://10.0.0.1:99"])
def test_a_labeler_that_may_not_be_asked_is_not_asked(network: Network, address: str) -> None:
    network.labelers[MODERATION] = address
    network.label(network.post(CITY), "!warn")
    pages = look(network, "moderation")
    assert left_out(pages) == {"labels_not_read": 1}
    assert from_labelers(network) == []


def test_one_labeler_in_trouble_leaves_the_labels_of_the_others(network: Network) -> None:
    post = network.post(CITY)
    network.label(post, "lost", by=OTHER)
    kept = network.label(post, "kept")
    network.labelers[OTHER] = ""
    pages = look(network, "moderation")
    assert shown(pages) == {kept}
    assert left_out(pages) == {"labels_not_read": 1}


def test_a_label_is_confirmed_where_it_was_given_many_at_a_time(network: Network) -> None:
    posts = [network.post(ANN) for _ in range(30)]
    labels = [network.label(post, "spam") for post in posts]
    network.labels[3]["neg"] = True
    pages = confirm(network, *labels)
    assert calls(pages) == ["confirm_labels", "confirm_labels"]
    assert shown(pages) == set(labels) - {labels[3]}
    assert {one for page in pages for one in page.exchange.subject.split()} == set(labels)


def test_an_answer_as_long_as_allowed_is_asked_for_in_halves(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_labels, "LABELS_PER_CALL", 3)
    first, second = network.post(ANN), network.post(ANN)
    labels = [network.label(first, "a"), network.label(first, "b"), network.label(second, "a")]
    pages = confirm(network, *labels)
    assert len(pages) == 3
    assert shown(pages) == set(labels)
    assert left_out(pages) == {}


def test_what_no_call_can_show_whole_is_not_said_to_be_confirmed(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluesky_labels, "LABELS_PER_CALL", 2)
    post = network.post(ANN)
    labels = [network.label(post, value) for value in ("a", "b", "c")]
    assert left_out(confirm(network, *labels)) == {"not_confirmed": 3}


def test_the_take_down_of_a_comment_is_asked_for_where_the_comment_is_not_shown(network: Network) -> None:
    root = network.post(CITY)
    network.post(ANN, answers=root)
    taken = network.post(ANN, answers=root)
    network.hidden.add(taken)
    label = network.label(taken, "!takedown")
    assert label in shown(look(network, "comments", thread(root)))
    assert label in shown(confirm(network, taken))


def test_of_a_look_that_shows_everything_no_labeler_is_asked(network: Network) -> None:
    root = network.post(CITY)
    network.label(network.post(ANN, answers=root), "rude")
    look(network, "posts")
    look(network, "comments", thread(root))
    assert from_labelers(network) == []


def test_an_account_taken_down_shows_who_did_it_before_the_look_ends(network: Network) -> None:
    network.post(CITY)
    label = network.label(CITY, "!takedown")
    network.closed[CITY] = "takendown"
    found: list[Page] = []
    with pytest.raises(AccountUnavailable):
        found.extend(RESOURCES["profile"].fetch(connect(network), Look()))
    assert label in shown(found)


def test_a_platform_that_names_no_labelers_is_said_to(network: Network) -> None:
    network.post(CITY)
    network.headers = False
    assert left_out(look(network, "moderation")) == {"labelers_not_named": 1}


@given(st.lists(st.sampled_from([MODERATION, OTHER, "did:web:a.example", "did:example:x", "no", ""]), max_size=8))
def test_the_header_is_read_as_it_is_written(dids: list[str]) -> None:
    header = ", ".join(f"{did};redact" if number % 2 else did for number, did in enumerate(dids))
    expected = [did for did in dict.fromkeys(dids) if did.startswith(("did:plc:", "did:web:"))]
    assert named_in(answered(header)) == expected


def answered(header: str) -> Any:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    headers = (("Atproto-Content-Labelers", header),)
    return Exchange("labelers", "", "GET", "https://x.example", (), 200, "OK", headers, b"{}", at, 0.1)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=60))
def test_an_id_names_a_label_or_nothing(labeler: str, value: str, uri: str) -> None:
    made = Label.of(labeler, value, uri)
    assert made is None or Label.parse(str(made)) == made
    Label.parse(f"label/{labeler}/{value}/{uri}")


def test_an_id_with_colons_and_slashes_gives_back_its_parts() -> None:
    label = Label(MODERATION, "!no-promote:x", f"at://{CITY}/app.bsky.feed.post/3k")
    assert Label.parse(str(label)) == label
    assert Label.parse(f"label/{MODERATION}/spam/{CITY}") == Label(MODERATION, "spam", CITY)
    assert Label.parse(f"at://{CITY}/app.bsky.feed.post/3k") is None
