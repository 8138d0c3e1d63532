from __future__ import annotations

from typing import Any

import pytest
from archived_pages import archived, rows, show

CITY = {"id": "1", "acct": "city", "display_name": "City of Example", "url": "https://social.example/@city"}
RESIDENT = {"id": "7", "acct": "resident@other.example", "display_name": "A Resident"}


def status(number: int | str = 101, account: dict[str, Any] = CITY, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "account": account,
        "content": "<p>Snow tonight.</p>",
        "created_at": "2026-01-10T09:30:00.000Z",
        "visibility": "public",
        **fields,
    }


def version(content: str, created_at: str, **fields: Any) -> dict[str, Any]:
    return {"content": content, "created_at": created_at, "account": CITY, "spoiler_text": "", **fields}


HISTORY = [
    version("<p>Snow tonite.</p>", "2026-01-10T09:30:00.000Z"),
    version("<p>Snow tonight.</p>", "2026-01-10T09:40:00.000Z"),
]


def test_the_history_shows_every_version_in_the_order_of_the_edits() -> None:
    page = archived("mastodon", "status_history", HISTORY, subject="social.example/101")
    first, second = rows(show(page).posts)
    assert (first["text"], second["text"]) == ("Snow tonite.", "Snow tonight.")
    assert "platform_edited_at" not in first
    assert second["platform_edited_at"] == "2026-01-10T09:40:00+00:00"
    assert first["published_at"] == second["published_at"] == "2026-01-10T09:30:00+00:00"
    assert {first["state_basis"], second["state_basis"]} == {"edit_history"}


def test_a_version_in_the_history_and_the_status_itself_are_the_same_content() -> None:
    files = [{"id": "5", "type": "image", "url": "https://files.example/5.jpg", "description": "A plow"}]
    poll = {"options": [{"title": "Yes", "votes_count": 2}]}
    told = [version("<p>Snow</p>", "2026-01-10T09:30:00Z", media_attachments=files, poll=poll)]
    listing = archived(
        "mastodon", "account_statuses", [status(content="<p>Snow</p>", media_attachments=files, poll=poll)]
    )
    history = archived("mastodon", "status_history", told, subject="social.example/101")
    hashes = show(listing, history).posts["content_sha256"].to_pylist()
    assert len(hashes) == 2
    assert len(set(hashes)) == 1


def test_a_history_lies_with_the_comments_where_the_record_is_one() -> None:
    history = archived("mastodon", "status_history", HISTORY, subject="social.example/202")
    below = {
        "ancestors": [],
        "descendants": [status(202, RESIDENT, in_reply_to_id=101, url="https://social.example/202")],
    }
    context = archived("mastodon", "status_context", below, subject="social.example/101")
    batch = show(history, context)
    assert (batch.posts.num_rows, batch.comments.num_rows) == (0, 3)
    assert set(batch.comments["root_id"].to_pylist()) == {"mastodon:social.example/101"}
    assert set(batch.comments["url"].to_pylist()) == {"https://social.example/202"}


@pytest.mark.parametrize(
    ("visibility", "state"),
    [("public", "present"), ("unlisted", "present"), ("private", "hidden"), ("direct", "hidden"), (None, "present")],
)
def test_what_only_some_may_read_is_hidden_from_the_public(visibility: str | None, state: str) -> None:
    (row,) = rows(show(archived("mastodon", "account_statuses", [status(visibility=visibility)])).posts)
    assert row["state"] == state
    assert row.get("source_visibility") == visibility


def test_a_quote_that_was_revoked_is_no_link_any_more() -> None:
    quoted = {"id": "300", "account": RESIDENT, "url": "https://other.example/300"}
    shown = status(quote={"state": "accepted", "quoted_status": quoted})
    revoked = status(quote={"state": "revoked", "quoted_status": None})
    batch = show(archived("mastodon", "account_statuses", [shown, revoked]))
    assert batch.posts["links"].to_pylist() == [["https://other.example/300"], None]


def test_a_boost_is_a_post_that_leads_to_words_of_another() -> None:
    boosted = status(900, RESIDENT, content="<p>Their words</p>", url="https://other.example/900")
    (row,) = rows(show(archived("mastodon", "account_statuses", [status(103, content="", reblog=boosted)])).posts)
    assert "text" not in row
    assert row["links"] == ["https://other.example/900"]
    assert row["mentions"] == ["resident@other.example"]


