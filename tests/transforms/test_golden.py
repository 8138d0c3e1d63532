from __future__ import annotations

import json

import pytest
from archived_pages import GOLDEN, golden_pages, show, told

from transforms.normalize import DIALECTS

PAGES = golden_pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_body_gives_exactly_the_rows_written_down_for_it(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.expected.json").read_text())
    expected.pop("page", None)
    assert told(show(PAGES[name])) == expected


def test_every_call_that_leads_to_rows_has_a_golden_pair() -> None:
    covered = {(page.platform, page.call) for page in PAGES.values()}
    alike = {
        ("bluesky", "reply_views"),
        ("bluesky", "reply_record"),
        ("bluesky", "account_status"),
        ("bluesky", "labelers"),
    }
    calls = {(platform, call) for platform, dialect in DIALECTS.items() for call in dialect.calls}
    assert calls - covered == alike
