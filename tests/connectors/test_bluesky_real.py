"""Bluesky's connector against the real services: what was seeded and changed there is what a look finds."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import commands
import pytest
from atproto_stack import Stack, running_stack
from fault_proxy import fault_proxy

from connectors.bluesky.platform import PLATFORM
from connectors.contract import AccountRef, Connection, Item, Look, Page, Resource
from connectors.faults import AccountUnavailable, RateLimited, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors.exchange import Exchange

pytestmark = pytest.mark.timeout(900)

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in PLATFORM.resources}
SEED = {"USERS": 32, "POSTS": 25, "REPLIES": 320}
GONE = ("deleted", "deactivated")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        stack.script("seed", **SEED)
        stack.script("mutate")
        yield stack


@pytest.fixture(scope="module")
def truth(stack: Stack) -> dict[str, Any]:
    return stack.truth


@pytest.fixture
def archive() -> list[Exchange]:
    return []


@pytest.fixture
def page(stack: Stack, truth: dict[str, Any], archive: list[Exchange]) -> Connection:
    return connect(stack, truth["accounts"]["newsdesk.test"]["did"], archive.append)


def connect(
    stack: Stack, did: str, record: Callable[[Exchange], None], services: dict[str, str] | None = None
) -> Connection:
    return Connection(
        account=AccountRef("bluesky", did, "newsdesk.test", "public.api.bsky.app"),
        record=record,
        clock=lambda: datetime.now(UTC),
        sleep=lambda seconds: time.sleep(min(seconds, 0.05)),
        services={**stack.services, **(services or {})},
    )


def look(connection: Connection, name: str, look: Look | None = None) -> list[Page]:
    return list(RESOURCES[name].fetch(connection, look or Look()))


def confirm(connection: Connection, ids: Sequence[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """(call, subject) -> HTTP status (as ``http``) and body."""
    reader = RESOURCES["comments"].confirm
    assert reader is not None
    exchanges = [page.exchange for page in reader(connection, ids)]
    return {(one.call, one.subject): {"http": one.status, **json.loads(one.content)} for one in exchanges}


def shown(pages: Sequence[Page]) -> set[str]:
    return {item.native_id for page in pages for item in page.items}


def subjects(connection: Connection) -> list[Item]:
    items = {item.native_id: item for page in look(connection, "posts") for item in page.items}
    return [item for item in items.values() if item.kind == "post" and item.replies]


def live(truth: dict[str, Any], root: str) -> set[str]:
    """Replies of a thread that are still there."""
    gone = {account["did"] for account in truth["accounts"].values() if account.get("status") in GONE}
    posts = truth["posts"].values()
    return {
        post["uri"] for post in posts if post["root"] == root and not post["deleted"] and post["author"] not in gone
    }


def test_a_handle_leads_to_the_immutable_id(page: Connection, truth: dict[str, Any]) -> None:
    found = PLATFORM.identify(page, "@NewsDesk.test")
    assert (found.native_id, found.handle) == (truth["accounts"]["newsdesk.test"]["did"], "newsdesk.test")
    renamed = truth["accounts"]["u05.test"]["did"]
    assert PLATFORM.identify(page, renamed).handle == "renamed.test"
    assert PLATFORM.identify(page, "renamed.test").native_id == renamed
    with pytest.raises(AccountUnavailable) as unknown:
        PLATFORM.identify(page, "nobody.test")
    assert unknown.value.state == "not_found"


def test_three_commands_archive_a_real_account(
    stack: Stack, truth: dict[str, Any], installation: dict[str, str], tmp_path: Path
) -> None:
    services = " ".join(f"{host}={base}" for host, base in stack.services.items())
    env = {**os.environ, **installation, "ONRECORD_ALLOW_PRIVATE": "true", "ONRECORD_SERVICES": services}
    env.pop("ONRECORD_SHARED", None)
    answer = tmp_path / "replies.csv"
    thread = f"bluesky:{truth['bigThread']}"
    # what the platform took down is still there, though not for the public
    question = "SELECT record_id FROM current_comments WHERE root_id = $thread AND state <> 'deleted'"
    for arguments in (
        ("accounts", "add", "bluesky", "newsdesk.test"),
        ("accounts", "approve", "newsdesk-test", "--reason", "official account"),
        ("capture", "newsdesk-test"),
        ("normalize",),
        ("mart", "build"),
        ("sql", question, "--param", f"thread={thread}", "--format", "csv", "--file", str(answer)),
    ):
        done = commands.run(env, *arguments)
        assert done.code == 0, done.err
    found = {line.removeprefix("bluesky:") for line in answer.read_text().split()[1:]}
    assert live(truth, truth["bigThread"]) <= found


def test_every_post_of_the_page_is_found_in_its_last_version(
    page: Connection, truth: dict[str, Any], archive: list[Exchange]
) -> None:
    own = {uri: post for uri, post in truth["posts"].items() if post["author"] == page.account.native_id}
    found = shown(look(page, "posts"))
    assert found == {uri for uri, post in own.items() if not post["deleted"]}
    records = {
        record["uri"]: record["value"]["text"]
        for exchange in archive
        if exchange.call == "post_records"
        for record in json.loads(exchange.content)["records"]
    }
    assert records == {uri: post["text"] for uri, post in own.items() if not post["deleted"]}


def test_every_live_reply_of_the_large_thread_is_found(page: Connection, truth: dict[str, Any]) -> None:
    pages = look(page, "comments", Look(subjects=subjects(page)))
    expected = live(truth, truth["bigThread"])
    found = shown(pages)
    assert len(expected) >= SEED["REPLIES"]
    assert expected - found == set()
    threads = {item for page in pages if page.exchange.call == "thread" for item in shown([page])}
    assert len(expected - threads) >= 20, "the AppView shows the whole thread now: the search has nothing to prove"


def test_replies_of_a_blocked_person_and_to_a_deleted_post_are_found(page: Connection, truth: dict[str, Any]) -> None:
    found = shown(look(page, "comments", Look(subjects=subjects(page))))
    assert {reply["uri"] for reply in truth["troll"]} <= found
    deleted = next(post["uri"] for post in truth["pagePosts"][::-1] if truth["posts"][post["uri"]]["deleted"])
    assert live(truth, deleted) <= found
    assert truth["violating"] in found


def test_what_commenters_write_elsewhere_is_never_recorded(
    stack: Stack, page: Connection, truth: dict[str, Any], archive: list[Exchange]
) -> None:
    author = truth["accounts"]["u03.test"]
    session = stack.call("com.atproto.server.createSession", {"identifier": author["did"], "password": "hunter2-pass"})
    record = {"$type": "app.bsky.feed.post", "text": "a private picnic", "createdAt": "2026-01-01T00:00:00Z"}
    body = {"repo": author["did"], "collection": "app.bsky.feed.post", "record": record}
    stack.call("com.atproto.repo.createRecord", body, token=session["accessJwt"])
    look(page, "comments", Look(subjects=subjects(page)))
    assert archive
    assert not [exchange for exchange in archive if b"a private picnic" in exchange.content]


def test_the_gates_name_what_is_hidden_and_blocks_whom(
    page: Connection, truth: dict[str, Any], archive: list[Exchange]
) -> None:
    items = shown(look(page, "moderation"))
    assert {f"hide/{uri}" for uri in truth["hiddenReplies"]} == {item for item in items if item.startswith("hide/")}
    actions = {action["kind"]: action for action in truth["moderation"] if action["ok"]}
    listed = actions["listBlock"]["result"]["listblock"]
    troll = next(one for one in truth["moderation"] if one["kind"] == "block")["result"]["uri"]
    unblocked = actions["block"]["result"]["uri"]
    assert {listed, troll} <= items
    assert unblocked not in items
    members = [
        one["subject"]["did"] for page in archive if page.call == "list" for one in json.loads(page.content)["items"]
    ]
    assert members == [truth["accounts"]["u31.test"]["did"]]


def test_a_direct_read_tells_deleted_closed_taken_down_and_made_again_apart(
    page: Connection, truth: dict[str, Any]
) -> None:
    flat, spam = truth["flat"], [one["uri"] for one in truth["spam"]]
    wrote = {post["author"]: uri for uri, post in truth["posts"].items()}
    left, asleep = (wrote[truth["accounts"][name]["did"]] for name in ("leaver.test", "sleeper.test"))
    answers = confirm(page, [flat[20], flat[41], spam[2], left, asleep])
    assert answers["confirm_record", flat[20]]["error"] == "RecordNotFound"
    assert answers["confirm_record", flat[41]]["cid"] == truth["posts"][flat[41]]["cid"]
    assert answers["confirm_record", spam[2]]["http"] == 200
    assert {view["uri"] for view in answers["confirm_views", ""]["posts"]} == {flat[41]}
    assert answers["confirm_repository", left]["error"] == "RepoNotFound"
    closed = answers["confirm_repository", asleep]
    assert (closed["http"], closed["active"], closed["status"]) == (200, False, "deactivated")


def test_a_block_that_was_undone_is_confirmed_as_gone(page: Connection, truth: dict[str, Any]) -> None:
    undone = [one["result"]["uri"] for one in truth["moderation"] if one["kind"] == "block"][-1]
    assert confirm(page, [undone])["confirm_record", undone]["error"] == "RecordNotFound"


@pytest.mark.parametrize(("handle", "state"), [("leaver.test", "deleted"), ("sleeper.test", "deactivated")])
def test_an_account_that_left_says_how(stack: Stack, truth: dict[str, Any], handle: str, state: str) -> None:
    gone = connect(stack, truth["accounts"][handle]["did"], lambda _: None)
    for name in ("profile", "posts"):
        with pytest.raises(AccountUnavailable) as left:
            look(gone, name)
        assert left.value.state == state


def test_a_look_broken_by_an_outage_goes_on_where_it_stopped(stack: Stack, page: Connection) -> None:
    whole, threads = shown(look(page, "posts")), subjects(page)
    reading = RESOURCES["posts"].fetch(page, Look())
    before = [next(reading), next(reading)]
    stack.control("/pds/stop")
    try:
        with pytest.raises(Unreachable):
            before.extend(reading)
        with pytest.raises(Unreachable):
            look(page, "comments", Look(subjects=threads))
    finally:
        stack.control("/pds/start")
        stack.control("/process")
    rest = look(page, "posts", Look(resume=before[-1].checkpoint))
    assert shown(before) | shown(rest) == whole


def test_passing_faults_lose_nothing_and_lasting_ones_have_a_name(stack: Stack, page: Connection) -> None:
    threads = subjects(page)
    whole = shown(look(page, "comments", Look(subjects=threads)))
    with fault_proxy(stack.appview) as proxy:
        faulty = connect(stack, page.account.native_id, lambda _: None, {"public.api.bsky.app": proxy.address})
        proxy.order(*PASSING)
        assert shown(look(faulty, "comments", Look(subjects=threads))) == whole
        proxy.order({"path": "getPostThread", "kind": "status", "status": 429, "headers": {"Retry-After": "289"}})
        with pytest.raises(RateLimited) as limited:
            look(faulty, "comments", Look(subjects=threads))
        assert (limited.value.retry_at - datetime.now(UTC)).total_seconds() == pytest.approx(289, abs=20)


PASSING: list[dict[str, Any]] = [
    {"path": "getPostThread", "times": 1, "kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
    {"path": "getPostThread", "times": 1, "kind": "truncate", "bytes": 500},
    {"path": "getPosts", "times": 1, "kind": "empty"},
    {"path": "getPosts", "times": 1, "kind": "reset", "bytes": 500},
]


def test_a_fresh_look_asks_a_sensible_number_of_times(stack: Stack, page: Connection, archive: list[Exchange]) -> None:
    with fault_proxy(stack.server) as server, fault_proxy(stack.directory) as directory:
        services = {stack.server.removeprefix("http://"): server.address, "plc.directory": directory.address}
        counted = connect(stack, page.account.native_id, archive.append, services)
        found = look(counted, "comments", Look(subjects=subjects(counted)))
        asked = len(server.log()) + len(directory.log())
    authors = {item.native_id.split("/")[2] for page in found for item in page.items}
    assert asked <= 3 * (len(authors) + 2) + 10, "one look-up and two pages for each author, and little else"
