from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from samplecity.people import APPVIEW, CITY_HALL_DID, LAKESIDE_PDS, PDS, PLC, WARD_3_DID
from samplecity.repositories import PASSWORD
from samplecity.world import POST_COLLECTION

if TYPE_CHECKING:
    import requests

    from samplecity.server import City

pytest_plugins = ["city_fixtures"]

CITY_HALL = "cityhall.harborfalls.example"


class Asker:
    """XRPC calls to one of the three services."""

    def __init__(self, city: City, http: requests.Session) -> None:
        self.city = city
        self.http = http

    def ask(self, method: str, host: str = APPVIEW, **params: Any) -> requests.Response:
        return self.http.get(f"{self.city.services()[host]}/xrpc/{method}", params=params)

    def thread(self, uri: str, depth: int = 1000) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask("app.bsky.feed.getPostThread", uri=uri, depth=depth).json()["thread"]
        return answer


@pytest.fixture
def bluesky(city: City, http: requests.Session) -> Asker:
    return Asker(city, http)


def _uris(node: dict[str, Any]) -> list[str]:
    return [uri for reply in node.get("replies", ()) for uri in (reply["post"]["uri"], *_uris(reply))]


def _depth(node: dict[str, Any]) -> int:
    return max((1 + _depth(reply) for reply in node.get("replies", ())), default=0)


def test_a_handle_leads_to_the_did_of_the_policy_and_on_to_its_server(bluesky: Asker, http: requests.Session) -> None:
    assert bluesky.ask("com.atproto.identity.resolveHandle", handle=CITY_HALL).json() == {"did": CITY_HALL_DID}
    document = http.get(f"{bluesky.city.services()[PLC]}/{CITY_HALL_DID}").json()
    assert document["service"][0]["serviceEndpoint"] == f"https://{PDS}"
    assert document["alsoKnownAs"] == [f"at://{CITY_HALL}"]
    assert bluesky.ask("com.atproto.identity.resolveHandle", handle="no.example").json()["error"] == "InvalidRequest"
    assert http.get(f"{bluesky.city.services()[PLC]}/did:plc:nobody").status_code == 404


def test_listed_records_come_once_each_newest_first_and_end_on_an_empty_page(bluesky: Asker) -> None:
    seen, cursor, pages = [], "", 0
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = bluesky.ask(
            "com.atproto.repo.listRecords", PDS, repo=CITY_HALL_DID, collection=POST_COLLECTION, limit=30, **more
        ).json()
        seen += [record["uri"] for record in page["records"]]
        pages += 1
        if "cursor" not in page:
            break
        cursor = page["cursor"]
    assert not page["records"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) > 71
    assert pages == -(-len(seen) // 30) + 1


def test_records_reversed_are_the_same_ones_oldest_first(bluesky: Asker) -> None:
    ask = {"repo": WARD_3_DID, "collection": POST_COLLECTION, "limit": 100}
    newest = bluesky.ask("com.atproto.repo.listRecords", PDS, **ask).json()["records"]
    oldest = bluesky.ask("com.atproto.repo.listRecords", PDS, **ask, reverse="true").json()["records"]
    assert newest == oldest[::-1]


def test_the_author_feed_pages_by_an_opaque_cursor_over_every_post_once(bluesky: Asker) -> None:
    seen, more = [], {}
    while True:
        page = bluesky.ask("app.bsky.feed.getAuthorFeed", actor=CITY_HALL, limit=33, **more).json()
        seen += [item["post"]["uri"] for item in page["feed"]]
        if "cursor" not in page:
            break
        more = {"cursor": page["cursor"]}
    listed = bluesky.city.desk.world.entries.values()
    assert sorted(seen) == sorted(entry.native_id for entry in listed if entry.author.number == CITY_HALL_DID)
    bad = bluesky.ask("app.bsky.feed.getAuthorFeed", actor=CITY_HALL, cursor="yesterday")
    assert (bad.status_code, bad.json()["message"]) == (400, "Malformed cursor")


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("app.bsky.feed.getAuthorFeed", {"actor": CITY_HALL, "limit": 101}, "limit can not be greater than 100"),
        ("app.bsky.feed.getAuthorFeed", {"actor": CITY_HALL, "limit": 0}, "limit can not be less than 1"),
        ("app.bsky.feed.getAuthorFeed", {}, 'must have the property "actor"'),
        ("app.bsky.feed.getPosts", {"uris": ["at://x/y/z"] * 26}, "must not have more than 25 elements"),
        ("app.bsky.feed.getPostThread", {"uri": "at://x", "depth": 1001}, "depth can not be greater than 1000"),
    ],
)
def test_what_the_platform_limits_is_refused_in_its_words(
    bluesky: Asker, method: str, params: dict[str, Any], message: str
) -> None:
    answer = bluesky.ask(method, **params)
    assert answer.status_code == 400
    assert answer.json()["error"] == "InvalidRequest"
    assert message in answer.json()["message"]


