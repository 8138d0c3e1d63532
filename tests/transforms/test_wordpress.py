from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from archived_pages import archived, rows, show

from transforms.history import NoPast, changes, workbench


def post(number: int = 11, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "date": "2026-01-10T03:30:00",
        "date_gmt": "2026-01-10T09:30:00",
        "modified_gmt": "2026-01-10T09:30:00",
        "status": "publish",
        "title": {"rendered": "Snow"},
        "content": {"rendered": "<p>Plows are out.</p>\n", "protected": False},
        "author": 2,
        **fields,
    }


def comment(number: int = 21, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "post": 11,
        "parent": 0,
        "author": 0,
        "author_name": "A Resident",
        "author_url": "",
        "date": "2026-01-10T05:00:00",
        "date_gmt": "2026-01-10T11:00:00",
        "content": {"rendered": "<p>My street!</p>\n"},
        "status": "approved",
        "type": "comment",
        **fields,
    }


def posts(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return rows(show(archived("wordpress", "posts", list(found))).posts)


def comments(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return rows(show(archived("wordpress", "comments", list(found))).comments)


def test_times_are_those_with_a_zone() -> None:
    (row,) = posts(post())
    assert row["published_at"] == "2026-01-10T09:30:00+00:00"
    assert "platform_edited_at" not in row
    (edited,) = posts(post(modified_gmt="2026-01-11T00:00:00"))
    assert edited["platform_edited_at"] == "2026-01-11T00:00:00+00:00"


def test_entities_in_titles_and_names_are_characters() -> None:
    (row,) = posts(post(title={"rendered": "Snow &#038; Ice &#8211; what&#8217;s <em>next</em>&nbsp;?"}))
    assert row["title"] == "Snow & Ice \u2013 what\u2019s next\xa0?"
    (answer,) = comments(comment(author_name="Smith &amp; Sons"))
    assert answer["author_name"] == "Smith & Sons"


def test_author_0_is_nobody() -> None:
    assert "author_id" not in comments(comment())[0]
    assert comments(comment(author=2))[0]["author_id"] == "news.example/user/2"


def test_a_credential_does_not_change_the_content() -> None:
    public = post(content={"rendered": "<p>Pictures</p>", "protected": False})
    edited = post(
        title={"raw": "Snow", "rendered": "Snow"},
        content={"raw": '[gallery ids="1,2"]', "rendered": "<p>Pictures</p>", "protected": False, "block_version": 1},
        password="",
        permalink_template="x",
    )
    batch = show(archived("wordpress", "posts", [public, edited]))
    assert len(set(batch.posts["content_sha256"].to_pylist())) == 1
    answered = comment(content={"raw": "My street!", "rendered": "<p>My street!</p>\n"}, author_email="r@example.com")
    both = show(archived("wordpress", "comments", [comment(), answered]))
    assert len(set(both.comments["content_sha256"].to_pylist())) == 1


def test_addresses_of_commenters_are_not_in_the_tables() -> None:
    (row,) = comments(comment(author_email="resident@example.com", author_ip="192.0.2.7"))
    assert "192.0.2.7" not in str(row)
    assert "resident@example.com" not in str(row)


def test_shortcodes_that_nothing_renders_stay_as_they_are() -> None:
    (row,) = posts(post(content={"rendered": '<p>[city_map zoom="3"]</p>', "protected": False}))
    assert row["text"] == '[city_map zoom="3"]'


@pytest.mark.parametrize(
    ("word", "state"), [("approved", "present"), ("hold", "hidden"), ("spam", "hidden"), ("trash", "hidden")]
)
def test_a_comment_is_hidden_unless_approved(word: str, state: str) -> None:
    (row,) = comments(comment(status=word))
    assert (row["state"], row["source_visibility"]) == (state, word)


@pytest.mark.parametrize(
    ("word", "state"),
    [("publish", "present"), ("draft", "hidden"), ("future", "hidden"), ("private", "hidden"), ("trash", "hidden")],
)
def test_a_post_is_hidden_unless_published(word: str, state: str) -> None:
    (row,) = posts(post(status=word))
    assert (row["state"], row["source_visibility"]) == (state, word)


def test_a_post_behind_a_password_is_hidden() -> None:
    (row,) = posts(post(content={"rendered": "", "protected": True}))
    assert (row["state"], row["source_visibility"]) == ("hidden", "password")
    assert "text" not in row


def test_a_comment_answers_the_post_or_another_comment() -> None:
    first, second = comments(comment(21), comment(22, parent=21))
    assert first["parent_id"] == first["root_id"] == second["root_id"] == "wordpress:news.example/post/11"
    assert second["parent_id"] == "wordpress:news.example/comment/21"


def test_a_pingback_is_a_comment_with_its_source_as_link() -> None:
    (row,) = comments(comment(type="pingback", author_url="https://blog.example/post"))
    assert row["links"] == ["https://blog.example/post"]


def test_a_site_in_a_path_has_the_path_in_its_ids() -> None:
    page = archived("wordpress", "posts", [post()], account_id="wordpress:city.example/news", service="city.example")
    assert show(page).posts["record_id"].to_pylist() == ["wordpress:city.example/news/post/11"]


def test_pictures_are_attachments_each_once() -> None:
    html = '<img src="https://news.example/a.jpg" class="wp-image-43" alt="A plow"><img src="data:image/gif;base64,R0"><img src="b.jpg">'
    (row,) = posts(post(content={"rendered": html, "protected": False}, featured_media=43))
    assert [file["media_id"] for file in row["attachments"]] == ["wordpress:news.example/media/43", "wordpress:b.jpg"]


@pytest.mark.parametrize(
    ("call", "status", "code", "state"),
    [
        ("confirm_post", 404, "rest_post_invalid_id", "deleted"),
        ("confirm_comment", 404, "rest_comment_invalid_id", "deleted"),
        ("confirm_post", 401, "rest_forbidden", "unavailable"),
        ("confirm_comment", 401, "rest_cannot_read", "unavailable"),
        ("confirm_comment", 403, "rest_cannot_read_post", "unavailable"),
        ("confirm_post", 401, "rest_cannot_access", None),
        ("confirm_post", 404, "rest_no_route", None),
        ("confirm_post", 500, "internal_server_error", None),
    ],
)
def test_a_refused_direct_read_says_what_became_of_it(call: str, status: int, code: str, state: str | None) -> None:
    page = archived("wordpress", call, {"code": code, "message": "no"}, subject="news.example/post/14", status=status)
    batch = show(page)
    assert batch.marks["state"].to_pylist() == ([state] if state else [])
    assert batch.skipped == ({} if state else {f"answer_{status}": 1})


def test_comments_switched_off_are_an_action_until_they_are_open_again() -> None:
    closed = show(archived("wordpress", "posts", [post(comment_status="closed")]))
    [action] = rows(closed.moderation_actions)
    assert (action["action"], action["subject_id"], action["state"]) == (
        "comments_closed",
        "wordpress:news.example/post/11",
        "present",
    )
    again = show(archived("wordpress", "posts", [post(comment_status="open")]))
    assert [(mark["record_id"], mark["state"]) for mark in rows(again.marks)] == [(action["record_id"], "deleted")]


@pytest.mark.parametrize("status", ["hold", "spam", "trash"])
def test_a_held_comment_is_an_action_until_it_is_approved(status: str) -> None:
    held = show(archived("wordpress", "comments", [comment(status=status)]))
    [action] = rows(held.moderation_actions)
    assert (action["action"], action["subject_id"]) == (status, "wordpress:news.example/comment/21")
    approved = show(archived("wordpress", "comments", [comment(status="approved")]))
    assert [mark["record_id"] for mark in rows(approved.marks)] == [action["record_id"]]
    untold = show(archived("wordpress", "comments", [comment(status=None)]))
    assert untold.moderation_actions.num_rows == untold.marks.num_rows == 0


def test_an_act_began_after_the_last_look_that_told_it_was_not_in_force() -> None:
    looks = [("open", 1), ("closed", 2), ("closed", 3), ("open", 4)]
    pages = [
        archived(
            "wordpress",
            "posts",
            [post(comment_status=status)],
            fetched_at=datetime(2026, 2, 1, hour, tzinfo=UTC),
            capture_id=f"look-{hour}",
            evidence_offset=hour,
        )
        for status, hour in looks
    ]
    found = changes(show(*pages), NoPast(), workbench()).tables["moderation_actions"].to_pylist()
    told = [(row["change"], row["state"], row["seen_before"].hour, row["seen_after"].hour) for row in found]
    assert told == [("first_seen", "present", 1, 2), ("deleted", "deleted", 3, 4)]
