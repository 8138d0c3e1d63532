"""Lives of posts with a known law, as looks at intervals see them: what the estimate of loss is measured by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compliance.loss import Watched

HOUR = 3600.0
LIVES = {
    "weibull": lambda rng, n: rng.weibull(0.7, n) * 6 * HOUR,
    "log-normal": lambda rng, n: np.exp(rng.normal(np.log(3 * HOUR), 1.2, n)),
    "exponential": lambda rng, n: rng.exponential(8 * HOUR, n),
    "soon or late": lambda rng, n: np.where(
        rng.random(n) < 0.4, rng.exponential(0.5 * HOUR, n), rng.exponential(48 * HOUR, n)
    ),
}
"""Ages at which those vanish that ever do, in seconds."""


def watched(
    law: str, seed: int, *, each_day: float = 20, days: int = 60, hours_between: float = 6, mortal: float = 0.15
) -> tuple[Watched, int]:
    """What looks see of posts created at random, and how many they never see."""
    rng = np.random.default_rng(seed)
    created = rng.uniform(0, days * 24 * HOUR, rng.poisson(each_day * days))
    age = np.where(rng.random(created.size) < mortal, LIVES[law](rng, created.size), np.inf)
    steps = rng.uniform(0.7, 1.3, int(days * 24 / hours_between * 1.5)) * hours_between * HOUR
    looks = np.concatenate([[0.0], np.cumsum(steps)])
    looks = looks[: np.searchsorted(looks, days * 24 * HOUR) + 1]
    first = np.searchsorted(looks, created)
    there = created + age >= looks[first]
    unseen = int((~there).sum())
    created, age, first = created[there], age[there], first[there]
    after = np.searchsorted(looks, created + age)
    stands = after >= looks.size
    last = looks[np.where(stands, looks.size - 1, np.maximum(after - 1, first))] - created
    gone = np.where(stands, np.inf, looks[np.minimum(after, looks.size - 1)] - created)
    return classed(looks[first] - created, last, gone), unseen


def classed(entry: npt.NDArray[np.float64], lower: npt.NDArray[np.float64], upper: npt.NDArray[np.float64]) -> Watched:
    """Ages in classes, as the mart's table ``lifetimes`` has them."""
    entry, lower, upper = (np.exp(np.round(np.log(np.maximum(ages, 1)) * 10) / 10) for ages in (entry, lower, upper))
    upper = np.where(upper <= lower, lower * np.exp(0.1), upper)
    rows, items = np.unique(np.stack([entry, lower, upper]), axis=1, return_counts=True)
    return Watched(*rows, items.astype(float))
