"""The wide net: bodies recorded from the real platforms. Nothing raises, nothing is lost, and of what is ours nothing is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from archived_pages import archived, show

from transforms.normalize import DIALECTS
from transforms.page import ArchivedPage

KINDS = {".json", ".jsonl", ".txt", ".xml", ".snap", ".html"}
Finder = Callable[[Any], tuple[str, str, Any] | None]
"""From a body to the call that fits it, the account it is of, and the body as that call gives it."""


class Body(NamedTuple):
    """One recorded answer."""

    url: str
    status: int
    content: bytes


def recorded(folder: Path) -> Iterator[Body]:
    for file in sorted(folder.rglob("*")):
        if file.suffix not in KINDS or not file.is_file():
            continue
        if not file.name.endswith(".decoded.json"):
            yield Body(file.name, 200, file.read_bytes())
            continue
        for exchange in json.loads(file.read_bytes()):
            response = exchange["response"]
            body = response.get("body", response.get("body_text"))
            content = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
            yield Body(exchange["request"]["url"], response["status"], content.encode())


def bluesky(body: Any) -> tuple[str, str, Any] | None:
    if not isinstance(body, dict):
        return None
    if (
        isinstance(records := body.get("records"), list)
        and records
        and "app.bsky.feed.post/" in records[0].get("uri", "")
    ):
        return "post_records", f"bluesky:{records[0]['uri'].split('/')[2]}", body
    feed = [entry["post"] for entry in body.get("feed", []) if isinstance(entry.get("post"), dict)]
    if views := body.get("posts") or feed:
        author = views[0]["author"]["did"]
        return "post_views", f"bluesky:{author}", {"posts": [view for view in views if view["author"]["did"] == author]}
    if isinstance(thread := body.get("thread"), dict) and "post" in thread:
        return "thread", f"bluesky:{thread['post']['author']['did']}", body
    if "handle" in body and str(body.get("did", "")).startswith("did:"):
        return "profile", f"bluesky:{body['did']}", body
    return None


def mastodon(body: Any) -> tuple[str, str, Any] | None:  # noqa: PLR0911 - one shape, one answer
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return None
    if "content" in first and "visibility" in first and isinstance(first.get("account"), dict):
        own = (
            [status for status in body if status["account"]["id"] == first["account"]["id"]]
            if first is not body
            else body
        )
        call = "confirm_status" if first is body else "account_statuses"
        return call, f"mastodon:social.example/{first['account']['id']}", own
    if "content" in first and "created_at" in first and "id" not in first and first is not body:
        return "status_history", "mastodon:social.example/1", body
    if "descendants" in first:
        return "status_context", "mastodon:social.example/1", body
    if "acct" in first and "id" in first:
        return ("account" if first is body else "blocks"), f"mastodon:social.example/{first['id']}", body
    if "keywords" in first and first is not body:
        return "filters", "mastodon:social.example/1", body
    return None


def wordpress(body: Any) -> tuple[str, str, Any] | None:
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict) or not isinstance(first.get("content"), dict) or "date_gmt" not in first:
        return None
    kind = "comment" if "post" in first else "post"
    return (f"confirm_{kind}" if first is body else f"{kind}s"), "wordpress:news.example", body


FINDERS: dict[str, Finder] = {"bluesky": bluesky, "mastodon": mastodon, "wordpress": wordpress}
SUBJECTS = {
    "bluesky": "at://did:plc:cityofexample00000000001/app.bsky.feed.post/3kaaaaaaaaa2a",
    "mastodon": "social.example/101",
    "wordpress": "news.example/post/11",
}


@pytest.mark.parametrize("platform", FINDERS)
def test_no_recorded_body_makes_any_call_raise_and_all_items_are_accounted_for(platform: str, shared: Path) -> None:
    seen = 0
    for body in recorded(shared / "payloads" / platform):
        pages = [
            archived(platform, call, body.content, status=status, url=body.url, subject=SUBJECTS[platform])
            for call in DIALECTS[platform].calls
            for status in {200, body.status}
        ]
        show(*pages)
        seen += 1
    assert seen > 50


@pytest.mark.parametrize(("platform", "least"), [("bluesky", 150), ("mastodon", 200), ("wordpress", 100)])
def test_what_is_recorded_of_an_account_becomes_rows(platform: str, least: int, shared: Path) -> None:
    fitting = [page for body in recorded(shared / "payloads" / platform) if (page := _fitting(platform, body))]
    batch = show(*fitting)
    assert batch.quarantine.to_pylist() == []
    assert batch.ended["row"] >= least


def _fitting(platform: str, body: Body) -> ArchivedPage | None:
    if body.status != 200:
        return None
    try:
        found = FINDERS[platform](json.loads(body.content))
    except ValueError:
        return None
    if found is None:
        return None
    call, account_id, content = found
    return archived(platform, call, content, account_id=account_id, subject=SUBJECTS[platform])
