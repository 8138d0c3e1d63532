from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lookout import Lookout, native_ids, skipped
from sample_accounts import SAMPLES, Eye
from scripted_server import Answer, Asked, Server, as_json, scripted_server

from connectors.contract import AccountRef, Look
from connectors.faults import AccountUnavailable, ContractBroken, CredentialRejected, CursorExpired, ScopeMissing
from connectors.wordpress import platform as wordpress
from samplecity.server import City

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "news.city.example"
ACCOUNT = AccountRef("wordpress", HOST, HOST, HOST)
LOGIN = {"username": "archive", "password": "abcd efgh"}
SITE = {"name": "News", "namespaces": ["wp/v2"]}


@pytest.fixture(scope="module")
def running() -> Iterator[City]:
    with City.start() as city:
        yield city


@pytest.fixture
def news(running: City) -> Eye:
    if running.desk.is_touched:
        running.reset()
    running.desk.requests.clear()
    return Eye(running, SAMPLES["wordpress"])


@pytest.fixture
def server() -> Iterator[Server]:
    with scripted_server() as started:
        yield started


def login_then(*answers: Answer, roles: tuple[str, ...] = ("editor",)) -> Any:
    left = list(answers)

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/users/me"):
            return as_json({"id": 1, "roles": roles, "capabilities": {"edit_posts": True}})
        return left.pop(0) if len(left) > 1 else left[0]

    return script


def test_with_a_credential_hidden_comments_are_read_and_without_they_are_not(news: Eye) -> None:
    entries = news.city.desk.world.entries
    hidden = {
        entry.native_id
        for entry in entries.values()
        if entry.kind == "comment" and entry.status in ("hold", "spam", "trash")
    }
    pingbacks = {entry.native_id for entry in entries.values() if entry.type == "pingback"}
    everything = news.ids("comments")
    assert hidden
    assert pingbacks
    assert hidden | pingbacks <= everything
    public = Eye(news.city, news.sample, with_credential=False)
    assert everything - public.ids("comments") == hidden | pingbacks


def test_a_comment_hidden_from_the_public_is_not_taken_for_deleted(news: Eye) -> None:
    comment = next(iter(Eye(news.city, news.sample, with_credential=False).ids("comments")))
    news.city.act("hide", id=comment, status="spam")
    public = Eye(news.city, news.sample, with_credential=False)
    (unseen,) = wordpress.confirm_comments(public.connection, [comment])
    assert (unseen.exchange.status, unseen.items) == (401, ())
    assert b"rest_cannot_read" in unseen.exchange.content
    (seen,) = wordpress.confirm_comments(news.connection, [comment])
    assert native_ids([seen]) == [comment]
    news.city.act("delete", id=comment)
    (gone,) = wordpress.confirm_comments(news.connection, [comment])
    assert (gone.exchange.status, gone.items) == (404, ())


