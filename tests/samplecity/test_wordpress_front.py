from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from samplecity.people import NEWS
from samplecity.wordpress import PASSWORD, USER

if TYPE_CHECKING:
    import requests

    from samplecity.server import City

pytest_plugins = ["city_fixtures"]

STAFF = (USER, PASSWORD)


class Asker:
    """Calls to the news site, as the public or as the archive's user."""

    def __init__(self, city: City, http: requests.Session) -> None:
        self.city = city
        self.http = http

    def ask(self, path: str, auth: tuple[str, str] | None = None, **params: Any) -> requests.Response:
        return self.http.get(f"{self.city.services()[NEWS]}/wp-json{path}", params=params, auth=auth)


@pytest.fixture
def wordpress(city: City, http: requests.Session) -> Asker:
    return Asker(city, http)


def _refusal(answer: requests.Response) -> tuple[int, str]:
    assert answer.json()["data"]["status"] == answer.status_code
    return answer.status_code, answer.json()["code"]


def test_the_root_names_the_site_its_zone_and_its_namespaces(wordpress: Asker) -> None:
    root = wordpress.ask("/").json()
    assert root["timezone_string"] == "America/Chicago"
    assert "wp/v2" in root["namespaces"]
    assert set(wordpress.ask("/", _fields="name,home").json()) == {"name", "home"}


def test_pages_cover_every_post_once_and_the_headers_say_how_many(wordpress: Asker) -> None:
    first = wordpress.ask("/wp/v2/posts", per_page=25)
    pages = int(first.headers["X-WP-TotalPages"])
    seen = [
        post["id"]
        for page in range(1, pages + 1)
        for post in wordpress.ask("/wp/v2/posts", per_page=25, page=page).json()
    ]
    assert len(seen) == len(set(seen)) == int(first.headers["X-WP-Total"]) == 60
    assert 'rel="next"' in first.headers["Link"]
    assert "page=2" in first.headers["Link"]
    assert 'rel="next"' not in wordpress.ask("/wp/v2/posts", per_page=25, page=pages).headers["Link"]


def test_a_page_past_the_end_is_an_error_for_posts_and_empty_for_comments(wordpress: Asker) -> None:
    assert _refusal(wordpress.ask("/wp/v2/posts", page=99)) == (400, "rest_post_invalid_page_number")
    assert wordpress.ask("/wp/v2/comments", page=99).json() == []


@pytest.mark.parametrize("size", ["101", "0", "many"])
def test_a_page_size_out_of_bounds_is_refused(wordpress: Asker, size: str) -> None:
    answer = wordpress.ask("/wp/v2/comments", per_page=size)
    assert _refusal(answer) == (400, "rest_invalid_param")
    assert "between 1 (inclusive) and 100 (inclusive)" in answer.json()["data"]["params"]["per_page"]


def test_hidden_comments_and_raw_texts_need_the_password(wordpress: Asker) -> None:
    held = wordpress.city.desk.cast.parts["held"].rpartition("/")[2]
    for status in ("hold", "spam", "trash"):
        assert _refusal(wordpress.ask("/wp/v2/comments", status=status)) == (401, "rest_forbidden_param")
        shown = wordpress.ask("/wp/v2/comments", STAFF, status=status).json()
        assert {comment["status"] for comment in shown} == {status}
    assert _refusal(wordpress.ask(f"/wp/v2/comments/{held}")) == (401, "rest_cannot_read")
    assert _refusal(wordpress.ask("/wp/v2/posts", context="edit")) == (401, "rest_forbidden_context")
    assert wordpress.ask(f"/wp/v2/comments/{held}", STAFF, context="edit").json()["content"]["raw"]


def test_pingbacks_come_only_when_asked_for_by_type(wordpress: Asker) -> None:
    usual = wordpress.ask("/wp/v2/comments", STAFF, per_page=100).json()
    assert {comment["type"] for comment in usual} == {"comment"}
    assert len(wordpress.ask("/wp/v2/comments", STAFF, type="pingback").json()) == 2
    assert _refusal(wordpress.ask("/wp/v2/comments", type="pingback")) == (401, "rest_forbidden_param")


def test_status_all_means_approved_and_held(wordpress: Asker) -> None:
    shown = wordpress.ask("/wp/v2/comments", STAFF, status="all", per_page=100, order="desc").json()
    assert {comment["status"] for comment in shown} == {"approved", "hold"}


def test_dates_are_local_beside_their_gmt(wordpress: Asker) -> None:
    for post in wordpress.ask("/wp/v2/posts", per_page=100).json():
        local = datetime.fromisoformat(post["date"]).replace(tzinfo=ZoneInfo("America/Chicago"))
        gmt = datetime.fromisoformat(post["date_gmt"]).replace(tzinfo=ZoneInfo("UTC"))
        assert local == gmt
        assert post["date"] != post["date_gmt"]


