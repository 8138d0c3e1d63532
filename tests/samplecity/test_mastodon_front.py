from __future__ import annotations

from typing import TYPE_CHECKING, Any

import crawl
import pytest

from samplecity.identifiers import EPOCH
from samplecity.people import LIBRARY, LIBRARY_ID, SOCIAL, TRANSIT_ID
from samplecity.server import DEAD_TOKEN, NARROW_TOKEN, RENEWED_TOKEN, TRANSIT_TOKEN

if TYPE_CHECKING:
    import requests

    from samplecity.server import City

pytest_plugins = ["city_fixtures"]


class Asker:
    """Calls to a Mastodon server, with or without a token."""

    def __init__(self, city: City, http: requests.Session) -> None:
        self.city = city
        self.http = http

    def ask(self, path: str, token: str = "", host: str = SOCIAL, **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.get(f"{self.city.services()[host]}/api/{path}", params=params, headers=headers)

    def thread(self, number: str, token: str = "") -> list[str]:
        return [status["id"] for status in self.ask(f"v1/statuses/{number}/context", token).json()["descendants"]]


@pytest.fixture
def mastodon(city: City, http: requests.Session) -> Asker:
    return Asker(city, http)


def test_a_handle_leads_to_the_id_of_the_policy(mastodon: Asker) -> None:
    for acct in ("transit", "@transit", f"transit@{SOCIAL}"):
        assert mastodon.ask("v1/accounts/lookup", acct=acct).json()["id"] == TRANSIT_ID
    unknown = mastodon.ask("v1/accounts/lookup", acct="nobody")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "Record not found"})


def test_statuses_page_by_the_link_header_over_every_one_once(mastodon: Asker, http: requests.Session) -> None:
    numbers = [int(status["id"]) for status in crawl.statuses(mastodon.city, http, TRANSIT_ID)]
    assert numbers == sorted(set(numbers), reverse=True)
    world = mastodon.city.desk.world
    own = [
        entry
        for entry in world.entries.values()
        if entry.author.number == TRANSIT_ID and entry.status in ("public", "unlisted")
    ]
    assert len(numbers) == len(own)


def test_a_page_larger_than_forty_is_cut_to_forty(mastodon: Asker) -> None:
    answer = mastodon.ask(f"v1/accounts/{TRANSIT_ID}/statuses", limit=80)
    assert len(answer.json()) == 40
    assert answer.headers["X-RateLimit-Limit"] == "300"


def test_ids_are_snowflakes_of_their_time(mastodon: Asker) -> None:
    for status in mastodon.ask(f"v1/accounts/{TRANSIT_ID}/statuses").json():
        seconds = (int(status["id"]) >> 16) / 1000
        entry = mastodon.city.desk.world.entries[f"{SOCIAL}/{status['id']}"]
        assert abs((entry.at - EPOCH).total_seconds() - seconds) < 0.002


def test_private_and_direct_statuses_show_to_their_author_only(mastodon: Asker) -> None:
    number = mastodon.city.desk.cast.parts["direct-message"].rpartition("/")[2]
    assert mastodon.ask(f"v1/statuses/{number}").status_code == 404
    assert mastodon.ask(f"v1/statuses/{number}", TRANSIT_TOKEN).json()["visibility"] == "direct"
    seen = [status["visibility"] for status in mastodon.ask(f"v1/accounts/{TRANSIT_ID}/statuses", TRANSIT_TOKEN).json()]
    public = [status["visibility"] for status in mastodon.ask(f"v1/accounts/{TRANSIT_ID}/statuses").json()]
    assert {"direct", "private"} <= set(seen)
    assert set(public) <= {"public", "unlisted"}


def test_an_edit_leaves_its_earlier_versions_in_the_history(mastodon: Asker) -> None:
    made = mastodon.city.act("post", account="transit", text="Route 9 runs late & slow.")["id"]
    number = made.rpartition("/")[2]
    assert mastodon.ask(f"v1/statuses/{number}").json()["edited_at"] is None
    mastodon.city.act("edit", id=made, text="Route 9 runs on time.")
    status = mastodon.ask(f"v1/statuses/{number}").json()
    history = mastodon.ask(f"v1/statuses/{number}/history").json()
    assert [version["content"] for version in history] == [
        "<p>Route 9 runs late &amp; slow.</p>",
        "<p>Route 9 runs on time.</p>",
    ]
    assert status["edited_at"] == history[-1]["created_at"]


def test_a_deleted_status_is_not_found_and_its_answers_lose_their_parent(mastodon: Asker) -> None:
    post = mastodon.city.act("post", account="transit", text="A post")["id"]
    middle = mastodon.city.act("comment", parent=post, text="first")["id"]
    last = mastodon.city.act("comment", parent=middle, text="second")["id"]
    number = last.rpartition("/")[2]
    assert mastodon.thread(post.rpartition("/")[2]) == [middle.rpartition("/")[2], number]
    mastodon.city.act("delete", id=middle)
    assert mastodon.thread(post.rpartition("/")[2]) == []
    assert mastodon.ask(f"v1/statuses/{number}").json()["in_reply_to_id"] is None
    gone = mastodon.ask(f"v1/statuses/{middle.rpartition('/')[2]}")
    assert (gone.status_code, gone.json()) == (404, {"error": "Record not found"})


