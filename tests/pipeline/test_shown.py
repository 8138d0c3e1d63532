from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pipeline.shown import FAR_TOO_LARGE, RUN_PAGES, cut
from transforms.page import ArchivedPage


def pages(calls: Iterable[str]) -> list[ArchivedPage]:
    return [
        ArchivedPage(
            platform="x",
            account_id="x:city",
            service="x.example",
            capture_id="c",
            call=call,
            subject="",
            url="https://x.example",
            status=200,
            content=b"{}",
            fetched_at=datetime(2026, 3, 2, tzinfo=UTC),
            evidence_key="e",
            evidence_offset=number,
        )
        for number, call in enumerate(calls)
    ]


def test_every_page_is_in_one_run_in_order() -> None:
    given = pages(["list"] * (RUN_PAGES * 2 + 1))
    runs = [list(run) for run in cut(iter(given))]
    assert [page for run in runs for page in run] == given
    assert [len(run) for run in runs] == [RUN_PAGES, RUN_PAGES, 1]


def test_pages_that_belong_to_a_listing_stay_in_its_run() -> None:
    given = pages(["list", "views", "views"] * RUN_PAGES)
    runs = [list(run) for run in cut(iter(given))]
    assert {run[0].call for run in runs} == {"list"}
    assert len(runs) > 1


def test_a_run_without_end_is_cut_all_the_same() -> None:
    runs = [list(run) for run in cut(iter(pages(["list", *["views"] * (RUN_PAGES * 10)])))]
    assert max(map(len, runs)) == RUN_PAGES * FAR_TOO_LARGE


def test_no_pages_are_no_runs() -> None:
    assert list(cut(iter([]))) == []
