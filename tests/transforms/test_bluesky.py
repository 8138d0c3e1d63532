from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from archived_pages import archived, rows, show

CITY, RESIDENT = "did:plc:cityofexample00000000001", "did:plc:resident0000000000000001"
ROOT = f"at://{CITY}/app.bsky.feed.post/3kaaaaaaaaa2a"


def post(text: str = "Plows are out", **fields: Any) -> dict[str, Any]:
    return {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-01-10T09:30:00.000Z", **fields}


def listed(*values: dict[str, Any], did: str = CITY) -> Any:
    uris = [f"at://{did}/app.bsky.feed.post/3k{place:011}" for place in range(len(values))]
    records = [{"uri": uri, "cid": "c", "value": value} for uri, value in zip(uris, values, strict=True)]
    return show(archived("bluesky", "post_records", {"records": records}))


def view(uri: str, record: dict[str, Any], **fields: Any) -> dict[str, Any]:
    author = {"did": uri.split("/")[2], "handle": "someone.example", "displayName": "Someone"}
    return {"uri": uri, "cid": "c", "author": author, "record": record, "indexedAt": "2026-01-10T09:30:01Z", **fields}


def answer(text: str, parent: str = ROOT) -> dict[str, Any]:
    return post(text, reply={"root": {"uri": ROOT, "cid": "c"}, "parent": {"uri": parent, "cid": "c"}})


def asked_for(*uris: str) -> str:
    return "https://public.api.example/xrpc/app.bsky.feed.getPosts?" + "&".join(f"uris={uri}" for uri in uris)


PICTURE = {"images": [{"alt": "A plow", "image": {"ref": {"$link": "bafkrei1"}, "mimeType": "image/jpeg"}}]}
COMMENT = f"at://{RESIDENT}/app.bsky.feed.post/3kbbbbbbbbb2b"


def test_a_record_and_the_view_of_it_are_the_same_content() -> None:
    link = {"features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://city.example/1"}]}
    record = {**answer("Grüße ❄️ from here"), "langs": ["en"], "facets": [link], "embed": PICTURE}
    shown = {"images": [{"fullsize": "https://cdn.example/full", "thumb": "https://cdn.example/thumb"}]}
    raw = archived("bluesky", "reply_record", {"uri": COMMENT, "cid": "c", "value": record}, subject=COMMENT)
    seen = archived("bluesky", "reply_views", {"posts": [view(COMMENT, record, embed=shown, likeCount=5)]})
    (wrote,), (saw,) = show(raw).comments.to_pylist(), show(seen).comments.to_pylist()
    assert wrote["content_sha256"] == saw["content_sha256"]
    assert (wrote["author_handle"], saw["author_handle"]) == (None, "someone.example")
    assert saw["attachments"][0]["url"] == "https://cdn.example/full"


def test_a_record_beats_the_older_view_of_the_same_capture_and_takes_its_names() -> None:
    seen = archived("bluesky", "thread", {"thread": {"post": view(COMMENT, answer("Before the edit"))}}, subject=ROOT)
    edited = {"uri": COMMENT, "cid": "d", "value": answer("After the edit")}
    wrote = archived("bluesky", "reply_record", edited, subject=COMMENT)
    for pages in ((seen, wrote), (wrote, seen)):
        (row,) = rows(show(*pages).comments)
        assert (row["text"], row["author_handle"], row["author_name"]) == (
            "After the edit",
            "someone.example",
            "Someone",
        )


def test_a_view_of_another_capture_does_not_touch_a_record() -> None:
    seen = archived("bluesky", "reply_views", {"posts": [view(COMMENT, answer("x"))]}, capture_id="another")
    wrote = archived("bluesky", "reply_record", {"uri": COMMENT, "value": answer("y")}, subject=COMMENT)
    assert [row["text"] for row in rows(show(seen, wrote).comments)] == ["x", "y"]


def test_an_own_post_is_what_its_record_says_and_its_view_adds_names_and_counts() -> None:
    seen = archived("bluesky", "post_views", {"posts": [view(ROOT, post("Before the edit"), likeCount=3)]})
    wrote = archived(
        "bluesky", "post_records", {"records": [{"uri": ROOT, "cid": "c", "value": post("After the edit")}]}
    )
    batch = show(wrote, seen)
    (row,) = rows(batch.posts)
    assert (row["text"], row["author_handle"]) == ("After the edit", "someone.example")
    assert [row["value"] for row in rows(batch.metrics)] == [3]
    assert show(seen).posts.num_rows == 0


