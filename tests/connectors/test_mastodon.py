from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lookout import Lookout, native_ids, skipped
from sample_accounts import SAMPLES, Eye, Sample
from scripted_server import Answer, Server, as_json, scripted_server

from connectors.contract import AccountRef, Look, Page
from connectors.faults import (
    AccountUnavailable,
    ContractBroken,
    CredentialRejected,
    NotCovered,
    PagingLoop,
    ScopeMissing,
)
from connectors.mastodon import moderation as mastodon_moderation
from connectors.mastodon import platform as mastodon
from connectors.mastodon import thread as mastodon_thread
from samplecity.server import NARROW_TOKEN, RENEWED_TOKEN, City

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "social.city.example"
ACCOUNT = AccountRef("mastodon", f"{HOST}/7", f"city@{HOST}", HOST)


@pytest.fixture(scope="module")
def running() -> Iterator[City]:
    with City.start() as city:
        yield city


@pytest.fixture
def transit(running: City) -> Eye:
    if running.desk.is_touched:
        running.reset()
    running.desk.requests.clear()
    return Eye(running, SAMPLES["mastodon"])


@pytest.fixture
def server() -> Iterator[Server]:
    with scripted_server() as started:
        yield started


def status(number: int, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "created_at": f"2026-01-{number % 28 + 1:02}T00:00:00.000Z", "replies_count": 0, **more}


def calls(pages: list[Page]) -> list[str]:
    return [page.exchange.call for page in pages]


def test_answers_are_comments_and_boosts_are_posts(transit: Eye) -> None:
    entries = transit.city.desk.world.entries
    kinds = {item.native_id: item.kind for page in transit.pages("posts") for item in page.items}
    assert {entries[native_id].kind for native_id, kind in kinds.items() if kind == "comment"} == {"comment"}
    boosts = [native_id for native_id in kinds if entries[native_id].boosts]
    assert boosts
    assert {kinds[native_id] for native_id in boosts} == {"post"}


def test_a_token_shows_private_statuses_too(transit: Eye) -> None:
    with_token = transit.ids("posts")
    public = Eye(transit.city, transit.sample, with_credential=False).ids("posts")
    private = {
        entry.native_id for entry in transit.city.desk.world.entries.values() if entry.status in ("private", "direct")
    }
    assert private
    assert with_token - public == private


def test_people_whom_the_account_blocks_are_read_as_the_public_reads_them(transit: Eye) -> None:
    world = transit.city.desk.world
    barred = {bar.subject.native_id for bar in world.bars if bar.account == "transit"}
    theirs = {
        entry.native_id
        for entry in world.entries.values()
        if entry.account == "transit" and entry.author.native_id in barred and world.live(entry.native_id)
    }
    assert theirs
    assert theirs <= transit.ids("comments")


def test_a_thread_beyond_the_public_limit_is_read_from_below(transit: Eye) -> None:
    root = transit.city.act("post", account="transit", text="Tell us")["id"]
    wanted = set()
    for first in range(6):
        parent = transit.city.act("comment", parent=root, text=f"first {first}")["id"]
        wanted.add(parent)
        for depth in range(30):
            parent = transit.city.act("comment", parent=parent, text=f"deeper {first} {depth}")["id"]
            wanted.add(parent)
    public = Eye(transit.city, transit.sample, with_credential=False)
    (subject,) = [item for item in public.subjects() if item.native_id == root]
    pages = list(public.resource("comments").fetch(public.connection, Look(subjects=[subject])))
    seen = set(native_ids(pages))
    # sixty in the order of the thread: the first three of six, the third up to its level twenty; below that it is read on
    below_first_answers = {native_id for native_id in wanted if native_id in seen}
    assert len(below_first_answers) >= 93
    assert skipped(pages)["replies_not_shown"] == 3
    assert seen <= wanted
    with_token = list(transit.resource("comments").fetch(transit.connection, Look(subjects=[subject])))
    assert set(native_ids(with_token)) == wanted
    assert "replies_not_shown" not in skipped(with_token)