def test_a_time_without_a_zone_is_read_as_the_sites_own(wordpress: Asker) -> None:
    made = wordpress.city.act("post", account="news", title="Fresh", text="New")["id"].rpartition("/")[2]
    gmt = wordpress.ask(f"/wp/v2/posts/{made}").json()["date_gmt"]
    hour_before = f"{gmt[:11]}{int(gmt[11:13]) - 1:02d}{gmt[13:]}"
    assert len(wordpress.ask("/wp/v2/posts", modified_after=f"{hour_before}Z").json()) == 1
    assert wordpress.ask("/wp/v2/posts", modified_after=hour_before).json() == []


def test_titles_hold_entities_and_their_raw_form_none(wordpress: Asker) -> None:
    made = wordpress.city.act("post", account="news", title='Parks & "pools": it\'s open', text="x")["id"]
    number = made.rpartition("/")[2]
    title = wordpress.ask(f"/wp/v2/posts/{number}", STAFF, context="edit").json()["title"]
    assert title["rendered"] == "Parks &#038; &#8220;pools&#8221;: it&#8217;s open"
    assert title["raw"] == 'Parks & "pools": it\'s open'


def test_a_shortcode_nobody_renders_stays_as_it_was_written(wordpress: Asker) -> None:
    made = wordpress.city.act("post", account="news", title="x", text='[gallery ids="9"] "Old" photographs')["id"]
    content = wordpress.ask(f"/wp/v2/posts/{made.rpartition('/')[2]}").json()["content"]["rendered"]
    assert content == '<p>[gallery ids="9"] &#8220;Old&#8221; photographs</p>\n'


def test_an_edit_moves_the_modified_date_of_a_post_and_nothing_of_a_comment(wordpress: Asker) -> None:
    post = wordpress.ask("/wp/v2/posts", per_page=1).json()[0]
    wordpress.city.act("edit", id=f"{NEWS}/post/{post['id']}", text="Another text", title="Another title")
    after = wordpress.ask(f"/wp/v2/posts/{post['id']}").json()
    assert after["modified_gmt"] > post["modified_gmt"]
    assert after["date_gmt"] == post["date_gmt"]
    assert after["title"]["rendered"] == "Another title"
    comment = wordpress.ask("/wp/v2/comments", per_page=1).json()[0]
    wordpress.city.act("edit", id=f"{NEWS}/comment/{comment['id']}", text="Another word")
    changed = wordpress.ask(f"/wp/v2/comments/{comment['id']}").json()
    assert {key for key in comment if comment[key] != changed[key]} == {"content"}


def test_answers_move_to_the_parent_of_a_deleted_comment(wordpress: Asker) -> None:
    post = f"{NEWS}/post/{wordpress.ask('/wp/v2/posts', per_page=1).json()[0]['id']}"
    top = wordpress.city.act("comment", parent=post, text="top")["id"]
    middle = wordpress.city.act("comment", parent=top, text="middle")["id"]
    last = wordpress.city.act("comment", parent=middle, text="last")["id"].rpartition("/")[2]
    wordpress.city.act("delete", id=middle)
    assert wordpress.ask(f"/wp/v2/comments/{last}").json()["parent"] == int(top.rpartition("/")[2])
    gone = wordpress.ask(f"/wp/v2/comments/{middle.rpartition('/')[2]}")
    assert _refusal(gone) == (404, "rest_comment_invalid_id")


def test_a_deleted_post_takes_its_comments_with_it(wordpress: Asker) -> None:
    comment = wordpress.ask("/wp/v2/comments", per_page=1).json()[0]
    wordpress.city.act("delete", id=f"{NEWS}/post/{comment['post']}")
    assert _refusal(wordpress.ask(f"/wp/v2/posts/{comment['post']}")) == (404, "rest_post_invalid_id")
    assert _refusal(wordpress.ask(f"/wp/v2/comments/{comment['id']}")) == (404, "rest_comment_invalid_id")
    assert wordpress.ask("/wp/v2/comments", post=comment["post"]).json() == []


def test_an_unpublished_post_is_forbidden_to_the_public(wordpress: Asker) -> None:
    made = wordpress.city.act("post", account="news", title="Draft", text="x", status="draft")["id"].rpartition("/")[2]
    assert _refusal(wordpress.ask(f"/wp/v2/posts/{made}")) == (401, "rest_forbidden")
    assert wordpress.ask(f"/wp/v2/posts/{made}", STAFF).json()["status"] == "draft"


def test_a_wrong_password_is_refused_even_for_what_is_public(wordpress: Asker) -> None:
    assert _refusal(wordpress.ask("/wp/v2/posts", (USER, "guess"))) == (401, "incorrect_password")
    assert _refusal(wordpress.ask("/wp/v2/posts", ("nobody", "guess"))) == (401, "invalid_username")
    assert _refusal(wordpress.ask("/wp/v2/users/me")) == (401, "rest_not_logged_in")
    assert wordpress.ask("/wp/v2/users/me", STAFF, context="edit").json()["capabilities"]["moderate_comments"]
    assert _refusal(wordpress.ask("/wp/v2/nothing")) == (404, "rest_no_route")