def test_counts_and_names_make_no_version() -> None:
    before = view(COMMENT, answer("x"), likeCount=1)
    after = view(COMMENT, answer("x"), likeCount=900, author={"did": RESIDENT, "handle": "new.example"})
    batch = show(archived("bluesky", "reply_views", {"posts": [before, after]}))
    assert len(set(batch.comments["content_sha256"].to_pylist())) == 1
    assert [row["value"] for row in rows(batch.metrics) if row["name"] == "likes"] == [1, 900]


@pytest.mark.parametrize(
    ("written", "published"),
    [
        ("2026-01-10T09:30:00.123456Z", "2026-01-10T09:30:00.123456+00:00"),
        ("2026-01-10T09:30:00.123456789Z", "2026-01-10T09:30:00.123456+00:00"),
        ("2026-01-10T09:30:00", "2026-01-10T09:30:00+00:00"),
        ("2026-01-10T09:30:00+05:30", "2026-01-10T04:00:00+00:00"),
        ("2079-12-31T23:59:59Z", "2079-12-31T23:59:59+00:00"),
        ("1601-01-01T00:00:00Z", "1601-01-01T00:00:00+00:00"),
        ("0001-01-01T00:00:00+23:00", None),
        ("next Tuesday", None),
        ("", None),
        (None, None),
    ],
)
def test_the_time_an_author_claims_is_kept_and_no_time_is_null(written: str | None, published: str | None) -> None:
    (row,) = rows(listed(post(createdAt=written)).posts)
    assert row.get("published_at") == published


def test_facets_count_bytes_and_their_targets_come_out_whole() -> None:
    text = "❄️🚜 Räumplan city.example/r… @resident.example"
    start = len(text[: text.index("city")].encode())
    facets = [
        {"index": {"byteStart": start, "byteEnd": start + 16}, "features": [{"uri": "https://city.example/räumplan"}]},
        {"index": {"byteStart": 9999, "byteEnd": -1}, "features": [{"did": RESIDENT}, {"tag": "Winter"}]},
        {"features": None},
    ]
    (row,) = rows(listed(post(text, facets=facets)).posts)
    assert row["text"] == text
    assert row["links"] == ["https://city.example/räumplan"]
    assert (row["mentions"], row["hashtags"]) == ([RESIDENT], ["Winter"])


def test_nothing_is_null_not_empty() -> None:
    (row,) = rows(listed(post("", facets=[], tags=[], langs=[])).posts)
    assert not {"text", "text_folded", "links", "mentions", "hashtags", "attachments", "lang", "title"} & row.keys()


def test_a_reply_is_a_comment_also_when_the_account_wrote_it() -> None:
    batch = listed(post(), answer("On our way"))
    assert (batch.posts.num_rows, batch.comments.num_rows) == (1, 1)
    assert batch.comments["author_is_account"].to_pylist() == [True]
    assert batch.comments["root_id"].to_pylist() == [f"bluesky:{ROOT}"]


def test_a_post_of_another_account_is_never_taken_for_the_citys() -> None:
    batch = listed(post("Buy now"), did=RESIDENT)
    assert (batch.posts.num_rows, batch.quarantine["reason"].to_pylist()) == (0, ["other_account"])


def test_a_thread_deeper_than_any_recursion_limit_is_read_to_its_end() -> None:
    node: dict[str, Any] = {}
    depth = 3000
    pieces = []
    for place in range(depth):
        uri = f"at://{RESIDENT}/app.bsky.feed.post/3k{place:011}"
        pieces.append('{"post":' + json.dumps(view(uri, answer(f"reply {place}"))) + ',"replies":[')
    top = {"post": view(ROOT, post()), "replies": []}
    body = json.dumps({"thread": {**top, **node}})[: -len("]}}")] + "".join(pieces) + "]}" * depth + "]}}"
    batch = show(archived("bluesky", "thread", body.encode(), subject=ROOT))
    assert (batch.comments.num_rows, batch.ended["row"]) == (depth, depth + 1)


