"""Activity: the figures are the mart's, the alarms go off, hostile texts stay texts."""

from __future__ import annotations

import csv
import html
import io
import re
from threading import Event, Thread
from typing import TYPE_CHECKING

import dashboard_city
import pytest
from dashboard_city import BUILT_AT, FORMULA, LINK, REVOKED, SCRIPT, TITLES
from selectolax.lexbor import LexborHTMLParser as HTMLParser

if TYPE_CHECKING:
    from pathlib import Path

    import requests
    from console_fixtures import Console

    from warehouse.endpoint import Endpoint

pytest_plugins = ["console_fixtures"]

TABLES = {
    "/": ("weeks", "changes", "accounts"),
    "/accounts/city-hall": ("weeks", "changes", "freshness"),
    "/accounts/library": ("weeks", "changes", "freshness"),
}


def page(console: Console, visitor: requests.Session, path: str) -> HTMLParser:
    answer = console.get(visitor, path)
    assert answer.status_code == 200, answer.text
    return HTMLParser(answer.text)


def table(found: HTMLParser, name: str) -> list[list[str]]:
    rows = found.css(f"table.table--{name} tr")
    return [[cell.text(strip=True) for cell in row.css("th, td")] for row in rows]


def table_csv(console: Console, visitor: requests.Session, path: str) -> list[list[str]]:
    answer = console.get(visitor, path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def alarms(found: HTMLParser) -> dict[str, str]:
    return {
        alarm.css_first("h3").text(strip=True): alarm.css_first("p").text(strip=True)
        for alarm in found.css(".usa-alert--error")
    }


def numbers(rows: list[list[str]]) -> list[tuple[int, ...]]:
    return [tuple(int(cell.replace(",", "")) for cell in row[1:]) for row in rows]


def test_the_weeks_are_those_of_the_mart_with_the_empty_ones(served: Console, dana: requests.Session) -> None:
    found = page(served, dana, "/")
    weeks, changes = table(found, "weeks")[1:], table(found, "changes")[1:]
    expected = {
        f"{week:%Y-%m-%d}": tuple(counts)
        for week, *counts in served.rows(
            "SELECT week, sum(posts)::INT, sum(comments)::INT, sum(edits)::INT, sum(deletions)::INT, sum(hidden)::INT FROM activity_by_week GROUP BY week"
        )
    }
    assert len(weeks) == 26
    assert weeks[-1][0] == "2026-06-15"
    assert [row[0] for row in weeks] == [row[0] for row in changes]
    both = [first + second for first, second in zip(numbers(weeks), numbers(changes), strict=True)]
    assert both == [expected.get(row[0], (0, 0, 0, 0, 0)) for row in weeks]
    assert all(sum(column) > 0 for column in zip(*both, strict=True))


def test_an_accounts_weeks_are_its_own(served: Console, dana: requests.Session) -> None:
    weeks = table(page(served, dana, "/accounts/parks"), "weeks")[1:]
    [(posts, comments)] = served.rows(
        "SELECT sum(posts)::INT, sum(comments)::INT FROM activity_by_week WHERE account = 'parks' AND week >= '2025-12-22'"
    )
    assert tuple(map(sum, zip(*numbers(weeks), strict=True))) == (posts, comments)


def test_the_sentence_beside_a_chart_tells_its_totals(served: Console, dana: requests.Session) -> None:
    found = page(served, dana, "/accounts/city-hall")
    weeks = numbers(table(found, "weeks")[1:])
    posts, comments = (sum(column) for column in zip(*weeks, strict=True))
    peak = max(map(sum, weeks))
    sentence = found.css_first(".figures__sentence").text(strip=True)
    assert sentence.startswith(f"{posts} posts and {comments} comments in 26 weeks, most in the week of ")
    assert sentence.endswith(f": {peak}.")
    assert sentence in {one.text(strip=True) for one in found.css("svg desc")}


def test_counts_of_an_account_are_those_of_the_mart(served: Console, dana: requests.Session) -> None:
    found = page(served, dana, "/")
    shown = {row[0]: row[5:10] for row in table(found, "accounts")[1:]}
    for name, title in TITLES.items():
        [counts] = served.rows(
            f"""SELECT count(*) FILTER (kind = 'post'), count(*) FILTER (kind = 'comment'),
                (SELECT count(*) FROM edits WHERE account = '{name}'),
                count(*) FILTER (state = 'deleted'), count(*) FILTER (state = 'hidden')
                FROM records WHERE account = '{name}'"""
        )
        assert shown[title] == [str(count) for count in counts]
    cards = [card.text(strip=True) for card in found.css(".cards__number")]
    totals = [sum(column) for column in zip(*([int(cell) for cell in row] for row in shown.values()), strict=True)]
    assert cards == ["1 of 4", *(str(total) for total in totals)]


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in TABLES.items() for name in names])
def test_a_csv_holds_the_table_of_the_page(served: Console, dana: requests.Session, path: str, name: str) -> None:
    found = page(served, dana, path)
    [link] = [
        a.attributes["href"] or "" for a in found.css("a") if (a.attributes["href"] or "").endswith(f"/{name}.csv")
    ]
    downloaded = [[cell.removeprefix("'") for cell in row] for row in table_csv(served, dana, link)]
    assert downloaded == table(found, name)


