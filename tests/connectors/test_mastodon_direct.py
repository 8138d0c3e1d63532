"""Missing statuses whose author is known: what their author's account says is asked only where it can explain something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lookout import Lookout, native_ids, skipped
from scripted_server import Answer, Server, as_json, scripted_server

from connectors.contract import AccountRef, Page
from connectors.mastodon import direct as mastodon_direct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "social.city.example"
ACCOUNT = AccountRef("mastodon", f"{HOST}/7", f"city@{HOST}", HOST)
NOT_FOUND = as_json({"error": "Record not found"}, 404)
GONE = as_json({"error": "Gone"}, 410)
SUSPENDED = as_json({"id": "31", "acct": "loud", "display_name": "", "suspended": True})
THERE = as_json({"id": "31", "acct": "loud", "display_name": "Loud Neighbor", "note": "Private matters"})


@pytest.fixture
def server() -> Iterator[Server]:
    with scripted_server() as started:
        yield started


def status(number: str) -> Answer:
    return as_json({"id": number, "created_at": "2026-01-01T00:00:00.000Z", "in_reply_to_id": "1"})


def read(
    server: Server, *accounts: Answer, statuses: Mapping[str, Answer], wrote: Mapping[str, list[str]] | None = None
) -> tuple[list[Page], Lookout]:
    """Read statuses of one author (or as ``wrote`` says); accounts answer these in order, a status as listed."""
    left = list(accounts)

    def script(asked: Any) -> Answer:
        kind, number = asked.path.split("/")[3:5]
        if kind == "statuses":
            return statuses[number]
        return left.pop(0) if len(left) > 1 else left[0]

    server.script = script
    look = Lookout(server.url, ACCOUNT)
    missing = {
        f"{HOST}/{author}": [f"{HOST}/{one}" for one in numbers]
        for author, numbers in (wrote or {"31": list(statuses)}).items()
    }
    pages = list(mastodon_direct.authors(look.connection, missing))
    assert look.recorded == [page.exchange for page in pages]
    return pages, look


def calls(pages: list[Page]) -> list[tuple[str, str]]:
    return [(page.exchange.call, page.exchange.subject.removeprefix(f"{HOST}/")) for page in pages]


@pytest.mark.parametrize("answer", [NOT_FOUND, GONE, SUSPENDED])
def test_an_account_that_is_closed_is_asked_once_for_all_its_statuses_that_are_not_there(
    server: Server, answer: Answer
) -> None:
    pages, _ = read(server, answer, statuses={"101": NOT_FOUND, "102": status("102"), "103": GONE})
    assert calls(pages) == [
        ("missing_status", "101"),
        ("missing_status", "102"),
        ("missing_status", "103"),
        ("author", "31 101 103"),
    ]
    assert pages[-1].exchange.body == answer.body
    assert native_ids(pages) == [f"{HOST}/102"]


def test_of_somebody_who_is_there_the_status_itself_is_the_answer_and_the_profile_is_not_kept(server: Server) -> None:
    pages, look = read(server, THERE, statuses={"101": NOT_FOUND, "102": NOT_FOUND})
    assert calls(pages) == [("missing_status", "101"), ("confirm_status", "101"), ("confirm_status", "102")]
    assert [one.path for one in server.asked if "accounts" in one.path] == ["/api/v1/accounts/31"]
    assert not any(b"Private matters" in exchange.body for exchange in look.recorded)


def test_nobody_is_asked_about_whose_statuses_are_all_there(server: Server) -> None:
    pages, _ = read(server, THERE, statuses={"101": status("101"), "102": status("102")})
    assert native_ids(pages) == [f"{HOST}/101", f"{HOST}/102"]
    assert [one.path for one in server.asked] == ["/api/v1/statuses/101", "/api/v1/statuses/102"]


@pytest.mark.parametrize("code", [401, 403])
def test_a_server_that_shows_no_accounts_leaves_the_statuses_to_their_own_answers(server: Server, code: int) -> None:
    pages, _ = read(server, as_json({"error": "not for you"}, code), statuses={"101": NOT_FOUND})
    assert calls(pages)[-1] == ("confirm_status", "101")


def test_an_answer_speaks_of_no_more_statuses_than_fit_a_header(server: Server) -> None:
    numbers = [str(109_301_842_205_417_733 + number) for number in range(mastodon_direct.AT_ONCE + 1)]
    pages, _ = read(server, NOT_FOUND, statuses=dict.fromkeys(numbers, NOT_FOUND))
    told = [page.exchange.subject for page in pages if page.exchange.call == "author"]
    assert [len(subject.split(" ")) - 1 for subject in told] == [mastodon_direct.AT_ONCE, 1]
    assert [number for subject in told for number in subject.split(" ")[1:]] == numbers
    assert max(map(len, told)) < 4096


def test_beyond_a_limit_authors_are_not_asked_about_and_their_statuses_counted(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mastodon_direct, "MOST_AUTHORS", 2)
    wrote = {"31": ["101"], "32": ["102"], "33": ["103"], "34": ["104", "105", "106"]}
    statuses = {**{str(number): NOT_FOUND for number in range(101, 106)}, "101": status("101"), "106": status("106")}
    pages, _ = read(server, NOT_FOUND, statuses=statuses, wrote=wrote)
    asked = [one.path.rpartition("/")[2] for one in server.asked if "accounts" in one.path]
    assert asked == ["32", "32", "33", "33"], "looked at, then kept; the first one's status is there"
    assert calls(pages)[-3:] == [("confirm_status", number) for number in ("104", "105", "106")]
    assert skipped(pages) == {"author_not_asked": 2}