def test_posts_that_are_gone_are_left_out_without_a_word(bluesky: Asker) -> None:
    root = bluesky.city.desk.cast.parts["long-thread"]
    gone = f"at://{CITY_HALL_DID}/{POST_COLLECTION}/3aaaaaaaaaa22"
    posts = bluesky.ask("app.bsky.feed.getPosts", uris=[gone, root]).json()["posts"]
    assert [post["uri"] for post in posts] == [root]


def test_a_thread_goes_down_to_the_depth_asked_for(bluesky: Asker) -> None:
    root = bluesky.city.desk.cast.parts["long-thread"]
    assert _depth(bluesky.thread(root)) >= 12
    assert _depth(bluesky.thread(root, depth=3)) == 3
    assert len(set(_uris(bluesky.thread(root)))) == len(_uris(bluesky.thread(root)))


def test_the_appview_cuts_what_lies_below_a_deleted_reply_while_its_author_still_holds_it(bluesky: Asker) -> None:
    parts = bluesky.city.desk.cast.parts
    assert parts["chain-12"] in _uris(bluesky.thread(parts["long-thread"]))
    bluesky.city.act("delete", id=parts["chain-5"])
    shown = _uris(bluesky.thread(parts["long-thread"]))
    assert parts["chain-4"] in shown
    assert not {parts[f"chain-{depth}"] for depth in range(5, 13)}.intersection(shown)
    posts = bluesky.ask("app.bsky.feed.getPosts", uris=[parts["chain-6"], parts["chain-5"]]).json()["posts"]
    assert [post["uri"] for post in posts] == [parts["chain-6"]]
    anchored = bluesky.thread(parts["chain-6"])
    assert anchored["parent"] == {
        "$type": "app.bsky.feed.defs#notFoundPost",
        "uri": parts["chain-5"],
        "notFound": True,
    }
    gone = bluesky.ask("app.bsky.feed.getPostThread", uri=parts["chain-5"])
    assert (gone.status_code, gone.json()["error"]) == (400, "NotFound")


def test_a_hidden_reply_stays_in_the_thread_and_is_named_in_the_gate_only(bluesky: Asker) -> None:
    uri = bluesky.city.desk.cast.parts["hidden-wrongly"]
    root = bluesky.city.desk.world.entries[uri].root
    assert root
    thread = bluesky.thread(root)
    assert uri in _uris(thread)
    assert uri in thread["post"]["threadgate"]["record"]["hiddenReplies"]
    gate = bluesky.ask(
        "com.atproto.repo.getRecord",
        PDS,
        repo=CITY_HALL_DID,
        collection="app.bsky.feed.threadgate",
        rkey=root.rsplit("/", 1)[-1],
    ).json()
    assert gate["value"] == thread["post"]["threadgate"]["record"]
    bluesky.city.act("unhide", id=uri)
    assert uri not in bluesky.thread(root)["post"]["threadgate"]["record"]["hiddenReplies"]