def test_a_csv_disarms_texts_that_are_formulas(served: Console, dana: requests.Session) -> None:
    cells = {cell for row in table_csv(served, dana, "/activity/accounts.csv") for cell in row}
    assert {f"'{FORMULA}", f"'{LINK}"} <= cells
    assert not cells & {FORMULA, LINK}


def test_an_account_whose_last_look_failed_is_an_alarm_with_its_cause(served: Console, dana: requests.Session) -> None:
    for path in ("/", "/accounts/library"):
        told = alarms(page(served, dana, path))
        text = told[f"The last look failed:{SCRIPT}"]
        assert text.startswith(f"T{REVOKED[1:]}.")
        assert "Not covered since 2026-06-15 12:00 UTC, 2 days ago." in text
        assert "not tried" not in text


def test_accounts_that_fell_silent_or_never_spoke_are_alarms(served: Console, dana: requests.Session) -> None:
    told = alarms(page(served, dana, "/"))
    assert f"No recent complete look:{FORMULA}" in told
    assert f"Never looked at completely:{TITLES['ward-3']}" in told
    assert len(told) == 3


def test_the_table_of_accounts_begins_with_trouble(served: Console, dana: requests.Session) -> None:
    rows = table(page(served, dana, "/"), "accounts")[1:]
    assert [row[1] for row in rows] == ["Failing", "Never complete", "Late", "Up to date", "Not captured"]
    assert [row[2] for row in rows] == ["", "", "2026-06-17 09:00", "2026-06-17 11:40", ""]


def test_an_account_without_trouble_has_no_alarm(served: Console, dana: requests.Session) -> None:
    assert alarms(page(served, dana, "/accounts/city-hall")) == {}


def test_an_old_mart_is_an_alarm(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    assert "This page is old" not in alarms(page(own, visitor, "/"))
    own.clock.now = BUILT_AT
    own.clock.forward(minutes=61)
    assert alarms(page(own, visitor, "/"))["This page is old"].startswith(
        "The mart was last built 2026-06-17 11:50 UTC, 61 minutes ago."
    )


def test_hostile_texts_are_shown_and_not_obeyed(served: Console, dana: requests.Session) -> None:
    for path in ("/", "/accounts/library"):
        text = served.get(dana, path).text
        assert html.escape(SCRIPT, quote=False) in text.replace("&#34;", '"')
        assert "<script" not in text
        assert "<img" not in text


def test_no_page_has_a_script_or_an_inline_style(served: Console, dana: requests.Session) -> None:
    for path in ("/", "/accounts/city-hall", "/nowhere", "/login"):
        text = served.get(dana, path).text
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=\"|javascript:", text)


@pytest.mark.parametrize(
    "path", ["/accounts/nobody", "/accounts/nobody/weeks.csv", "/activity/nothing.csv", "/nowhere"]
)
def test_what_is_not_there_is_told_in_words(served: Console, dana: requests.Session, path: str) -> None:
    answer = served.get(dana, path)
    assert answer.status_code == 404
    assert "There is no" in HTMLParser(answer.text).css_first("h1").text()
    assert "Sign out" in answer.text


def test_without_a_mart_the_page_says_how_to_make_one(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    own.mart.unlink()
    for path in ("/", "/accounts/city-hall", "/activity/weeks.csv"):
        answer = own.get(visitor, path)
        assert answer.status_code == 503
        assert "onrecord mart build" in answer.text


def test_a_damaged_mart_is_told_as_such(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    own.mart.chmod(0o600)
    own.mart.write_bytes(b"not a database" * 1000)
    answer = own.get(visitor, "/")
    assert answer.status_code == 503
    assert "The mart cannot be read" in answer.text
    assert str(own.mart) not in answer.text


def test_a_mart_that_is_replaced_is_read_anew_by_the_next_page(
    own: Console, s3_endpoint: Endpoint, tmp_path: Path
) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    stop, answers = Event(), []

    def reading() -> None:
        reader = own.visitor()
        reader.cookies.update(visitor.cookies)
        while not stop.is_set():
            answers.append(own.get(reader, "/activity/weeks.csv").status_code)

    readers = [Thread(target=reading) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        dashboard_city.rebuild(own.mart, tmp_path, s3_endpoint)
        after = table(page(own, visitor, "/"), "weeks")[1:]
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert set(numbers(after)) == {(0, 0)}
    assert len(answers) > 2
    assert set(answers) == {200}


def test_a_head_request_is_answered_without_a_body(served: Console, dana: requests.Session) -> None:
    for path in ("/", "/accounts/city-hall", "/activity/weeks.csv", "/healthz", "/static/site.css"):
        answer = dana.head(served.url + path, timeout=30)
        assert (answer.status_code, answer.content) == (200, b"")
