"""The estimate of loss holds the truth as often as it says, and says nothing where it cannot know."""

from __future__ import annotations

import numpy as np
import pytest
from lives import HOUR, LIVES, classed, watched

from compliance import loss
from compliance.loss import Group, Loss

OWN = Group("bluesky:did:plc:alder", "bluesky", "post")


def estimate(law: str, seed: int, **how: float) -> tuple[Loss, int]:
    seen, unseen = watched(law, seed, **how)
    [found] = loss.estimates({OWN: seen})
    return found, unseen


def test_the_interval_holds_the_truth_in_most_invented_cities() -> None:
    """Nominally 95 %; the posts are few, and where nothing can be said, nothing is held."""
    held = []
    for number in range(60):
        found, unseen = estimate(list(LIVES)[number % 4], number)
        held.append(found.low is not None and found.high is not None and found.low <= unseen <= found.high)
    assert sum(held) >= 51, f"{sum(held)} of {len(held)}"


def test_the_estimates_do_not_lean_far_to_one_side() -> None:
    ratios = []
    for number in range(16):
        found, unseen = estimate(list(LIVES)[number % 4], 100 + number, each_day=60)
        assert found.unseen is not None
        ratios.append(np.log(found.unseen / unseen))
    assert abs(np.median(ratios)) < np.log(1.5)


def test_looking_more_often_loses_less_and_the_estimate_follows() -> None:
    seldom, _ = estimate("log-normal", 1, hours_between=12, each_day=60)
    often, _ = estimate("log-normal", 1, hours_between=2, each_day=60)
    assert seldom.unseen is not None
    assert often.unseen is not None
    assert often.unseen < seldom.unseen / 2


def test_the_same_lives_give_the_same_numbers() -> None:
    assert estimate("weibull", 5) == estimate("weibull", 5)


@pytest.mark.parametrize("mortal", [0.0, 0.005])
def test_nothing_is_made_up_where_too_few_vanished(mortal: float) -> None:
    found, _ = estimate("weibull", 1, mortal=mortal)
    assert (found.unseen, found.low, found.high, found.basis) == (None, None, None, "none")
    assert "cannot be estimated" in found.note
    assert found.gone < loss.ENOUGH_GONE


def test_nothing_is_made_up_where_nearly_all_vanish_before_the_first_look() -> None:
    rng = np.random.default_rng(3)
    entry = rng.uniform(0, 40 * HOUR, 4_000)
    age = rng.exponential(4 * HOUR, 4_000)
    seen = age > entry
    gone = np.ceil((age[seen] - entry[seen]) / (40 * HOUR)) * 40 * HOUR + entry[seen]
    [found] = loss.estimates({OWN: classed(entry[seen], entry[seen], gone)})
    assert found.unseen is None
    assert "Look more often" in found.note


def test_lifetimes_of_the_platform_and_then_of_all_stand_in_and_it_is_said() -> None:
    few, _ = watched("weibull", 1, days=3)
    many, _ = watched("weibull", 2)
    other = Group("mastodon:m/1", "mastodon", "post")
    [found] = loss.estimates({OWN: few, Group(None, "bluesky", "post"): many})
    assert found.basis == "platform"
    assert "too few of its own" in found.note
    [elsewhere] = loss.estimates({other: few, Group(None, None, "post"): many})
    assert (elsewhere.basis, elsewhere.unseen) == ("all", found.unseen)
    [comment] = loss.estimates({OWN._replace(kind="comment"): few, Group(None, None, "post"): many})
    assert comment.unseen is None
