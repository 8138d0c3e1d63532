"""What every connector must survive, whatever its platform does. Each case runs against the sample city's real HTTP server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sample_accounts import SAMPLES, Eye

from connectors.bluesky import posts as bluesky_posts
from connectors.bluesky import records as bluesky_records
from connectors.contract import Item, Look, Page
from connectors.faults import (
    ConnectorError,
    ContractBroken,
    CredentialRejected,
    CursorExpired,
    PagingLoop,
    RateLimited,
    ScopeMissing,
    Unreachable,
)
from connectors.mastodon import platform as mastodon
from connectors.registry import PLATFORMS
from connectors.wordpress import platform as wordpress
from samplecity.server import City

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTED = ("posts", "comments")


@pytest.fixture(scope="module")
def running() -> Iterator[City]:
    with City.start() as city:
        yield city


@pytest.fixture
def city(running: City, monkeypatch: pytest.MonkeyPatch) -> City:
    """Moment 0, with pages small enough that every listing has several."""
    monkeypatch.setattr(mastodon, "PER_PAGE", 20)
    monkeypatch.setattr(wordpress, "PER_PAGE", 25)
    for module in (bluesky_records, bluesky_posts):
        monkeypatch.setattr(module, "RECORDS_PER_CALL", 20)
    if running.desk.is_touched:
        running.reset()
    running.faults()
    return running


@pytest.fixture(params=sorted(PLATFORMS))
def eye(city: City, request: pytest.FixtureRequest) -> Eye:
    return Eye(city, SAMPLES[request.param])


def items_of(pages: list[Page]) -> list[Item]:
    return [item for page in pages for item in page.items]


def post_ids(pages: list[Page]) -> set[str]:
    return {item.native_id for item in items_of(pages) if item.kind == "post"}


def test_every_platform_says_what_it_is() -> None:
    for name, platform in PLATFORMS.items():
        assert platform.name == name
        assert platform.docs.startswith("https://")
        assert [resource.name for resource in platform.resources] == ["profile", "posts", "comments", "moderation"]
        for resource in platform.resources:
            assert resource.never or resource.deletion, (name, resource.name)
        for resource in platform.resources[1:3]:
            assert resource.confirm, (name, resource.name)


def test_a_look_shows_what_is_there(eye: Eye) -> None:
    assert post_ids(eye.pages("posts")) == eye.expected("posts")
    everything = eye.ids("posts") | eye.ids("comments")
    assert everything >= eye.expected("posts") | eye.expected("comments")
    (profile,) = items_of(eye.pages("profile"))
    assert (profile.native_id, profile.kind) == (eye.account.native_id, "profile")


def test_an_account_is_found_by_its_handle(eye: Eye) -> None:
    found = PLATFORMS[eye.sample.platform].identify(eye.connection, eye.sample.address)
    assert (found.platform, found.native_id) == (eye.account.platform, eye.account.native_id)
    assert eye.recorded == []


def test_every_page_was_recorded_before_it_was_given(eye: Eye) -> None:
    for resource in PLATFORMS[eye.sample.platform].resources:
        for page in eye.pages(resource.name):
            assert page.exchange in eye.recorded


def test_evidence_holds_no_secret(eye: Eye) -> None:
    for resource in PLATFORMS[eye.sample.platform].resources:
        eye.pages(resource.name)
    kept = " ".join(f"{one.url} {one.request_headers} {one.response_headers}" for one in eye.recorded)
    fields = eye.city.credentials().get(eye.sample.name, {})
    assert not [name for name in ("token", "password") if name in fields and fields[name] in kept]


def test_checkpoints_are_json_and_the_last_page_has_none(eye: Eye) -> None:
    for name in LISTED:
        pages = eye.pages(name)
        assert len(pages) > 2
        assert [page.checkpoint for page in pages if page.checkpoint is None] == [None]
        assert pages[-1].checkpoint is None
        for page in pages[:-1]:
            assert json.loads(json.dumps(page.checkpoint)) == page.checkpoint


@pytest.mark.parametrize("name", LISTED)
def test_resumed_from_every_page_it_equals_the_uninterrupted_look(eye: Eye, name: str) -> None:
    whole = eye.pages(name)
    everything = {item.native_id for item in items_of(whole)}
    step = max(1, len(whole) // 6)
    for number in range(1, len(whole), step):
        rest = eye.pages(name, resume=json.loads(json.dumps(whole[number - 1].checkpoint)))
        seen = {item.native_id for item in items_of(whole[:number])} | {item.native_id for item in items_of(rest)}
        assert seen == everything
        assert rest[-1].checkpoint is None


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "server_error"},
        {"fault": "server_error", "status": 503},
        {"fault": "rate_limited", "retry_after": 2},
        {"fault": "rate_limited", "retry_after": 2, "as_date": True},
        {"fault": "rate_limited"},
        {"fault": "truncated"},
        {"fault": "cut_json"},
        {"fault": "html"},
        {"fault": "html", "status": 404},
        {"fault": "reset"},
        {"fault": "empty_page"},
        {"fault": "unknown_fields", "times": 0},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
@pytest.mark.parametrize("skip", [0, 1])
def test_what_passes_by_itself_changes_nothing(eye: Eye, fault: dict[str, Any], skip: int) -> None:
    eye.city.faults({**fault, "path": eye.sample.posts, "skip": skip})
    assert post_ids(eye.pages("posts")) == eye.expected("posts")
    assert sum(eye.slept) <= 20 * len(eye.recorded)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "server_error"}, Unreachable),
        ({"fault": "rate_limited"}, RateLimited),
        ({"fault": "rate_limited", "retry_after": 3600}, RateLimited),
        ({"fault": "truncated"}, Unreachable),
        ({"fault": "reset"}, Unreachable),
        ({"fault": "cut_json"}, ContractBroken),
        ({"fault": "html"}, ContractBroken),
    ],
    ids=lambda value: str(value.get("retry_after", value["fault"])) if isinstance(value, dict) else "",
)
def test_what_does_not_pass_has_its_name(eye: Eye, fault: dict[str, Any], error: type[ConnectorError]) -> None:
    eye.city.faults({**fault, "path": eye.sample.posts, "skip": 1, "times": 0})
    with pytest.raises(error) as failed:
        eye.pages("posts")
    assert str(failed.value)
    assert "Traceback" not in str(failed.value)


@pytest.mark.parametrize(("fault", "error"), [("dead_credential", CredentialRejected), ("missing_scope", ScopeMissing)])
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("platform", [name for name in sorted(PLATFORMS) if PLATFORMS[name].credential_fields])
def test_a_credential_that_ends_is_loud(
    city: City, platform: str, fault: str, error: type[ConnectorError], skip: int
) -> None:
    eye = Eye(city, SAMPLES[platform])
    city.faults({"fault": fault, "path": eye.sample.posts, "skip": skip, "times": 0})
    with pytest.raises(error):
        eye.pages("posts")


def test_a_rate_limit_says_until_when(eye: Eye) -> None:
    eye.city.faults({"fault": "rate_limited", "retry_after": 3600, "path": eye.sample.posts, "times": 0})
    with pytest.raises(RateLimited) as limited:
        eye.pages("posts")
    ahead = limited.value.retry_at - datetime.now(UTC)
    assert timedelta(minutes=58) < ahead < timedelta(minutes=62)
    assert eye.slept == []


def test_a_token_that_repeats_is_never_followed_for_ever(eye: Eye) -> None:
    eye.city.faults({"fault": "repeated_token", "path": eye.sample.posts, "times": 0})
    with pytest.raises(PagingLoop) as loop:
        eye.pages("posts")
    assert loop.value.exchange is not None


def test_a_place_that_is_no_longer_known_is_told(eye: Eye) -> None:
    eye.city.faults({"fault": "expired_cursor", "path": eye.sample.posts, "times": 0})
    with pytest.raises(CursorExpired, match="starts over") as expired:
        eye.pages("posts")
    assert expired.value.exchange is not None


@pytest.mark.parametrize(("platform", "handle"), [("bluesky", "renamed.harborfalls.example"), ("mastodon", "renamed")])
def test_a_renamed_account_is_the_same_account(city: City, platform: str, handle: str) -> None:
    eye = Eye(city, SAMPLES[platform])
    before = eye.ids("posts")
    city.act("rename", account=eye.sample.name, handle=handle)
    (profile,) = eye.pages("profile")
    assert handle.encode() in profile.exchange.content
    assert profile.items[0].native_id == eye.account.native_id
    assert eye.ids("posts") == before


def test_items_that_come_during_the_reading_lose_none(eye: Eye) -> None:
    new = {"act": "post", "account": eye.sample.name, "text": "Published in the middle", "title": "Now"}
    rules = [{"fault": "act", "path": eye.sample.posts, "skip": skip, "act": new} for skip in (1, 1)]
    expected = eye.expected("posts")
    eye.city.faults(*rules)
    pages = eye.pages("posts")
    assert post_ids(pages) >= expected


def test_items_that_go_during_the_reading_lose_no_other(eye: Eye) -> None:
    before = eye.pages("posts")
    gone = [item.native_id for item in items_of(before) if item.kind == "post"][:3]
    deletions = [{"act": "delete", "id": native_id} for native_id in gone]
    eye.city.faults(*({"fault": "act", "path": eye.sample.posts, "skip": 1, "act": deletion} for deletion in deletions))
    after = post_ids(eye.pages("posts"))
    assert after >= eye.expected("posts") - set(gone)


def test_a_post_deleted_before_its_thread_is_read_fails_nothing(eye: Eye) -> None:
    subjects = eye.subjects()
    busy = next(item for item in subjects if item.kind == "post" and item.replies != 0)
    eye.city.act("delete", id=busy.native_id)
    others = [item for item in subjects if item.native_id != busy.native_id][:5]
    look = Look(subjects=[busy, *others])
    pages = list(eye.resource("comments").fetch(eye.connection, look))
    assert pages[-1].checkpoint is None


@pytest.mark.parametrize("skew", [timedelta(days=-400), timedelta(days=400)])
def test_a_wrong_clock_of_ours_changes_nothing(eye: Eye, skew: timedelta) -> None:
    eye.skew = skew
    eye.city.faults({"fault": "rate_limited", "retry_after": 3, "as_date": True, "path": eye.sample.posts})
    assert post_ids(eye.pages("posts")) == eye.expected("posts")
    assert 2 <= sum(eye.slept) <= 4


def test_a_look_since_reads_what_is_young_and_not_all(eye: Eye) -> None:
    whole = eye.pages("posts")
    dated = sorted(item.published_at for item in items_of(whole) if item.published_at)
    since = dated[-15]
    some = eye.pages("posts", since=since)
    young = {item.native_id for item in items_of(whole) if item.published_at and item.published_at >= since}
    assert {item.native_id for item in items_of(some)} >= young
    assert len(items_of(some)) < len(items_of(whole))


def test_a_direct_read_tells_what_is_there_from_what_is_gone(eye: Eye) -> None:
    posts = [item.native_id for item in items_of(eye.pages("posts")) if item.kind == "post"]
    there, gone = posts[4], posts[5]
    eye.city.act("delete", id=gone)
    confirm = eye.resource("posts").confirm
    assert confirm is not None
    pages = list(confirm(eye.connection, [there, gone]))
    assert {item.native_id for item in items_of(pages)} == {there}
    asked = {page.exchange.subject for page in pages}
    assert {there, gone} <= asked
    assert all(page.exchange in eye.recorded for page in pages)


def test_a_direct_read_does_not_take_a_web_page_for_a_deletion(eye: Eye) -> None:
    posts = [item.native_id for item in items_of(eye.pages("posts")) if item.kind == "post"]
    confirm = eye.resource("posts").confirm
    assert confirm is not None
    eye.city.faults({"fault": "html", "status": 404, "path": eye.sample.confirm, "times": 0})
    with pytest.raises(ContractBroken):
        list(confirm(eye.connection, posts[:1]))