def test_all_versions_of_what_was_edited_are_read(transit: Eye) -> None:
    posts = [item for item in transit.subjects() if item.kind == "post" and item.replies]
    comment = transit.city.act("comment", parent=posts[0].native_id, text="first words")["id"]
    begun = datetime.now(UTC) - timedelta(minutes=1)
    transit.city.act("edit", id=posts[0].native_id, text="second version")
    transit.city.act("edit", id=comment, text="other words")
    pages = transit.pages("posts", since=begun) + transit.pages("comments", since=begun)
    read = {page.exchange.subject for page in pages if page.exchange.call == "status_history"}
    assert {posts[0].native_id, comment} <= read
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert "status_history" not in calls(transit.pages("comments", since=later))


def test_versions_are_read_before_the_place_moves_past_them(transit: Eye, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mastodon, "PER_PAGE", 20)
    oldest = transit.subjects()[-1]
    transit.city.act("edit", id=oldest.native_id, text="an old one, edited")
    pages = transit.pages("posts")
    for number, page in enumerate(pages[:-1], 1):
        rest = transit.pages("posts", resume=page.checkpoint)
        subjects = {one.exchange.subject for one in [*pages[:number], *rest] if one.exchange.call == "status_history"}
        assert oldest.native_id in subjects


def test_blocks_mutes_and_filters_are_listed_and_asked_for(transit: Eye) -> None:
    found = set(native_ids(transit.pages("moderation")))
    prefix = transit.account.native_id
    bars = [bar for bar in transit.city.desk.world.bars if bar.account == "transit"]
    assert found == {f"{prefix}/{bar.action}/{bar.subject.number}" for bar in bars} | {f"{prefix}/filter/5"}


def test_without_a_token_moderation_is_said_not_to_be_covered(transit: Eye) -> None:
    public = Eye(transit.city, transit.sample, with_credential=False)
    with pytest.raises(NotCovered) as refused:
        public.pages("moderation")
    assert refused.value.reason == "credential_needed"
    assert public.recorded == []


def test_what_the_token_may_not_read_is_said_after_the_rest_was_read(transit: Eye) -> None:
    transit.values = {"token": NARROW_TOKEN}
    pages: list[Page] = []
    with pytest.raises(ScopeMissing, match="blocks, mutes, domain_blocks, filters"):
        pages.extend(transit.resource("moderation").fetch(transit.connection, Look()))
    assert len(transit.recorded) == 4
    assert transit.pages("posts")


def test_a_token_of_another_account_is_refused(transit: Eye) -> None:
    world = transit.city.desk.world
    other = next(
        person for person in world.people.values() if person.platform == "mastodon" and person.handle != "transit"
    )
    account = AccountRef("mastodon", other.native_id, other.handle, transit.account.service)
    values = transit.city.credentials()["transit"]
    look = Lookout("", account, values, services=transit.city.services())
    with pytest.raises(CredentialRejected, match="another account"):
        list(mastodon_moderation.moderation(look.connection, Look()))
    assert look.recorded == []


def test_a_server_that_answers_nobody_without_a_token(transit: Eye) -> None:
    library = Eye(transit.city, Sample("library", "mastodon", "", "", ""))
    with pytest.raises(CredentialRejected, match="revoked"):
        library.pages("profile")
    truth = {entry.native_id for entry in transit.city.desk.world.entries.values() if entry.account == "library"}
    native = str(transit.city.desk.world.accounts["library"].owner.native_id)
    account = AccountRef("mastodon", native, "library", native.partition("/")[0])
    look = Lookout("", account, {"token": RENEWED_TOKEN}, services=transit.city.services())
    subjects = [item for page in mastodon.posts(look.connection, Look()) for item in page.items]
    seen = set(native_ids(mastodon.comments(look.connection, Look(subjects=subjects))))
    assert {item.native_id for item in subjects} | seen == truth