def test_what_a_thread_only_hints_at_is_counted_by_name() -> None:
    nodes = [
        {"$type": "app.bsky.feed.defs#notFoundPost", "uri": ROOT + "x", "notFound": True},
        {"$type": "app.bsky.feed.defs#blockedPost", "uri": ROOT + "y", "blocked": True},
    ]
    above = {"post": view(f"at://{RESIDENT}/app.bsky.feed.post/3kup", post("Not in this thread"))}
    thread = {"thread": {"post": view(ROOT, post()), "parent": above, "replies": nodes}}
    batch = show(archived("bluesky", "thread", thread, subject=ROOT))
    assert batch.skipped == {"not_found": 1, "blocked": 1, "above_the_thread": 1}
    assert batch.ended["row"] == 1


def test_the_payload_hash_is_over_the_items_own_bytes() -> None:
    item = b'{ "uri" : "%s", "cid":"c",\n "value":{"text":"a\\u00e9"}}' % ROOT.encode()
    batch = show(archived("bluesky", "post_records", b'{"records":[ ' + item + b' ],"cursor":"x"}'))
    assert batch.posts["payload_sha256"].to_pylist() == [hashlib.sha256(item).hexdigest()]


def test_one_item_that_is_no_text_does_not_take_its_page_with_it() -> None:
    good = json.dumps({"uri": ROOT, "cid": "c", "value": post()}).encode()
    bad = rb'{"uri":"at://x","value":{"text":"half a pair \ud83d"}}'
    batch = show(archived("bluesky", "post_records", b'{"records":[' + good + b"," + bad + b"," + good + b"]}"))
    assert (batch.posts.num_rows, batch.quarantine["reason"].to_pylist()) == (2, ["item_not_json"])


def test_what_the_public_view_leaves_out_is_unavailable_however_young_it_is() -> None:
    url = asked_for(ROOT, COMMENT)
    batch = show(archived("bluesky", "post_views", {"posts": [view(ROOT, post())]}, url=url))
    assert rows(batch.marks) == [
        {"record_id": f"bluesky:{COMMENT}", "state": "unavailable", "state_basis": "view:getPosts does not show it"}
    ]


def test_a_view_that_cannot_be_read_does_not_make_its_post_unavailable() -> None:
    broken = {"uri": ROOT, "record": {"text": 7}}
    batch = show(archived("bluesky", "post_views", {"posts": [broken]}, url=asked_for(ROOT)))
    assert (batch.marks.num_rows, batch.quarantine.num_rows) == (0, 1)


@pytest.mark.parametrize(
    ("call", "subject", "status", "body", "state"),
    [
        ("confirm_record", ROOT, 400, {"error": "RecordNotFound"}, "deleted"),
        ("reply_record", ROOT, 400, {"error": "RecordNotFound"}, "deleted"),
        ("confirm_record", ROOT, 400, {"error": "RepoDeactivated"}, None),
        ("confirm_record", ROOT, 500, {"error": "InternalServerError"}, None),
        ("confirm_repository", ROOT, 200, {"did": CITY, "active": False, "status": "takendown"}, "unavailable"),
        ("confirm_repository", ROOT, 200, {"did": CITY, "active": False, "status": "deleted"}, "deleted"),
        ("confirm_repository", ROOT, 400, {"error": "RepoNotFound"}, "deleted"),
        ("confirm_repository", ROOT, 200, {"did": CITY, "active": True, "rev": "3k"}, None),
        ("account_status", CITY, 200, {"did": CITY, "active": False, "status": "deactivated"}, "unavailable"),
        ("profile", "", 400, {"error": "AccountTakedown", "message": "Account has been suspended"}, "unavailable"),
        ("profile", "", 400, {"error": "InvalidRequest", "message": "Profile not found"}, "deleted"),
        ("profile", "", 502, {"error": "UpstreamFailure"}, None),
    ],
)
def test_a_refusal_says_what_became_of_a_record(
    call: str, subject: str, status: int, body: dict[str, Any], state: str | None
) -> None:
    batch = show(archived("bluesky", call, body, subject=subject, status=status))
    assert batch.marks["state"].to_pylist() == ([state] if state else [])
    assert batch.ended["skipped"] == (0 if state else 1)


def test_a_direct_read_that_finds_the_record_shows_it() -> None:
    record = {"uri": ROOT, "cid": "c", "value": post()}
    batch = show(archived("bluesky", "confirm_record", record, subject=ROOT))
    assert batch.posts["state_basis"].to_pylist() == ["record:getRecord"]


def test_the_profile_of_another_account_is_not_kept() -> None:
    batch = show(archived("bluesky", "profile", {"did": RESIDENT, "handle": "city.example"}))
    assert (batch.profiles.num_rows, batch.quarantine["reason"].to_pylist()) == (0, ["other_account"])