def test_html_becomes_text_with_its_lines_and_its_addresses() -> None:
    content = (
        '<p>Snow &amp; ice.<br />Stay home.</p><p><a href="https://city.example/plan"><span class="invisible">https://'
        '</span><span class="ellipsis">city.exam</span><span class="invisible">ple/plan</span></a></p>'
    )
    (row,) = rows(show(archived("mastodon", "account_statuses", [status(content=content)])).posts)
    assert row["text"] == "Snow & ice.\nStay home.\n\nhttps://city.example/plan"
    assert row["links"] == ["https://city.example/plan"]


def test_an_answer_stays_a_comment_when_what_it_answers_is_gone() -> None:
    orphan = status(107, in_reply_to_id=None, in_reply_to_account_id="7")
    batch = show(archived("mastodon", "account_statuses", [orphan]))
    assert (batch.posts.num_rows, batch.comments.num_rows) == (0, 1)


def test_the_root_of_a_thread_read_from_its_middle_is_the_topmost_ancestor() -> None:
    found = {"ancestors": [status(101), status(201, RESIDENT)], "descendants": [status(203, in_reply_to_id="202")]}
    batch = show(archived("mastodon", "status_context", found, subject="social.example/202"))
    assert batch.comments["root_id"].to_pylist() == ["mastodon:social.example/101"]
    assert batch.skipped == {"ancestor": 2}


def test_old_servers_number_with_integers() -> None:
    (row,) = rows(show(archived("mastodon", "account_statuses", [status(101, {**CITY, "id": 1})])).posts)
    assert row["record_id"] == "mastodon:social.example/101"
    assert row["author_is_account"] is True


@pytest.mark.parametrize(
    ("code", "state"), [(404, "deleted"), (410, "deleted"), (401, "unavailable"), (403, "unavailable"), (503, None)]
)
def test_a_refused_direct_read_says_what_became_of_a_status(code: int, state: str | None) -> None:
    page = archived("mastodon", "confirm_status", {"error": "no"}, subject="social.example/5", status=code)
    batch = show(page)
    assert batch.marks["state"].to_pylist() == ([state] if state else [])
    assert batch.skipped == ({} if state else {"answer_503": 1})


def test_a_known_comment_is_read_directly_even_without_what_it_answered() -> None:
    page = archived("mastodon", "confirm_status", status(202, RESIDENT), subject="social.example/202")
    assert show(page).comments["record_id"].to_pylist() == ["mastodon:social.example/202"]


@pytest.mark.parametrize(
    ("code", "answer", "state", "basis"),
    [
        (404, {"error": "Record not found"}, "deleted", "author: 404"),
        (410, {"error": "Gone"}, "deleted", "author: 410"),
        (200, {**RESIDENT, "display_name": "", "suspended": True}, "unavailable", "author: suspended"),
    ],
)
def test_an_author_whose_account_is_closed_speaks_for_the_statuses_named_and_no_other(
    code: int, answer: dict[str, Any], state: str, basis: str
) -> None:
    batch = show(archived("mastodon", "author", answer, subject="social.example/7 202 205", status=code))
    marks = {(row["record_id"], row["state"], row["state_basis"]) for row in rows(batch.marks)}
    assert marks == {(f"mastodon:social.example/{number}", state, basis) for number in (202, 205)}
    assert batch.marks["kind"].null_count == 2


def test_an_author_who_is_there_or_cannot_be_read_says_nothing_of_what_is_missing() -> None:
    subject = "social.example/7 202"
    there = show(archived("mastodon", "author", RESIDENT, subject=subject))
    closed = show(archived("mastodon", "author", {"error": "no"}, subject=subject, status=503))
    assert (there.marks.num_rows, there.skipped) == (0, {"author_there": 1})
    assert (closed.marks.num_rows, closed.skipped) == (0, {"answer_503": 1})


def test_the_account_of_another_is_no_answer_about_an_author() -> None:
    batch = show(archived("mastodon", "author", {**CITY, "suspended": True}, subject="social.example/7 202"))
    assert (batch.marks.num_rows, batch.quarantine["reason"].to_pylist()) == (0, ["other_account"])