@pytest.mark.parametrize(
    "text", ["city@social.city.example", " @city@Social.City.example ", "https://social.city.example/@city"]
)
def test_an_account_is_found_however_it_is_written(server: Server, text: str) -> None:
    server.answers(as_json({"id": "7", "acct": "city", "note": "x"}))
    look = Lookout(server.url, ACCOUNT)
    assert mastodon.identify(look.connection, text) == ACCOUNT
    assert server.asked[0].query == {"acct": "city"}
    assert look.recorded == []


@pytest.mark.parametrize(
    "text", ["", "city", "@city", "city@", "https://social.city.example/", "a b@social.city.example"]
)
def test_what_is_no_handle_is_refused(server: Server, text: str) -> None:
    with pytest.raises(AccountUnavailable, match="write user@host"):
        mastodon.identify(Lookout(server.url, ACCOUNT).connection, text)


@pytest.mark.parametrize("forwards", [True, False])
def test_a_handle_on_a_host_of_its_own_leads_to_the_server(server: Server, forwards: bool) -> None:  # noqa: FBT001
    elsewhere = Answer(b"", 301, (("Location", f"https://{HOST}/.well-known/webfinger?resource=x"),))
    links = as_json(
        {"subject": "x", "links": [{"rel": "self", "href": f"https://{HOST}/users/city"}, {"rel": "other"}]}
    )

    def script(asked: Any) -> Answer:
        if asked.headers["host"] == server.url.removeprefix("http://") and asked.path.startswith("/town"):
            forwarded = elsewhere if forwards else links
            return forwarded if "webfinger" in asked.path else as_json({"error": "not here"}, 404)
        return as_json({"id": "7", "acct": "city"})

    server.script = script
    services = {"town.example": f"{server.url}/town", HOST: server.url}
    found = mastodon.identify(Lookout("", ACCOUNT, services=services).connection, "city@town.example")
    assert found == AccountRef("mastodon", f"{HOST}/7", "city@town.example", HOST)


def test_an_unknown_handle_is_said_to_be_unknown(server: Server) -> None:
    server.answers(as_json({"error": "Record not found"}, 404))
    with pytest.raises(AccountUnavailable) as unknown:
        mastodon.identify(Lookout(server.url, ACCOUNT).connection, f"nobody@{HOST}")
    assert unknown.value.state == "not_found"


@pytest.mark.parametrize(("code", "state"), [(404, "not_found"), (410, "gone")])
def test_an_account_that_is_gone_has_its_state(server: Server, code: int, state: str) -> None:
    server.answers(as_json({"error": "Record not found"}, code))
    with pytest.raises(AccountUnavailable) as gone:
        list(mastodon.profile(Lookout(server.url, ACCOUNT).connection, Look()))
    assert gone.value.state == state


def test_a_suspended_account_is_kept_as_evidence_and_then_said(server: Server) -> None:
    server.answers(as_json({"id": "7", "suspended": True}))
    pages: list[Page] = []
    with pytest.raises(AccountUnavailable, match="suspended") as closed:
        pages.extend(mastodon.profile(Lookout(server.url, ACCOUNT).connection, Look()))
    assert closed.value.state == "suspended"


def test_an_account_that_moved_is_counted(server: Server) -> None:
    server.answers(as_json({"id": "7", "moved": {"id": "9"}}))
    assert skipped(mastodon.profile(Lookout(server.url, ACCOUNT).connection, Look())) == {"account_moved": 1}
    server.answers(as_json({"id": "7", "moved": None}))
    assert skipped(mastodon.profile(Lookout(server.url, ACCOUNT).connection, Look())) == {}


