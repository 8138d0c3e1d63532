from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from connectors.contract import Checkpoint, Look, Page
from connectors.exchange import Exchange
from connectors.faults import CursorExpired
from connectors.kit.stages import Stage, in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator


def page(name: str, checkpoint: Checkpoint | None) -> Page:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Page(Exchange(name, "", "GET", "", (), 200, "", (), b"", moment, 0.0), checkpoint=checkpoint)


def stage(name: str, count: int) -> Stage:
    def read(look: Look) -> Iterator[Page]:
        first = int((look.resume or {}).get("number", 0))
        for number in range(first, count):
            yield page(f"{name}{number}", {"number": number + 1} if number + 1 < count else None)

    return name, read


STAGES = [stage("a", 3), stage("b", 1), stage("c", 2)]


def calls(look: Look) -> list[str]:
    return [page.exchange.call for page in in_turn(look, STAGES)]


def test_stages_follow_each_other_and_resume_after_every_page() -> None:
    whole = list(in_turn(Look(), STAGES))
    names = [page.exchange.call for page in whole]
    assert names == ["a0", "a1", "a2", "b0", "c0", "c1"]
    assert whole[-1].checkpoint is None
    for number, read in enumerate(whole[:-1], 1):
        assert calls(Look(resume=read.checkpoint)) == names[number:]


def test_a_stage_that_is_no_more_starts_over() -> None:
    with pytest.raises(CursorExpired, match="read from its start"):
        calls(Look(resume={"stage": "z", "place": {}}))
