from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connectors.contract import Item, Look, Page
from connectors.exchange import Exchange
from connectors.kit.threads import each_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 1, 1, tzinfo=UTC)


def post(number: int, replies: int | None = 2) -> Item:
    return Item(str(number), "post", START + timedelta(days=number), replies)


def read(subject: Item) -> Iterator[Page]:
    for number in range(subject.replies if subject.replies is not None else 1):
        call = f"{subject.native_id}.{number}"
        yield Page(Exchange(call, "", "GET", "", (), 200, "", (), b"", START, 0.0), checkpoint={"own": "place"})


def calls(subjects: list[Item], resume: object = None) -> list[str]:
    look = Look(subjects=subjects, resume=resume)  # type: ignore[arg-type]
    return [page.exchange.call for page in each_thread(look, read)]


POSTS = [post(5), post(4, 0), post(3), post(2, None), post(1, 1)]


def test_every_thread_with_answers_is_read_once() -> None:
    assert calls(POSTS) == ["5.0", "5.1", "3.0", "3.1", "2.0", "1.0"]


def test_a_thread_cut_off_is_read_again_as_a_whole_and_no_other_is_missed() -> None:
    whole = list(each_thread(Look(subjects=POSTS), read))
    names = [page.exchange.call for page in whole]
    assert whole[-1].checkpoint is None
    for number, page in enumerate(whole[:-1]):
        rest = calls(POSTS, page.checkpoint)
        assert set(names[number + 1 :]) <= set(rest)
        assert rest == names[len(names) - len(rest) :]
        assert len(rest) <= len(names) - number


def test_resuming_holds_where_posts_came_and_went() -> None:
    read_two = list(each_thread(Look(subjects=POSTS), read))[1]
    assert calls([post(7), post(6), *POSTS], read_two.checkpoint) == ["3.0", "3.1", "2.0", "1.0"]
    assert calls([post(3), post(1, 1)], read_two.checkpoint) == ["3.0", "3.1", "1.0"]


def test_no_answers_no_pages() -> None:
    assert calls([]) == []
    assert calls([post(1, 0)]) == []