def test_an_edit_gives_the_record_a_new_cid_and_the_old_one_is_not_found(bluesky: Asker) -> None:
    root = bluesky.city.desk.cast.parts["long-thread"]
    key = {"repo": CITY_HALL_DID, "collection": POST_COLLECTION, "rkey": root.rsplit("/", 1)[-1]}
    before = bluesky.ask("com.atproto.repo.getRecord", PDS, **key).json()
    bluesky.city.act("edit", id=root, text="Closed on Sundays: decided.")
    after = bluesky.ask("com.atproto.repo.getRecord", PDS, **key).json()
    assert after["value"]["text"] == "Closed on Sundays: decided."
    assert after["cid"] != before["cid"]
    assert after["cid"].startswith("bafyrei")
    old = bluesky.ask("com.atproto.repo.getRecord", PDS, **key, cid=before["cid"])
    assert (old.status_code, old.json()["error"]) == (400, "RecordNotFound")


def test_deleted_deactivated_and_unknown_are_three_different_answers(bluesky: Asker) -> None:
    world = bluesky.city.desk.world
    reply = next(
        entry
        for entry in world.entries.values()
        if entry.author.key == "curious" and entry.author.platform == "bluesky"
    )
    host = reply.author.service
    key = {"repo": reply.author.number, "collection": POST_COLLECTION, "rkey": reply.number}
    bluesky.city.act("delete", id=reply.native_id)
    assert bluesky.ask("com.atproto.repo.getRecord", host, **key).json()["error"] == "RecordNotFound"
    bluesky.city.act("deactivate", platform="bluesky", person="curious")
    assert bluesky.ask("com.atproto.repo.getRecord", host, **key).json()["error"] == "RepoDeactivated"
    status = bluesky.ask("com.atproto.sync.getRepoStatus", host, did=reply.author.number).json()
    assert status == {"did": reply.author.number, "active": False, "status": "deactivated"}
    elsewhere = LAKESIDE_PDS if host == PDS else PDS
    assert bluesky.ask("com.atproto.repo.getRecord", elsewhere, **key).json()["error"] == "RepoNotFound"
    profile = bluesky.ask("app.bsky.actor.getProfile", actor=reply.author.number)
    assert (profile.status_code, profile.json()["error"]) == (400, "AccountDeactivated")


def test_facets_are_byte_offsets_into_the_text_as_utf8(bluesky: Asker) -> None:
    uri = bluesky.city.act("post", account="city-hall", text="☕🎆 Siehe https://harborfalls.example/fest #Fest é")[
        "id"
    ]
    record = bluesky.ask("app.bsky.feed.getPosts", uris=[uri]).json()["posts"][0]["record"]
    raw = record["text"].encode()
    marked = [raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode() for facet in record["facets"]]
    assert marked == ["https://harborfalls.example/fest", "#Fest"]


def test_created_at_is_written_the_way_the_authors_apps_do(city: City) -> None:
    written = [entry.created_text for entry in city.desk.world.entries.values() if entry.created_text]
    assert any(text.endswith("+00:00") for text in written)
    assert any(text.endswith("-05:00") for text in written)
    assert any(len(text) == len("2026-11-01T12:00:00.000000Z") for text in written)


def test_a_session_takes_the_password_and_nothing_else(bluesky: Asker, http: requests.Session) -> None:
    address = f"{bluesky.city.services()[PDS]}/xrpc/com.atproto.server.createSession"
    good = http.post(address, json={"identifier": CITY_HALL, "password": PASSWORD})
    bad = http.post(address, json={"identifier": CITY_HALL, "password": "guess"})
    assert good.json()["did"] == CITY_HALL_DID
    assert (bad.status_code, bad.json()["error"]) == (401, "AuthenticationRequired")


def test_answers_carry_the_rate_limit_headers(bluesky: Asker) -> None:
    headers = bluesky.ask("app.bsky.actor.getProfile", actor=CITY_HALL).headers
    assert headers["ratelimit-limit"] == "3000"
    assert headers["ratelimit-policy"] == "3000;w=300"
    assert int(headers["ratelimit-remaining"]) < 3000
    assert bluesky.ask("app.bsky.no.suchMethod").status_code == 501
