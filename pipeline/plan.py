"""What is due to be looked at again: young posts often, old ones seldom, busy threads each time, and all of it within the budget.

The policy's steps say how often records of an age are looked at again. A look reaches back to some age and so serves every step up
to it; the deepest step that is due says how far the next look reaches. What the steps ask of a credential in a day is
estimated beforehand; where it is more than the budget, the intervals of all steps are stretched until it fits, and that is told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from connectors.contract import Cost

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Step:
    """Records younger than ``age`` are looked at again this often."""

    age: timedelta
    every: timedelta


@dataclass(frozen=True, slots=True)
class Hot:
    """A thread with at least so many comments of late is looked at each time, however old its post."""

    comments: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Load:
    """What an account has to be looked at again: counts of posts younger than each step's age, in the order of the steps."""

    posts: tuple[int, ...]
    threads: tuple[int, ...]
    """Those with answers."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A credential's day."""

    looks: float
    """Requests a day that the schedule needs, whatever is looked at again."""
    again: float
    """Requests a day for looking again as the steps ask."""
    budget: float
    """Requests a day the credential may spend."""

    @property
    def stretch(self) -> float:
        """By how much the steps' intervals are multiplied so that the day fits; 1 where it fits as it is."""
        left = self.budget - self.looks
        if self.again <= left:
            return 1.0
        return self.again / left if left > 0 else math.inf

    @property
    def fits(self) -> bool:
        """Whether the day fits as the policy asks."""
        return self.stretch <= 1


def plan(
    steps: Sequence[Step], loads: Sequence[Load], cost: Cost, *, capture_every: timedelta, budget_per_hour: float
) -> Plan:
    """The day of the accounts that share a credential. An upper bound: a deep look also serves the steps before it."""
    looks = len(loads) * cost.each * (DAY / capture_every)
    again = sum(
        _requests(load.posts[number], load.threads[number], cost) * (DAY / step.every)
        for load in loads
        for number, step in enumerate(steps)
    )
    return Plan(looks, again, budget_per_hour * 24)


def _requests(posts: int, threads: int, cost: Cost) -> float:
    return math.ceil(posts / cost.posts_per_page) + threads * cost.per_thread


def due_reach(
    steps: Sequence[Step], looked: Callable[[timedelta], datetime | None], now: datetime, *, stretch: float = 1.0
) -> timedelta:
    """How far back the next look reaches: the age of the deepest step that is due; zero where none is.

    ``looked``: when a look that reached back so far was last complete.
    """
    for step in sorted(steps, key=lambda one: one.age, reverse=True):
        last = looked(step.age)
        if last is None or (now - last) / step.every >= stretch:
            return step.age
    return timedelta()