def test_a_missing_status_whose_author_is_asked_about_tells_only_that_it_is_there() -> None:
    gone = show(archived("mastodon", "missing_status", {"error": "no"}, subject="social.example/202", status=404))
    there = show(archived("mastodon", "missing_status", status(202, RESIDENT), subject="social.example/202"))
    assert (gone.marks.num_rows, gone.skipped) == (0, {"told_by_author": 1})
    assert there.comments["record_id"].to_pylist() == ["mastodon:social.example/202"]


def test_an_account_closed_by_its_server_is_unavailable() -> None:
    batch = show(archived("mastodon", "account", {**CITY, "suspended": True}))
    assert batch.profiles["state"].to_pylist() == ["unavailable"]


def test_the_words_of_a_filter_make_its_version() -> None:
    words = {"id": "5", "title": "Slurs", "keywords": [{"keyword": "badword"}]}
    more = {**words, "keywords": [{"keyword": "badword"}, {"keyword": "worse"}]}
    batch = show(archived("mastodon", "filters", [words]), archived("mastodon", "filters", [more]))
    assert len(set(batch.moderation_actions["record_id"].to_pylist())) == 1
    assert len(set(batch.moderation_actions["content_sha256"].to_pylist())) == 2


@pytest.mark.parametrize(("blocking", "rows_of"), [(True, "moderation_actions"), (False, "marks")])
def test_a_relationship_says_whether_a_block_is_still_in_force(blocking: bool, rows_of: str) -> None:  # noqa: FBT001
    page = archived(
        "mastodon",
        "confirm_relationship",
        [{"id": "66", "blocking": blocking, "muting": False}],
        subject="social.example/1/block/66",
    )
    listed = show(archived("mastodon", "blocks", [{"id": "66", "acct": "spam"}])).moderation_actions
    batch = show(page)
    assert getattr(batch, rows_of)["record_id"].to_pylist() == listed["record_id"].to_pylist()
    if blocking:
        assert batch.moderation_actions["content_sha256"] == listed["content_sha256"]


def test_a_changed_list_of_words_is_another_content() -> None:
    words = {"id": "5", "title": "Slurs", "keywords": [{"keyword": "badword", "whole_word": True}]}
    wider = {**words, "keywords": [{"keyword": "badword", "whole_word": False}]}
    shown = [rows(show(archived("mastodon", "filters", [one])).moderation_actions)[0] for one in (words, wider)]
    assert [one["reason"] for one in shown] == ["Slurs; words: badword (whole word)", "Slurs; words: badword"]
    assert shown[0]["content_sha256"] != shown[1]["content_sha256"]


def test_a_filter_read_by_its_number_is_as_the_list_shows_it_or_deleted() -> None:
    words = {"id": "5", "title": "Slurs", "keywords": [{"keyword": "badword"}]}
    subject = "social.example/1/filter/5"
    [listed] = rows(show(archived("mastodon", "filters", [words])).moderation_actions)
    [read] = rows(show(archived("mastodon", "confirm_filter", words, subject=subject)).moderation_actions)
    assert (read["record_id"], read["content_sha256"]) == (listed["record_id"], listed["content_sha256"])
    gone = show(archived("mastodon", "confirm_filter", {"error": "Record not found"}, subject=subject, status=404))
    assert [(mark["record_id"], mark["state"]) for mark in rows(gone.marks)] == [(f"mastodon:{subject}", "deleted")]
    narrow = show(archived("mastodon", "confirm_filter", {"error": "scopes"}, subject=subject, status=403))
    assert narrow.skipped == {"answer_403": 1}


@pytest.mark.parametrize(
    ("blocked", "told"),
    [(["bad.example"], ["present"]), (["other.example"], ["deleted"]), (["a.example", "b.example"], [])],
)
def test_a_server_is_unblocked_where_the_whole_list_does_not_name_it(blocked: list[str], told: list[str]) -> None:
    page = archived(
        "mastodon",
        "confirm_domain_block",
        blocked,
        subject="social.example/1/domain_block/bad.example",
        url="https://social.example/api/v1/domain_blocks?limit=2",
    )
    batch = show(page)
    assert [row["state"] for row in rows(batch.moderation_actions) + rows(batch.marks)] == told
    assert batch.skipped == ({} if told else {"list_goes_on": 1})
