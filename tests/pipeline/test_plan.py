"""The plan looks at young records often, at old ones seldom, and stays within the budget."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.contract import Cost
from pipeline.plan import Load, Step, due_reach, plan

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = [Step(2 * DAY, HOUR), Step(14 * DAY, 12 * HOUR), Step(120 * DAY, 72 * HOUR)]
COST = Cost(each=4, posts_per_page=10, per_thread=1)


def looked(**hours_ago: float) -> Callable[[timedelta], datetime | None]:
    """A ledger in which looks reached back so many days (``d2=1``: two days back, an hour ago)."""
    reaches = {timedelta(days=int(name[1:])): NOW - timedelta(hours=ago) for name, ago in hours_ago.items()}

    def last(age: timedelta) -> datetime | None:
        return max((at for reach, at in reaches.items() if reach >= age), default=None)

    return last


def test_what_was_never_looked_at_is_due_to_the_last_step() -> None:
    assert due_reach(STEPS, looked(), NOW) == 120 * DAY


@pytest.mark.parametrize(
    ("hours_ago", "reach"),
    [
        ({"d120": 0.5}, timedelta()),
        ({"d120": 1}, 2 * DAY),
        ({"d120": 12, "d2": 0.2}, 14 * DAY),
        ({"d120": 72, "d14": 1, "d2": 0.2}, 120 * DAY),
        ({"d120": 71, "d14": 11, "d2": 0.9}, timedelta()),
    ],
)
def test_the_deepest_step_that_is_due_says_how_far_to_reach(hours_ago: dict[str, float], reach: timedelta) -> None:
    assert due_reach(STEPS, looked(**hours_ago), NOW) == reach


def test_a_day_that_fits_is_not_stretched() -> None:
    made = plan(STEPS, [Load((10, 20, 30), (1, 2, 3))], COST, capture_every=HOUR, budget_per_hour=1000)
    assert made.looks == 4 * 24
    assert made.again == (1 + 1) * 24 + (2 + 2) * 2 + (3 + 3) / 3
    assert made.stretch == 1
    assert made.fits


def test_a_day_that_does_not_fit_is_stretched_until_it_does() -> None:
    loads = [Load((1000, 5000, 20000), (500, 2500, 10000))] * 10
    made = plan(STEPS, loads, COST, capture_every=HOUR, budget_per_hour=500)
    assert not made.fits
    stretched = [Step(step.age, step.every * made.stretch) for step in STEPS]
    again = plan(stretched, loads, COST, capture_every=HOUR, budget_per_hour=500)
    assert again.looks + again.again == pytest.approx(500 * 24)
    assert due_reach(STEPS, looked(d120=1.5), NOW, stretch=made.stretch) == timedelta()


def test_a_budget_that_the_schedule_alone_spends_leaves_nothing_for_looking_again() -> None:
    made = plan(STEPS, [Load((10, 10, 10), (1, 1, 1))], COST, capture_every=HOUR, budget_per_hour=4)
    assert made.stretch == math.inf
    assert not made.fits