def test_a_look_since_finds_new_posts_and_edited_old_ones(news: Eye) -> None:
    oldest = min(news.subjects(), key=lambda item: item.published_at or datetime.now(UTC))
    begun = datetime.now(UTC) - timedelta(minutes=2)
    before = set(native_ids(news.pages("posts", since=begun)))
    news.city.act("edit", id=oldest.native_id, text="edited after a year")
    new = news.city.act("post", account="news", text="new", title="new")["id"]
    found = set(native_ids(news.pages("posts", since=begun)))
    assert found - before == {oldest.native_id, new}
    for name in ("after", "modified_after"):
        (asked,) = {
            target.partition(f"&{name}=")[2][:26] for _, target, _ in news.city.requests if f"&{name}=" in target
        }
        assert asked.startswith((begun - timedelta(seconds=1)).strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ"))


def test_all_that_is_asked_with_a_credential(server: Server) -> None:
    server.script = login_then(as_json([], X_WP_Total="0"))
    look = Lookout(server.url, ACCOUNT, LOGIN)
    list(wordpress.posts(look.connection, Look()))
    list(wordpress.comments(look.connection, Look()))
    posts = [asked.query for asked in server.asked if asked.path.endswith("/posts")]
    assert [query["status"] for query in posts] == ["publish,future,draft,pending,private,trash"]
    comments = [asked.query for asked in server.asked if asked.path.endswith("/comments")]
    assert {(query["status"], query["type"]) for query in comments} == {
        (status, kind)
        for status in ("approve", "hold", "spam", "trash", "post-trashed")
        for kind in ("comment", "pingback", "trackback")
    }
    for query in posts + comments:
        assert (query["context"], query["orderby"], query["order"], query["per_page"]) == ("edit", "id", "desc", "100")


def test_the_public_asks_for_nothing_forbidden(server: Server) -> None:
    server.answers(as_json([], X_WP_Total="0"))
    look = Lookout(server.url, ACCOUNT)
    list(wordpress.posts(look.connection, Look()))
    list(wordpress.comments(look.connection, Look()))
    assert len(server.asked) == 2
    for asked in server.asked:
        assert not {"context", "status", "type"} & set(asked.query)
        assert "authorization" not in asked.headers


def test_who_the_credential_is_does_not_become_evidence(server: Server) -> None:
    server.script = login_then(as_json([], X_WP_Total="0"))
    look = Lookout(server.url, ACCOUNT, LOGIN)
    list(wordpress.posts(look.connection, Look()))
    assert [exchange.call for exchange in look.recorded] == ["posts"]


def test_a_lesser_role_is_refused_since_it_would_see_a_part(server: Server) -> None:
    server.script = login_then(as_json([]), roles=("author",))
    look = Lookout(server.url, ACCOUNT, LOGIN)
    with pytest.raises(ScopeMissing, match="edit_others_posts"):
        list(wordpress.posts(look.connection, Look()))
    with pytest.raises(ScopeMissing, match="moderate_comments"):
        list(wordpress.comments(look.connection, Look()))


def test_a_wrong_password_is_loud_where_the_site_would_answer_as_to_anyone(server: Server) -> None:
    server.answers(as_json({"code": "rest_not_logged_in", "message": "You are not currently logged in."}, 401))
    with pytest.raises(CredentialRejected, match="application password"):
        list(wordpress.comments(Lookout(server.url, ACCOUNT, LOGIN).connection, Look()))


def test_fields_under_the_names_of_an_airflow_connection(server: Server) -> None:
    server.script = login_then(as_json([], X_WP_Total="0"))
    look = Lookout(server.url, ACCOUNT, {"login": "archive", "password": "abcd efgh"})
    list(wordpress.posts(look.connection, Look()))
    assert server.asked[0].headers["authorization"] == "Basic YXJjaGl2ZTphYmNkIGVmZ2g="


def test_items_the_credential_may_not_see_are_counted(server: Server) -> None:
    rows = [{"id": number, "date_gmt": "2026-01-01T00:00:00"} for number in range(150, 60, -1)]
    server.answers(as_json(rows, X_WP_Total="150"), as_json(rows[-10:], X_WP_Total="150"))
    pages = list(wordpress.posts(Lookout(server.url, ACCOUNT).connection, Look()))
    assert skipped(pages) == {"left_out": 10 + 50}


def test_a_page_that_stays_empty_is_counted_and_passed(server: Server) -> None:
    row = {"id": 7, "date_gmt": "2026-01-01T00:00:00"}
    empty = as_json([], X_WP_Total="95")
    server.answers(empty, empty, as_json([row]))
    pages = list(wordpress.posts(Lookout(server.url, ACCOUNT).connection, Look()))
    assert len(server.asked) == 2
    assert skipped(pages)["left_out"] >= 95


def test_dates_without_zone_are_utc_and_absent_ones_absent(server: Server) -> None:
    rows = [{"id": 2, "date_gmt": "2026-01-01T10:00:00"}, {"id": 1, "date_gmt": None}, {"title": "no id"}]
    server.answers(as_json(rows, X_WP_Total="3"))
    (page,) = wordpress.posts(Lookout(server.url, ACCOUNT).connection, Look())
    assert [item.published_at for item in page.items] == [datetime(2026, 1, 1, 10, tzinfo=UTC), None]
    assert native_ids([page]) == [f"{HOST}/post/2", f"{HOST}/post/1"]


@pytest.mark.parametrize("text", [HOST, f"https://{HOST}/", f"http://{HOST.upper()}"])
def test_a_site_is_found_by_its_address(server: Server, text: str) -> None:
    server.answers(as_json(SITE))
    look = Lookout(server.url, ACCOUNT)
    assert wordpress.identify(look.connection, text) == ACCOUNT
    assert look.recorded == []


def test_a_site_in_a_folder_is_a_site_of_its_own(server: Server) -> None:
    server.answers(as_json(SITE))
    look = Lookout("", ACCOUNT, services={"city.example": server.url})
    found = wordpress.identify(look.connection, "https://city.example/news/")
    assert (found.native_id, found.service) == ("city.example/news", "city.example/news")
    assert server.asked[0].path == "/news/wp-json/"
    server.answers(as_json([{"id": 3}], X_WP_Total="1"))
    there = Lookout("", found, services={"city.example": server.url})
    assert native_ids(wordpress.posts(there.connection, Look())) == ["city.example/news/post/3"]


def test_a_site_that_answers_under_another_name_is_found_there(server: Server) -> None:
    moved = Answer(b"", 301, (("Location", f"https://www.{HOST}/news/wp-json/"),))
    server.script = lambda asked: moved if asked.path.startswith("/old") else as_json(SITE)
    services = {HOST: f"{server.url}/old", f"www.{HOST}": server.url}
    found = wordpress.identify(Lookout("", ACCOUNT, services=services).connection, f"{HOST}/news")
    assert found.native_id == f"www.{HOST}/news"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (as_json({"namespaces": ["oembed/1.0"]}), AccountUnavailable),
        (as_json({"code": "rest_no_route", "message": "No route"}, 404), AccountUnavailable),
        (as_json({"code": "rest_disabled", "message": "Closed"}, 401), AccountUnavailable),
        (Answer(b"<html>a static site", 404, (("Content-Type", "text/html"),)), ContractBroken),
    ],
)
def test_what_is_no_open_wordpress_is_said(server: Server, answer: Answer, error: type[Exception]) -> None:
    server.answers(answer)
    with pytest.raises(error):
        wordpress.identify(Lookout(server.url, ACCOUNT).connection, HOST)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (as_json({"code": "rest_no_route", "message": "No route"}, 404), AccountUnavailable),
        (as_json({"code": "plugin_says_no", "message": "No"}, 403), ContractBroken),
        (as_json({"code": "incorrect_password", "message": "No"}, 401), CredentialRejected),
        (as_json({"id": 4}), ContractBroken),
    ],
)
def test_only_words_that_mean_it_make_a_deletion(server: Server, answer: Answer, error: type[Exception]) -> None:
    server.answers(answer)
    with pytest.raises(error):
        list(wordpress.confirm_posts(Lookout(server.url, ACCOUNT).connection, [f"{HOST}/post/3"]))


def test_core_has_no_list_of_moderation(server: Server) -> None:
    moderation = wordpress.PLATFORM.resources[3]
    assert list(moderation.fetch(Lookout(server.url, ACCOUNT).connection, Look())) == []
    assert "no list" in moderation.never


def test_a_checkpoint_of_another_credential_starts_over(server: Server) -> None:
    server.answers(as_json([], X_WP_Total="0"))
    with pytest.raises(CursorExpired):
        list(
            wordpress.comments(
                Lookout(server.url, ACCOUNT).connection, Look(resume={"stage": "spam comment", "place": {}})
            )
        )
