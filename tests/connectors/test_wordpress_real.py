"""A real WordPress, seeded and moderated over HTTP by the shared scripts, against the truth they write down."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from fault_proxy import FaultProxy, fault_proxy
from lookout import Lookout, native_ids, skipped
from wordpress_site import HOST, Site, running_site

from connectors.contract import AccountRef, Look, Page
from connectors.faults import (
    AccountUnavailable,
    ConnectorError,
    ContractBroken,
    CredentialRejected,
    RateLimited,
    ScopeMissing,
    Unreachable,
)
from connectors.wordpress import platform as wordpress

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = AccountRef("wordpress", HOST, HOST, HOST)
FETCH = {resource.name: resource.fetch for resource in wordpress.PLATFORM.resources}
pytestmark = pytest.mark.timeout(600)


@dataclass
class Town:
    """The site after its moderation, and what was known of it before."""

    site: Site
    truth: dict[str, Any]
    known_posts: set[str]
    known_comments: set[str]
    begun: datetime
    trashed_post: str
    comments_of_trashed: set[str]

    def look(self, user: str | None = "admin", url: str | None = None) -> Lookout:
        return as_user(self.site, user, url)


def as_user(site: Site, user: str | None, url: str | None = None) -> Lookout:
    values = {"username": user, "password": site.users[user]["app_password"]} if user else None
    return Lookout(url or site.url, ACCOUNT, values)


def read(look: Lookout, name: str, **options: Any) -> list[Page]:
    return list(FETCH[name](look.connection, Look(**options)))


def shown(pages: list[Page]) -> dict[str, dict[str, Any]]:
    """Number -> the thing as the site sent it."""
    return {str(thing["id"]): thing for page in pages for thing in json.loads(page.exchange.content)}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_site(tmp_path_factory.mktemp("wordpress")) as site:
        site.run("seed", POSTS=14, COMMENTS=40)
        before = as_user(site, "admin")
        known_posts, known_comments = set(native_ids(read(before, "posts"))), set(native_ids(read(before, "comments")))
        begun = datetime.now(UTC)
        site.run("mutate")
        truth = site.truth
        trashed = next(iter(truth["posts"]))
        login = ("admin", site.users["admin"]["app_password"])
        requests.delete(f"{site.url}/wp-json/wp/v2/posts/{trashed}", auth=login, timeout=30).raise_for_status()
        truth["posts"][trashed]["status"] = "trash"
        below = {number for number, one in truth["comments"].items() if str(one["post"]) == trashed}
        yield Town(site, truth, known_posts, known_comments, begun, trashed, below)


def test_a_site_is_found_and_described(town: Town) -> None:
    look = town.look(None)
    assert wordpress.identify(look.connection, f"https://{HOST}/") == ACCOUNT
    (profile,) = read(look, "profile")
    assert json.loads(profile.exchange.content)["name"] == "News Desk 📰 — أخبار"


@pytest.mark.parametrize("user", ["admin", "editor1"])
def test_every_post_in_every_status_is_read(town: Town, user: str) -> None:
    pages = read(town.look(user), "posts")
    found = shown(pages)
    expected = {number: post for number, post in town.truth["posts"].items() if post["status"] != "gone"}
    assert set(expected) <= set(found)
    assert {number: found[number]["status"] for number in expected} == {
        number: post["status"] for number, post in expected.items()
    }
    # the last one got a link for its pingback, which the truth does not hold
    assert all(found[number]["content"]["raw"].startswith(post["content"]) for number, post in expected.items())
    assert pages[0].total == len(found)
    assert skipped(pages) == {}


def test_every_comment_of_every_status_is_read_with_its_parent(town: Town) -> None:
    found = shown(read(town.look(), "comments"))
    expected = {number: one for number, one in town.truth["comments"].items() if not one["deleted"]}
    assert set(expected) <= set(found)
    assert {number: found[number]["parent"] for number in expected} == {
        number: one["parent"] for number, one in expected.items()
    }
    # WordPress itself escapes the text again when a comment changes its status through the API
    assert all(html.unescape(found[number]["content"]["raw"]) == one["text"] for number, one in expected.items())
    statuses = {number: found[number]["status"] for number in set(expected) - town.comments_of_trashed}
    assert statuses == {number: expected[number]["status"] for number in statuses}
    assert {"hold", "spam", "trash", "approved"} <= set(statuses.values())


def test_pingbacks_trackbacks_and_what_words_held_back_are_read(town: Town) -> None:
    found = shown(read(town.look(), "comments"))
    assert {"comment", "trackback", "pingback"} == {one["type"] for one in found.values()}
    form = {one["content"]["raw"]: one["status"] for one in found.values() if one["author_name"].startswith("Spam")}
    assert form == {"visit my casino now": "hold", "buy viagra": "trash"}


def test_comments_of_a_post_in_the_trash_are_read(town: Town) -> None:
    found = shown(read(town.look(), "comments"))
    assert len(town.comments_of_trashed) == 12
    assert {found[number]["status"] for number in town.comments_of_trashed} == {"post-trashed"}


def test_the_public_view_is_what_is_published_and_approved(town: Town) -> None:
    public = town.look(None)
    posts, comments = shown(read(public, "posts")), shown(read(public, "comments"))
    published = {number for number, post in town.truth["posts"].items() if post["status"] == "publish"}
    assert published <= set(posts)
    assert {post["status"] for post in posts.values()} == {"publish"}
    approved = {
        number for number, one in town.truth["comments"].items() if one["status"] == "approved" and not one["deleted"]
    } - town.comments_of_trashed
    assert approved <= set(comments)
    assert {one["status"] for one in comments.values()} == {"approved"}
    assert not town.comments_of_trashed & set(comments)


def test_what_is_known_and_not_seen_again_is_just_what_was_deleted_for_good(town: Town) -> None:
    look = town.look()
    unseen_posts = town.known_posts - set(native_ids(read(look, "posts")))
    unseen_comments = town.known_comments - set(native_ids(read(look, "comments")))
    gone_posts = {number for number, post in town.truth["posts"].items() if post["status"] == "gone"}
    gone_comments = {number for number, one in town.truth["comments"].items() if one["deleted"]}
    assert unseen_posts == {f"{HOST}/post/{number}" for number in gone_posts}
    assert unseen_comments == {f"{HOST}/comment/{number}" for number in gone_comments}
    pages = [
        *wordpress.confirm_posts(look.connection, sorted(unseen_posts)),
        *wordpress.confirm_comments(look.connection, sorted(unseen_comments)),
    ]
    assert {page.exchange.status for page in pages} == {404}
    assert native_ids(pages) == []


def test_the_public_cannot_tell_hidden_from_trash_but_both_from_gone(town: Town) -> None:
    statuses = {number: one["status"] for number, one in town.truth["comments"].items() if one["status"] != "approved"}
    assert set(statuses.values()) == {"hold", "spam", "trash"}
    ids = [f"{HOST}/comment/{number}" for number in statuses]
    assert {page.exchange.status for page in wordpress.confirm_comments(town.look(None).connection, ids)} == {401}
    assert native_ids(wordpress.confirm_comments(town.look().connection, ids)) == ids


def test_a_look_since_the_last_finds_every_edited_and_unpublished_post(town: Town) -> None:
    edited = {number for number, post in town.truth["posts"].items() if post.get("modified_gmt")}
    unpublished = {
        number for number, post in town.truth["posts"].items() if post["status"] in ("draft", "private", "trash")
    }
    found = set(shown(read(town.look(), "posts", since=town.begun)))
    assert edited | unpublished <= found
    assert len(found) < len(town.truth["posts"])


def test_since_is_understood_as_utc_by_a_site_in_another_zone(town: Town) -> None:
    # the site lies in Dubai, four hours ahead
    posts = town.truth["posts"]
    dates = sorted(datetime.fromisoformat(post["date_gmt"]).replace(tzinfo=UTC) for post in posts.values())
    since = dates[7]
    found = shown(read(town.look(), "posts", since=since - timedelta(seconds=1)))
    dated = {
        number
        for number, post in posts.items()
        if datetime.fromisoformat(post["date_gmt"]).replace(tzinfo=UTC) >= since
    }
    assert {number for number in dated if posts[number]["status"] != "gone"} <= set(found)
    sent = {page.exchange.url for page in read(town.look(None), "posts", since=since)}
    assert all("Z&" in url for url in sent)


def test_small_pages_overlap_and_lose_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {name: set(native_ids(read(town.look(), name))) for name in ("posts", "comments")}
    monkeypatch.setattr(wordpress, "PER_PAGE", 13)
    for name, expected in whole.items():
        pages = read(town.look(), name)
        ids = native_ids(pages)
        assert set(ids) == expected
        assert len(ids) > len(expected)
        for number, page in enumerate(pages[:-1], 1):
            if number % 14 == 1:
                rest = native_ids(read(town.look(), name, resume=page.checkpoint))
                assert set(native_ids(pages[:number])) | set(rest) == expected


def test_lesser_roles_and_wrong_passwords_are_loud(town: Town) -> None:
    for user in ("author1", "reader1"):
        with pytest.raises(ScopeMissing, match="Editor or Administrator"):
            read(town.look(user), "posts")
    wrong = Lookout(town.site.url, ACCOUNT, {"username": "admin", "password": "not this one"})
    for name in ("posts", "comments"):
        with pytest.raises(CredentialRejected, match="application password"):
            read(wrong, name)


def test_an_address_that_is_no_wordpress_is_said(town: Town) -> None:
    nowhere = Lookout("", ACCOUNT, services={HOST: f"{town.site.url}/wp-json/wp/v2/posts/1"})
    with pytest.raises((AccountUnavailable, ContractBroken)):
        wordpress.identify(nowhere.connection, HOST)


@pytest.fixture(scope="module")
def proxy(town: Town) -> Iterator[FaultProxy]:
    with fault_proxy(town.site.url) as standing:
        yield standing


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "status", "status": 429, "headers": {"Retry-After": "2"}},
        {"kind": "status", "status": 503, "headers": {"Retry-After": "2"}},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 500},
        {"kind": "truncate", "bytes": 700},
        {"kind": "truncate", "bytes": 0},
        {"kind": "reset", "bytes": 700},
        {"kind": "refuse"},
        {"kind": "empty"},
        {"kind": "corrupt", "at": 0},
    ],
    ids=lambda rule: "-".join(str(value) for value in rule.values()),
)
def test_a_fault_that_passes_changes_nothing(town: Town, proxy: FaultProxy, rule: dict[str, Any]) -> None:
    proxy.order()
    whole = set(native_ids(read(town.look(url=proxy.address), "comments")))
    proxy.order({"path": "/comments", "skip": 1, "times": 2, **rule})
    look = town.look(url=proxy.address)
    assert set(native_ids(read(look, "comments"))) == whole
    assert look.slept
    proxy.order()


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "900"}}, RateLimited),
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "900"}}, RateLimited),
        ({"kind": "status", "status": 502}, Unreachable),
        ({"kind": "reset", "bytes": 700}, Unreachable),
        ({"kind": "refuse"}, Unreachable),
        ({"kind": "truncate", "bytes": 700}, ContractBroken),
        ({"kind": "corrupt", "at": 0}, ContractBroken),
    ],
    ids=lambda value: "-".join(str(part) for part in value.values()) if isinstance(value, dict) else "",
)
def test_a_fault_that_stays_is_named(
    town: Town, proxy: FaultProxy, rule: dict[str, Any], error: type[ConnectorError]
) -> None:
    proxy.order({"path": "/comments", "skip": 1, **rule})
    pages: list[Page] = []
    with pytest.raises(error):
        pages.extend(FETCH["comments"](town.look(url=proxy.address).connection, Look()))
    proxy.order()