def test_an_account_that_was_deleted_and_one_that_was_suspended_are_two_answers(mastodon: Asker) -> None:
    world = mastodon.city.desk.world
    written = [one for one in world.entries.values() if one.account == "transit" and one.kind == "comment"]
    gone, closed, *_ = {one.author.key: one for one in written if one.author.key != "transit"}.values()
    mastodon.city.act("deactivate", platform="mastodon", person=gone.author.native_id)
    mastodon.city.act("suspend", person=closed.author.native_id)
    assert mastodon.ask(f"v1/accounts/{gone.author.number}").status_code == 404
    shown = mastodon.ask(f"v1/accounts/{closed.author.number}")
    assert (shown.status_code, shown.json()["suspended"], shown.json()["display_name"]) == (200, True, "")
    assert {mastodon.ask(f"v1/statuses/{one.number}").status_code for one in (gone, closed)} == {404}
    mastodon.city.act("unsuspend", person=closed.author.native_id)
    assert "suspended" not in mastodon.ask(f"v1/accounts/{closed.author.number}").json()
    assert mastodon.ask(f"v1/statuses/{closed.number}").status_code == 200


def test_without_a_token_a_thread_shows_sixty_answers(mastodon: Asker) -> None:
    post = mastodon.city.act("post", account="transit", text="A busy thread")["id"]
    for turn in range(70):
        mastodon.city.act("comment", parent=post, text=f"answer {turn}")
    number = post.rpartition("/")[2]
    assert len(mastodon.thread(number)) == 60
    assert len(mastodon.thread(number, TRANSIT_TOKEN)) == 70


def test_the_owner_of_the_token_does_not_see_those_it_blocks_or_mutes(mastodon: Asker) -> None:
    post = mastodon.city.act("post", account="transit", text="A post")["id"]
    for who in ("nightowl", "curious", "mei"):
        mastodon.city.act("comment", parent=post, text="hello", by=who)
    number = post.rpartition("/")[2]
    assert len(mastodon.thread(number)) == 3
    assert len(mastodon.thread(number, TRANSIT_TOKEN)) == 1


def test_blocks_and_mutes_show_to_their_token_only(mastodon: Asker) -> None:
    mastodon.city.act("block", account="transit", person="bargains")
    blocked = mastodon.ask("v1/blocks", TRANSIT_TOKEN).json()
    assert [account["username"] for account in blocked] == ["bargains", "nightowl"]
    assert [account["username"] for account in mastodon.ask("v1/mutes", TRANSIT_TOKEN).json()] == ["curious"]
    assert mastodon.ask("v2/filters", TRANSIT_TOKEN).json()[0]["filter_action"] == "hide"
    related = mastodon.ask("v1/accounts/relationships", TRANSIT_TOKEN, **{"id[]": blocked[0]["id"]}).json()
    assert (related[0]["blocking"], related[0]["muting"]) == (True, False)
    assert mastodon.ask("v1/blocks").status_code == 401
    narrow = mastodon.ask("v1/blocks", NARROW_TOKEN)
    assert (narrow.status_code, narrow.json()["error"]) == (403, "This action is outside the authorized scopes")


def test_a_bad_token_is_refused_even_for_what_is_public(mastodon: Asker) -> None:
    answer = mastodon.ask(f"v1/accounts/{TRANSIT_ID}", "guess")
    assert (answer.status_code, answer.json()) == (401, {"error": "The access token is invalid"})
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_the_library_answers_a_living_token_only(mastodon: Asker) -> None:
    path = f"v1/accounts/{LIBRARY_ID}/statuses"
    nobody, dead = mastodon.ask(path, host=LIBRARY), mastodon.ask(path, DEAD_TOKEN, host=LIBRARY)
    assert (nobody.status_code, dead.status_code) == (401, 401)
    assert dead.json() == {"error": "The access token was revoked"}
    assert len(mastodon.ask(path, RENEWED_TOKEN, host=LIBRARY).json()) == 20
    assert mastodon.ask("v2/instance", host=LIBRARY).json()["domain"] == LIBRARY


def test_content_is_html_with_links_mentions_and_tags_marked(mastodon: Asker) -> None:
    text = "@amara 5 < 6: https://harborfalls.example/a #Bus"
    number = mastodon.city.act("post", account="transit", text=text)["id"].rpartition("/")[2]
    status = mastodon.ask(f"v1/statuses/{number}").json()
    assert "5 &lt; 6" in status["content"]
    assert '<a href="https://harborfalls.example/a" target="_blank"' in status["content"]
    assert [tag["name"] for tag in status["tags"]] == ["Bus"]
    assert status["content"].count('<span class="h-card"') == 1