def test_a_server_without_link_headers_is_paged_by_id(server: Server) -> None:
    numbers = list(range(90, 0, -1))

    def script(asked: Any) -> Answer:
        below = int(asked.query.get("max_id", 1000))
        return as_json([status(number) for number in numbers if number < below][:15])

    server.script = script
    pages = list(mastodon.posts(Lookout(server.url, ACCOUNT).connection, Look()))
    assert native_ids(pages) == [f"{HOST}/{number}" for number in numbers]


def test_a_server_that_ignores_the_id_is_a_loop(server: Server) -> None:
    server.answers(as_json([status(5), status(4)]))
    with pytest.raises(PagingLoop):
        list(mastodon.posts(Lookout(server.url, ACCOUNT).connection, Look()))


def test_an_item_that_cannot_be_named_takes_no_other_with_it(server: Server) -> None:
    server.answers(
        as_json([status(5), {"content": "no id"}, status(4, created_at="yesterday", replies_count=None)]), as_json([])
    )
    pages = list(mastodon.posts(Lookout(server.url, ACCOUNT).connection, Look()))
    assert native_ids(pages) == [f"{HOST}/5", f"{HOST}/4"]
    assert pages[0].items[1].published_at is None


def test_another_status_than_the_one_asked_for_tells_nothing(server: Server) -> None:
    server.answers(as_json(status(8)))
    with pytest.raises(ContractBroken, match="sent another"):
        list(mastodon.confirm(Lookout(server.url, ACCOUNT).connection, [f"{HOST}/9"]))


def test_a_closed_server_does_not_look_like_a_deletion(server: Server) -> None:
    server.answers(as_json({"error": "This method requires an authenticated user"}, 401))
    with pytest.raises(CredentialRejected):
        list(mastodon.confirm(Lookout(server.url, ACCOUNT).connection, [f"{HOST}/9"]))


def test_a_lifted_block_is_told_by_a_direct_read(server: Server) -> None:
    look = Lookout(server.url, ACCOUNT, {"token": "t"})
    ids = [f"{HOST}/7/block/11", f"{HOST}/7/mute/11"]
    server.answers(as_json([{"id": "11", "blocking": False, "muting": True}]))
    pages = list(mastodon_moderation.confirm(look.connection, ids))
    assert [page.exchange.subject for page in pages] == ids
    assert native_ids(pages) == [ids[1]]
    assert server.asked[0].query == {"id[]": "11"}


def test_a_removed_filter_and_an_unblocked_server_are_told_by_a_direct_read(server: Server) -> None:
    look = Lookout(server.url, ACCOUNT, {"token": "t"})
    ids = [f"{HOST}/7/domain_block/bad.example", f"{HOST}/7/domain_block/good.example"]
    server.answers(as_json(["bad.example"]))
    assert native_ids(list(mastodon_moderation.confirm(look.connection, ids))) == ids[:1]
    server.answers(as_json({"error": "Record not found"}, 404))
    [page] = mastodon_moderation.confirm(look.connection, [f"{HOST}/7/filter/3"])
    assert (page.items, page.exchange.status, page.exchange.call) == ((), 404, "confirm_filter")


def test_a_credential_without_its_token_says_so(server: Server) -> None:
    look = Lookout(server.url, ACCOUNT, {"tokn": "t"})
    with pytest.raises(CredentialRejected, match="the-credential has no token"):
        list(mastodon.posts(look.connection, Look()))
    assert server.asked == []


def test_a_lying_count_of_replies_does_not_lead_on_for_ever(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mastodon_thread, "READS_LIMIT", 60)

    def script(asked: Any) -> Answer:
        above = int(asked.path.split("/")[4])
        return as_json(
            {"ancestors": [], "descendants": [status(above + 1, in_reply_to_id=str(above), replies_count=5)]}
        )

    server.script = script
    subject = mastodon.item_of(HOST, mastodon.Status("1", replies_count=5))
    pages = list(mastodon.comments(Lookout(server.url, ACCOUNT).connection, Look(subjects=[subject])))
    assert len(server.asked) == 60
    assert skipped(pages)["replies_not_shown"] > 0
