"""What changed, and who made a record go: the claim is no stronger than the platform's answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import duckdb
import pytest
from filled_mart import filled
from small_city import ACCOUNT, START

from warehouse import mart

GETRECORD, STATUS = "record:getRecord: RecordNotFound", "record:getRepoStatus: "


@pytest.fixture(scope="module")
def bench() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(mart.read_sql("cause_of_loss"))
    return connection


@pytest.mark.parametrize(
    ("platform", "own", "basis", "cause"),
    [
        ("bluesky", False, GETRECORD, "deleted_by_author"),
        ("bluesky", None, GETRECORD, "deleted_by_author"),
        ("bluesky", True, GETRECORD, "removed_by_city"),
        ("bluesky", False, "view:getPosts does not show it", "removed_by_platform"),
        ("bluesky", True, "view:getPosts does not show it", "removed_by_platform"),
        ("bluesky", False, f"{STATUS}deactivated", "author_gone"),
        ("bluesky", False, f"{STATUS}deleted", "author_gone"),
        ("bluesky", False, f"{STATUS}RepoNotFound", "author_gone"),
        ("bluesky", False, f"{STATUS}takendown", "author_suspended"),
        ("bluesky", True, f"{STATUS}suspended", "author_suspended"),
        ("bluesky", False, f"{STATUS}inactive", "unknown"),
        ("bluesky", False, f"{STATUS}desynchronized", "unknown"),
        ("wordpress", None, "confirm_comment: 404 rest_comment_invalid_id", "removed_by_city"),
        (
            "wordpress",
            None,
            "confirm_comment: 401 rest_cannot_read (made private, held or in the trash)",
            "removed_by_city",
        ),
        (
            "wordpress",
            None,
            "confirm_comment: 403 rest_cannot_read (made private, held or in the trash)",
            "removed_by_city",
        ),
        ("wordpress", True, "confirm_post: 404 rest_post_invalid_id", "removed_by_city"),
        ("wordpress", True, "confirm_post: 401 rest_forbidden (made private, held or in the trash)", "made_private"),
        ("wordpress", True, "confirm_post: 403 rest_forbidden (made private, held or in the trash)", "made_private"),
        ("mastodon", False, "confirm_status: 404", "unknown"),
        ("mastodon", None, "confirm_status: 404", "unknown"),
        ("mastodon", True, "confirm_status: 404", "removed_by_city"),
        ("mastodon", False, "confirm_status: 410", "author_gone"),
        ("mastodon", False, "author: 404", "author_gone"),
        ("mastodon", False, "author: 410", "author_gone"),
        ("mastodon", False, "author: suspended", "author_suspended"),
        ("mastodon", True, "account: suspended", "author_suspended"),
        ("mastodon", False, "confirm_status: 401", "made_private"),
        ("mastodon", True, "confirm_status: 403", "made_private"),
        ("another", False, "confirm: 404", "unknown"),
        ("bluesky", False, None, "unknown"),
    ],
)
def test_a_cause_is_what_the_platforms_answer_tells(
    bench: duckdb.DuckDBPyConnection, platform: str, own: object, basis: str | None, cause: str
) -> None:
    sql = "SELECT cause_of_loss($platform, $own::BOOLEAN, $basis::VARCHAR)"
    assert bench.execute(sql, {"platform": platform, "own": own, "basis": basis}).fetchall() == [(cause,)]


def version(name: str, number: int, change: str, text: str, **values: Any) -> dict[str, Any]:
    state = change if change in ("hidden", "deleted", "unavailable") else "present"
    seen = {"seen_before": START + timedelta(days=number - 1), "seen_after": START + timedelta(days=number)}
    return {
        "record_id": name, "account_id": ACCOUNT, "platform": "bluesky", "version": number, "change": change, "state": state, "text": text, **seen, **values
    }  # fmt: skip


def test_each_change_stands_beside_what_was_before() -> None:
    city = filled(
        posts=[version("calm", 1, "first_seen", "x"), version("gone", 1, "first_seen", "y"), version("gone", 2, "deleted", "y", state_basis=GETRECORD)],
        comments=[
            version("rude", 1, "hidden", "a"),
            version("rude", 2, "edited", "b", state="hidden"),
            version("rude", 3, "shown", "b"),
            version("rude", 5, "hidden", "c"),
        ],
    )  # fmt: skip
    rows = city.execute(
        "SELECT record_id, version, state_before, text_before, unhidden_at FROM changes ORDER BY ALL"
    ).fetchall()
    shown = START + timedelta(days=3)
    assert [(*row[:4], None if row[4] is None else row[4] == shown) for row in rows] == [
        ("gone", 2, "present", "y", None),
        ("rude", 1, None, None, True),
        ("rude", 2, "hidden", "a", True),
        ("rude", 3, "hidden", "b", None),
        ("rude", 5, "present", "b", None),
    ]
    assert city.execute("SELECT version, still_hidden FROM hidden_comments ORDER BY 1").fetchall() == [
        (1, False),
        (5, True),
    ]
    assert city.execute("SELECT record_id, version FROM edits ORDER BY ALL").fetchall() == [("rude", 2), ("rude", 5)]
    assert city.execute("SELECT record_id, cause, state_basis FROM deletions").fetchall() == [
        ("gone", "deleted_by_author", GETRECORD)
    ]
